//! The threads, and what they do with a unit of work.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use outrigger_types::{Backend, EngineError, Job, JobId, Operation, Outcome, Output, Piece, Work};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::join::joined;
use super::queue::{Notice, Queue, Step, Unit};
use crate::cost::{CostTable, Pieces};

/// Answers the items of a range.
pub(super) type Runner = dyn Fn(&Work, Range<usize>) -> Output + Send + Sync;
/// Says before an operation's work begins why the engine cannot be trusted with it, if so. Not a part of the work's
/// time.
pub(super) type Gate = dyn Fn(Operation) -> Result<(), EngineError> + Send + Sync;

/// One of the engines that share the threads.
pub(super) struct Face {
    pub(super) backend: Backend,
    runner: Box<Runner>,
    gate: Box<Gate>,
    /// What its pieces were measured to cost. Its grain is that of the pieces.
    pub(super) costs: CostTable,
}

impl Face {
    /// An engine that is always trusted and works on multiples of `grain` items.
    pub(super) fn new(backend: Backend, grain: usize, runner: Box<Runner>) -> Self {
        Self::gated(backend, grain, Box::new(|_| Ok(())), runner)
    }

    /// An engine that works on multiples of `grain` items, behind a gate.
    pub(super) fn gated(backend: Backend, grain: usize, gate: Box<Gate>, runner: Box<Runner>) -> Self {
        Self { backend, runner, gate, costs: CostTable::with_grain(grain) }
    }

    /// Whether items of several requests are put into one piece of work, so that no lane stays empty.
    pub(super) fn joins(&self) -> bool {
        self.costs.grain() > 1
    }
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Threads that take units from one queue.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// So many threads; one for each core where not given. Those that are pinned stay on a core of their own.
    pub(super) fn new(threads: Option<NonZeroUsize>, pin: bool) -> Self {
        let cores = if pin { own_cores() } else { Vec::new() };
        let count = threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let shared = Arc::new(Shared { queue: Mutex::new(Queue::new()), ready: Condvar::new() });
        let threads = (0..count)
            .map(|number| {
                let shared = shared.clone();
                let core = (!cores.is_empty()).then(|| cores[number % cores.len()]);
                thread::Builder::new()
                    .name(format!("outrigger-cpu-{number}"))
                    .spawn(move || {
                        core.into_iter().for_each(stay_on);
                        work_until_closed(&shared);
                    })
                    .expect("the operating system starts a thread")
            })
            .collect();
        Self { shared, threads }
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Lets a job wait that falls into units of `piece_items` items.
    pub(super) fn push(&self, job: Job, face: &Arc<Face>, piece_items: usize, now: Instant) -> JobId {
        let mut queue = self.shared.lock();
        let (id, units) = queue.push(job, face.clone(), piece_items, now);
        let sleepers = queue.sleepers();
        drop(queue);
        wake(&self.shared.ready, units.min(sleepers));
        id
    }

    pub(super) fn poll(&self, job: JobId) -> Outcome {
        self.shared.lock().poll(job)
    }

    pub(super) fn cancel(&self, job: JobId) {
        // A thread of the pool finds the job cancelled and reports it.
        if self.shared.lock().cancel(job) {
            wake(&self.shared.ready, 1);
        }
    }
}

impl Drop for Pool {
    /// Ends the threads after the pieces that they are running. Jobs that wait are never answered: whoever
    /// drops the engines has nobody left who asks.
    fn drop(&mut self) {
        self.shared.lock().close();
        self.shared.ready.notify_all();
        for thread in self.threads.drain(..) {
            // The last owner may be a callback on one of these threads; it ends by itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn wake(ready: &Condvar, count: usize) {
    for _ in 0..count {
        ready.notify_one();
    }
}

fn work_until_closed(shared: &Shared) {
    let mut queue = shared.lock();
    loop {
        match queue.next(Instant::now()) {
            Step::Run(unit) => {
                drop(queue);
                let piece = run(&unit);
                queue = shared.lock();
                if let Some(notice) = queue.finish(&unit, piece) {
                    drop(queue);
                    tell(notice);
                    queue = shared.lock();
                }
            }
            Step::Tell(notice) => {
                drop(queue);
                tell(notice);
                queue = shared.lock();
            }
            Step::Sleep => {
                queue.fall_asleep();
                queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.wake_up();
            }
            Step::Close => return,
        }
    }
}

/// Carries out one unit. A panic is a fault of the engine and never a verdict; the thread survives it. So is an
/// answer of the wrong length.
fn run(unit: &Unit) -> Result<Piece, EngineError> {
    (unit.face.gate)(unit.operation())?;
    let started = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| match unit.parts.as_slice() {
        [part] => (unit.face.runner)(&part.work, part.range.clone()),
        parts => {
            let work = joined(parts.iter().map(|part| (&*part.work, part.range.clone())));
            (unit.face.runner)(&work, 0..unit.answers)
        }
    }));
    let compute = started.elapsed();
    let output = result.map_err(|panic| EngineError::Fault(format!("a panic: {}", reason_of(&*panic))))?;
    if output.verdicts.len() != unit.answers {
        let given = output.verdicts.len();
        return Err(EngineError::Fault(format!("{given} answers where {} were asked for", unit.answers)));
    }
    let pieces = Pieces { count: 1, items: unit.items(), bytes: unit.bytes(), compute };
    unit.face.costs.observe(unit.operation(), pieces, started);
    Ok(Piece { start: unit.start, output, compute })
}

fn reason_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

fn tell(notice: Notice) {
    // A callback that panics must not take a thread of the engine with it.
    let told = catch_unwind(AssertUnwindSafe(|| (notice.completion)(notice.job)));
    if told.is_err() {
        tracing::error!(job = notice.job, "the completion callback of a job panicked");
    }
}

/// The cores that this process may use, by their numbers.
fn own_cores() -> Vec<usize> {
    match sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect(),
        Err(error) => {
            tracing::warn!(%error, "threads.pin has no effect: the system does not say which cores this process has");
            Vec::new()
        }
    }
}

/// Keeps the calling thread on a core.
fn stay_on(core: usize) {
    let mut set = CpuSet::new();
    set.set(core);
    if let Err(error) = sched_setaffinity(None, &set) {
        tracing::warn!(core, %error, "a thread is not pinned to its core");
    }
}
