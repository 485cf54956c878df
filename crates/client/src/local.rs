//! The same rulesets in this process: what the client falls back to, and what `--local` runs.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use outrigger_algorithms::registry;
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
    pool: OnceLock<rayon::ThreadPool>,
}

impl LocalRunner {
    /// A runner of the references; `threads` 0 takes one a core. The threads start with the first work.
    pub fn new(threads: usize) -> Self {
        Self::with_functions(threads, outrigger_algorithms::run, outrigger_algorithms::supports)
    }

    /// A runner of other functions, for tests and engines of one's own.
    pub fn with_functions(threads: usize, run: RunFn, supports: SupportsFn) -> Self {
        Self { shared: Arc::new(Shared { threads, run, supports, pool: OnceLock::new() }) }
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
        self.pool().install(|| in_pieces(self.shared.run, work, range))
    }

    /// The items of a range, in order, computed on this runner's threads while the calling task waits.
    ///
    /// # Errors
    /// [`ClientError::Internal`] where the computation panicked.
    pub async fn run(&self, work: Arc<Work>, range: Range<usize>) -> Result<Output, ClientError> {
        let (sender, receiver) = oneshot::channel();
        let run = self.shared.run;
        self.pool().spawn(move || {
            // The caller may have given up; then nobody wants the answer.
            if !sender.is_closed() {
                let _ = sender.send(in_pieces(run, &work, range));
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

fn in_pieces(run: RunFn, work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let piece = registry::piece_items(operation).max(1);
    if !operation.is_divisible() || range.len() <= piece {
        return run(work, range);
    }
    let pieces: Vec<Output> = (0..range.len().div_ceil(piece))
        .into_par_iter()
        .map(|i| {
            let start = range.start + i * piece;
            run(work, start..range.end.min(start + piece))
        })
        .collect();
    let mut whole = Output::default();
    for piece in pieces {
        whole.append(piece);
    }
    whole
}

#[cfg(test)]
mod tests;
