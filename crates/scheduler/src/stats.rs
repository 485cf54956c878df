//! A snapshot of the scheduler, for people and dashboards.

use std::sync::Arc;
use std::time::Duration;

use outrigger_types::{Backend, Operation};

use crate::cost::Cost;
use crate::limits::Load;

/// How things stand.
#[derive(Clone, Debug)]
pub struct Stats {
    /// What is admitted and not answered.
    pub held: Load,
    /// The same by tenant; tenants that hold nothing are not named.
    pub held_by_tenant: Vec<(Arc<str>, Load)>,
    /// Each engine, in the order of [`crate::Scheduler::engines`].
    pub engines: Vec<EngineStats>,
    /// Verdicts in the cache.
    pub cache_entries: usize,
    /// Whether new work is refused because the sidecar is shutting down.
    pub draining: bool,
}

/// How one engine stands.
#[derive(Clone, Debug)]
pub struct EngineStats {
    /// What kind it is.
    pub backend: Backend,
    /// The device, in words.
    pub device: String,
    /// Whether it is trusted; if not, it is quarantined after faults.
    pub healthy: bool,
    /// Items that wait for it; those that any engine of the cores may take stand with the first of them.
    pub waiting_items: usize,
    /// Predicted compute time of what waits for it.
    pub waiting_compute: Duration,
    /// Jobs that it has now.
    pub running_jobs: usize,
    /// Items of these jobs.
    pub running_items: usize,
    /// What operations cost on it, as far as they are known, on one core or device.
    pub costs: Vec<(Operation, Cost)>,
}
