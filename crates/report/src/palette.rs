//! Colours and shapes, the same for one backend or peer on the whole page.
//!
//! A plot has the colours of the light theme in it; the page's style sheet gives each its twin of the dark theme, by
//! [`theme`]. Hues are those that people with any kind of colour vision tell apart, and shapes differ besides.

use std::fmt::Write;

use plotters::style::RGBColor;

/// A colour of the light theme and its twin of the dark one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ink {
    pub(crate) light: RGBColor,
    dark: RGBColor,
}

/// Writing in a plot.
pub(crate) const TEXT: Ink = ink((0x1b, 0x1f, 0x24), (0xe6, 0xe8, 0xeb));
/// Lines of the grid.
pub(crate) const GRID: Ink = ink((0xe1, 0xe5, 0xe9), (0x2f, 0x35, 0x3d));
/// Axes.
pub(crate) const FRAME: Ink = ink((0x8a, 0x92, 0x9c), (0x7c, 0x85, 0x8f));
/// What a plot lies on.
pub(crate) const SURFACE: Ink = ink((0xff, 0xff, 0xff), (0x16, 0x19, 0x1e));
/// Peers where they share a colour.
pub(crate) const PEER: Ink = ink((0x5c, 0x65, 0x6f), (0xb4, 0xbc, 0xc6));
/// Series, in the order in which they are given out.
pub(crate) const SERIES: [Ink; 7] = [
    ink((0x00, 0x72, 0xb2), (0x56, 0xb4, 0xe9)),
    ink((0xc4, 0x4e, 0x00), (0xff, 0x9f, 0x45)),
    ink((0x00, 0x79, 0x5b), (0x2f, 0xd0, 0xa0)),
    ink((0xa0, 0x47, 0x8f), (0xe7, 0x9b, 0xd0)),
    ink((0x8a, 0x6a, 0x00), (0xf0, 0xe4, 0x42)),
    ink((0x31, 0x39, 0x8c), (0xa8, 0xb1, 0xff)),
    ink((0x9b, 0x1d, 0x3a), (0xff, 0x8f, 0xa3)),
];

const fn ink(light: (u8, u8, u8), dark: (u8, u8, u8)) -> Ink {
    Ink { light: RGBColor(light.0, light.1, light.2), dark: RGBColor(dark.0, dark.1, dark.2) }
}

/// The rules of the style sheet that give every colour of a plot its twin.
pub(crate) fn theme() -> String {
    let mut rules = String::new();
    for ink in [TEXT, GRID, FRAME, SURFACE, PEER].iter().chain(&SERIES) {
        let (light, dark) = (hex(ink.light), hex(ink.dark));
        for property in ["fill", "stroke"] {
            // Writing to a string cannot fail.
            let _ = writeln!(rules, "svg [{property}=\"{light}\"]{{{property}:light-dark({light},{dark})}}");
        }
    }
    rules
}

/// `#0072B2`, as plots have it.
fn hex(color: RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}

/// The outline of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Point,
    Cross,
}

/// How a series looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) ink: Ink,
    pub(crate) shape: Shape,
    pub(crate) is_filled: bool,
    pub(crate) is_dashed: bool,
}

impl Look {
    /// Peers where they share a look.
    pub(crate) const PEER: Self = Self { ink: PEER, shape: Shape::Diamond, is_filled: false, is_dashed: true };

    /// The look of the place among all series; `variant` tells those of one place apart by their shape.
    pub(crate) fn of(place: usize, variant: usize) -> Self {
        const SHAPES: [Shape; 6] =
            [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::Point, Shape::Cross];
        let shape = SHAPES[(place + place / SERIES.len() + variant) % SHAPES.len()];
        Self { ink: SERIES[place % SERIES.len()], shape, is_filled: true, is_dashed: false }
    }

    /// The same, hollow and dashed.
    pub(crate) fn hollow(self) -> Self {
        Self { is_filled: false, is_dashed: true, ..self }
    }
}
