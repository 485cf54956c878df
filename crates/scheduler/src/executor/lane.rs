//! One engine and what waits for it and runs on it.

use std::collections::HashMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Engine, EngineError, JobId, Operation, Priority};

use super::coverage::Coverage;
use crate::batcher::{Batcher, RequestId, Room};
use crate::breaker::Breaker;

/// Jobs that a device has at once: one runs while the next is copied.
const DEVICE_JOBS_MAX: usize = 2;
/// Predicted time of one job on each core. Work beyond one job that runs and one that follows stays in the
/// batcher, where priorities and fairness act; shorter jobs would cost more hand-overs.
const CORE_JOB: Duration = Duration::from_millis(2);

/// Items of one request within a job.
pub(super) struct JobSegment {
    pub(super) id: RequestId,
    /// Which items of the request.
    pub(super) range: Range<usize>,
    /// Their answers, counted over the job.
    pub(super) answers: Range<usize>,
    /// The request forced this engine: what it leaves unprocessed stays so.
    pub(super) forced: bool,
}

/// A batch on its engine.
pub(super) struct RunningJob {
    /// The engine's name for it, once it is known.
    pub(super) id: Option<JobId>,
    pub(super) operation: Operation,
    pub(super) priority: Priority,
    pub(super) segments: Vec<JobSegment>,
    pub(super) covered: Coverage,
    /// Answers that the engine gave back unprocessed and that the CPU shall look at.
    pub(super) unprocessed: usize,
    /// Predicted compute time.
    pub(super) predicted: Duration,
    /// Measured compute time.
    pub(super) compute: Duration,
    pub(super) items: usize,
    /// What the engine did wrong so far.
    pub(super) fault: Option<EngineError>,
    /// Segments whose caller still waits.
    pub(super) wanted: usize,
}

impl RunningJob {
    pub(super) fn answers(&self) -> usize {
        self.segments.last().map_or(0, |segment| segment.answers.end)
    }
}

/// One engine's lane.
pub(super) struct Lane {
    pub(super) backend: Backend,
    pub(super) batcher: Batcher,
    /// By token: the scheduler's own name for a job, known before the engine gives its own.
    jobs: HashMap<u64, RunningJob>,
    /// Predicted compute time of the jobs of each class.
    running: [Duration; Priority::ALL.len()],
    pub(super) breaker: Breaker,
    /// A thread is feeding the engine.
    pub(super) feeding: bool,
}

impl Lane {
    pub(super) fn new(engine: &dyn Engine, aging: Duration) -> Self {
        Self {
            backend: engine.backend(),
            batcher: Batcher::new(aging),
            jobs: HashMap::new(),
            running: Default::default(),
            breaker: Breaker::default(),
            feeding: false,
        }
    }

    /// A job goes to the engine.
    pub(super) fn begin(&mut self, token: u64, job: RunningJob) {
        self.running[job.priority as usize] += job.predicted;
        self.jobs.insert(token, job);
    }

    /// A job has ended, one way or the other.
    pub(super) fn end(&mut self, token: u64) -> Option<RunningJob> {
        let job = self.jobs.remove(&token)?;
        self.running[job.priority as usize] -= job.predicted;
        Some(job)
    }

    pub(super) fn job(&mut self, token: u64) -> Option<&mut RunningJob> {
        self.jobs.get_mut(&token)
    }

    pub(super) fn jobs(&self) -> impl ExactSizeIterator<Item = &RunningJob> {
        self.jobs.values()
    }

    /// Whether cores share a job piece by piece, or a device takes it whole.
    pub(super) const fn has_cores(&self) -> bool {
        matches!(self.backend, Backend::Cpu | Backend::Vector)
    }

    /// Plain cores are the last resort and never taken out: an input that brings a library down must not take
    /// the sidecar with it.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let idle = self.jobs.is_empty() && self.batcher.waiting().entries == 0;
        self.backend == Backend::Cpu || self.breaker.admits(now, idle)
    }

    /// Compute time that runs or waits ahead of new work of this class.
    pub(super) fn ahead(&self, priority: Priority) -> Duration {
        self.running_from(if self.has_cores() { priority } else { Priority::Bulk })
            + self.batcher.waiting_from(priority).compute
    }

    /// Whether the engine should have another job of this class now. On cores, urgent jobs overtake within the
    /// engine, so what runs below their class does not count.
    pub(super) fn has_room(&self, priority: Priority, cores: usize) -> bool {
        if !self.has_cores() {
            return self.jobs.len() < DEVICE_JOBS_MAX;
        }
        self.running_from(priority) <= core_job(cores)
    }

    /// Whether the engine has work that new work of this class would wait behind.
    pub(super) fn is_busy(&self, priority: Priority) -> bool {
        if self.has_cores() { !self.running_from(priority).is_zero() } else { !self.jobs.is_empty() }
    }

    /// How large the next job may be.
    pub(super) fn room(&self, items_max: usize, bytes_max: usize, cores: usize, piece_items: usize) -> Room {
        if !self.has_cores() {
            return Room { items_max, bytes_max, compute_max: Duration::MAX, items_min: 0 };
        }
        let items_min = piece_items.saturating_mul(cores).min(items_max);
        Room { items_max, bytes_max, compute_max: core_job(cores), items_min }
    }

    fn running_from(&self, priority: Priority) -> Duration {
        self.running[priority as usize..].iter().sum()
    }
}

fn core_job(cores: usize) -> Duration {
    CORE_JOB * u32::try_from(cores.max(1)).unwrap_or(u32::MAX)
}
