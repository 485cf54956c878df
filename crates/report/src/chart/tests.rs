use super::{Bar, Bars, Line, Lines, Mark, NAME_LETTERS, NAME_LINES_MAX, Row, Rows, name_lines};
use crate::axis::Unit;
use crate::palette::{Look, SERIES};

#[test]
fn names_are_broken_at_spaces_and_cut_at_last() {
    assert_eq!(name_lines("short"), ["short"]);
    let long = "word ".repeat(30);
    let lines = name_lines(long.trim());
    assert!(lines.len() == NAME_LINES_MAX && lines.iter().all(|line| line.chars().count() <= NAME_LETTERS));
    assert_eq!(lines.join(" "), long.trim());
    let endless = name_lines(&"é".repeat(NAME_LETTERS * 2));
    assert!(endless.iter().all(|line| line.chars().count() <= NAME_LETTERS));
    assert!(endless.last().is_some_and(|line| line.ends_with('…')), "{endless:?}");
    assert!(name_lines(&"word ".repeat(90)).last().is_some_and(|line| line.ends_with('…')));
}

/// A dashed line makes many pieces: the marks are counted by their circles.
#[test]
fn every_point_has_a_mark_and_every_crossing_a_ring() {
    let points = vec![(1.0, 10.0), (1.0, 12.0), (100.0, 1_000.0)];
    let line = Line { look: Look::of(0, 0), path: vec![(1.0, 11.0), (100.0, 1_000.0)], points };
    let plot = Lines {
        x_title: "x in <units>".to_owned(),
        x_unit: Unit::Count,
        y_title: "y".to_owned(),
        y_unit: Unit::Time,
        lines: vec![line],
        // The first two lie on each other: one ring with both numbers.
        rings: vec![(1, 10.0, 100.0), (2, 10.1, 100.0), (3, 100.0, 10.0)],
    };
    let drawing = plot.draw();
    assert_eq!(drawing.inner.matches("<circle").count(), 5);
    assert!(drawing.inner.contains(">1, 2<") && drawing.inner.contains(">3<"));
    assert!(drawing.inner.contains("x in &lt;units&gt;"));
    assert!(!drawing.inner.contains("<svg") && !drawing.inner.contains("</svg"));
    assert!(!drawing.inner.contains("opacity") && !drawing.inner.contains("font-size"));
}

#[test]
fn rows_without_values_are_drawn_too() {
    let look = Look::of(0, 0);
    let mark = Mark { value: 2.0, other: Some(3.0), spread: Some((1.0, 4.0)), look };
    let rows = vec![
        Row { name: "one".to_owned(), lanes: vec![vec![mark]] },
        Row { name: "two".to_owned(), lanes: Vec::new() },
    ];
    let drawing = Rows { x_title: "x".to_owned(), unit: Unit::Times, rows, has_one: true }.draw();
    // A full mark, and a hollow one of two circles.
    assert_eq!(drawing.inner.matches("<circle").count(), 3);
    assert!(drawing.inner.contains(">two<"));
}

/// Widths of the parts are as the shares, within the units that edges are rounded to.
#[test]
fn bars_are_shares() {
    let parts = vec![(SERIES[0], 1.0), (SERIES[1], 3.0)];
    let drawing = Bars { x_title: "x".to_owned(), bars: vec![Bar { name: "bar".to_owned(), parts }] }.draw();
    let widths: Vec<f64> = drawing
        .inner
        .split("<rect ")
        .skip(1)
        .filter_map(|one| one.split_once("width=\"")?.1.split_once('"')?.0.parse().ok())
        .collect();
    assert_eq!(widths.len(), 2);
    assert!((widths[1] / widths[0] - 3.0).abs() < 0.02, "{widths:?}");
}
