//! How much faster: backends over plain cores, and the product over peers.

use std::collections::BTreeMap;

use super::{Lanes, Section, rows_of, subject};
use crate::axis::Unit;
use crate::chart::{Mark, Row, Rows};
use crate::figure::{Cell, Figure, Legend, Table};
use crate::groups::{Groups, Series, threads};
use crate::input::{Input, Measurement, Who};
use crate::numbers::{median, people};
use crate::palette::Look;

/// The backend that others are held against.
const PLAIN: &str = "cpu";

/// Speed-ups over plain cores and over peers.
pub(super) fn section(input: &Input<'_>) -> Section {
    Section {
        id: "speed-up",
        title: "Speed-up",
        text: "Right of the line at 1 is faster. Over the peer: the median over interleaved pairs of one run, with the \
               lowest and the highest pair. Over the backend cpu: the quotient of two rates of the same machine, day, \
               operation, batch and threads; where either was measured several times, of the medians, with the lowest \
               and the highest quotient. Those runs are not interleaved, so the machine's noise is in the quotient.",
        otherwise: "No record has a peer with a ratio, and no operation was measured both on the backend cpu and on another.",
        figures: over_cpu(input).into_iter().chain(over_peers(input)).collect(),
    }
}

/// What is compared with plain cores: machine, suite, threads, operation, batch.
type Place<'i> = (&'i str, &'i str, u64, String, u64);

/// A backend over plain cores.
struct OverCpu {
    name: String,
    backend: String,
    machine: String,
    batch: f64,
    rate: f64,
    of_cpu: f64,
    times: f64,
    spread: Option<(f64, f64)>,
}

fn over_cpu(input: &Input<'_>) -> Vec<Figure> {
    let mut rates: BTreeMap<Place<'_>, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for one in &input.measurements {
        let place = (one.machine.as_str(), one.suite, one.threads, one.operation(), one.batch as u64);
        rates.entry(place).or_default().entry(one.backend).or_default().push(one.items_per_second);
    }
    let mut figures: BTreeMap<(&str, u64), Vec<OverCpu>> = BTreeMap::new();
    for ((machine, suite, count, operation, batch), backends) in rates {
        let Some(of_cpu) = backends.get(PLAIN) else { continue };
        for (backend, rates) in backends.iter().filter(|(backend, _)| **backend != PLAIN) {
            figures.entry((suite, count)).or_default().push(OverCpu {
                name: format!("{operation}, batch {}", people(batch as f64)),
                backend: (*backend).to_owned(),
                machine: machine.to_owned(),
                batch: batch as f64,
                rate: median(rates),
                of_cpu: median(of_cpu),
                times: median(rates) / median(of_cpu),
                spread: quotients(rates, of_cpu),
            });
        }
    }
    figures.into_iter().map(|((suite, count), all)| figure_over_cpu(input, suite, count, &all)).collect()
}

/// The lowest and the highest quotient, where there are several.
fn quotients(rates: &[f64], of_cpu: &[f64]) -> Option<(f64, f64)> {
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let is_repeated = rates.len() > 1 || of_cpu.len() > 1;
    is_repeated.then(|| (least(rates) / most(of_cpu), most(rates) / least(of_cpu)))
}

