//! Lines over two logarithmic axes.

use plotters::element::{Circle, Text};
use plotters::style::Color;

use super::{Drawing, Drawn, Titles, axes, letters, marks, place};
use crate::axis::{Axis, Unit};
use crate::palette::{Look, TEXT};

/// Height of a plot, in units.
const HEIGHT: u32 = 640;
/// From the middle of a ring to its edge.
const RING: i32 = 17;

/// A plot of lines.
pub(crate) struct Lines {
    pub(crate) x_title: String,
    pub(crate) x_unit: Unit,
    pub(crate) y_title: String,
    pub(crate) y_unit: Unit,
    pub(crate) lines: Vec<Line>,
    /// Points that get a ring and a number.
    pub(crate) rings: Vec<(usize, f64, f64)>,
}

/// One line.
pub(crate) struct Line {
    pub(crate) look: Look,
    /// All that was measured: each gets a mark.
    pub(crate) points: Vec<(f64, f64)>,
    /// What the line goes through, in order.
    pub(crate) path: Vec<(f64, f64)>,
}

impl Lines {
    /// Draws the plot.
    pub(crate) fn draw(&self) -> Drawing {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let x = Axis::log(points().map(|point| point.0), self.x_unit);
        let y = Axis::log(points().map(|point| point.1), self.y_unit);
        let titles = Titles { x: &self.x_title, y: Some(&self.y_title), both_ends: false };
        Drawing::new(super::WIDTH, HEIGHT, |area| {
            let chart = axes(area, &x, &y, &titles)?;
            for line in &self.lines {
                let path: Vec<_> = line.path.iter().map(|point| place(&chart, point.0, point.1)).collect();
                marks::line(area, &path, line.look)?;
            }
            for line in &self.lines {
                for point in &line.points {
                    marks::mark(area, place(&chart, point.0, point.1), line.look)?;
                }
            }
            let rings = self.rings.iter().map(|(number, x, y)| (*number, place(&chart, *x, *y)));
            together(rings).iter().try_for_each(|(numbers, at)| ring(area, *at, numbers))
        })
    }
}

/// Rings that would lie on each other are one, with the numbers of all.
fn together(rings: impl Iterator<Item = (usize, (i32, i32))>) -> Vec<(String, (i32, i32))> {
    let mut found: Vec<(String, (i32, i32))> = Vec::new();
    for (number, at) in rings {
        let is_near = |other: (i32, i32)| (other.0 - at.0).abs() < 2 * RING && (other.1 - at.1).abs() < 2 * RING;
        match found.iter_mut().find(|(_, other)| is_near(*other)) {
            Some((numbers, _)) => numbers.push_str(&format!(", {number}")),
            None => found.push((number.to_string(), at)),
        }
    }
    found
}

fn ring(area: &super::Area<'_>, at: (i32, i32), numbers: &str) -> Drawn {
    area.draw(&Circle::new(at, RING, TEXT.light.stroke_width(3)))?;
    area.draw(&Text::new(numbers.to_owned(), (at.0 + 20, at.1 - 40), letters()))
}
