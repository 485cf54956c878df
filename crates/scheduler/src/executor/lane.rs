//! One queue of work and the engines that it is for: a device, or all engines that share the cores.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Engine, EngineError, JobId, Operation, Priority};

use super::coverage::Coverage;
use crate::batcher::{Batcher, Demand, RequestId, Room};
use crate::breaker::Breaker;

/// Jobs that a device has at once: one runs while the next is copied.
const DEVICE_JOBS_MAX: usize = 2;
/// Predicted time of one job on each core. Work beyond one job that runs and one that follows stays in the
/// batcher, where priorities and fairness act; shorter jobs would cost more hand-overs.
const CORE_JOB: Duration = Duration::from_millis(2);

/// Jobs that each core has at once where those that wait could fill lanes together.
const CORE_JOBS_MAX: usize = 2;

/// Items of one request within a job.
pub(super) struct JobSegment {
    pub(super) id: RequestId,
    /// Which items of the request.
    pub(super) range: Range<usize>,
    /// Their answers, counted over the job.
    pub(super) answers: Range<usize>,
    /// The request forced this backend: what it leaves unprocessed stays so.
    pub(super) forced: bool,
}

/// A batch on its engine.
pub(super) struct RunningJob {
    /// The number of the engine that has it.
    pub(super) engine: usize,
    /// What kind of engine that is.
    pub(super) backend: Backend,
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

/// An engine of a lane, and whether it is trusted.
pub(super) struct Member {
    /// Its number.
    pub(super) engine: usize,
    pub(super) backend: Backend,
    pub(super) breaker: Breaker,
}

/// One queue.
pub(super) struct Lane {
    pub(super) members: Vec<Member>,
    pub(super) batcher: Batcher,
    /// By token: the scheduler's own name for a job, known before the engine gives its own.
    jobs: HashMap<u64, RunningJob>,
    /// Predicted compute time of the jobs of each class.
    running: [Duration; Priority::ALL.len()],
    /// A thread is feeding the engines.
    pub(super) feeding: bool,
}

impl Lane {
    /// The lanes of these engines, and the lane of each: the engines of the cores share one.
    pub(super) fn of(engines: &[Arc<dyn Engine>], aging: Duration) -> (Vec<Self>, Vec<usize>) {
        let mut lanes: Vec<Self> = Vec::with_capacity(engines.len());
        let mut numbers = Vec::with_capacity(engines.len());
        for (number, engine) in engines.iter().enumerate() {
            let backend = engine.backend();
            let member = Member { engine: number, backend, breaker: Breaker::default() };
            let shared = lanes.iter().position(|lane| lane.has_cores() && has_cores(backend));
            let lane = shared.unwrap_or_else(|| {
                lanes.push(Self::new(aging));
                lanes.len() - 1
            });
            lanes[lane].members.push(member);
            numbers.push(lane);
        }
        (lanes, numbers)
    }

    fn new(aging: Duration) -> Self {
        Self {
            members: Vec::with_capacity(1),
            batcher: Batcher::new(aging),
            jobs: HashMap::new(),
            running: Default::default(),
            feeding: false,
        }
    }

    pub(super) fn member(&mut self, engine: usize) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.engine == engine)
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
    pub(super) fn has_cores(&self) -> bool {
        self.members.iter().any(|member| has_cores(member.backend))
    }

    /// What work of a request waits as: where engines share the queue, forced work is for one of them alone.
    pub(super) fn demand(&self, operation: Operation, forced: Option<Backend>) -> Demand {
        Demand { operation, backend: forced.filter(|_| self.members.len() > 1) }
    }

    /// Whether an engine may have work. Plain cores are the last resort and never taken out: an input that brings a
    /// library down must not take the sidecar with it.
    pub(super) fn admits(&self, engine: usize, now: Instant) -> bool {
        let Some(member) = self.members.iter().find(|member| member.engine == engine) else { return false };
        let idle = || {
            let waits = if self.members.len() > 1 {
                self.batcher.waits_for(member.backend)
            } else {
                self.batcher.waiting().entries > 0
            };
            !waits && self.jobs.values().all(|job| job.engine != engine)
        };
        member.backend == Backend::Cpu || member.breaker.is_closed() || member.breaker.admits(now, idle())
    }

    /// Compute time that runs or waits ahead of new work of this class.
    pub(super) fn ahead(&self, priority: Priority) -> Duration {
        self.running_from(if self.has_cores() { priority } else { Priority::Bulk })
            + self.batcher.waiting_from(priority).compute
    }

    /// Whether the engines should have another job of this class now. On cores, urgent jobs overtake within the
    /// engine, so what runs below their class does not count.
    /// Where lanes could have the work (`joins`), small jobs stay behind once each core has one that runs and one that
    /// follows: together they fill lanes, and the cores could not have begun them sooner.
    pub(super) fn has_room(&self, priority: Priority, cores: usize, joins: bool) -> bool {
        if !self.has_cores() {
            return self.jobs.len() < DEVICE_JOBS_MAX;
        }
        let jobs = || self.jobs.values().filter(|job| job.priority >= priority).count();
        if joins && jobs() >= CORE_JOBS_MAX * cores {
            return false;
        }
        self.running_from(priority) <= core_job(cores)
    }

    /// Whether the engines have work that new work of this class would wait behind.
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

const fn has_cores(backend: Backend) -> bool {
    matches!(backend, Backend::Cpu | Backend::Vector)
}

fn core_job(cores: usize) -> Duration {
    CORE_JOB * u32::try_from(cores.max(1)).unwrap_or(u32::MAX)
}
