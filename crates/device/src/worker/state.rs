//! What a handle knows of its worker and its batches.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::{pause, random};
use super::{Completion, WorkerOptions, encoded};
use crate::arena::{Region, SLOTS};
use crate::link::Link;
use crate::protocol::{Run, Timing};
use crate::serve::now_ns;
use crate::{DeviceError, DeviceInfo};

/// How an operation stands with a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its self-test has not ended yet.
    Untested,
    /// Its self-test passed, and nothing was held against it since.
    Serves,
    /// Its self-test failed, or its answers were wrong.
    Failed {
        /// Why.
        why: DeviceError,
        /// How often in a row.
        times: u32,
        /// When the self-test is tried again.
        again: Instant,
    },
}

/// Counts and times of a worker since its handle was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// Workers that were started.
    pub starts: u64,
    /// Workers that could not be started, or did not come up.
    pub failed_starts: u64,
    /// Workers that were killed because they made no progress.
    pub hung: u64,
    /// Workers that ended otherwise, unasked.
    pub died: u64,
    /// Self-tests that failed.
    pub failed_self_tests: u64,
    /// Batches that were answered.
    pub batches: u64,
    /// Batches that ended in an error of the device.
    pub failed: u64,
    /// Of those, the ones for which it had no memory.
    pub out_of_memory: u64,
    /// Batches that were lost with a worker.
    pub lost: u64,
    /// Batches with the worker now.
    pub in_flight: usize,
    /// Times and bytes of the batches that were answered, summed.
    pub timing: Timing,
}

/// Workers that the self-test of an operation ends before others no longer wait for it: once may be a chance.
const FATAL_MIN: u32 = 2;

/// Whether there is a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none, or it has not said hello.
    Down,
    /// It takes batches.
    Up,
}

/// A batch or a self-test that is with the worker.
pub(super) struct InFlight {
    pub(super) slot: u32,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Batch { region: Region, completion: Completion },
    SelfTest { operation: u32 },
}

pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) stopping: bool,
    pub(super) link: Option<Arc<Link>>,
    /// The process, while there is one that was greeted or is about to be.
    pub(super) process: Option<u32>,
    pub(super) info: Option<DeviceInfo>,
    pub(super) standings: BTreeMap<u32, Standing>,
    pub(super) in_flight: HashMap<u64, InFlight>,
    pub(super) stats: WorkerStats,
    /// How many workers the self-test of an operation has ended, one after the other.
    pub(super) fatal: BTreeMap<u32, u32>,
    /// Why the last start failed.
    pub(super) last_failure: Option<DeviceError>,
    free_slots: Vec<u32>,
    next_id: u64,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Down,
            stopping: false,
            link: None,
            process: None,
            info: None,
            standings: BTreeMap::new(),
            in_flight: HashMap::new(),
            stats: WorkerStats::default(),
            fatal: BTreeMap::new(),
            last_failure: None,
            free_slots: (0..SLOTS as u32).collect(),
            next_id: 1,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Up && self.standings.values().all(|standing| *standing != Standing::Untested)
    }

    pub(super) fn batches_in_flight(&self) -> usize {
        self.in_flight.values().filter(|one| matches!(one.kind, Kind::Batch { .. })).count()
    }

    pub(super) fn is_testing(&self) -> bool {
        self.in_flight.values().any(|one| matches!(one.kind, Kind::SelfTest { .. }))
    }

    /// Gives a run an id and a slot and sends it; gives it back where it cannot be sent.
    pub(super) fn send(&mut self, mut run: Run, kind: Kind) -> Result<u64, Box<(Run, Kind)>> {
        let Some((link, slot)) = self.link.clone().zip(self.free_slots.last().copied()) else {
            return Err(Box::new((run, kind)));
        };
        (run.id, run.slot) = (self.next_id, slot);
        if link.send(&encoded(run.clone())).is_err() {
            return Err(Box::new((run, kind)));
        }
        self.free_slots.pop();
        self.next_id += 1;
        self.in_flight.insert(run.id, InFlight { slot, kind });
        Ok(run.id)
    }

    /// Takes back what has ended.
    pub(super) fn take(&mut self, id: u64) -> Option<InFlight> {
        let ended = self.in_flight.remove(&id)?;
        self.free_slots.push(ended.slot);
        Some(ended)
    }

    /// Sends the next self-test that is due; one at a time, so that lanes stay free for batches.
    pub(super) fn test_next(&mut self, now: Instant) {
        if self.is_testing() {
            return;
        }
        let due = |standing: &Standing| match standing {
            Standing::Untested => true,
            Standing::Serves => false,
            Standing::Failed { again, .. } => now >= *again,
        };
        let Some(operation) = self.standings.iter().find(|(_, standing)| due(standing)).map(|(&one, _)| one) else {
            return;
        };
        let run = Run {
            id: 0,
            slot: 0,
            operation,
            self_test: true,
            submitted_ns: now_ns(),
            deadline_ns: None,
            input: 0..0,
            output: 0..0,
            header: Vec::new(),
        };
        // Where it cannot be sent the worker is gone, which the keeper finds out by itself.
        let _ = self.send(run, Kind::SelfTest { operation });
    }

    pub(super) fn tested(&mut self, operation: u32, result: Result<(), DeviceError>, options: &WorkerOptions) {
        match result {
            Ok(()) => {
                self.fatal.remove(&operation);
                self.standings.insert(operation, Standing::Serves);
            }
            Err(why) => {
                self.stats.failed_self_tests += 1;
                self.fail(operation, why, options);
            }
        }
    }

    /// A worker begins, with nothing tested. What has ended workers again and again as it was tested waits, so that the
    /// others are served meanwhile.
    pub(super) fn begin(&mut self, operations: Vec<u32>, options: &WorkerOptions) {
        self.standings = operations.into_iter().map(|operation| (operation, Standing::Untested)).collect();
        let fatal: Vec<(u32, u32)> = self.fatal.iter().map(|(&operation, &times)| (operation, times)).collect();
        for (operation, times) in fatal.into_iter().filter(|(_, times)| *times >= FATAL_MIN) {
            let Some(standing) = self.standings.get_mut(&operation) else { continue };
            let why = DeviceError::Lost(format!("its self-test ended {times} workers, one after the other"));
            let wait: Duration = pause(options.backoff_first, options.backoff_longest, times, random());
            *standing = Standing::Failed { why, times, again: Instant::now() + wait };
        }
    }

    /// Takes an operation out of service for a while.
    pub(super) fn fail(&mut self, operation: u32, why: DeviceError, options: &WorkerOptions) {
        let Some(standing) = self.standings.get_mut(&operation) else { return };
        let before = if let Standing::Failed { times, .. } = standing { *times } else { 0 };
        let times = before.saturating_add(1);
        let wait: Duration = pause(options.backoff_first, options.backoff_longest, times, random());
        *standing = Standing::Failed { why, times, again: Instant::now() + wait };
    }

    pub(super) fn count(&mut self, result: &Result<Timing, DeviceError>) {
        self.stats.batches += 1;
        match result {
            Ok(timing) => {
                let sum = &mut self.stats.timing;
                sum.waited += timing.waited;
                sum.worked += timing.worked;
                sum.copy_in += timing.copy_in;
                sum.kernels += timing.kernels;
                sum.copy_out += timing.copy_out;
                sum.bytes_in += timing.bytes_in;
                sum.bytes_out += timing.bytes_out;
            }
            Err(error) => {
                self.stats.failed += 1;
                self.stats.out_of_memory += u64::from(matches!(error, DeviceError::OutOfMemory { .. }));
            }
        }
    }
}
