//! Bars of shares, each with its name above it.

use plotters::element::{PathElement, Rectangle};
use plotters::style::Color;

use super::{Area, Chart, Drawing, Drawn, ROWS_OF_A_SCREEN, Titles, WIDTH, axes, name_height, place, room, write_name};
use crate::axis::Axis;
use crate::palette::{Ink, SURFACE};

/// Height of a bar, and between bars.
const BAR: f64 = 30.0;
const GAP: f64 = 14.0;

/// A plot of bars, each of which is 100 %.
pub(crate) struct Bars {
    pub(crate) x_title: String,
    pub(crate) bars: Vec<Bar>,
}

/// One bar: its name and its parts, not below zero, in any unit.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) parts: Vec<(Ink, f64)>,
}

impl Bars {
    /// Draws the plot.
    pub(crate) fn draw(&self) -> Drawing {
        let height = self.bars.iter().map(height).sum();
        let both_ends = self.bars.len() > ROWS_OF_A_SCREEN;
        Drawing::new(WIDTH, room(height, both_ends), |area| {
            let titles = Titles { x: &self.x_title, y: None, both_ends };
            let chart = axes(area, &Axis::percent(), &Axis::places(height), &titles)?;
            let mut top = 0.0;
            for bar in &self.bars {
                draw_bar(area, &chart, bar, top)?;
                top += self::height(bar);
            }
            Ok(())
        })
    }
}

fn height(bar: &Bar) -> f64 {
    name_height(&bar.name) + BAR + GAP
}

fn draw_bar(area: &Area<'_>, chart: &Chart<'_, '_>, bar: &Bar, top: f64) -> Drawn {
    write_name(area, &bar.name, place(chart, 0.0, top))?;
    let top = top + name_height(&bar.name);
    let whole: f64 = bar.parts.iter().map(|part| part.1).sum();
    let mut from = 0.0;
    for (ink, part) in &bar.parts {
        let to = from + part / whole * 100.0;
        let corners = [place(chart, from, top), place(chart, to, top + BAR)];
        area.draw(&Rectangle::new(corners, ink.light.filled()))?;
        let edge = vec![(corners[1].0, corners[0].1), corners[1]];
        area.draw(&PathElement::new(edge, SURFACE.light.stroke_width(2)))?;
        from = to;
    }
    Ok(())
}
