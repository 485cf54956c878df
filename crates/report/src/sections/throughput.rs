//! Items a second: over batch sizes with crossovers, and of what was measured at one batch size.

use std::collections::BTreeSet;

use super::{Labels, Lanes, Points, Section, batch_title, head, in_order, lines, on_machine, rows_of, subject, who};
use crate::axis::Unit;
use crate::chart::{Mark, Rows};
use crate::crossover::crossovers;
use crate::figure::{Cell, Figure, Legend, Table};
use crate::groups::{Groups, Series, medians, threads};
use crate::input::{Input, Measurement, Who};
use crate::palette::Look;

/// Backends that are driven over a bus: they are compared with the cores whatever number of threads either has.
const DEVICES: [&str; 2] = ["cuda", "opencl"];

/// A crossover of two series of a plot.
struct Found {
    operation: String,
    number: usize,
    machine: String,
    leader: String,
    overtaken: String,
    batch: f64,
    items_per_second: f64,
}

/// Throughput over batch sizes.
pub(super) fn by_batch(input: &Input<'_>) -> Section {
    let groups = Groups::of(input, |one| !one.is_proof());
    let (mut figures, mut found) = (Vec::new(), Vec::new());
    for (suite, operation, all) in groups.by_batch {
        let (figure, crossings) = over_batches(input, suite, &operation, &all);
        figures.push(figure);
        found.extend(crossings);
    }
    if !figures.is_empty() {
        figures.push(table_of(found));
    }
    Section {
        id: "throughput-batch",
        title: "Throughput over batch size",
        text: "Each operation that was measured at several batch sizes. Rings mark where one overtakes another, between \
               measured sizes by a straight line in the plot; the table at the end lists them. Where a size was measured \
               several times, the line goes through the medians.",
        otherwise: "No operation was measured at several batch sizes.",
        figures,
    }
}

