//! A view as tables: what the screen and the text show, in the same words.

mod health;
mod render;
mod tenants;

use crate::number::{bytes, decimal, or_nothing, percent, seconds, whole};
use crate::view::{Operation, Proving, Times, View};

pub(crate) use render::{buffer, lines, width};

/// A table with a title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pane {
    /// What it is about.
    pub title: &'static str,
    /// Over each column; columns of names stand first.
    pub headings: Vec<&'static str>,
    /// How many columns are names; the others are figures.
    pub names: usize,
    /// As many cells each as there are headings.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a place of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The text, without control characters.
    pub text: String,
    /// Whether somebody should look at it.
    pub is_alarm: bool,
}

/// All panes of a view, the most important first; without those that have nothing to show.
pub fn of(view: &View) -> Vec<Pane> {
    let mut panes = vec![throughput(view), verdicts(view), health::engines(view), health::devices(view)];
    panes.extend([tenants::held(view), in_flight(view), answers(view), waits(view), calls(view), batches(view)]);
    panes.extend([compute(view), backends(view), second_tries(view)]);
    panes.extend([health::work(view), health::workers(view), health::faults(view)]);
    panes.extend([tenants::tenants(view), tenants::refusals(view)]);
    panes.extend(view.proving.iter().flat_map(|it| [proving(it), proof_times(it), outcomes(it), engines(it)]));
    panes.extend([cache(view), known_keys(view)]);
    panes.retain(|pane| !pane.rows.is_empty());
    panes
}

impl Pane {
    fn new<'a>(
        title: &'static str,
        names: usize,
        headings: &[&'static str],
        rows: impl IntoIterator<Item = Vec<Cell>> + 'a,
    ) -> Self {
        Self { title, headings: headings.to_vec(), names, rows: rows.into_iter().collect() }
    }
}

/// A name. It comes from elsewhere: a control character in it could drive the terminal.
fn name(text: &str) -> Cell {
    let text = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    Cell { text, is_alarm: false }
}

fn figure(text: String) -> Cell {
    Cell { text, is_alarm: false }
}

fn rate(value: Option<f64>) -> Cell {
    figure(or_nothing(value, decimal))
}

/// A rate that should be 0.
fn bad_rate(value: Option<f64>) -> Cell {
    Cell { is_alarm: value.is_some_and(|value| value > 0.0), ..rate(value) }
}

fn total(value: f64) -> Cell {
    figure(whole(value))
}

/// A count that should be 0.
fn bad_total(value: f64) -> Cell {
    Cell { is_alarm: value > 0.0, ..total(value) }
}

/// A count that the sidecar may not tell of.
fn count(value: Option<f64>) -> Cell {
    value.map_or_else(|| rate(None), total)
}

/// The same, where it should be 0.
fn bad_count(value: Option<f64>) -> Cell {
    value.map_or_else(|| rate(None), bad_total)
}

fn now(value: Option<f64>) -> Cell {
    figure(or_nothing(value, whole))
}

fn share(value: Option<f64>) -> Cell {
    figure(or_nothing(value, percent))
}

/// Mean and percentiles; where a percentile is beyond the last bucket, that it is more than its end.
fn times(times: Option<&Times>) -> [Cell; 4] {
    let mean = figure(or_nothing(times.map(|times| times.mean_seconds), seconds));
    let up_to = |of: fn(&Times) -> Option<f64>| {
        let Some(times) = times else { return rate(None) };
        figure(of(times).map_or_else(|| format!(">{}", seconds(times.known_up_to_seconds)), seconds))
    };
    [mean, up_to(|times| times.p50_seconds), up_to(|times| times.p90_seconds), up_to(|times| times.p99_seconds)]
}

/// The headings of these.
const TIMES: [&str; 4] = ["mean", "p50", "p90", "p99"];

