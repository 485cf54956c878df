//! The sections of the page.

mod latency;
mod proving;
mod scaling;
mod speedup;
mod stages;
mod throughput;

use std::collections::BTreeMap;

use crate::axis::Unit;
use crate::chart::{Line, Lines, Mark, Row};
use crate::figure::{Cell, Legend};
use crate::groups::{self, Series, medians};
use crate::input::{Input, Measurement, Who};
use crate::palette::{Look, SERIES};

/// A section: its heading, what it is about, and its figures.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What is drawn and how to read it.
    pub(crate) text: &'static str,
    /// What stands here where there are no figures.
    pub(crate) otherwise: &'static str,
    pub(crate) figures: Vec<crate::figure::Figure>,
}

/// All sections, whether or not they have figures.
pub(crate) fn sections(input: &Input<'_>) -> Vec<Section> {
    vec![
        throughput::by_batch(input),
        throughput::at_one_batch(input),
        latency::section(input),
        proving::section(input),
        speedup::section(input),
        stages::section(input),
        scaling::section(input),
    ]
}

/// Points of each series.
type Points = BTreeMap<Series, Vec<(f64, f64)>>;

/// Backends first, in the order of the whole page.
fn in_order(points: Points, input: &Input<'_>) -> Vec<(Series, Vec<(f64, f64)>)> {
    let mut series: Vec<_> = points.into_iter().collect();
    series.sort_by_key(|(one, _)| (input.place(&one.machine, &one.who), one.threads));
    series
}

/// The looks of the series of one plot: backends have theirs, peers the colours that those leave, all of one name the
/// same; numbers of threads differ by shape, and so do versions of a peer.
fn looks(input: &Input<'_>, series: &[(Series, Vec<(f64, f64)>)]) -> Vec<Look> {
    let place = |one: &Series| input.place(&one.machine, &one.who);
    let taken: Vec<usize> = series
        .iter()
        .map(|(one, _)| place(one))
        .filter(|place| *place < usize::MAX)
        .map(|place| place % SERIES.len())
        .collect();
    let mut left: Vec<usize> = (0..SERIES.len()).filter(|ink| !taken.contains(ink)).collect();
    if left.is_empty() {
        left.extend(0..SERIES.len());
    }
    let mut threads: Vec<u64> = series.iter().map(|(one, _)| one.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let (mut names, mut looks): (Vec<&str>, Vec<Look>) = (Vec::new(), Vec::new());
    for (number, (one, _)) in series.iter().enumerate() {
        looks.push(match &one.who {
            Who::Backend(_) => {
                Look::of(place(one), threads.iter().position(|count| *count == one.threads).unwrap_or(0))
            }
            Who::Peer { name, .. } => {
                let known = names.iter().position(|known| known == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                Look::of(left[known % left.len()], number).hollow()
            }
        });
    }
    looks
}

/// Titles and units of the two axes of a plot of lines.
struct Labels {
    x: (&'static str, Unit),
    y: (&'static str, Unit),
}

/// Lines of these series, and their legend.
fn lines(input: &Input<'_>, series: &[(Series, Vec<(f64, f64)>)], labels: &Labels) -> (Lines, Legend) {
    let with_threads = series.iter().any(|(one, _)| one.threads != series[0].0.threads);
    let mut legend = Legend::new(true);
    let mut lines = Vec::new();
    for ((one, points), look) in series.iter().zip(looks(input, series)) {
        legend.add(&one.name(with_threads), look);
        lines.push(Line { look, points: points.clone(), path: medians(points) });
    }
    let plot = Lines {
        x_title: labels.x.0.to_owned(),
        x_unit: labels.x.1,
        y_title: labels.y.0.to_owned(),
        y_unit: labels.y.1,
        lines,
        rings: Vec::new(),
    };
    (plot, legend)
}

/// Marks by the series they are of, in the order of the page.
type Lanes = BTreeMap<(usize, String), Vec<Mark>>;

/// What tells one measurement from others of its figure.
fn who(one: &Measurement<'_>) -> [Cell; 6] {
    [
        one.machine.clone().into(),
        one.operation().into(),
        one.backend.into(),
        one.device().into(),
        Cell::Number(one.threads as f64),
        Cell::Number(one.batch),
    ]
}

/// The headings of [`who`], and others.
fn head<const N: usize>(others: [&'static str; N]) -> Vec<&'static str> {
    ["machine", "operation", "backend", "device", "threads", "batch"].into_iter().chain(others).collect()
}

/// What a machine adds to a name, where there are several.
fn on_machine(machine: &str) -> String {
    if machine.is_empty() { String::new() } else { format!(" · {machine}") }
}

/// A suite as a heading has it, with what an item is.
fn subject(suite: &str) -> String {
    match suite {
        "verify" => "Verification".to_owned(),
        "recover" => "Recovery".to_owned(),
        "hash" => "Hashing".to_owned(),
        "grpc" => "The way of a request, with an engine that echoes".to_owned(),
        "chain" => "A chain through a sidecar".to_owned(),
        "prove" => "Proofs".to_owned(),
        "semaphore" => "Semaphore, from inputs to proof".to_owned(),
        "msm" => "Multi-scalar multiplication".to_owned(),
        "ntt" => "Number-theoretic transform".to_owned(),
        "merkle" => "Merkle trees".to_owned(),
        other => format!("Suite {other}"),
    }
}

/// The title of an axis of batch sizes.
fn batch_title(suite: &str) -> &'static str {
    match suite {
        "msm" => "points",
        "ntt" => "elements",
        "chain" => "batch: items of a block",
        _ => "batch: items",
    }
}

/// Rows by name, with the lanes that `fill` puts the marks of each measurement in; adds all lanes to the legend.
fn rows_of<'r>(
    all: &[&Measurement<'r>],
    name: impl Fn(&Measurement<'r>) -> String,
    fill: impl Fn(&Measurement<'r>, &mut Lanes),
    legend: &mut Legend,
) -> Vec<Row> {
    let mut series = BTreeMap::new();
    let mut rows = Vec::new();
    for (name, measurements) in groups::rows(all, name) {
        let mut lanes = Lanes::new();
        measurements.iter().for_each(|one| fill(one, &mut lanes));
        for (lane, marks) in &lanes {
            series.entry(lane.clone()).or_insert(marks[0].look);
        }
        rows.push(Row { name, lanes: lanes.into_values().collect() });
    }
    series.into_iter().for_each(|((_, name), look)| legend.add(&name, look));
    rows
}
