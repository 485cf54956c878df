//! A figure: a plot, its legend and the table of its numbers.

use crate::chart::{Drawing, swatch};
use crate::palette::Look;

/// What the page shows as a unit.
pub(crate) struct Figure {
    /// For `data-kind`.
    pub(crate) kind: &'static str,
    pub(crate) title: String,
    /// What one has to know to read it; may be empty.
    pub(crate) caption: String,
    /// Series by their looks, in the order in which they are drawn.
    pub(crate) legend: Vec<(Drawing, String)>,
    /// None for a table alone.
    pub(crate) drawing: Option<Drawing>,
    pub(crate) table: Table,
}

/// Numbers of a figure.
pub(crate) struct Table {
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Number(f64),
    Nothing,
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Nothing, Self::Number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Table {
    /// A table without the columns that are empty in every row.
    pub(crate) fn new(head: &[&'static str], rows: Vec<Vec<Cell>>) -> Self {
        let is_blank =
            |cell: &Cell| matches!(cell, Cell::Nothing) || matches!(cell, Cell::Text(text) if text.is_empty());
        let kept: Vec<usize> =
            (0..head.len()).filter(|column| rows.iter().any(|row| !is_blank(&row[*column]))).collect();
        let head = kept.iter().map(|column| head[*column]).collect();
        let rows = rows.into_iter().map(|row| kept.iter().map(|column| row[*column].clone()).collect()).collect();
        Self { head, rows }
    }
}

/// Entries of a legend, each name once.
pub(crate) struct Legend {
    entries: Vec<(Drawing, String)>,
    with_line: bool,
}

impl Legend {
    pub(crate) fn new(with_line: bool) -> Self {
        Self { entries: Vec::new(), with_line }
    }

    pub(crate) fn add(&mut self, name: &str, look: Look) {
        if !self.entries.iter().any(|(_, known)| known == name) {
            self.entries.push((swatch(look, self.with_line), name.to_owned()));
        }
    }

    pub(crate) fn done(self) -> Vec<(Drawing, String)> {
        self.entries
    }
}
