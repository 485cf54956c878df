//! What commands print: JSON for machines, tables for people.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table, TableComponent};
use outrigger_types::Verdict;
use serde::Serialize;

/// Prints JSON on one line.
pub(crate) fn json(value: &impl Serialize) {
    println!("{}", serde_json::to_string(value).expect("plain data serialises"));
}

/// Bytes as 0x and lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// Columns of a table where there is no terminal to ask: a transaction's index, verdict, sender and hash fit.
const WIDTH: u16 = 132;

/// A table with these headings, as wide as the terminal at most.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic).set_header(headings);
    // One line under the headings is enough.
    for line in [
        TableComponent::HorizontalLines,
        TableComponent::MiddleIntersections,
        TableComponent::LeftBorderIntersections,
        TableComponent::RightBorderIntersections,
    ] {
        table.remove_style(line);
    }
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    table
}

/// A verdict in its colour, on a terminal.
pub(crate) fn verdict(verdict: Verdict) -> String {
    let colour = match verdict {
        Verdict::Valid => AnsiColor::Green,
        Verdict::Invalid | Verdict::Malformed => AnsiColor::Red,
        Verdict::Unprocessed => AnsiColor::Yellow,
    };
    paint(verdict.name(), colour)
}

/// Text in a colour, on a terminal that wants colours (`NO_COLOR` turns them off).
pub(crate) fn paint(text: &str, colour: AnsiColor) -> String {
    if !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some() {
        return text.to_owned();
    }
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}{text}{style:#}")
}

/// A count of verdicts as a sentence.
pub(crate) fn summary(verdicts: &[Verdict]) -> String {
    let mut parts = Vec::new();
    for kind in [Verdict::Valid, Verdict::Invalid, Verdict::Malformed, Verdict::Unprocessed] {
        let count = verdicts.iter().filter(|verdict| **verdict == kind).count();
        if count > 0 {
            parts.push(format!("{count} {}", self::verdict(kind)));
        }
    }
    format!("{} items: {}", verdicts.len(), if parts.is_empty() { "nothing to do".into() } else { parts.join(", ") })
}

/// A number of bytes in the largest unit that leaves a whole part.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| count >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", count as f64 / *unit as f64),
        None => format!("{count} B"),
    }
}