fn figure_over_cpu(input: &Input<'_>, suite: &str, count: u64, all: &[OverCpu]) -> Figure {
    let mut legend = Legend::new(false);
    let mut rows: BTreeMap<&str, Vec<(usize, Mark)>> = BTreeMap::new();
    for one in all {
        let who = Who::Backend(one.backend.clone());
        let look = Look::of(input.place(&one.machine, &who), 0);
        let mark = Mark { value: one.times, other: None, spread: one.spread, look };
        legend.add(&Series { machine: one.machine.clone(), who: who.clone(), threads: count }.name(false), look);
        rows.entry(&one.name).or_default().push((input.place(&one.machine, &who), mark));
    }
    let row = |(name, mut marks): (&str, Vec<(usize, Mark)>)| {
        marks.sort_by_key(|(place, _)| *place);
        Row { name: name.to_owned(), lanes: marks.into_iter().map(|(_, mark)| vec![mark]).collect() }
    };
    let rows = rows.into_iter().map(row).collect();
    let plot = Rows { x_title: "times as fast as cpu".to_owned(), unit: Unit::Times, rows, has_one: true };
    Figure {
        kind: "speedup-cpu",
        title: format!("Over cpu: {}, {}", subject(suite), threads(count)),
        caption: String::new(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers_over_cpu(all),
    }
}

fn numbers_over_cpu(all: &[OverCpu]) -> Table {
    let head =
        ["machine", "operation", "backend", "batch", "items/s", "cpu's items/s", "times as fast", "lowest", "highest"];
    let row = |one: &OverCpu| {
        vec![
            one.machine.clone().into(),
            one.name.clone().into(),
            one.backend.clone().into(),
            Cell::Number(one.batch),
            Cell::Number(one.rate),
            Cell::Number(one.of_cpu),
            Cell::Number(one.times),
            one.spread.map(|spread| spread.0).into(),
            one.spread.map(|spread| spread.1).into(),
        ]
    };
    Table::new(&head, all.iter().map(row).collect())
}

fn over_peers(input: &Input<'_>) -> Vec<Figure> {
    let groups = Groups::of(input, |one| one.peer().is_some() && one.ratio().is_some());
    let mut figures: BTreeMap<(&str, u64), Vec<&Measurement<'_>>> = groups.at_one_batch;
    for (suite, _, all) in groups.by_batch {
        for one in all {
            figures.entry((suite, one.threads)).or_default().push(one);
        }
    }
    figures.iter().map(|((suite, count), all)| figure_over_peers(input, suite, *count, all)).collect()
}

fn figure_over_peers(input: &Input<'_>, suite: &str, count: u64, all: &[&Measurement<'_>]) -> Figure {
    // Rows for every batch of every operation would be a plot of many screens.
    let largest = |one: &Measurement<'_>| {
        let rival = |other: &&&Measurement<'_>| {
            other.operation() == one.operation() && other.backend == one.backend && other.machine == one.machine
        };
        all.iter().filter(rival).all(|other| other.batch <= one.batch)
    };
    let drawn: Vec<&Measurement<'_>> = all.iter().copied().filter(|one| largest(one)).collect();
    let mut legend = Legend::new(false);
    let fill = |one: &Measurement<'_>, lanes: &mut Lanes| {
        let Some(value) = one.ratio() else { return };
        let place = input.place(&one.machine, &one.who());
        let mark = Mark { value, other: None, spread: one.spread("spread"), look: input.look(one) };
        lanes.entry((place, Series::of_product(one).name(false))).or_default().push(mark);
    };
    let peer = |one: &Measurement<'_>| one.peer().map_or_else(String::new, |peer| peer.title());
    let rows = rows_of(&drawn, |one| format!("{} over {}", one.operation(), peer(one)), fill, &mut legend);
    let plot = Rows { x_title: "times as fast as the peer".to_owned(), unit: Unit::Times, rows, has_one: true };
    let caption = if drawn.len() < all.len() {
        "Of several batch sizes the largest is drawn; all are in the table.".to_owned()
    } else {
        String::new()
    };
    Figure {
        kind: "speedup-peer",
        title: format!("Over peers: {}, {}", subject(suite), threads(count)),
        caption,
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: numbers_over_peers(all),
    }
}

fn numbers_over_peers(all: &[&Measurement<'_>]) -> Table {
    let head = ["machine", "operation", "backend", "batch", "peer", "ratio", "lowest", "highest"];
    let row = |one: &&Measurement<'_>| {
        let spread = one.spread("spread");
        vec![
            one.machine.clone().into(),
            one.operation().into(),
            one.backend.into(),
            Cell::Number(one.batch),
            one.peer().map_or_else(String::new, |peer| peer.title()).into(),
            one.ratio().into(),
            spread.map(|spread| spread.0).into(),
            spread.map(|spread| spread.1).into(),
        ]
    };
    Table::new(&head, all.iter().map(row).collect())
}
