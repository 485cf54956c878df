//! The same rulesets in this process: what the client falls back to, and what `--local` runs.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use outrigger_algorithms::{Unit, lanes, registry};
use outrigger_types::{Operation, Output, Work};
use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::ClientError;

/// Carries out the items of a range on the calling thread: the form of [`outrigger_algorithms::run`].
pub type RunFn = fn(work: &Work, range: Range<usize>) -> Output;
/// Says whether an operation can be done here: the form of [`outrigger_algorithms::supports`].
pub type SupportsFn = fn(operation: Operation) -> bool;

/// Runs work in this process, on threads of its own. Cheap to clone; clones share the threads.
#[derive(Clone)]
pub struct LocalRunner {
    shared: Arc<Shared>,
}

struct Shared {
    threads: usize,
    run: RunFn,
    supports: SupportsFn,
    lanes: Option<Crossovers>,
    pool: OnceLock<rayon::ThreadPool>,
}

/// From how many items on the lanes of an operation are faster here; tried and measured at its first use.
struct Crossovers {
    unit: Unit,
    known: Mutex<HashMap<Operation, Arc<OnceLock<Option<usize>>>>>,
}

impl Crossovers {
    fn new(unit: Unit) -> Self {
        Self { unit, known: Mutex::default() }
    }

    /// Whether this many items of an operation go into lanes, all of whose answers were right in their trial.
    fn prefer(&self, operation: Operation, items: usize) -> bool {
        if !lanes::supports(operation) {
            return false;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default().clone();
        let crossover = known.get_or_init(|| match lanes::trial(self.unit, operation) {
            Ok(samples) => lanes::crossover(&samples),
            Err(wrong) => {
                tracing::error!(%wrong, kind = operation.kind(), label = operation.label(), "lanes failed their trial");
                None
            }
        });
        crossover.is_some_and(|least| items >= least)
    }
}

impl LocalRunner {
    /// A runner of the references, and of lanes of AVX-512 where the processor has them and they are faster;
    /// `threads` 0 takes one a core. The threads start with the first work.
    pub fn new(threads: usize) -> Self {
        Self::with_lanes(threads, Unit::detect())
    }

    fn with_lanes(threads: usize, unit: Option<Unit>) -> Self {
        let (run, supports) = (outrigger_algorithms::run, outrigger_algorithms::supports);
        let lanes = unit.map(Crossovers::new);
        Self { shared: Arc::new(Shared { threads, run, supports, lanes, pool: OnceLock::new() }) }
    }

    /// A runner of other functions, for tests and engines of one's own.
    pub fn with_functions(threads: usize, run: RunFn, supports: SupportsFn) -> Self {
        Self { shared: Arc::new(Shared { threads, run, supports, lanes: None, pool: OnceLock::new() }) }
    }

    /// Whether an operation can be done here.
    pub fn supports(&self, operation: Operation) -> bool {
        (self.shared.supports)(operation)
    }

    /// All items of the work, in order, from any thread that may block.
    pub fn run_blocking(&self, work: &Work) -> Output {
        self.run_range_blocking(work, 0..work.items())
    }

    /// The items of a range, in order, from any thread that may block. A Merkle tree is whole whatever the range.
    pub fn run_range_blocking(&self, work: &Work, range: Range<usize>) -> Output {
        self.pool().install(|| in_pieces(&self.shared, work, range))
    }

    /// The items of a range, in order, computed on this runner's threads while the calling task waits.
    ///
    /// # Errors
    /// [`ClientError::Internal`] where the computation panicked.
    pub async fn run(&self, work: Arc<Work>, range: Range<usize>) -> Result<Output, ClientError> {
        let (sender, receiver) = oneshot::channel();
        let shared = self.shared.clone();
        self.pool().spawn(move || {
            // The caller may have given up; then nobody wants the answer.
            if !sender.is_closed() {
                let _ = sender.send(in_pieces(&shared, &work, range));
            }
        });
        receiver.await.map_err(|_| ClientError::Internal("the computation in this process panicked".to_owned()))
    }

    fn pool(&self) -> &rayon::ThreadPool {
        self.shared.pool.get_or_init(|| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(self.shared.threads)
                .thread_name(|i| format!("outrigger-local-{i}"))
                // The default aborts the process; here the caller learns of it by a closed channel.
                .panic_handler(|_| tracing::error!("a computation in this process panicked"))
                .build()
                .expect("threads can be started")
        })
    }
}

impl fmt::Debug for LocalRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRunner").field("threads", &self.shared.threads).finish_non_exhaustive()
    }
}

/// All items of the work by the references, on `threads` threads (0: one a core) that live for this call.
pub fn run_blocking(work: &Work, threads: usize) -> Output {
    LocalRunner::new(threads).run_blocking(work)
}

fn in_pieces(shared: &Shared, work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let lanes = shared.lanes.as_ref().filter(|lanes| lanes.prefer(operation, range.len()));
    let piece = match lanes {
        // Each thread its share, but no lane left empty for it.
        _ if !operation.is_divisible() => usize::MAX,
        Some(_) => {
            let share = range.len().div_ceil(rayon::current_num_threads()).next_multiple_of(lanes::LANES);
            share.min(lanes::piece_items(operation)).max(lanes::LANES)
        }
        None => registry::piece_items(operation).max(1),
    };
    let run = |piece: Range<usize>| match lanes {
        Some(lanes) => in_lanes(lanes.unit, shared.run, work, piece),
        None => (shared.run)(work, piece),
    };
    if range.len() <= piece {
        return run(range);
    }
    let pieces: Vec<Output> = (0..range.len().div_ceil(piece))
        .into_par_iter()
        .map(|i| {
            let start = range.start + i * piece;
            run(start..range.end.min(start + piece))
        })
        .collect();
    let mut whole = Output::default();
    for piece in pieces {
        whole.append(piece);
    }
    whole
}

/// A panic in lanes is a fault of theirs and never an answer: the reference does the work.
fn in_lanes(unit: Unit, run: RunFn, work: &Work, range: Range<usize>) -> Output {
    catch_unwind(AssertUnwindSafe(|| lanes::run(unit, work, range.clone()))).unwrap_or_else(|_| {
        tracing::error!(items = range.len(), "lanes panicked; the reference does these items");
        run(work, range)
    })
}

#[cfg(test)]
mod tests;
