//! What two snapshots say: plain data, the one source of all that is shown. Serialised, it is what `--json` prints.
//!
//! Names end in their unit. What is `…_per_second` is of the last interval, as are all means, percentiles and shares;
//! it is `None` (in JSON `null`) where there is no interval yet, and so is what had no observation in it. What is
//! `…_total` counts since the sidecar was started. Lists are in the order of their labels. A part of the sidecar that
//! has not reported anything yet is an empty list or `None`.

mod change;
mod health;
mod parts;
mod proving;
mod tenants;

use std::time::Duration;

use serde::Serialize;

use crate::model::{Histogram, Quantile, Snapshot};

pub use health::{Device, Engine, Event};
pub use proving::{Outcome, ProofEngine, Proving, Stage, Unit};
pub use tenants::{Held, Refusal, Tenant};

use change::Change;

/// Where a view comes from, and when.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// The URL of the metrics.
    pub source: String,
    /// The sidecar's version; `None` where it does not say.
    pub version: Option<String>,
    /// Whether it takes calls; `false` while it drains, `None` where it does not say.
    pub ready: Option<bool>,
    /// When the later of the two samples came, in seconds after 1970.
    pub unix_seconds: f64,
    /// How this sample goes on from the one before.
    pub continuity: Continuity,
}

/// How a sample goes on from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Continuity {
    /// It is the first one: there are no rates yet.
    First,
    /// It is the next one of the same process.
    Continued,
    /// The sidecar was started again in between: no rates.
    Restarted,
    /// The sidecar did not answer in between: no rates.
    Returned,
}

/// How a sidecar fares.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// Where this comes from, and when.
    #[serde(flatten)]
    pub moment: Moment,
    /// The time between the two samples; `None` where there is but one.
    pub interval_seconds: Option<f64>,
    /// How long the sidecar runs, by the clocks of both machines; `None` where it does not say.
    pub uptime_seconds: Option<f64>,
    /// Items judged, over all operations; those that the cache answered are not among them.
    pub items_per_second: Option<f64>,
    /// Requests answered or refused, over all operations.
    pub requests_per_second: Option<f64>,
    /// Of these, requests refused.
    pub refused_per_second: Option<f64>,
    /// What each operation does under each ruleset.
    pub operations: Vec<Operation>,
    /// How items were judged, over all operations.
    pub verdicts: Vec<Verdict>,
    /// What is admitted and not answered.
    pub in_flight: Option<InFlight>,
    /// From arrival to dispatch.
    pub waits: Vec<Wait>,
    /// Batches of each backend and operation.
    pub batches: Vec<Batches>,
    /// What each backend does.
    pub backends: Vec<Backend>,
    /// How each engine stands.
    pub engines: Vec<Engine>,
    /// What each device does, and how it and its worker fare.
    pub devices: Vec<Device>,
    /// Calls over gRPC by method.
    pub calls: Vec<Call>,
    /// The same by tenant, with what is held and what was refused.
    pub tenants: Vec<Tenant>,
    /// Requests refused, by tenant and reason.
    pub refusals: Vec<Refusal>,
    /// Proof jobs.
    pub proving: Option<Proving>,
    /// The cache of verdicts.
    pub cache: Option<Cache>,
    /// Tables of public keys that come often.
    pub known_keys: Option<KnownKeys>,
}

/// What an operation does under a ruleset, or with a hash function, a tree or a curve.
#[derive(Clone, Debug, Serialize)]
pub struct Operation {
    /// The operation, such as `verify`.
    pub operation: String,
    /// The ruleset, hash function, tree or curve.
    pub ruleset: String,
    /// Items judged.
    pub items_per_second: Option<f64>,
    /// Requests answered or refused.
    pub requests_per_second: Option<f64>,
    /// Of these, requests refused.
    pub refused_per_second: Option<f64>,
    /// From arrival to answer, of those that were answered.
    pub times: Option<Times>,
    /// How items were judged.
    pub verdicts: Vec<Verdict>,
}

/// How many items got a verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// `valid`, `invalid`, `malformed` or `unprocessed`.
    pub verdict: String,
    /// Items.
    pub items_per_second: Option<f64>,
    /// Of all items beside it, 0 to 100; `None` without items.
    pub share_percent: Option<f64>,
    /// Items since the start.
    pub items_total: f64,
}

/// What is admitted and not answered, now.
#[derive(Clone, Debug, Serialize)]
pub struct InFlight {
    /// Requests.
    pub requests: f64,
    /// Their items.
    pub items: f64,
    /// Their bytes.
    pub bytes: f64,
}

/// Times that were observed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Times {
    /// How many there were.
    pub count_per_second: f64,
    /// Their mean, exactly.
    pub mean_seconds: f64,
    /// Half of them were shorter, about; `None` where that is more than `known_up_to_seconds`.
    pub p50_seconds: Option<f64>,
    /// The same of 90 in a hundred.
    pub p90_seconds: Option<f64>,
    /// The same of 99 in a hundred.
    pub p99_seconds: Option<f64>,
    /// The end of the last bucket of the sidecar's histogram.
    pub known_up_to_seconds: f64,
}

/// Sizes of batches that were observed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// Their mean, exactly.
    pub mean_items: f64,
    /// Half of them were at most so large, about; `None` where that is more than `known_up_to_items`.
    pub p50_items: Option<f64>,
    /// The same of 90 in a hundred.
    pub p90_items: Option<f64>,
    /// The same of 99 in a hundred.
    pub p99_items: Option<f64>,
    /// The end of the last bucket of the sidecar's histogram.
    pub known_up_to_items: f64,
}

