//! How long a batch takes: the 50th and the 99th percentile.

use super::{Labels, Lanes, Points, Section, batch_title, head, in_order, lines, rows_of, subject, who};
use crate::axis::Unit;
use crate::chart::{Line, Mark, Rows};
use crate::figure::{Cell, Figure, Legend, Table};
use crate::groups::{Groups, Series, medians, threads};
use crate::input::{Input, Measurement};

/// Microseconds of a second.
const MICROS: f64 = 1e6;

/// Latency of everything.
pub(super) fn section(input: &Input<'_>) -> Section {
    let groups = Groups::of(input, |one| one.latency_us().is_some());
    let of_batches = groups.by_batch.iter().map(|(suite, operation, all)| over_batches(input, suite, operation, all));
    let in_rows = groups.at_one_batch.iter().map(|((suite, count), all)| in_rows(input, suite, *count, all));
    Section {
        id: "latency",
        title: "Latency",
        text: "The time of one batch. A full mark is the 50th percentile, the hollow one of the same series the 99th.",
        otherwise: "No record has latencies.",
        figures: of_batches.chain(in_rows).collect(),
    }
}

fn numbers(all: &[&Measurement<'_>]) -> Table {
    let row = |one: &&Measurement<'_>| {
        let latency = one.latency_us();
        let percentiles = [latency.map(|latency| latency.0).into(), latency.map(|latency| latency.1).into()];
        who(one).into_iter().chain(percentiles).collect::<Vec<Cell>>()
    };
    Table::new(&head(["p50, µs", "p99, µs"]), all.iter().map(row).collect())
}

fn over_batches(input: &Input<'_>, suite: &str, operation: &str, all: &[&Measurement<'_>]) -> Figure {
    let (mut middle, mut high) = (Points::new(), Points::new());
    for one in all {
        if let Some((p50, p99)) = one.latency_us() {
            middle.entry(Series::of_product(one)).or_default().push((one.batch, p50 / MICROS));
            high.entry(Series::of_product(one)).or_default().push((one.batch, p99 / MICROS));
        }
    }
    let labels = Labels { x: (batch_title(suite), Unit::Count), y: ("time of a batch", Unit::Time) };
    let (mut plot, legend) = lines(input, &in_order(middle, input), &labels);
    let of_high = in_order(high, input);
    let hollow = plot.lines.iter().zip(of_high).map(|(line, (_, points))| Line {
        look: line.look.hollow(),
        path: medians(&points),
        points,
    });
    // Below the others, whose marks are full.
    let mut all_lines: Vec<Line> = hollow.collect();
    all_lines.append(&mut plot.lines);
    plot.lines = all_lines;
    Figure {
        kind: "latency-batch",
        title: format!("{}: {operation}", subject(suite)),
        caption: "Full and solid: 50th percentile. Hollow and dashed: 99th.".to_owned(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers(all),
    }
}

fn in_rows(input: &Input<'_>, suite: &str, count: u64, all: &[&Measurement<'_>]) -> Figure {
    let mut legend = Legend::new(false);
    let fill = |one: &Measurement<'_>, lanes: &mut Lanes| {
        let Some((p50, p99)) = one.latency_us() else { return };
        let place = input.place(&one.machine, &one.who());
        let mark = Mark { value: p50 / MICROS, other: Some(p99 / MICROS), spread: None, look: input.look(one) };
        lanes.entry((place, Series::of_product(one).name(false))).or_default().push(mark);
    };
    let name = |one: &Measurement<'_>| format!("{}, batch {}", one.operation(), crate::numbers::people(one.batch));
    let rows = rows_of(all, name, fill, &mut legend);
    let plot = Rows { x_title: "time of a batch".to_owned(), unit: Unit::Time, rows, has_one: false };
    Figure {
        kind: "latency",
        title: format!("{}, {}", subject(suite), threads(count)),
        caption: "Full: 50th percentile. Hollow: 99th.".to_owned(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers(all),
    }
}
