//! A device as an engine: batches go to its worker, and nothing of what comes back is believed unchecked.
//!
//! The tag of every answer is checked, items whose answers are known are planted in every batch at random places, and
//! a part of the answers is judged again on the CPU ([`crate::audit`]). Whatever is wrong throws the whole batch away:
//! the scheduler repeats it on the CPU, and a device that computed wrong is in quarantine until it passes its trials
//! again. An operation is offered only once its trial was passed in this life of the worker.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use outrigger_algorithms::{gpu, known_keys};
use outrigger_device::DeviceError;
use outrigger_types::packed::{self, Marks, is_packable};
use outrigger_types::{Backend, Engine, EngineError, Job, JobId, Operation, Outcome, Output, Piece};

mod batch;
mod jobs;
mod process;
mod state;
mod trust;

pub use process::ProcessWorker;
pub use state::DeviceState;

use crate::cost::{CostTable, Guesses};
use crate::metrics::DeviceEvent;
use batch::{Checked, Pools};
use jobs::Jobs;
use trust::Trust;

/// Batches that are in the hands of the worker at once: the copies of one overlap the kernels of the other.
const IN_FLIGHT: usize = 2;

/// A batch for a worker.
pub struct Batch<'a> {
    /// What to do.
    pub operation: Operation,
    /// Never used before: stale answers have other tags.
    pub nonce: u64,
    /// Bytes of the packed work.
    pub input_len: usize,
    /// Writes the packed work, of that length.
    pub fill: &'a mut dyn FnMut(&mut [u8]),
    /// Bytes of the answer at most.
    pub output_len: usize,
    /// When the answer is worthless.
    pub deadline: Option<Instant>,
}

/// What drives a device: its worker process; in tests anything that answers packed batches. Called from several threads.
pub trait Worker: Send + Sync {
    /// What kind of engine it is.
    fn backend(&self) -> Backend;

    /// The device, in words.
    fn device(&self) -> &str;

    /// Which life of the worker this is, another number after each restart; `None` while there is no worker.
    fn life(&self) -> Option<u64>;

    /// What it does in this life, as far as it has found out.
    fn operations(&self) -> Vec<Operation> {
        gpu::operations().collect()
    }

    /// Whether it still finds out what it can do: it compiles kernels and tests itself.
    fn is_testing(&self) -> bool {
        false
    }

    /// Bytes that a batch may have, work and answer each.
    fn batch_bytes_max(&self) -> usize;

    /// Runs a batch and waits for its answer, as [`outrigger_algorithms::gpu::answer`] writes it.
    ///
    /// # Errors
    /// What went wrong; then nothing was answered.
    fn run(&self, batch: Batch<'_>) -> Result<Vec<u8>, DeviceError>;
}

/// How much of a device's work is looked at again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceOptions {
    /// The share of accepted items that the CPU judges again, from 0 to 1.
    pub audit_rate: f64,
    /// How long a device that computed wrong is first left alone; doubled each time.
    pub quarantine: Duration,
    /// What an operation costs is measured again after this, where it is asked for and goes elsewhere.
    pub measured_again: Duration,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self { audit_rate: 0.001, quarantine: Duration::from_secs(1), measured_again: Duration::from_secs(15) }
    }
}

/// A device behind its worker. The last clone ends its threads.
pub struct DeviceEngine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

pub(super) struct Shared {
    worker: Arc<dyn Worker>,
    options: DeviceOptions,
    jobs: Jobs,
    pools: Pools,
    trust: Trust,
    /// What the trials took.
    costs: CostTable,
}

impl DeviceEngine {
    /// An engine over a worker. Its trials begin at once, on a thread of their own.
    pub fn new(worker: Arc<dyn Worker>, options: DeviceOptions) -> Self {
        let shared = Arc::new(Shared {
            worker,
            options,
            jobs: Jobs::default(),
            pools: Pools::default(),
            trust: Trust::new(&options),
            costs: CostTable::default(),
        });
        let start = |name: String, run: fn(&Shared)| {
            let shared = shared.clone();
            let thread = thread::Builder::new().name(name).spawn(move || run(&shared));
            thread.expect("the operating system starts a thread")
        };
        let mut threads: Vec<_> =
            (0..IN_FLIGHT).map(|number| start(format!("outrigger-gpu-{number}"), Shared::work_until_closed)).collect();
        threads.push(start("outrigger-trials".to_owned(), Shared::try_until_closed));
        Self { shared, threads }
    }

    /// Waits until everything that the kernels can do was tried, at most so long. Gives back whether it was.
    pub fn warm_up(&self, time_max: Duration) -> bool {
        self.shared.trust.settled(self.shared.worker.as_ref(), time_max)
    }

    /// Takes guesses of what operations cost, on the whole of the device, until they were measured.
    pub fn guess(&self, guesses: Guesses) {
        self.shared.costs.guess(guesses);
    }

    /// The operations that are offered, each with what the trials say it costs.
    pub fn costs(&self) -> Vec<(Operation, crate::cost::Cost)> {
        self.shared.costs.all()
    }

    /// How it is now.
    pub fn state(&self) -> DeviceState {
        self.shared.trust.state(self.shared.worker.as_ref())
    }

    /// Tells the recorder of metrics how it is now. To be called before metrics are shown.
    pub fn record(&self) {
        crate::metrics::device(self.backend(), self.device(), self.state());
    }

    /// What failed its trial in this life of the worker, and why.
    pub fn failures(&self) -> Vec<(Operation, String)> {
        self.shared.trust.failures()
    }
}