/// How long requests waited from arrival to dispatch.
#[derive(Clone, Debug, Serialize)]
pub struct Wait {
    /// The operation.
    pub operation: String,
    /// Waits that ended.
    pub times: Option<Times>,
}

/// Batches of a backend and an operation.
#[derive(Clone, Debug, Serialize)]
pub struct Batches {
    /// The backend.
    pub backend: String,
    /// The operation.
    pub operation: String,
    /// Batches dispatched.
    pub batches_per_second: Option<f64>,
    /// Their sizes.
    pub sizes: Option<Sizes>,
    /// Compute time of the batches that ended, summed over cores.
    pub compute: Option<Times>,
}

/// What a backend does.
#[derive(Clone, Debug, Serialize)]
pub struct Backend {
    /// The backend: `cpu`, `vector`, `cuda` or `opencl`.
    pub backend: String,
    /// Items judged.
    pub items_per_second: Option<f64>,
    /// Of the items of all backends, 0 to 100.
    pub share_percent: Option<f64>,
    /// Batches that it was chosen for.
    pub batches_per_second: Option<f64>,
    /// Seconds of compute in a second, summed over cores: how many of them it keeps busy.
    pub compute_seconds_per_second: Option<f64>,
    /// Items that the CPU repeated because this backend failed.
    pub fallback_items_per_second: Option<f64>,
    /// The same since the start.
    pub fallback_items_total: f64,
    /// Items that the CPU was asked for as well because this backend was late.
    pub hedged_items_per_second: Option<f64>,
    /// The same since the start.
    pub hedged_items_total: f64,
}

/// Calls of a method over gRPC.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Service and method.
    pub method: String,
    /// Calls that ended.
    pub calls_per_second: Option<f64>,
    /// Of these, those with a code other than OK.
    pub failed_per_second: Option<f64>,
    /// How long they took.
    pub times: Option<Times>,
}

/// The cache of verdicts.
#[derive(Clone, Debug, Serialize)]
pub struct Cache {
    /// Verdicts kept, now.
    pub entries: Option<f64>,
    /// Verdicts kept at most; 0 where it is turned off.
    pub entries_limit: Option<f64>,
    /// Items found there.
    pub hits_per_second: Option<f64>,
    /// Items not found.
    pub misses_per_second: Option<f64>,
    /// Items that shared equal work in flight.
    pub shared_per_second: Option<f64>,
    /// Of all items, those found or shared, 0 to 100.
    pub saved_percent: Option<f64>,
}

/// Tables of public keys that come often.
#[derive(Clone, Debug, Serialize)]
pub struct KnownKeys {
    /// Tables, now.
    pub tables: Option<f64>,
    /// Their bytes, now.
    pub bytes: Option<f64>,
    /// Items whose key had a table.
    pub hits_per_second: Option<f64>,
    /// Items whose key had none.
    pub misses_per_second: Option<f64>,
    /// Of all these items, those with a table, 0 to 100.
    pub hits_percent: Option<f64>,
    /// Tables made.
    pub built_per_second: Option<f64>,
    /// Tables that gave way.
    pub evicted_per_second: Option<f64>,
    /// Tables dropped because they were damaged, since the start.
    pub damaged_total: f64,
}

impl View {
    /// What `now` says, beside an earlier snapshot of the same process and the time between the two.
    pub fn of(moment: Moment, now: &Snapshot, before: Option<(&Snapshot, Duration)>) -> Self {
        let change = Change::new(now, before);
        let verdicts = parts::verdicts(&change, |_| true);
        Self {
            interval_seconds: change.seconds(),
            uptime_seconds: health::uptime_seconds(&change, moment.unix_seconds),
            items_per_second: change.sum("outrigger_items_total", |_| true).per_second,
            requests_per_second: change.sum("outrigger_requests_total", |_| true).per_second,
            refused_per_second: change
                .sum("outrigger_requests_total", |labels| labels.get("result") != "ok")
                .per_second,
            operations: parts::operations(&change),
            verdicts,
            in_flight: parts::in_flight(&change),
            waits: parts::waits(&change),
            batches: parts::batches(&change),
            backends: parts::backends(&change),
            engines: health::engines(&change),
            devices: health::devices(&change),
            calls: parts::calls(&change),
            tenants: tenants::tenants(&change),
            refusals: tenants::refusals(&change),
            proving: proving::of(&change),
            cache: parts::cache(&change),
            known_keys: parts::known_keys(&change),
            moment,
        }
    }
}

impl Times {
    /// What the observations of an interval say; `None` without any.
    fn of(observed: &Histogram, seconds: f64) -> Option<Self> {
        Some(Self {
            count_per_second: observed.count() / seconds,
            mean_seconds: observed.mean()?,
            p50_seconds: near(observed.quantile(0.5)?),
            p90_seconds: near(observed.quantile(0.9)?),
            p99_seconds: near(observed.quantile(0.99)?),
            known_up_to_seconds: observed.known_up_to(),
        })
    }
}

impl Sizes {
    /// The same for batches, whose sizes are whole numbers.
    fn of(observed: &Histogram) -> Option<Self> {
        let whole = |part| observed.quantile(part).map(|quantile| near(quantile).map(f64::ceil));
        Some(Self {
            mean_items: observed.mean()?,
            p50_items: whole(0.5)?,
            p90_items: whole(0.9)?,
            p99_items: whole(0.99)?,
            known_up_to_items: observed.known_up_to(),
        })
    }
}

const fn near(quantile: Quantile) -> Option<f64> {
    match quantile {
        Quantile::Near(value) => Some(value),
        Quantile::Above(_) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
