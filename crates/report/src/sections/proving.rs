//! Proving time over constraints, ours and peers'.

use std::collections::BTreeMap;

use super::{Labels, Points, Section, in_order, lines, subject};
use crate::axis::Unit;
use crate::figure::{Cell, Figure, Table};
use crate::groups::{Series, threads};
use crate::input::{Input, Measurement};

/// Proving times.
pub(super) fn section(input: &Input<'_>) -> Section {
    let mut groups: BTreeMap<(&str, bool, u64), Vec<&Measurement<'_>>> = BTreeMap::new();
    for one in input.measurements.iter().filter(|one| one.is_proof() && one.size().is_some()) {
        groups.entry((one.suite, !one.is_warm(), one.threads)).or_default().push(one);
    }
    let figures = groups.iter().map(|((suite, is_cold, count), all)| figure(input, suite, *is_cold, *count, all));
    Section {
        id: "proving",
        title: "Proving time",
        text: "The time of one proof over the number of constraints: a batch over its rate, which is the median over pairs \
               of a run. Warm is with a key that is ready; cold opens and prepares the key for each proof. Circuits of \
               one size may differ in what their witness holds, so lines join what are not quite equals.",
        otherwise: "No record is of a whole proof with its number of constraints.",
        figures: figures.collect(),
    }
}

fn figure(input: &Input<'_>, suite: &str, is_cold: bool, count: u64, all: &[&Measurement<'_>]) -> Figure {
    let mut points = Points::new();
    for one in all {
        let Some(size) = one.size() else { continue };
        points.entry(Series::of_product(one)).or_default().push((size, one.batch / one.items_per_second));
        if let (Some(series), Some(peer)) = (Series::of_peer(one), one.peer()) {
            points.entry(series).or_default().push((size, one.batch / peer.items_per_second));
        }
    }
    let labels = Labels { x: ("constraints", Unit::Count), y: ("time of a proof", Unit::Time) };
    let (plot, legend) = lines(input, &in_order(points, input), &labels);
    let state = if is_cold { "cold" } else { "warm" };
    Figure {
        kind: "proving",
        title: format!("{}, {state}, {}", subject(suite), threads(count)),
        caption: String::new(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers(all),
    }
}

fn numbers(all: &[&Measurement<'_>]) -> Table {
    let head = [
        "machine",
        "circuit",
        "constraints",
        "backend",
        "device",
        "proofs/s",
        "ms a proof",
        "peer",
        "peer's proofs/s",
        "its ms a proof",
    ];
    let row = |one: &&Measurement<'_>| {
        let peer = one.peer();
        let time_ms = |rate: f64| one.batch / rate * 1e3;
        vec![
            one.machine.clone().into(),
            one.algorithm().into(),
            one.size().into(),
            one.backend.into(),
            one.device().into(),
            Cell::Number(one.items_per_second),
            Cell::Number(time_ms(one.items_per_second)),
            peer.as_ref().map_or_else(String::new, |peer| peer.title()).into(),
            peer.as_ref().map(|peer| peer.items_per_second).into(),
            peer.as_ref().map(|peer| time_ms(peer.items_per_second)).into(),
        ]
    };
    Table::new(&head, all.iter().map(row).collect())
}
