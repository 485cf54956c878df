//! What a proof's time goes into.

use std::collections::BTreeMap;

use super::{Section, on_machine, subject};
use crate::chart::{Bar, Bars, swatch};
use crate::figure::{Cell, Figure, Table};
use crate::groups::threads;
use crate::input::{Input, Measurement};
use crate::numbers::{median, time};
use crate::palette::{Ink, Look, PEER, SERIES, Shape};

/// Stages in the order of the pipeline; any other comes after these.
const ORDER: [&str; 7] = ["witness", "check", "sparse_product", "ntt", "msm_g1", "msm_g2", "verify"];

/// Milliseconds of each stage, of every measurement.
type Stages<'r> = BTreeMap<(usize, &'r str), Vec<f64>>;

/// Stages of proofs.
pub(super) fn section(input: &Input<'_>) -> Section {
    let mut suites: BTreeMap<&str, Vec<&Measurement<'_>>> = BTreeMap::new();
    for one in input.measurements.iter().filter(|one| one.is_proof()) {
        let has = |key| one.stages(key).is_some_and(|stages| stages.iter().any(|(_, ms)| *ms > 0.0));
        if has("stages_ms") || has("peer_stages_ms") {
            suites.entry(one.suite).or_default().push(one);
        }
    }
    Section {
        id: "stages",
        title: "Stages of a proof",
        text: "The shares of a proof's stages in the sum of all. A stage is the median over the proofs of a record, and of \
               several records of one circuit the median of those; stages that run at the same time count in full each.",
        otherwise: "No record of a proof has stages.",
        figures: suites.iter().map(|(suite, all)| figure(suite, all)).collect(),
    }
}

fn figure(suite: &str, all: &[&Measurement<'_>]) -> Figure {
    let mut bars: BTreeMap<String, Stages<'_>> = BTreeMap::new();
    let (mut names, mut table) = (Vec::new(), Vec::new());
    for one in all {
        for (key, whose) in [("stages_ms", one.backend.to_owned()), ("peer_stages_ms", peer(one))] {
            let circuit = format!("{}, {whose}, {}{}", one.operation(), threads(one.threads), on_machine(&one.machine));
            for (stage, ms) in one.stages(key).unwrap_or_default() {
                let place = rank(stage);
                bars.entry(circuit.clone()).or_default().entry((place, stage)).or_default().push(ms);
                names.push((place, stage));
                table.push(vec![
                    one.machine.clone().into(),
                    one.operation().into(),
                    whose.clone().into(),
                    Cell::Number(one.threads as f64),
                    stage.into(),
                    Cell::Number(ms),
                ]);
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    let inks: BTreeMap<(usize, &str), Ink> = names.iter().map(|name| (*name, ink(*name, &names))).collect();
    let plot =
        Bars { x_title: "share of all stages".to_owned(), bars: bars.iter().map(|bar| drawn(bar, &inks)).collect() };
    let look = |ink| Look { ink, shape: Shape::Square, is_filled: true, is_dashed: false };
    Figure {
        kind: "stages",
        title: subject(suite),
        caption: "Behind each name: the sum of its stages.".to_owned(),
        legend: inks.iter().map(|((_, name), ink)| (swatch(look(*ink), false), name.replace('_', " "))).collect(),
        drawing: Some(plot.draw()),
        table: Table::new(&["machine", "circuit", "prover", "threads", "stage", "ms"], table),
    }
}

fn drawn((name, stages): (&String, &Stages<'_>), inks: &BTreeMap<(usize, &str), Ink>) -> Bar {
    let parts: Vec<(Ink, f64)> = stages.iter().map(|(stage, ms)| (inks[stage], median(ms))).collect();
    let sum_ms: f64 = parts.iter().map(|part| part.1).sum();
    Bar { name: format!("{name}: {}", time(sum_ms / 1e3)), parts }
}

fn peer(one: &Measurement<'_>) -> String {
    one.peer().map_or_else(|| "peer".to_owned(), |peer| peer.title())
}

/// A known stage has its colour in every figure; others share what is left.
fn ink((rank, name): (usize, &str), all: &[(usize, &str)]) -> Ink {
    if rank < ORDER.len() {
        return SERIES[rank];
    }
    let mut others = all.iter().filter(|one| one.0 == ORDER.len());
    match others.position(|other| other.1 == name) {
        None | Some(0) => PEER,
        Some(place) => SERIES[place % SERIES.len()],
    }
}

fn rank(stage: &str) -> usize {
    ORDER.iter().position(|known| *known == stage).unwrap_or(ORDER.len())
}
