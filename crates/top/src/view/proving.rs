//! The part of a view that proving reports.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::view::Times;
use crate::view::change::{Change, Count, Key};

/// Proof jobs.
#[derive(Clone, Debug, Serialize)]
pub struct Proving {
    /// Jobs and heavy calls that wait, now.
    pub queued: Option<f64>,
    /// Jobs and heavy calls that run, now.
    pub running: Option<f64>,
    /// Bytes of witnesses and inputs held, now.
    pub secret_bytes: Option<f64>,
    /// Proofs made.
    pub proofs_per_second: Option<f64>,
    /// The same since the start.
    pub proofs_total: f64,
    /// Proofs repeated because the engine's own try did not count.
    pub repeated_per_second: Option<f64>,
    /// The same since the start.
    pub repeated_total: f64,
    /// Proofs asked for, by outcome: `ok`, or why not.
    pub outcomes: Vec<Outcome>,
    /// From start to end.
    pub times: Option<Times>,
    /// The waiting before.
    pub waits: Option<Times>,
    /// Each stage.
    pub stages: Vec<Stage>,
    /// Each engine.
    pub engines: Vec<ProofEngine>,
}

/// Proofs that ended in one way.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `ok`, or the reason of the rejection.
    pub outcome: String,
    /// Proofs.
    pub proofs_per_second: Option<f64>,
    /// The same since the start.
    pub proofs_total: f64,
}

/// A stage of proofs.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// The stage.
    pub stage: String,
    /// How long it took.
    pub times: Option<Times>,
}

/// An engine that proves.
#[derive(Clone, Debug, Serialize)]
pub struct ProofEngine {
    /// The engine.
    pub engine: String,
    /// Proofs begun.
    pub begun_per_second: Option<f64>,
    /// The same since the start.
    pub begun_total: f64,
    /// What a unit of a proof's work (about an addition of points) takes, as placement reckons, by curve.
    pub units: Vec<Unit>,
}

/// What a unit of a proof's work takes on a curve.
#[derive(Clone, Debug, Serialize)]
pub struct Unit {
    /// The curve.
    pub curve: String,
    /// The time.
    pub unit_seconds: f64,
}

/// Proof jobs; `None` where nothing is reported of them.
pub(super) fn of(change: &Change<'_>) -> Option<Proving> {
    let outcomes = change.counts("outrigger_proofs_total", ["outcome"], |_| true);
    let engines = engines(change);
    let queued = change.gauge("outrigger_proofs_queued");
    if outcomes.is_empty() && engines.is_empty() && queued.is_none() {
        return None;
    }
    let none = Count { total: 0.0, per_second: change.seconds().map(|_| 0.0) };
    let made = outcomes.get(&["ok".to_owned()]).copied().unwrap_or(none);
    let repeated = change.sum("outrigger_proofs_repeated_total", |_| true);
    let one = |name| change.times(name, []).into_values().next().flatten();
    let stages = change.times("outrigger_proof_stage_seconds", ["stage"]);
    Some(Proving {
        queued,
        running: change.gauge("outrigger_proofs_running"),
        secret_bytes: change.gauge("outrigger_proof_secret_bytes"),
        proofs_per_second: made.per_second,
        proofs_total: made.total,
        repeated_per_second: repeated.per_second,
        repeated_total: repeated.total,
        outcomes: outcomes.into_iter().map(outcome).collect(),
        times: one("outrigger_proof_seconds"),
        waits: one("outrigger_proof_queue_seconds"),
        stages: stages.into_iter().map(|([stage], times)| Stage { stage, times }).collect(),
        engines,
    })
}

fn outcome(([outcome], count): (Key<1>, Count)) -> Outcome {
    Outcome { outcome, proofs_per_second: count.per_second, proofs_total: count.total }
}

fn engines(change: &Change<'_>) -> Vec<ProofEngine> {
    let begun = change.counts("outrigger_proofs_by_engine_total", ["engine"], |_| true);
    let units = change.gauges("outrigger_proof_unit_seconds", ["engine", "curve"]);
    let known: BTreeSet<_> =
        begun.keys().map(|[engine]| engine).chain(units.keys().map(|[engine, _]| engine)).cloned().collect();
    let none = Count { total: 0.0, per_second: change.seconds().map(|_| 0.0) };
    let engine = |engine: String| {
        let count = begun.get(std::slice::from_ref(&engine)).copied().unwrap_or(none);
        let units = units.iter().filter(|([of, _], _)| *of == engine);
        let unit = |([_, curve], seconds): (&Key<2>, &f64)| Unit { curve: curve.clone(), unit_seconds: *seconds };
        let units = units.map(unit).collect();
        ProofEngine { begun_per_second: count.per_second, begun_total: count.total, units, engine }
    };
    known.into_iter().map(engine).collect()
}
