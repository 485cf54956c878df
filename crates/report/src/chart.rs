//! Plots, drawn by `plotters` as SVG without its outermost element.

mod bars;
mod lines;
mod marks;
mod rows;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::Text;
use plotters::prelude::{Cartesian2d, SVGBackend};
use plotters::style::{Color, IntoFont, TextStyle};

use crate::axis::Axis;
use crate::palette::{FRAME, GRID, TEXT};

pub(crate) use bars::{Bar, Bars};
pub(crate) use lines::{Line, Lines};
pub(crate) use marks::swatch;
pub(crate) use rows::{Mark, Row, Rows};

/// Units of width of every plot. Twice what it is shown at about: coordinates are whole numbers.
const WIDTH: u32 = 960;
/// Height of letters, of which plotters takes 1 / 1.24: 11 pixels on a screen of 400.
const LETTERS: f64 = 34.72;
/// Room around the axes.
const MARGIN: u32 = 22;
/// Room for ticks and the title of the x axis, and the same at the top.
const X_LABELS: u32 = 100;
/// Letters of a line of a row's name that fit, and how many lines there are at most.
const NAME_LETTERS: usize = 56;
const NAME_LINES_MAX: usize = 3;
/// Height of such a line.
const NAME_LINE: f64 = 36.0;
/// A plot with more rows has ticks at both ends.
const ROWS_OF_A_SCREEN: usize = 8;
/// What the page's style sheet says once, or what is so anyway: a third of a plot.
const SAID_ELSEWHERE: [&str; 3] =
    [" opacity=\"1\"", " stroke=\"none\" stroke-width=\"1\"", " font-family=\"sans-serif\""];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// What is inside of an SVG, and its size in units.
#[derive(Clone, Debug)]
pub(crate) struct Drawing {
    pub(crate) inner: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Drawing {
    /// Draws on an area of a size in units.
    fn new(width: u32, height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Self {
        let mut text = String::new();
        {
            let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
            draw(&area).and_then(|()| area.present()).expect("a string takes what is drawn");
        }
        // The page writes the outermost element itself, with a title for those who do not see the plot.
        let inner = text.split_once('>').map_or("", |(_, rest)| rest).trim();
        let mut inner = inner.strip_suffix("</svg>").unwrap_or(inner).replace('\n', "");
        let letters = format!(" font-size=\"{}\"", LETTERS / 1.24);
        for said in SAID_ELSEWHERE.into_iter().chain([letters.as_str()]) {
            inner = inner.replace(said, "");
        }
        Self { inner, width, height }
    }
}

/// Titles of both axes; the y axis of rows has none, nor room for ticks.
struct Titles<'a> {
    x: &'a str,
    y: Option<&'a str>,
    /// Whether the x axis has its ticks at the top too.
    both_ends: bool,
}

/// Draws axes and grid.
fn axes<'a, 'b>(
    area: &'a Area<'b>,
    x: &Axis,
    y: &Axis,
    titles: &Titles<'_>,
) -> Result<Chart<'a, 'b>, DrawingAreaErrorKind<std::io::Error>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin(MARGIN).margin_right(2 * MARGIN).x_label_area_size(X_LABELS);
    if titles.y.is_some() {
        builder.y_label_area_size(156);
    }
    if titles.y.is_none() {
        // The first tick may stand at the very edge.
        builder.margin_left(3 * MARGIN).margin_right(3 * MARGIN);
    }
    if titles.both_ends {
        builder.top_x_label_area_size(X_LABELS);
    }
    let mut chart = builder.build_cartesian_2d(x.clone(), y.clone())?;
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(GRID.light.stroke_width(2)).axis_style(FRAME.light.stroke_width(2));
    mesh.label_style(letters()).axis_desc_style(letters()).x_desc(titles.x).set_all_tick_mark_size(8);
    match titles.y {
        Some(title) => mesh.y_desc(title),
        None => mesh.disable_y_mesh().disable_y_axis(),
    };
    mesh.draw()?;
    Ok(chart)
}

/// The height of a plot of rows, with its ticks.
fn room(rows: f64, both_ends: bool) -> u32 {
    rows as u32 + 2 * MARGIN + X_LABELS * if both_ends { 2 } else { 1 }
}

/// A name in lines that fit, broken at spaces; what does not fit into the last is cut.
fn name_lines(name: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in name.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > NAME_LETTERS {
            lines.push(word.to_owned());
        } else {
            let line = &mut lines[last];
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    let is_cut = lines.len() > NAME_LINES_MAX;
    lines.truncate(NAME_LINES_MAX);
    let last = lines.len() - 1;
    for (place, line) in lines.iter_mut().enumerate() {
        if line.chars().count() > NAME_LETTERS || (is_cut && place == last) {
            *line = line.chars().take(NAME_LETTERS - 1).chain(['…']).collect();
        }
    }
    lines
}

/// Writes a name from its upper left corner.
fn write_name(area: &Area<'_>, name: &str, corner: (i32, i32)) -> Drawn {
    for (place, line) in name_lines(name).into_iter().enumerate() {
        let top = corner.1 + 6 + (NAME_LINE * place as f64) as i32;
        area.draw(&Text::new(line, (corner.0 + 6, top), letters()))?;
    }
    Ok(())
}

/// Height of a name.
fn name_height(name: &str) -> f64 {
    NAME_LINE * name_lines(name).len() as f64 + 6.0
}

/// How letters are written.
fn letters() -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&TEXT.light)
}

/// Where a point of the chart lies on the whole area.
fn place(chart: &Chart<'_, '_>, x: f64, y: f64) -> (i32, i32) {
    chart.plotting_area().map_coordinate(&(x, y))
}

#[cfg(test)]
mod tests;