fn throughput(view: &View) -> Pane {
    let not_valid = |operation: &Operation| {
        let others = operation.verdicts.iter().filter(|verdict| verdict.verdict != "valid");
        others.map(|verdict| verdict.share_percent).sum::<Option<f64>>()
    };
    let row = |it: &Operation| {
        vec![
            name(&it.operation),
            name(&it.ruleset),
            rate(it.items_per_second),
            share(not_valid(it)),
            rate(it.requests_per_second),
            bad_rate(it.refused_per_second),
        ]
    };
    let headings = ["operation", "ruleset", "items/s", "not valid", "requests/s", "refused/s"];
    Pane::new("Throughput", 2, &headings, view.operations.iter().map(row))
}

fn verdicts(view: &View) -> Pane {
    let rows = view
        .verdicts
        .iter()
        .map(|it| vec![name(&it.verdict), rate(it.items_per_second), share(it.share_percent), total(it.items_total)]);
    Pane::new("Verdicts", 1, &["verdict", "items/s", "share", "since start"], rows)
}

fn in_flight(view: &View) -> Pane {
    let rows = view.in_flight.iter().map(|it| vec![total(it.requests), total(it.items), figure(bytes(it.bytes))]);
    Pane::new("In flight now", 0, &["requests", "items", "bytes"], rows)
}

fn answers(view: &View) -> Pane {
    let rows = view.operations.iter().map(|it| {
        let ended = rate(it.times.as_ref().map(|times| times.count_per_second));
        [name(&it.operation), name(&it.ruleset), ended].into_iter().chain(times(it.times.as_ref())).collect()
    });
    let headings: Vec<_> = ["operation", "ruleset", "answered/s"].into_iter().chain(TIMES).collect();
    Pane::new("Requests from arrival to answer", 2, &headings, rows)
}

fn waits(view: &View) -> Pane {
    let rows = view.waits.iter().map(|it| {
        let ended = rate(it.times.as_ref().map(|times| times.count_per_second));
        [name(&it.operation), ended].into_iter().chain(times(it.times.as_ref())).collect()
    });
    let headings: Vec<_> = ["operation", "requests/s"].into_iter().chain(TIMES).collect();
    Pane::new("Wait for dispatch", 1, &headings, rows)
}

fn calls(view: &View) -> Pane {
    let rows = view.calls.iter().map(|it| {
        let counts = [name(short(&it.method)), rate(it.calls_per_second), bad_rate(it.failed_per_second)];
        counts.into_iter().chain(times(it.times.as_ref())).collect()
    });
    let headings: Vec<_> = ["call", "calls/s", "failed/s"].into_iter().chain(TIMES).collect();
    Pane::new("Calls", 1, &headings, rows)
}

/// A method without its service; those of health keep theirs, which others could have.
fn short(method: &str) -> &str {
    match method.strip_prefix("grpc.health.v1.") {
        Some(health) => health,
        None => method.rsplit('/').next().unwrap_or(method),
    }
}

fn batches(view: &View) -> Pane {
    let rows = view.batches.iter().map(|it| {
        let sizes = it.sizes.as_ref();
        let up_to = |value: Option<Option<f64>>| match (value, sizes) {
            (Some(Some(value)), _) => total(value),
            (Some(None), Some(sizes)) => figure(format!(">{}", whole(sizes.known_up_to_items))),
            _ => rate(None),
        };
        vec![
            name(&it.backend),
            name(&it.operation),
            rate(it.batches_per_second),
            rate(sizes.map(|sizes| sizes.mean_items)),
            up_to(sizes.map(|sizes| sizes.p50_items)),
            up_to(sizes.map(|sizes| sizes.p90_items)),
            up_to(sizes.map(|sizes| sizes.p99_items)),
        ]
    });
    let headings: Vec<_> = ["backend", "operation", "batches/s"].into_iter().chain(TIMES).collect();
    Pane::new("Batches, sizes in items", 2, &headings, rows)
}

fn compute(view: &View) -> Pane {
    let rows = view.batches.iter().map(|it| {
        let ended = rate(it.compute.as_ref().map(|times| times.count_per_second));
        [name(&it.backend), name(&it.operation), ended].into_iter().chain(times(it.compute.as_ref())).collect()
    });
    let headings: Vec<_> = ["backend", "operation", "batches/s"].into_iter().chain(TIMES).collect();
    Pane::new("Compute time of a batch, over all cores", 2, &headings, rows)
}

