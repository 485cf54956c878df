//! Rows of marks over one logarithmic axis: each row has its name above it and a lane for each series.

use plotters::element::PathElement;
use plotters::style::Color;

use super::{
    Chart, Drawing, Drawn, ROWS_OF_A_SCREEN, Titles, WIDTH, axes, marks, name_height, place, room, write_name,
};
use crate::axis::{Axis, Unit};
use crate::palette::{FRAME, GRID, Look};

/// Height of a lane.
const LANE: f64 = 25.0;
/// Between rows.
const GAP: f64 = 12.0;

/// A plot of rows.
pub(crate) struct Rows {
    pub(crate) x_title: String,
    pub(crate) unit: Unit,
    pub(crate) rows: Vec<Row>,
    /// Whether a line stands at 1.
    pub(crate) has_one: bool,
}

/// One row: what it is and its lanes, each the marks of a series.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) lanes: Vec<Vec<Mark>>,
}

/// A mark, and what it spreads over.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) value: f64,
    /// A second mark of the same series, hollow, joined to the first by a line.
    pub(crate) other: Option<f64>,
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) look: Look,
}

impl Mark {
    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let spread = self.spread.into_iter().flat_map(|(low, high)| [low, high]);
        [self.value].into_iter().chain(self.other).chain(spread)
    }
}

impl Rows {
    /// Draws the plot.
    pub(crate) fn draw(&self) -> Drawing {
        let values = self.rows.iter().flat_map(|row| row.lanes.iter().flatten()).flat_map(Mark::values);
        let one = self.has_one.then_some(1.0);
        let x = Axis::log(values.chain(one), self.unit);
        let height: f64 = self.rows.iter().map(height).sum();
        let y = Axis::places(height);
        let both_ends = self.rows.len() > ROWS_OF_A_SCREEN;
        Drawing::new(WIDTH, room(height, both_ends), |area| {
            let titles = Titles { x: &self.x_title, y: None, both_ends };
            let chart = axes(area, &x, &y, &titles)?;
            if self.has_one {
                let ends = vec![place(&chart, 1.0, 0.0), place(&chart, 1.0, height)];
                area.draw(&PathElement::new(ends, FRAME.light.stroke_width(3)))?;
            }
            let mut top = 0.0;
            for row in &self.rows {
                draw_row(area, &chart, &x, row, top)?;
                top += self::height(row);
            }
            Ok(())
        })
    }
}

fn height(row: &Row) -> f64 {
    name_height(&row.name) + LANE * row.lanes.len() as f64 + GAP
}

fn draw_row(area: &super::Area<'_>, chart: &Chart<'_, '_>, x: &Axis, row: &Row, top: f64) -> Drawn {
    let (left, right) = (place(chart, x.low(), top), place(chart, x.high(), top));
    area.draw(&PathElement::new(vec![left, right], GRID.light.stroke_width(2)))?;
    write_name(area, &row.name, left)?;
    for (lane, marks) in row.lanes.iter().enumerate() {
        let middle = top + name_height(&row.name) + LANE * (lane as f64 + 0.5);
        for mark in marks {
            draw_mark(area, chart, mark, middle)?;
        }
    }
    Ok(())
}

fn draw_mark(area: &super::Area<'_>, chart: &Chart<'_, '_>, mark: &Mark, y: f64) -> Drawn {
    let solid = Look { is_dashed: false, ..mark.look };
    if let Some((low, high)) = mark.spread {
        let (low, high) = (place(chart, low, y), place(chart, high, y));
        let end = |at: (i32, i32)| [(at.0, at.1 - 8), (at.0, at.1 + 8), at];
        let path: Vec<_> = end(low).into_iter().chain([high]).chain(end(high)).collect();
        marks::line(area, &path, solid)?;
    }
    if let Some(other) = mark.other {
        let (from, to) = (place(chart, mark.value, y), place(chart, other, y));
        marks::line(area, &[from, to], solid)?;
        marks::mark(area, to, mark.look.hollow())?;
    }
    marks::mark(area, place(chart, mark.value, y), mark.look)
}
