//! What more threads are worth.

use std::collections::BTreeMap;

use super::{Lanes, Section, on_machine, rows_of, subject};
use crate::axis::Unit;
use crate::chart::{Mark, Row, Rows};
use crate::figure::{Cell, Figure, Legend, Table};
use crate::groups::threads;
use crate::input::{Input, Measurement};
use crate::numbers::{median, people};
use crate::palette::Look;

/// Where a record says how it scales, and what that is of.
const KEYS: [(&str, &str); 2] = [("scaling", ""), ("scaling_together", ", several together")];
/// What is drawn of one, in its order.
const PARTS: [&str; 3] = ["product", "loop in registers", "product over loop"];

/// Scaling.
pub(super) fn section(input: &Input<'_>) -> Section {
    Section {
        id: "scaling",
        title: "Scaling",
        text: "How many times one thread's rate several threads reach. Beside a loop in registers: what the processor \
               itself can, measured in turn with the product; a product over loop of 1 is all that there is to have. \
               Over one thread: from rates of runs that are not interleaved.",
        otherwise: "No operation was measured with several numbers of threads, and no record has \"scaling\".",
        figures: beside_loop(input).into_iter().chain(over_threads(input)).collect(),
    }
}

fn beside_loop(input: &Input<'_>) -> Vec<Figure> {
    let mut suites: BTreeMap<&str, Vec<&Measurement<'_>>> = BTreeMap::new();
    for one in &input.measurements {
        if KEYS.iter().any(|(key, _)| one.scaling(key).is_some()) {
            suites.entry(one.suite).or_default().push(one);
        }
    }
    suites.iter().map(|(suite, all)| figure_beside_loop(suite, all)).collect()
}

fn figure_beside_loop(suite: &str, all: &[&Measurement<'_>]) -> Figure {
    let mut legend = Legend::new(false);
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    for (key, of) in KEYS {
        let having: Vec<&Measurement<'_>> = all.iter().copied().filter(|one| one.scaling(key).is_some()).collect();
        let name = |one: &Measurement<'_>| {
            format!("{}{of}, {}, {}{}", one.operation(), one.backend, threads(one.threads), on_machine(&one.machine))
        };
        let fill = |one: &Measurement<'_>, lanes: &mut Lanes| {
            let Some(scaling) = one.scaling(key) else { return };
            let values = [scaling.product, scaling.register_loop, scaling.product_over_loop];
            for (place, (part, value)) in PARTS.into_iter().zip(values).enumerate() {
                let spread = if place == 2 { scaling.spread } else { None };
                let look = Look { is_filled: place != 1, ..Look::of(place, 0) };
                let mark = Mark { value, other: None, spread, look };
                lanes.entry((place, part.to_owned())).or_default().push(mark);
            }
        };
        rows.extend(rows_of(&having, name, fill, &mut legend));
        table.extend(having.iter().map(|one| numbers_beside_loop(one, key, of)));
    }
    let plot = Rows { x_title: "times one thread".to_owned(), unit: Unit::Times, rows, has_one: true };
    let head = [
        "machine",
        "operation",
        "backend",
        "threads",
        "batch",
        "product",
        "loop in registers",
        "product over loop",
        "lowest",
        "highest",
    ];
    Figure {
        kind: "scaling-loop",
        title: format!("Beside a loop in registers: {}", subject(suite)),
        caption: String::new(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: Table::new(&head, table),
    }
}

fn numbers_beside_loop(one: &Measurement<'_>, key: &str, of: &str) -> Vec<Cell> {
    let scaling = one.scaling(key);
    let spread = scaling.and_then(|scaling| scaling.spread);
    vec![
        one.machine.clone().into(),
        format!("{}{of}", one.operation()).into(),
        one.backend.into(),
        Cell::Number(one.threads as f64),
        Cell::Number(one.batch),
        scaling.map(|scaling| scaling.product).into(),
        scaling.map(|scaling| scaling.register_loop).into(),
        scaling.map(|scaling| scaling.product_over_loop).into(),
        spread.map(|spread| spread.0).into(),
        spread.map(|spread| spread.1).into(),
    ]
}

/// Rates by numbers of threads, of: suite, operation, batch, backend, machine.
type ByThreads<'i> = BTreeMap<(&'i str, String, u64, &'i str, &'i str), BTreeMap<u64, Vec<f64>>>;

fn over_threads(input: &Input<'_>) -> Vec<Figure> {
    let mut rates = ByThreads::new();
    for one in &input.measurements {
        let place = (one.suite, one.operation(), one.batch as u64, one.backend, one.machine.as_str());
        rates.entry(place).or_default().entry(one.threads).or_default().push(one.items_per_second);
    }
    let mut suites: BTreeMap<&str, ByThreads<'_>> = BTreeMap::new();
    for (place, counts) in rates.into_iter().filter(|(_, counts)| counts.contains_key(&1) && counts.len() > 1) {
        suites.entry(place.0).or_default().insert(place, counts);
    }
    suites.iter().map(|(suite, all)| figure_over_threads(suite, all)).collect()
}

fn figure_over_threads(suite: &str, all: &ByThreads<'_>) -> Figure {
    let mut counts: Vec<u64> =
        all.values().flat_map(|rates| rates.keys().copied()).filter(|count| *count > 1).collect();
    counts.sort_unstable();
    counts.dedup();
    let mut legend = Legend::new(false);
    let (mut rows, mut table) = (Vec::new(), Vec::new());
    for ((_, operation, batch, backend, machine), rates) in all {
        let one = median(&rates[&1]);
        let mut lanes = Vec::new();
        for (place, count) in counts.iter().enumerate() {
            let Some(some) = rates.get(count) else { continue };
            let (look, value) = (Look::of(place, 0), median(some) / one);
            legend.add(&threads(*count), look);
            lanes.push(vec![Mark { value, other: None, spread: None, look }]);
            table.push(vec![
                (*machine).into(),
                operation.clone().into(),
                (*backend).into(),
                Cell::Number(*batch as f64),
                Cell::Number(*count as f64),
                Cell::Number(median(some)),
                Cell::Number(one),
                Cell::Number(value),
            ]);
        }
        let batch = people(*batch as f64);
        rows.push(Row { name: format!("{operation}, batch {batch}, {backend}{}", on_machine(machine)), lanes });
    }
    let plot = Rows { x_title: "times one thread".to_owned(), unit: Unit::Times, rows, has_one: true };
    let head = ["machine", "operation", "backend", "batch", "threads", "items/s", "items/s of 1 thread", "times"];
    Figure {
        kind: "scaling-threads",
        title: format!("Over one thread: {}", subject(suite)),
        caption: String::new(),
        legend: legend.done(),
        drawing: Some(plot.draw()),
        table: Table::new(&head, table),
    }
}
