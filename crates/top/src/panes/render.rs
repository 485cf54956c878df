//! Tables as cells of a terminal. The text for pipes is the same cells, read off line by line.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Row, Table, Widget};

use crate::panes::{Cell, Pane};

/// Cells between two columns.
const GAP: u16 = 2;
/// What is left of a name at least, where the window is narrow.
const NAME_WIDTH_MIN: u16 = 6;

/// Columns of the terminal that a pane needs to show everything.
pub(crate) fn width(pane: &Pane) -> u16 {
    let title = Span::raw(pane.title).width() as u16 + 2;
    taken(&column_widths(pane)).max(title)
}

/// A pane of this width: its title, its headings and its rows. Names that do not fit are cut.
pub(crate) fn buffer(pane: &Pane, width: u16) -> Buffer {
    let height = u16::try_from(pane.rows.len() + 2).unwrap_or(u16::MAX);
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let mut widths = column_widths(pane);
    narrow(&mut widths[..pane.names], taken_by_figures(pane), width);
    let headings = pane.headings.iter().enumerate().map(|(column, text)| line(pane, column, Span::raw(*text)));
    let rows = pane.rows.iter().map(|row| {
        Row::new(
            row.iter()
                .enumerate()
                .map(|(column, cell)| line(pane, column, Span::styled(cut(cell, widths[column]), style(cell)))),
        )
    });
    let title = Line::from(format!(" {} ", pane.title)).bold();
    Table::new(rows, widths.iter().map(|width| Constraint::Length(*width)))
        .header(Row::new(headings).underlined())
        .column_spacing(GAP)
        .block(Block::new().borders(Borders::TOP).title(title))
        .render(area, &mut buffer);
    buffer
}

/// The text of some cells, line by line, without blanks at the ends.
pub(crate) fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let line = |y: u16| {
        let mut text = String::new();
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            text.push_str(symbol);
            // A wide character takes the next cell as well.
            x += (Span::raw(symbol).width() as u16).max(1);
        }
        text.trim_end().to_owned()
    };
    (0..area.height).map(line).collect()
}

fn line<'a>(pane: &Pane, column: usize, span: Span<'a>) -> Line<'a> {
    if column < pane.names { Line::from(span) } else { Line::from(span).right_aligned() }
}

/// Red is told from the foreground on light and on dark ground; those who see no colours see bold.
fn style(cell: &Cell) -> Style {
    if cell.is_alarm { Style::new().fg(Color::Red).bold() } else { Style::new() }
}

/// What each column needs.
fn column_widths(pane: &Pane) -> Vec<u16> {
    let width = |column: usize| {
        let cells = pane.rows.iter().map(|row| Span::raw(&row[column].text).width());
        cells.chain([Span::raw(pane.headings[column]).width()]).max().unwrap_or_default() as u16
    };
    (0..pane.headings.len()).map(width).collect()
}

fn taken(widths: &[u16]) -> u16 {
    widths.iter().sum::<u16>() + GAP * (widths.len() as u16).saturating_sub(1)
}

/// What figures need, with the gap before each.
fn taken_by_figures(pane: &Pane) -> u16 {
    column_widths(pane)[pane.names..].iter().map(|width| width + GAP).sum()
}

/// Takes from the widest name until all fits, or nothing more can be taken.
fn narrow(names: &mut [u16], figures: u16, width: u16) {
    while taken(names) + figures > width {
        match names.iter_mut().max() {
            Some(widest) if *widest > NAME_WIDTH_MIN => *widest -= 1,
            _ => return,
        }
    }
}

/// A cell's text; if it is too wide, its beginning.
fn cut(cell: &Cell, width: u16) -> String {
    let width = usize::from(width);
    if Span::raw(&cell.text).width() <= width {
        return cell.text.clone();
    }
    let mut text = cell.text.clone();
    while Span::raw(&text).width() + 1 > width && text.pop().is_some() {}
    text + "…"
}
