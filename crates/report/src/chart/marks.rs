//! Marks and lines in units of the drawing.

use plotters::element::{Circle, DashedPathElement, PathElement, Polygon};
use plotters::style::{Color, ShapeStyle};

use super::{Area, Drawing, Drawn};
use crate::palette::{Look, SURFACE, Shape};

/// From the middle of a mark to its edge.
const RADIUS: i32 = 9;
/// Width of lines and outlines.
const STROKE: u32 = 4;

/// Draws a mark.
pub(super) fn mark(area: &Area<'_>, at: (i32, i32), look: Look) -> Drawn {
    if look.shape == Shape::Circle {
        if look.is_filled {
            return area.draw(&Circle::new(at, RADIUS, look.ink.light.filled()));
        }
        area.draw(&Circle::new(at, RADIUS, SURFACE.light.filled()))?;
        return area.draw(&Circle::new(at, RADIUS, stroke(look)));
    }
    let mut outline: Vec<_> = outline(look.shape).iter().map(|(x, y)| (at.0 + x, at.1 + y)).collect();
    let inside = if look.is_filled { look.ink.light } else { SURFACE.light };
    area.draw(&Polygon::new(outline.clone(), inside.filled()))?;
    if look.is_filled {
        return Ok(());
    }
    outline.push(outline[0]);
    area.draw(&PathElement::new(outline, stroke(look)))
}

/// Draws a line through points.
pub(super) fn line(area: &Area<'_>, points: &[(i32, i32)], look: Look) -> Drawn {
    match (points.len(), look.is_dashed) {
        (0 | 1, _) => Ok(()),
        (_, false) => area.draw(&PathElement::new(points, stroke(look))),
        (_, true) => area.draw(&DashedPathElement::new(points.iter().copied(), 20, 14, stroke(look))),
    }
}

/// A small picture of a look, for a legend.
pub(crate) fn swatch(look: Look, with_line: bool) -> Drawing {
    Drawing::new(56, 28, |area| {
        if with_line {
            line(area, &[(2, 14), (54, 14)], look)?;
        }
        mark(area, (28, 14), look)
    })
}

fn stroke(look: Look) -> ShapeStyle {
    look.ink.light.stroke_width(STROKE)
}

/// The corners of a shape around its middle.
fn outline(shape: Shape) -> &'static [(i32, i32)] {
    match shape {
        Shape::Circle => &[],
        Shape::Square => &[(-8, -8), (8, -8), (8, 8), (-8, 8)],
        Shape::Triangle => &[(0, -11), (10, 8), (-10, 8)],
        Shape::Diamond => &[(0, -12), (12, 0), (0, 12), (-12, 0)],
        Shape::Point => &[(0, 11), (10, -8), (-10, -8)],
        Shape::Cross => &[
            (-3, -11),
            (3, -11),
            (3, -3),
            (11, -3),
            (11, 3),
            (3, 3),
            (3, 11),
            (-3, 11),
            (-3, 3),
            (-11, 3),
            (-11, -3),
            (-3, -3),
        ],
    }
}