fn backends(view: &View) -> Pane {
    let rows = view.backends.iter().map(|it| {
        vec![
            name(&it.backend),
            rate(it.items_per_second),
            share(it.share_percent),
            rate(it.batches_per_second),
            rate(it.compute_seconds_per_second),
        ]
    });
    Pane::new("Backends", 1, &["backend", "items/s", "share", "batches/s", "cores busy"], rows)
}

fn second_tries(view: &View) -> Pane {
    let rows = view.backends.iter().map(|it| {
        vec![
            name(&it.backend),
            bad_rate(it.fallback_items_per_second),
            bad_total(it.fallback_items_total),
            rate(it.hedged_items_per_second),
            total(it.hedged_items_total),
        ]
    });
    let headings = ["backend", "fallback items/s", "since start", "hedged items/s", "since start"];
    Pane::new("Repeated on the CPU", 1, &headings, rows)
}

fn proving(it: &Proving) -> Pane {
    let row = vec![
        now(it.queued),
        now(it.running),
        rate(it.proofs_per_second),
        total(it.proofs_total),
        bad_rate(it.repeated_per_second),
        bad_total(it.repeated_total),
        figure(or_nothing(it.secret_bytes, bytes)),
    ];
    let headings = ["waiting", "running", "proofs/s", "since start", "repeated/s", "since start", "secrets held"];
    Pane::new("Proving", 0, &headings, [row])
}

fn proof_times(it: &Proving) -> Pane {
    let whole = [("waiting", &it.waits), ("proof, waiting not counted", &it.times)];
    let stages = it.stages.iter().map(|stage| (stage.stage.as_str(), &stage.times));
    let rows = whole.into_iter().chain(stages).map(|(what, observed)| {
        let ended = rate(observed.as_ref().map(|times| times.count_per_second));
        [name(what), ended].into_iter().chain(times(observed.as_ref())).collect()
    });
    let headings: Vec<_> = ["stage", "ended/s"].into_iter().chain(TIMES).collect();
    Pane::new("Times of proofs", 1, &headings, rows)
}

fn outcomes(it: &Proving) -> Pane {
    let rows = it.outcomes.iter().map(|it| {
        let is_bad = it.outcome != "ok";
        let per_second = if is_bad { bad_rate(it.proofs_per_second) } else { rate(it.proofs_per_second) };
        vec![name(&it.outcome), per_second, total(it.proofs_total)]
    });
    Pane::new("Outcomes of proofs", 1, &["outcome", "proofs/s", "since start"], rows)
}

fn engines(it: &Proving) -> Pane {
    let rows = it.engines.iter().map(|it| {
        let units = it.units.iter().map(|unit| format!("{} {}", unit.curve, seconds(unit.unit_seconds)));
        let units = name(&units.collect::<Vec<_>>().join(", "));
        vec![name(&it.engine), units, rate(it.begun_per_second), total(it.begun_total)]
    });
    Pane::new("Engines of proofs", 2, &["engine", "a unit of work takes", "begun/s", "since start"], rows)
}

fn cache(view: &View) -> Pane {
    let rows = view.cache.iter().map(|it| {
        let rates = [rate(it.hits_per_second), rate(it.shared_per_second), rate(it.misses_per_second)];
        rates.into_iter().chain([share(it.saved_percent), now(it.entries), now(it.entries_limit)]).collect()
    });
    let headings = ["found/s", "shared/s", "missed/s", "saved", "kept now", "at most"];
    Pane::new("Cache of verdicts, items", 0, &headings, rows)
}

fn known_keys(view: &View) -> Pane {
    let rows = view.known_keys.iter().map(|it| {
        vec![
            now(it.tables),
            figure(or_nothing(it.bytes, bytes)),
            rate(it.hits_per_second),
            rate(it.misses_per_second),
            share(it.hits_percent),
            rate(it.built_per_second),
            rate(it.evicted_per_second),
            bad_total(it.damaged_total),
        ]
    });
    let headings = ["tables", "bytes", "hit/s", "missed/s", "hit", "built/s", "evicted/s", "damaged"];
    Pane::new("Tables of known keys", 0, &headings, rows)
}

#[cfg(test)]
mod tests;