impl Drop for DeviceEngine {
    /// Ends the threads after what they are doing. Jobs that wait are never answered: whoever drops the engine has
    /// nobody left who asks.
    fn drop(&mut self) {
        self.shared.jobs.close();
        self.shared.trust.close();
        for thread in self.threads.drain(..) {
            // The last owner may be a callback on one of these threads; it ends by itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Engine for DeviceEngine {
    fn backend(&self) -> Backend {
        self.shared.worker.backend()
    }

    fn device(&self) -> &str {
        self.shared.worker.device()
    }

    fn supports(&self, operation: Operation) -> bool {
        is_packable(operation) && self.shared.trust.allows(self.shared.worker.as_ref(), operation)
    }

    fn parallelism(&self, _operation: Operation) -> usize {
        1
    }

    fn predicted_cost(&self, operation: Operation, items: usize, bytes: usize) -> Option<Duration> {
        self.shared.trust.note_asked(operation);
        self.shared.costs.cost(operation).map(|cost| cost.compute(items, bytes))
    }

    fn submit(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)> {
        if !self.supports(job.operation()) {
            return Err((EngineError::Unsupported, Box::new(job)));
        }
        self.shared.jobs.push(job)
    }

    fn poll(&self, job: JobId) -> Outcome {
        self.shared.jobs.poll(job)
    }

    fn cancel(&self, job: JobId) {
        self.shared.jobs.cancel(job);
    }
}

impl Shared {
    fn work_until_closed(&self) {
        while let Some((id, job, is_cancelled)) = self.jobs.next() {
            let completion = job.completion.clone();
            let outcome =
                if is_cancelled { Outcome::Failed(Vec::new(), EngineError::Cancelled) } else { self.outcome(&job) };
            self.jobs.end(id, outcome);
            completion(id);
        }
    }

    fn outcome(&self, job: &Job) -> Outcome {
        if job.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Outcome::Failed(Vec::new(), EngineError::Expired);
        }
        let started = Instant::now();
        match self.checked(job) {
            Ok(output) => {
                let compute = started.elapsed();
                self.trust.note_measured(job.operation());
                Outcome::Done(vec![Piece { start: 0, output, compute }])
            }
            Err(error) => Outcome::Failed(Vec::new(), error),
        }
    }

    /// The answers of a job, after all checks.
    fn checked(&self, job: &Job) -> Result<Output, EngineError> {
        let operation = job.operation();
        let marks = known_keys::marks(&job.segments);
        let batch = self.pools.with_planted(operation, &job.segments, marks, &mut rand::rng());
        let answer = self.run(operation, &batch.parts, &batch.marks, job.deadline)?;
        match batch.check(operation, answer, self.options.audit_rate, &mut rand::rng()) {
            Checked::Right(output) => Ok(output),
            Checked::Wrong { event, what } => {
                self.distrust(event, &what);
                Err(EngineError::Fault(what))
            }
        }
    }

    /// The worker's answer to these parts with marks on their items, its tags checked.
    fn run(
        &self,
        operation: Operation,
        parts: &[packed::Part],
        marks: &Marks,
        deadline: Option<Instant>,
    ) -> Result<Output, EngineError> {
        let (input_len, output_len) = (packed::packed_len(parts, marks), packed::answer_len(parts));
        if input_len.max(output_len) > self.worker.batch_bytes_max() {
            return Err(EngineError::Busy);
        }
        let nonce = rand::random();
        let fill = &mut |into: &mut [u8]| packed::pack(parts, marks, into);
        let answer = self.worker.run(Batch { operation, nonce, input_len, fill, output_len, deadline });
        let bytes = answer.map_err(|error| self.failed(&error))?;
        let items: usize = parts.iter().map(|(_, range)| range.len()).sum();
        let count = if operation.is_divisible() { items } else { 1 };
        packed::read_answer(nonce, operation, count, &bytes).map_err(|damaged| {
            self.event(DeviceEvent::Damaged);
            let what = format!("{}: {damaged}", self.worker.device());
            tracing::error!(%what, "a device's answer was damaged on its way; its batch is repeated on the CPU");
            EngineError::Fault(what)
        })
    }

    /// What a failure of the worker means to the scheduler.
    fn failed(&self, error: &DeviceError) -> EngineError {
        match error {
            // Memory comes back when other batches are done; meanwhile the CPU helps out.
            DeviceError::OutOfMemory { .. } => {
                self.event(DeviceEvent::OutOfMemory);
                EngineError::Busy
            }
            DeviceError::Cancelled => EngineError::Cancelled,
            DeviceError::Expired => EngineError::Expired,
            DeviceError::Unsupported => EngineError::Unsupported,
            DeviceError::Absent(_)
            | DeviceError::Misuse(_)
            | DeviceError::Build { .. }
            | DeviceError::Failed(_)
            | DeviceError::Lost(_) => {
                self.event(DeviceEvent::Fault);
                EngineError::Fault(format!("{}: {error}", self.worker.device()))
            }
        }
    }

    fn distrust(&self, event: DeviceEvent, what: &str) {
        self.event(event);
        let quarantine = self.trust.distrust(Instant::now());
        let (device, for_ms) = (self.worker.device(), quarantine.as_millis());
        tracing::error!(device, what, for_ms, "a device computed wrong: it is in quarantine, then tried again");
    }

    fn event(&self, event: DeviceEvent) {
        event.count(self.worker.backend(), self.worker.device());
    }

    fn try_until_closed(&self) {
        while let Some(trials) = self.trust.next(self.worker.as_ref()) {
            trust::try_all(self, &trials);
        }
    }
}

#[cfg(test)]
mod tests;
