//! The screen, drawn. Only the terminal's own colours, bold, and red for what somebody should look at.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use crate::number::seconds;
use crate::once;
use crate::panes::{self, Pane};
use crate::screen::Trouble;
use crate::screen::look::{Extent, Look};
use crate::view::{Continuity, View};

/// The smallest window that is drawn in.
const WIDTH_MIN: u16 = 80;
const HEIGHT_MIN: u16 = 24;
/// What a column of tables is at least, where the window has room for more than one.
const COLUMN_WIDTH_MIN: u16 = 76;
/// Between two columns of tables.
const GAP: u16 = 2;

const KEYS: &str = " q quit   p pause   ↑ ↓ scroll   tab next table   ? help";
const KEYS_PAUSED: &str = " PAUSED: p goes on   q quit   ↑ ↓ scroll   ? help";

const HELP: [&str; 16] = [
    "q, Ctrl-C          quit",
    "p, space           pause; the sidecar is asked all the same",
    "↑ ↓, j k           scroll by a line",
    "page up, page down scroll by a page",
    "home, end          to the first line, to the last",
    "tab, →             to the next table",
    "shift-tab, ←       to the table before",
    "?                  this help; any key closes it",
    "",
    "Rates, means, percentiles and shares are of the last interval;",
    "what stands under \"since start\" counts since the sidecar started.",
    "p99: 99 of 100 took no longer, as far as the buckets of the",
    "sidecar's histograms tell; \">2.00 s\" is beyond the last of them.",
    "– is nothing reported, or nothing observed in the interval.",
    "An engine without work: its device is in trials or in quarantine.",
    "Red is what should not be.",
];

/// Draws everything, and remembers how much there was.
pub(super) fn screen(frame: &mut Frame<'_>, look: &mut Look) {
    let area = frame.area();
    if area.width < WIDTH_MIN || area.height < HEIGHT_MIN {
        return too_small(frame);
    }
    let rows = [Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1)];
    let [head, body, foot] = Layout::vertical(rows).areas(area);
    frame.render_widget(Paragraph::new(header(look)), head);
    match &look.seen.view {
        Some(view) => {
            let tables = Tables::of(&panes::of(view), body.width);
            look.extent = tables.extent(body.height);
            look.scroll = look.scroll.min(look.extent.last());
            tables.draw(frame.buffer_mut(), body, look.scroll);
        }
        None => look.extent = Extent::default(),
    }
    frame.render_widget(footer(look), foot);
    if look.shows_help {
        help(frame);
    }
}

fn too_small(frame: &mut Frame<'_>) {
    let area = frame.area();
    let text = format!(
        "This window is {} x {}; outrigger top needs {WIDTH_MIN} x {HEIGHT_MIN}. Make it larger, or press q and use \
         outrigger top --once.",
        area.width, area.height
    );
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
}

/// Who, how much, and what is to be known of the figures.
fn header(look: &Look) -> Vec<Line<'static>> {
    let alarm = Style::new().fg(Color::Red).bold();
    let trouble = look.seen.trouble.as_ref();
    let Some(view) = &look.seen.view else {
        let identity = Line::from(format!("outrigger  {}", look.source)).bold();
        let state = trouble.map_or_else(|| Line::from("asking …"), |trouble| Line::styled(away(trouble, look), alarm));
        return vec![identity, Line::default(), state];
    };
    let state = match trouble {
        Some(trouble) => Line::styled(away(trouble, look), alarm),
        None if view.moment.ready == Some(false) => Line::styled(state(view), alarm),
        None => Line::from(state(view)),
    };
    vec![Line::from(once::identity(view)).bold(), Line::from(once::sums(view)), state]
}

fn away(trouble: &Trouble, look: &Look) -> String {
    let (since, interval) = (trouble.since.elapsed().as_secs(), seconds(look.interval.as_secs_f64()));
    let why: String = trouble.why.chars().filter(|c| !c.is_control()).collect();
    format!("AWAY for {since} s, asked again every {interval}: {why}")
}

fn state(view: &View) -> String {
    let state = once::state(view);
    match view.moment.continuity {
        Continuity::Restarted => format!("{state}; it was STARTED AGAIN"),
        Continuity::Returned => format!("{state}; it is back"),
        Continuity::First | Continuity::Continued => state,
    }
}

fn footer(look: &Look) -> Line<'static> {
    let extent = &look.extent;
    let mut text = if look.is_paused { KEYS_PAUSED } else { KEYS }.to_owned();
    if extent.lines > extent.shown {
        let last = (look.scroll + extent.shown).min(extent.lines);
        text += &format!("   lines {} to {last} of {}", look.scroll + 1, extent.lines);
    }
    Line::styled(text, Style::new().add_modifier(Modifier::REVERSED))
}

fn help(frame: &mut Frame<'_>) {
    let area = frame.area();
    let (width, height) = (70.min(area.width), (HELP.len() as u16 + 2).min(area.height));
    let place = Rect::new((area.width - width) / 2, (area.height - height) / 2, width, height);
    let block = Block::bordered().title(Line::from(" outrigger top ").bold()).title_alignment(Alignment::Center);
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(HELP.map(Line::from).to_vec()).block(block), place);
}

/// Tables in their places: side by side where there is room, each where the column is shortest.
struct Tables {
    placed: Vec<(Position, Buffer)>,
    lines: u16,
}

impl Tables {
    fn of(panes: &[Pane], width: u16) -> Self {
        let columns = ((width + GAP) / (COLUMN_WIDTH_MIN + GAP)).max(1);
        let column_width = (width - GAP * (columns - 1)) / columns;
        let mut heights = vec![0_u16; usize::from(columns)];
        let mut placed = Vec::new();
        for pane in panes {
            let shortest = (0..heights.len()).min_by_key(|column| heights[*column]).unwrap_or_default();
            let table = panes::buffer(pane, column_width);
            let place = Position::new(shortest as u16 * (column_width + GAP), heights[shortest]);
            heights[shortest] = heights[shortest].saturating_add(table.area.height);
            placed.push((place, table));
        }
        Self { placed, lines: heights.into_iter().max().unwrap_or_default() }
    }

    fn extent(&self, shown: u16) -> Extent {
        let mut tops: Vec<_> = self.placed.iter().map(|(place, _)| place.y).collect();
        tops.sort_unstable();
        tops.dedup();
        Extent { lines: self.lines, shown, tops }
    }

    /// Draws what of the tables is in a window whose first line is `scroll`.
    fn draw(&self, screen: &mut Buffer, window: Rect, scroll: u16) {
        for (place, table) in &self.placed {
            for y in 0..table.area.height {
                let Some(line) = place.y.saturating_add(y).checked_sub(scroll).filter(|line| *line < window.height)
                else {
                    continue;
                };
                for x in 0..table.area.width {
                    screen[(window.x + place.x + x, window.y + line)] = table[(x, y)].clone();
                }
            }
        }
    }
}
