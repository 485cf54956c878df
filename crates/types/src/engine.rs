//! The seam that every engine meets: CPU, vector, OpenCL, CUDA.
//!
//! A job gives an engine a read-only view of packed columns, an output buffer that its caller allocated, and a
//! deadline. Ownership of the buffer passes in with [`Engine::submit`] and back with each [`Piece`], so the
//! engine may be a thread pool, or a process on the far side of a shared memory arena: nothing that crosses
//! here could not lie in shared memory, and no borrow outlives a call.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Backend, Operation, Output, Priority, Work};

/// Names a job within its engine. Never used twice.
pub type JobId = u64;

/// Called from a thread of the engine when a job has something new to [`Engine::poll`]. Must not block.
pub type Completion = Arc<dyn Fn(JobId) + Send + Sync>;

/// A batch for an engine: items of one operation, of one or many requests.
pub struct Job {
    /// The work; segments in order, each with the range of its items that is asked for. All have the same
    /// [`Operation`]; options (form of message, identity) may differ between segments.
    pub segments: Vec<(Arc<Work>, Range<usize>)>,
    /// The caller's buffer: one *unprocessed* item for each one asked for.
    pub output: Output,
    /// When the answer is worthless. An engine may drop work that is past it, as [`EngineError::Expired`].
    pub deadline: Option<Instant>,
    /// Which job of two that wait inside the engine goes first.
    pub priority: Priority,
    /// Who wants to know.
    pub completion: Completion,
}

impl Job {
    /// The operation of all segments.
    ///
    /// # Panics
    /// Where there are no segments: the caller's fault.
    pub fn operation(&self) -> Operation {
        self.segments[0].0.operation()
    }

    /// The number of items over all segments.
    pub fn items(&self) -> usize {
        self.segments.iter().map(|(_, range)| range.len()).sum()
    }
}

/// A finished part of a job: the items from `start` on.
#[derive(Debug)]
pub struct Piece {
    /// The number of its first item, counted over the job.
    pub start: usize,
    /// The answers.
    pub output: Output,
    /// Time spent computing, on one core or one device.
    pub compute: Duration,
}

/// How a job stands.
#[derive(Debug)]
pub enum Outcome {
    /// These pieces are new since the last poll (perhaps none); more will come.
    Running(Vec<Piece>),
    /// These are the last pieces; the job is forgotten.
    Done(Vec<Piece>),
    /// Items without a piece so far are not processed and will not be; the job is forgotten.
    Failed(Vec<Piece>, EngineError),
}

/// Why an engine did not finish a job. Never a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// It was cancelled.
    Cancelled,
    /// The deadline passed before the work began.
    Expired,
    /// The device failed, hung, ran out of memory or gave back damaged results.
    Fault(String),
    /// The engine takes no job now: its queue is full, or it is quarantined.
    Busy,
    /// The engine does not do this operation.
    Unsupported,
    /// No such job: never submitted, or finished and collected.
    UnknownJob,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::Expired => f.write_str("the deadline passed"),
            Self::Fault(what) => write!(f, "device fault: {what}"),
            Self::Busy => f.write_str("busy: it has no room or memory for this now"),
            Self::Unsupported => f.write_str("operation not supported"),
            Self::UnknownJob => f.write_str("unknown job"),
        }
    }
}

impl std::error::Error for EngineError {}

/// Something that carries out jobs.
pub trait Engine: Send + Sync {
    /// What kind of engine it is.
    fn backend(&self) -> Backend;

    /// The device, in words: a model name, for people and records.
    fn device(&self) -> &str;

    /// Whether it can do this operation at all.
    fn supports(&self, operation: Operation) -> bool;

    /// How many items it can work on at the same time: cores, or a device's whole batch.
    fn parallelism(&self, operation: Operation) -> usize;

    /// How many items one of its cores takes at once where there are enough; 1 for a device, which takes a batch
    /// whole.
    fn piece_items(&self, _operation: Operation) -> usize {
        1
    }

    /// How many of its cores would share a job of `items` items; 1 for a device.
    fn shares(&self, _operation: Operation, _items: usize) -> usize {
        1
    }

    /// How long a job of `items` items and `bytes` bytes would take from an idle start, by what was measured
    /// on this machine; `None` where nothing is known yet.
    fn predicted_cost(&self, operation: Operation, items: usize, bytes: usize) -> Option<Duration>;

    /// Takes a job. Returns at once.
    ///
    /// # Errors
    /// [`EngineError::Busy`] or [`EngineError::Unsupported`], with the job given back untouched.
    fn submit(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)>;

    /// What is new of a job. Returns at once.
    fn poll(&self, job: JobId) -> Outcome;

    /// Gives up a job as soon as possible: pieces not begun are dropped, and the next poll says so.
    fn cancel(&self, job: JobId);
}
