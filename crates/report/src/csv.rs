//! Every record as a line of CSV.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use crate::results::{Results, flatten};

/// The columns that come first, in this order, where any record has them.
const FIRST: [&str; 18] = [
    "suite",
    "algorithm",
    "ruleset",
    "backend",
    "device",
    "batch",
    "size",
    "threads",
    "items_per_second",
    "latency_us.p50",
    "latency_us.p99",
    "peer.name",
    "peer.version",
    "peer.items_per_second",
    "ratio",
    "spread.0",
    "spread.1",
    "warm",
];

/// Writes a heading and a line for each record. The first columns are `file`, `date` and `machine`; then come all keys
/// of all records, nested ones joined by dots (`latency_us.p50`, `spread.0`), and last each file's environment, its
/// keys behind `environment.`. Numbers stand as in the file; a key that a record lacks is an empty cell.
///
/// # Errors
/// What the writer says.
pub fn csv(results: &[Results], writer: impl Write) -> std::io::Result<()> {
    let lines: Vec<HashMap<String, String>> = results.iter().flat_map(lines_of).collect();
    let present: BTreeSet<&str> = lines.iter().flat_map(|line| line.keys().map(String::as_str)).collect();
    let (environment, keys): (Vec<&str>, Vec<&str>) =
        present.iter().partition(|column| column.starts_with("environment."));
    let origin = ["file", "date", "machine"];
    let first: Vec<&str> = FIRST.into_iter().filter(|column| present.contains(column)).collect();
    let others = keys.into_iter().filter(|column| !origin.contains(column) && !FIRST.contains(column));
    let columns: Vec<&str> = origin.into_iter().chain(first).chain(others).chain(environment).collect();
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(&columns)?;
    for line in &lines {
        writer.write_record(columns.iter().map(|column| line.get(*column).map_or("", String::as_str)))?;
    }
    writer.flush()
}

fn lines_of(results: &Results) -> impl Iterator<Item = HashMap<String, String>> + '_ {
    results.records.iter().map(|record| {
        let mut cells = Vec::new();
        record.iter().for_each(|(key, value)| flatten(key, value, &mut cells));
        let environment = results.environment.iter();
        cells.extend(environment.map(|(key, value)| (format!("environment.{key}"), value.clone())));
        let origin = [("file", &results.file), ("date", &results.machine.date), ("machine", &results.machine.device)];
        cells.extend(origin.map(|(key, value)| (key.to_owned(), value.clone())));
        cells.into_iter().collect()
    })
}

#[cfg(test)]
mod tests;
