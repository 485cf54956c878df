//! The CPU engine: threads of its own that carry out jobs piece by piece with the reference of each room.
//!
//! All threads take pieces from one queue, the most urgent job first, so a job of many items is shared and a
//! consensus job waits for no more than the pieces that are running. No thread of an async runtime ever does
//! cryptography.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Engine, EngineError, Job, JobId, Operation, Outcome, Output, Piece, Work};

use crate::cost::{CostTable, Pieces};

mod queue;

use queue::{Notice, Queue, Step, Unit};

/// How the engine is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuOptions {
    /// Threads; the machine's cores where not given.
    pub threads: Option<NonZeroUsize>,
    /// Items that a thread takes at once; what the operation's room says where not given.
    pub piece_items: Option<NonZeroUsize>,
}

type Runner = dyn Fn(&Work, Range<usize>) -> Output + Send + Sync;

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    runner: Box<Runner>,
    costs: CostTable,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plain cores.
pub struct CpuEngine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    piece_items: Option<NonZeroUsize>,
    device: String,
    supports: fn(Operation) -> bool,
}

impl CpuEngine {
    /// An engine that runs the references of `outrigger-algorithms`.
    pub fn new(options: CpuOptions) -> Self {
        let mut engine = Self::with_runner(options, outrigger_algorithms::run);
        engine.supports = outrigger_algorithms::supports;
        engine
    }

    /// An engine that runs `runner` for every operation: for tests, and for benches of all that lies around an
    /// engine. It gets a range of a piece of work and gives back an answer of one item for each (one in all for
    /// a Merkle tree).
    pub fn with_runner(
        options: CpuOptions,
        runner: impl Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static,
    ) -> Self {
        let count = options.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(count)),
            ready: Condvar::new(),
            runner: Box::new(runner),
            costs: CostTable::default(),
        });
        let threads = (0..count)
            .map(|number| {
                let shared = shared.clone();
                thread::Builder::new()
                    .name(format!("outrigger-cpu-{number}"))
                    .spawn(move || work_until_closed(&shared))
                    .expect("the operating system starts a thread")
            })
            .collect();
        Self { shared, threads, piece_items: options.piece_items, device: processor(), supports: |_| true }
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }
}

impl Engine for CpuEngine {
    fn backend(&self) -> Backend {
        Backend::Cpu
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn supports(&self, operation: Operation) -> bool {
        (self.supports)(operation)
    }

    fn parallelism(&self, _operation: Operation) -> usize {
        self.threads.len()
    }

    fn predicted_cost(&self, operation: Operation, items: usize, bytes: usize) -> Option<Duration> {
        let cores = if operation.is_divisible() { self.threads.len() } else { 1 };
        self.shared.costs.cost(operation).map(|cost| cost.wall(items, bytes, cores))
    }

    fn submit(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)> {
        if job.segments.is_empty() || !self.supports(job.operation()) {
            return Err((EngineError::Unsupported, Box::new(job)));
        }
        let operation = job.operation();
        let piece_items =
            self.piece_items.map_or_else(|| outrigger_algorithms::registry::piece_items(operation), NonZeroUsize::get);
        let mut queue = self.shared.lock();
        let (id, units) = queue.push(job, piece_items.max(1), Instant::now());
        let sleepers = queue.sleepers();
        drop(queue);
        wake(&self.shared.ready, units.min(sleepers));
        Ok(id)
    }

    fn poll(&self, job: JobId) -> Outcome {
        self.shared.lock().poll(job)
    }

    fn cancel(&self, job: JobId) {
        // A thread of the engine finds the job cancelled and reports it.
        if self.shared.lock().cancel(job) {
            wake(&self.shared.ready, 1);
        }
    }
}

impl Drop for CpuEngine {
    /// Ends the threads after the pieces that they are running. Jobs that wait are never answered: whoever
    /// drops the engine has nobody left who asks.
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
                let piece = run(shared, &unit);
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
fn run(shared: &Shared, unit: &Unit) -> Result<Piece, EngineError> {
    let started = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (shared.runner)(&unit.work, unit.range.clone())));
    let compute = started.elapsed();
    let output = result.map_err(|panic| EngineError::Fault(format!("a panic: {}", reason_of(&*panic))))?;
    if output.verdicts.len() != unit.answers {
        let given = output.verdicts.len();
        return Err(EngineError::Fault(format!("{given} answers where {} were asked for", unit.answers)));
    }
    let operation = unit.work.operation();
    let all = unit.work.items().max(1);
    let bytes = unit.work.bytes() * unit.range.len() / all;
    let pieces = Pieces { count: 1, items: unit.range.len(), bytes, compute };
    shared.costs.observe(operation, pieces, started);
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

/// The processor's model name, where Linux says it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests;
