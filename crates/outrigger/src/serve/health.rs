//! How each engine stands, as gauges: whether work goes to it, and what lies before it.

use metrics::{Unit, describe_gauge, gauge};
use outrigger_scheduler::{EngineStats, Scheduler};
use outrigger_types::{Engine, HashAlgorithm, Operation, Ruleset};

/// Whether the breaker of an engine is closed (1) or, after faults, open (0), by `backend` and `device`.
const HEALTHY: &str = "outrigger_engine_healthy";
/// How many verifications and hash functions an engine does now, by `backend` and `device`: a device in quarantine, or one
/// that is not through its trials, does none.
const OPERATIONS: &str = "outrigger_engine_operations";
/// Items that wait for an engine, by `backend` and `device`; those that any engine of the cores may take stand with the
/// first of them.
const WAITING_ITEMS: &str = "outrigger_engine_waiting_items";
/// Compute time of what waits, as it is predicted, by `backend` and `device`.
const WAITING_SECONDS: &str = "outrigger_engine_waiting_seconds";
/// Items that an engine has now, by `backend` and `device`.
const RUNNING_ITEMS: &str = "outrigger_engine_running_items";

/// Tells the recorder what each gauge means.
pub(super) fn describe() {
    describe_gauge!(HEALTHY, "Whether work goes to an engine, or its breaker is open after faults");
    describe_gauge!(OPERATIONS, "Verifications and hash functions that an engine does now; none in quarantine");
    describe_gauge!(WAITING_ITEMS, "Items that wait for an engine");
    describe_gauge!(WAITING_SECONDS, Unit::Seconds, "Predicted compute time of what waits for an engine");
    describe_gauge!(RUNNING_ITEMS, "Items that an engine has now");
}

/// Tells the recorder how the engines stand. To be called every few seconds.
pub(super) fn record(scheduler: &Scheduler) {
    for (engine, stats) in scheduler.engines().iter().zip(&scheduler.stats().engines) {
        show(stats, operations(engine.as_ref()));
    }
}

fn operations(engine: &dyn Engine) -> usize {
    let verifications = Ruleset::ALL.iter().map(|ruleset| Operation::Verify(*ruleset));
    let hashes = HashAlgorithm::ALL.iter().map(|algorithm| Operation::Hash(*algorithm));
    verifications.chain(hashes).filter(|operation| engine.supports(*operation)).count()
}

/// Devices are few, so a label for each is bounded.
fn show(stats: &EngineStats, operations: usize) {
    let labels = [("backend", stats.backend.name().to_owned()), ("device", stats.device.clone())];
    gauge!(HEALTHY, &labels).set(f64::from(u8::from(stats.healthy)));
    gauge!(OPERATIONS, &labels).set(operations as f64);
    gauge!(WAITING_ITEMS, &labels).set(stats.waiting_items as f64);
    gauge!(WAITING_SECONDS, &labels).set(stats.waiting_compute.as_secs_f64());
    gauge!(RUNNING_ITEMS, &labels).set(stats.running_items as f64);
}

#[cfg(test)]
mod tests;