fn over_batches(input: &Input<'_>, suite: &str, operation: &str, all: &[&Measurement<'_>]) -> (Figure, Vec<Found>) {
    let mut points = Points::new();
    for one in all {
        points.entry(Series::of_product(one)).or_default().push((one.batch, one.items_per_second));
        if let (Some(series), Some(peer)) = (Series::of_peer(one), one.peer()) {
            points.entry(series).or_default().push((one.batch, peer.items_per_second));
        }
    }
    let series = in_order(points, input);
    let labels = Labels { x: (batch_title(suite), Unit::Count), y: ("items a second", Unit::Count) };
    let (mut plot, legend) = lines(input, &series, &labels);
    let found = crossings(operation, &series);
    plot.rings = found.iter().map(|one| (one.number, one.batch, one.items_per_second)).collect();
    let figure = Figure {
        kind: "throughput-batch",
        title: format!("{}: {operation}", subject(suite)),
        caption: String::new(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers(all),
    };
    (figure, found)
}

fn numbers(all: &[&Measurement<'_>]) -> Table {
    let row = |one: &&Measurement<'_>| {
        let peer = one.peer();
        let title = peer.as_ref().map_or_else(String::new, |peer| peer.title());
        let rates = [Cell::Number(one.items_per_second), title.into(), peer.map(|peer| peer.items_per_second).into()];
        who(one).into_iter().chain(rates).collect()
    };
    Table::new(&head(["items/s", "peer", "peer's items/s"]), all.iter().map(row).collect())
}

/// Where series of one machine overtake each other.
fn crossings(operation: &str, series: &[(Series, Vec<(f64, f64)>)]) -> Vec<Found> {
    let with_threads = series.iter().any(|(one, _)| one.threads != series[0].0.threads);
    let mut found = Vec::new();
    for (place, (first, points)) in series.iter().enumerate() {
        for (second, others) in series[place + 1..].iter().filter(|(second, _)| are_rivals(first, second)) {
            for crossing in crossovers(&medians(points), &medians(others)) {
                let (leader, overtaken) = if crossing.first_leads { (first, second) } else { (second, first) };
                found.push(Found {
                    operation: operation.to_owned(),
                    number: found.len() + 1,
                    machine: first.machine.clone(),
                    leader: leader.name(with_threads),
                    overtaken: overtaken.name(with_threads),
                    batch: crossing.x,
                    items_per_second: crossing.y,
                });
            }
        }
    }
    found
}

/// Whether it says something that one overtakes the other: two backends, or a backend and a peer, of one machine, with
/// as many threads unless one is a device.
fn are_rivals(first: &Series, second: &Series) -> bool {
    let is_device = |one: &Series| matches!(&one.who, Who::Backend(name) if DEVICES.contains(&name.as_str()));
    let is_peer = |one: &Series| matches!(one.who, Who::Peer { .. });
    first.machine == second.machine
        && first.who != second.who
        && !(is_peer(first) && is_peer(second))
        && (first.threads == second.threads || is_device(first) || is_device(second))
}

fn table_of(found: Vec<Found>) -> Figure {
    let caption = match found.len() {
        0 => "In no plot above does one overtake another.".to_owned(),
        count => format!("{count} in the plots above, by the number at each ring."),
    };
    let row = |one: Found| {
        vec![
            one.machine.into(),
            one.operation.into(),
            Cell::Number(one.number as f64),
            one.leader.into(),
            one.overtaken.into(),
            Cell::Number(one.batch),
            Cell::Number(one.items_per_second),
        ]
    };
    let heading = ["machine", "operation", "ring", "from here on", "is faster than", "batch, about", "items/s, about"];
    Figure {
        kind: "crossovers",
        title: "Crossovers".to_owned(),
        caption,
        legend: Vec::new(),
        drawing: None,
        table: Table::new(&heading, found.into_iter().map(row).collect()),
    }
}

/// Throughput of what was measured at one batch size, a row each.
pub(super) fn at_one_batch(input: &Input<'_>) -> Section {
    let groups = Groups::of(input, |one| !one.is_proof());
    let figures = groups.at_one_batch.iter().map(|((suite, count), all)| in_rows(input, suite, *count, all)).collect();
    Section {
        id: "throughput",
        title: "Throughput",
        text: "Operations that were measured at one batch size, a row each. Every measurement has a mark, repetitions too; \
               the peer of a row ran beside the product in the same run.",
        otherwise: "No operation was measured at one batch size alone.",
        figures,
    }
}

fn in_rows(input: &Input<'_>, suite: &str, count: u64, all: &[&Measurement<'_>]) -> Figure {
    let mut legend = Legend::new(false);
    let rows = rows_of(
        all,
        |one| format!("{}, batch {}", one.operation(), crate::numbers::people(one.batch)),
        |one, lanes: &mut Lanes| {
            let name = Series::of_product(one).name(false);
            let place = input.place(&one.machine, &one.who());
            let mark = Mark { value: one.items_per_second, other: None, spread: None, look: input.look(one) };
            lanes.entry((place, name)).or_default().push(mark);
            if let Some(peer) = one.peer() {
                let name = format!("peer{}", on_machine(&one.machine));
                let mark = Mark { value: peer.items_per_second, other: None, spread: None, look: Look::PEER };
                lanes.entry((usize::MAX, name)).or_default().push(mark);
            }
        },
        &mut legend,
    );
    let plot = Rows { x_title: "items a second".to_owned(), unit: Unit::Count, rows, has_one: false };
    let peers: BTreeSet<String> = all.iter().filter_map(|one| Some(one.peer()?.title())).collect();
    let caption = if peers.is_empty() {
        String::new()
    } else {
        format!("Peers: {}; which is whose stands in the table.", peers.into_iter().collect::<Vec<_>>().join(", "))
    };
    Figure {
        kind: "throughput",
        title: format!("{}, {}", subject(suite), threads(count)),
        caption,
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers(all),
    }
}
