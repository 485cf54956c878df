//! The tables of the page.

use std::fmt::Write;

use super::{KEYS, Key, KeyDefault};

/// What the tables of the page begin with; everything behind it is written.
pub(crate) const MARK: &str = "<!-- Written from crates/config/src/keys/list by a test, as is all below. -->";

/// The tables of all keys, one for each part of the file.
pub(crate) fn tables() -> String {
    let mut text = format!("{MARK}\n");
    let mut part = None;
    for key in KEYS {
        let of = key.path.split(['.', '[']).next().filter(|part| *part != key.path || key.unit == "tables");
        if part != Some(of) {
            let heading = of.map_or_else(|| "Before all tables".to_owned(), |part| format!("`{part}`"));
            // Writing to a string cannot fail.
            let _ =
                write!(text, "\n### {heading}\n\n| key | unit | range | default | meaning |\n|---|---|---|---|---|\n");
            part = Some(of);
        }
        let _ = writeln!(text, "{}", row(key));
    }
    text
}

fn row(key: &Key) -> String {
    let default = match key.default {
        KeyDefault::Is(value) => format!("`{value}`"),
        KeyDefault::InWords(words) => words.to_owned(),
    };
    let range = match key.range {
        names if names.starts_with('"') => {
            names.split(", ").map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        }
        range => range.to_owned(),
    };
    format!("| `{}` | {} | {range} | {default} | {} |", key.path, key.unit, key.meaning)
}
