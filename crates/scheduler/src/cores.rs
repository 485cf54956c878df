//! The machine's cores: one pool of threads, and the engines that share it.
//!
//! [`CoreEngine`] is what the scheduler sees of the pool: the backend `cpu` runs the reference of each room,
//! `vector` its lanes. All threads take pieces from one queue, the most urgent job first, whichever engine it is
//! for: a job of many items is shared, and a consensus job waits for no more than the pieces that are running. No
//! thread of an async runtime ever does cryptography.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_algorithms::Unit as LanesUnit;
use outrigger_algorithms::lanes::LANES;
use outrigger_types::{Backend, Engine, EngineError, Job, JobId, Operation, Outcome, Output, Work};

mod join;
mod pool;
mod queue;
mod vector;

use crate::cost::Guesses;
use pool::{Face, Pool};
use vector::Trials;

/// A thread takes at least this part of the preferred piece where a job is too small to give every thread a whole
/// one.
const PIECE_PART_MIN: usize = 4;

/// A thread takes at once not many more bytes than this, or long messages would hold it for milliseconds: scalar hashes
/// take half a byte to two bytes a nanosecond.
const PIECE_BYTES: usize = 1 << 20;

/// How the threads are set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoreOptions {
    /// Threads; the machine's cores where not given.
    pub threads: Option<NonZeroUsize>,
    /// Items that a thread takes at once; what the operation's room says where not given.
    pub piece_items: Option<NonZeroUsize>,
    /// Whether each thread stays on a core of its own, of those that this process may use.
    pub pin: bool,
}

/// One way to use the cores. Cheap to clone; clones and neighbours share the threads, which end with the last.
#[derive(Clone)]
pub struct CoreEngine {
    pool: Arc<Pool>,
    face: Arc<Face>,
    device: Arc<str>,
    options: CoreOptions,
    does: Does,
}

/// What an engine can do, and in which pieces.
#[derive(Clone)]
enum Does {
    /// Whatever it is given, as a runner of one's own does.
    Everything,
    /// The references of the rooms.
    References,
    /// Lanes, where a room has them and they gave right answers.
    Lanes(Arc<Trials>),
}

impl CoreEngine {
    /// The backend `cpu` on threads of its own: the references of `outrigger-algorithms`.
    pub fn new(options: CoreOptions) -> Self {
        let mut engine = Self::with_runner(options, outrigger_algorithms::run);
        engine.does = Does::References;
        engine
    }

    /// A backend `cpu` that runs `runner` for every operation: for tests, and for benches of all that lies around
    /// an engine. It gets a range of a piece of work and gives back an answer of one item for each (one in all for
    /// a Merkle tree).
    pub fn with_runner(
        options: CoreOptions,
        runner: impl Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static,
    ) -> Self {
        Self {
            pool: Arc::new(Pool::new(options.threads, options.pin)),
            face: Arc::new(Face::new(Backend::Cpu, 1, Box::new(runner))),
            device: processor().into(),
            options,
            does: Does::Everything,
        }
    }

    /// The backend `vector` on the threads of this engine, where the processor has AVX-512 with IFMA.
    ///
    /// It answers nothing of an operation before its lanes gave right answers to planted good and bad items of it,
    /// judged by the reference: at the operation's first use, or in [`Self::warm_up`].
    pub fn vector(&self) -> Option<Self> {
        LanesUnit::detect().map(|unit| self.lanes(unit))
    }

    /// As [`Self::vector`], on lanes of one's choice: for tests on machines without AVX-512.
    pub fn lanes(&self, unit: LanesUnit) -> Self {
        let trials = Arc::new(Trials::new(unit, self.face.clone()));
        let device = format!("{}, {}", self.device, unit.name());
        let runner = Box::new(move |work: &Work, range| outrigger_algorithms::lanes::run(unit, work, range));
        let face = Face::gated(Backend::Vector, LANES, vector::gate(trials.clone()), runner);
        let face = Arc::new(face);
        trials.measure_for(&face);
        Self { face, device: device.into(), does: Does::Lanes(trials), ..self.clone() }
    }

    /// A backend `vector` beside this engine that runs `runner` for every operation, in pieces of a multiple of
    /// eight items: for tests.
    pub fn with_lanes_runner(&self, runner: impl Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static) -> Self {
        let face = Arc::new(Face::new(Backend::Vector, LANES, Box::new(runner)));
        Self { face, does: Does::Everything, ..self.clone() }
    }

