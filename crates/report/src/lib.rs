//! Benchmark results as one self-contained page, and as CSV.
//!
//! [`Results::read`] takes a file that `outrigger bench SUITE --json` has written; [`html`] lays any number of them
//! over each other in one page, [`csv`] writes every record of them as a line.
//!
//! # The page
//! Plots of throughput against batch size with the points where one backend overtakes another, latency percentiles,
//! proving times, speed-ups, stages of proofs and scaling. Each has its numbers in a table below it, in which
//! `<data value="…">` holds every figure as the file has it. A record that cannot be drawn is listed with the reason.
//! The page loads nothing, runs no script, follows the reader's choice of a light or a dark theme, and says in
//! `data-kind` of each `<figure>` what it shows: `throughput-batch`, `throughput`, `crossovers`, `latency-batch`,
//! `latency`, `proving`, `speedup-cpu`, `speedup-peer`, `stages`, `scaling-threads`, `scaling-loop`.
//!
//! # Forms of a file
//! - an array of records;
//! - `{"environment": {…}, "records": […]}`, whose environment the page shows;
//! - what the suite `devices` prints: an object whose records are in `benches`.
//!
//! A record needs `suite`, `algorithm`, `backend`, `batch`, `threads` and `items_per_second`; `batch` is in items,
//! `latency_us` in microseconds, `stages_ms` in milliseconds. Keys that are not known stay in the CSV.

mod axis;
mod chart;
mod crossover;
mod csv;
mod figure;
mod groups;
mod input;
mod numbers;
mod page;
mod palette;
mod results;
mod sections;

pub use crate::csv::csv;
pub use crate::results::{Error, Results};

/// The page of these results: a whole HTML document without references to anything outside it.
///
/// Files of different machines or days are drawn as different series, labelled by what tells them apart; files of one
/// machine and day are one. Without any record the page says so.
#[must_use]
pub fn html(results: &[Results]) -> String {
    page::page(results)
}

#[cfg(test)]
mod tests;
