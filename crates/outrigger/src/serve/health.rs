//! How the sidecar stands, as gauges that are brought up to date when somebody asks for metrics: since when it runs, whether
//! work goes to each engine and what lies before it, how devices are, what tenants hold.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{Unit, describe_gauge, gauge};
use outrigger_scheduler::{EngineStats, Scheduler};
use outrigger_service::Refresh;
use outrigger_types::{Engine, HashAlgorithm, Operation, Ruleset};

use crate::devices::Driven;

/// When the sidecar was started, in seconds after 1970.
const START_TIME: &str = "outrigger_start_time_seconds";

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

/// Tells the recorder what each gauge means, and that the sidecar starts now.
pub(super) fn describe() {
    describe_gauge!(START_TIME, Unit::Seconds, "When the sidecar was started, in seconds after 1970");
    gauge!(START_TIME).set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()));
    describe_gauge!(HEALTHY, "Whether work goes to an engine, or its breaker is open after faults");
    describe_gauge!(OPERATIONS, "Verifications and hash functions that an engine does now; none in quarantine");
    describe_gauge!(WAITING_ITEMS, "Items that wait for an engine");
    describe_gauge!(WAITING_SECONDS, Unit::Seconds, "Predicted compute time of what waits for an engine");
    describe_gauge!(RUNNING_ITEMS, "Items that an engine has now");
}

/// What is to be called before metrics are shown.
pub(super) fn refresh(scheduler: &Scheduler, driven: &[Driven]) -> Refresh {
    let devices: Vec<_> = driven.iter().map(|device| (device.engine.clone(), device.worker.clone())).collect();
    let scheduler = scheduler.clone();
    Arc::new(move || {
        record(&scheduler);
        for (engine, worker) in &devices {
            engine.record();
            worker.record();
        }
    })
}

/// Tells the recorder how the scheduler and its engines stand.
fn record(scheduler: &Scheduler) {
    scheduler.record();
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