    /// Tries out, on a thread that ends by itself, all that the lanes can do, so that no request pays for it and
    /// placement knows the costs. Nothing where this is not the backend `vector`.
    pub fn warm_up(&self) {
        let Does::Lanes(trials) = &self.does else { return };
        let trials = trials.clone();
        let started = std::thread::Builder::new().name("outrigger-trials".into()).spawn(move || trials.run_all());
        if let Err(error) = started {
            tracing::warn!(%error, "no thread to try the vector engine out on: each operation is tried at its first use");
        }
    }

    /// This engine and one that shares its threads, as a scheduler takes them.
    pub fn with(self, neighbour: Option<Self>) -> Vec<Arc<dyn Engine>> {
        [Some(self), neighbour].into_iter().flatten().map(|engine| Arc::new(engine) as Arc<dyn Engine>).collect()
    }

    /// Takes guesses of what operations cost, on one core each, until they were measured.
    pub fn guess(&self, guesses: Guesses) {
        self.face.costs.guess(guesses);
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.pool.threads()
    }

    fn preferred_piece(&self, operation: Operation) -> usize {
        let of_room: fn(Operation) -> usize = match self.does {
            Does::Lanes(_) => outrigger_algorithms::lanes::piece_items,
            Does::Everything | Does::References => outrigger_algorithms::registry::piece_items,
        };
        self.options.piece_items.map_or_else(|| of_room(operation), NonZeroUsize::get).max(1)
    }

    /// How many items a thread takes at once of a job of so many items and bytes.
    fn piece(&self, operation: Operation, items: usize, bytes: usize) -> usize {
        let grain = self.face.costs.grain();
        let piece = piece_of(items, self.threads(), self.preferred_piece(operation), grain);
        let of_bytes = PIECE_BYTES / (bytes / items.max(1)).max(1);
        piece.min(of_bytes.max(1).next_multiple_of(grain))
    }
}

impl Engine for CoreEngine {
    fn backend(&self) -> Backend {
        self.face.backend
    }

    fn device(&self) -> &str {
        &self.device
    }

    fn supports(&self, operation: Operation) -> bool {
        match &self.does {
            Does::Everything => true,
            Does::References => outrigger_algorithms::supports(operation),
            Does::Lanes(trials) => trials.allow(operation),
        }
    }

    fn parallelism(&self, _operation: Operation) -> usize {
        self.pool.threads()
    }

    fn piece_items(&self, operation: Operation) -> usize {
        self.preferred_piece(operation)
    }

    fn shares(&self, operation: Operation, items: usize) -> usize {
        if !operation.is_divisible() {
            return 1;
        }
        items.div_ceil(self.piece(operation, items, 0)).clamp(1, self.threads())
    }

    fn predicted_cost(&self, operation: Operation, items: usize, bytes: usize) -> Option<Duration> {
        let shares = self.shares(operation, items);
        self.face.costs.cost(operation).map(|cost| cost.wall(items, bytes, shares))
    }

    fn submit(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)> {
        if job.segments.is_empty() || !self.supports(job.operation()) {
            return Err((EngineError::Unsupported, Box::new(job)));
        }
        let operation = job.operation();
        let piece_items =
            if operation.is_divisible() { self.piece(operation, job.items(), bytes_of(&job)) } else { usize::MAX };
        Ok(self.pool.push(job, &self.face, piece_items, Instant::now()))
    }

    fn poll(&self, job: JobId) -> Outcome {
        self.pool.poll(job)
    }

    fn cancel(&self, job: JobId) {
        self.pool.cancel(job);
    }
}

/// The bytes of the items that a job asks for, taking those of a piece of work to be of one length.
fn bytes_of(job: &Job) -> usize {
    let bytes = |(work, range): &(Arc<Work>, Range<usize>)| work.bytes() * range.len() / work.items().max(1);
    job.segments.iter().map(bytes).sum()
}

/// How many items a thread takes at once of a job of `items`: small jobs are shared by all threads, unless the
/// pieces became too small to be worth the hand-over. A multiple of `grain`.
fn piece_of(items: usize, threads: usize, preferred: usize, grain: usize) -> usize {
    let whole = |items: usize| items.checked_next_multiple_of(grain).unwrap_or(items);
    let least = whole(preferred.div_ceil(PIECE_PART_MIN).max(1));
    whole(items.div_ceil(threads)).clamp(least, whole(preferred).max(least))
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
