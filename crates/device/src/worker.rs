//! The parent's side: a handle that keeps a worker process alive, gives it batches, and loses none of them.

mod backoff;
mod keeper;
mod state;
mod watch;

use std::io;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::arena::{Arena, Control, Region, SLOTS};
use crate::protocol::{HEADER_BYTES_MAX, Run, Timing, ToWorker};
use crate::serve::now_ns;
use crate::{DeviceError, DeviceInfo};

use self::state::{InFlight, Kind, Phase, State};
pub use self::state::{Standing, WorkerStats};

/// How often whoever waits for room looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(1);

/// How a worker is kept. The defaults suit a GPU.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The build of this program; the worker must be of the same.
    pub build: String,
    /// Bytes of the arena: all batches that are packed, under way, or answered and not yet read. 128 MiB hold two batches
    /// of the largest kind, a Merkle tree of 2^20 leaves, with room to pack the next.
    pub arena_bytes: usize,
    /// Batches with the worker at most. Two run; a third is there when one ends.
    pub in_flight_max: usize,
    /// A worker that makes no step for so long, with work to do, hangs. Longer than the longest kernel.
    pub progress_limit: Duration,
    /// The same while the worker starts or a self-test runs: programs are compiled then.
    pub ready_limit: Duration,
    /// The pause before a worker that ended is started again, and before a self-test that failed is repeated; doubled
    /// with each failure in a row, and varied by up to a half so that several workers do not start in step.
    pub backoff_first: Duration,
    /// The longest pause.
    pub backoff_longest: Duration,
    /// A worker that is told to stop and does not is killed after this.
    pub stop_limit: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            build: String::new(),
            arena_bytes: 128 << 20,
            in_flight_max: 3,
            progress_limit: Duration::from_secs(10),
            ready_limit: Duration::from_secs(180),
            backoff_first: Duration::from_millis(250),
            backoff_longest: Duration::from_secs(60),
            stop_limit: Duration::from_millis(500),
        }
    }
}

/// A batch for a worker.
#[derive(Debug)]
pub struct Job {
    /// Which operation.
    pub operation: u32,
    /// Its parameters, [`HEADER_BYTES_MAX`] bytes at most.
    pub header: Vec<u8>,
    /// The packed input and room for the output.
    pub region: Region,
    /// When the answer is worthless: work that has not begun by then is not begun.
    pub deadline: Option<Instant>,
}

/// Why there is no answer to a batch. Never a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// The worker answered with an error.
    Device(DeviceError),
    /// The worker died or was killed with the batch in its hands.
    WorkerLost,
}

/// The end of a batch.
#[derive(Debug)]
pub struct Finished {
    /// Where the time went, or why there is no answer.
    pub result: Result<Timing, BatchError>,
    /// The region, with the output where there is an answer; `None` where the worker was lost, for then it is not known
    /// yet who still writes to it.
    pub region: Option<Region>,
}

/// Called once for each batch that was taken, from the handle's thread: it must not block.
pub type Completion = Box<dyn FnOnce(Finished) + Send>;

/// Names a batch that is with the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many batches are with the worker as it takes.
    Full,
    /// There is no worker now: it starts, it is down, or the handle is stopping.
    Down,
    /// The worker does not serve this operation: it cannot, or its self-test has not passed.
    NotServed,
    /// The header is too long, or the region is of another arena.
    Misuse,
}

/// A worker process and all that keeps it going. Dropping it stops the process.
pub struct WorkerHandle {
    inner: Arc<Inner>,
    keeper: Option<JoinHandle<()>>,
}

struct Inner {
    options: WorkerOptions,
    arena: Arc<Arena>,
    state: Mutex<State>,
    /// Notified when the state of the worker, or the standing of an operation, has changed.
    changed: Condvar,
    /// Notified when a batch has ended: there is room for one.
    room: Condvar,
}

impl WorkerHandle {
    /// Starts a worker, and starts it again whenever it ends. `command` makes the command of each start; its standard
    /// input becomes the socket. Returns before the worker is ready: see [`WorkerHandle::wait_ready`].
    ///
    /// # Errors
    /// Where there is no memory for the arena, or no thread. (A command that cannot be run is tried again.)
    pub fn start(command: impl FnMut() -> Command + Send + 'static, options: WorkerOptions) -> io::Result<Self> {
        let arena = Arena::new(options.arena_bytes)?;
        let (state, changed, room) = (Mutex::new(State::new()), Condvar::new(), Condvar::new());
        let inner = Arc::new(Inner { arena, options, state, changed, room });
        let keeper = {
            let inner = Arc::clone(&inner);
            thread::Builder::new()
                .name("device-keeper".to_owned())
                .spawn(move || keeper::keep(&inner, Box::new(command)))?
        };
        Ok(Self { inner, keeper: Some(keeper) })
    }

    /// What is known of the device; `None` until a worker has opened it once.
    pub fn info(&self) -> Option<DeviceInfo> {
        self.inner.lock().info.clone()
    }

    /// Why the last worker that did not come up did not: no device, another build, no such program.
    pub fn last_failure(&self) -> Option<DeviceError> {
        self.inner.lock().last_failure.clone()
    }

    /// The number of the worker's process, for records.
    pub fn process_id(&self) -> Option<u32> {
        self.inner.lock().process
    }

    /// Whether a worker is there to take batches.
    pub fn is_up(&self) -> bool {
        self.inner.lock().phase == Phase::Up
    }

    /// How an operation stands with this worker; `None` where it cannot do it at all, or never came up.
    pub fn standing(&self, operation: u32) -> Option<Standing> {
        self.inner.lock().standings.get(&operation).cloned()
    }

    /// The operations whose self-test has passed.
    pub fn served(&self) -> Vec<u32> {
        let state = self.inner.lock();
        let served = state.standings.iter().filter(|(_, standing)| **standing == Standing::Serves);
        served.map(|(&operation, _)| operation).collect()
    }

    /// Waits until the worker is up and all of its operations have been tested once. Returns whether it is.
    pub fn wait_ready(&self, limit: Duration) -> bool {
        let state = self.inner.lock();
        let waited = self.inner.changed.wait_timeout_while(state, limit, |state| !state.is_ready());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_ready()
    }

    /// Whether a worker is up and has tested each of these operations that it can do.
    pub fn has_tested(&self, operations: &[u32]) -> bool {
        let state = self.inner.lock();
        let is_open = |operation| state.standings.get(operation) == Some(&Standing::Untested);
        state.phase == Phase::Up && !operations.iter().any(is_open)
    }

    /// Counts and times since the handle was started.
    pub fn stats(&self) -> WorkerStats {
        let state = self.inner.lock();
        WorkerStats { in_flight: state.batches_in_flight(), ..state.stats }
    }

    /// Room for a batch; `None` where the arena is full.
    pub fn region(&self, input_bytes: usize, output_bytes: usize) -> Option<Region> {
        self.inner.arena.region(input_bytes, output_bytes)
    }

    /// Room for a batch as soon as the arena has it, for as long as `goes_on` says that it is still wanted, which is asked
    /// every millisecond; `None` where it is wanted no longer.
    pub fn region_in_turn(
        &self,
        input_bytes: usize,
        output_bytes: usize,
        goes_on: &dyn Fn() -> bool,
    ) -> Option<Region> {
        loop {
            // What others hold comes back with their answers.
            match self.region(input_bytes, output_bytes) {
                None if goes_on() => thread::sleep(LOOK),
                region => return region,
            }
        }
    }

    /// Gives a batch to the worker. Never waits. The output of its region is made zero before.
    ///
    /// # Errors
    /// The job, untouched, where it is not taken; then `completion` is not called.
    pub fn submit(&self, job: Job, completion: Completion) -> Result<Ticket, (Refusal, Box<Job>)> {
        // Looked at first, so that a refusal costs nothing; decided below.
        if let Err(refusal) = self.inner.admits(&self.inner.lock(), job.operation) {
            return Err((refusal, Box::new(job)));
        }
        self.submit_in_turn(job, completion, &|| false)
    }

    /// Gives a batch to the worker as soon as it takes one more, for as long as `goes_on` says that it is still wanted,
    /// which is asked every millisecond and must not ask the handle. Several may wait; any of them may be next.
    ///
    /// # Errors
    /// As those of [`WorkerHandle::submit`]; [`Refusal::Full`] where it is wanted no longer.
    pub fn submit_in_turn(
        &self,
        mut job: Job,
        completion: Completion,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Ticket, (Refusal, Box<Job>)> {
        if job.header.len() > HEADER_BYTES_MAX || !job.region.is_of(&self.inner.arena) {
            return Err((Refusal::Misuse, Box::new(job)));
        }
        job.region.clear_output();
        let deadline_ns = job.deadline.map(deadline_ns);
        let mut state = self.inner.lock();
        loop {
            match self.inner.admits(&state, job.operation) {
                Ok(()) => break,
                Err(Refusal::Full) if goes_on() => {
                    let waited = self.inner.room.wait_timeout(state, LOOK);
                    (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                }
                Err(refusal) => return Err((refusal, Box::new(job))),
            }
        }
        let (input, output) = (job.region.input_range(), job.region.output_range());
        let run = Run {
            id: 0,
            slot: 0,
            operation: job.operation,
            self_test: false,
            submitted_ns: now_ns(),
            deadline_ns,
            input,
            output,
            header: job.header,
        };
        let kind = Kind::Batch { region: job.region, completion };
        let (run, kind) = match state.send(run, kind) {
            Ok(id) => return Ok(Ticket(id)),
            Err(back) => *back,
        };
        let Kind::Batch { region, .. } = kind else { unreachable!("what was sent is a batch") };
        let job = Job { operation: run.operation, header: run.header, region, deadline: job.deadline };
        Err((Refusal::Down, Box::new(job)))
    }

    /// Gives up a batch: its completion is called with [`DeviceError::Cancelled`] as soon as the worker notices, which is
    /// before the batch begins or between two steps of it. A batch that has ended is left alone.
    pub fn cancel(&self, ticket: Ticket) {
        let state = self.inner.lock();
        if let Some(InFlight { slot, .. }) = state.in_flight.get(&ticket.0) {
            self.inner.arena.cancel(*slot as usize, ticket.0);
        }
    }

    /// Takes an operation out of service, since its answers were wrong: it comes back when a self-test passes, which is
    /// tried after a pause.
    pub fn quarantine(&self, operation: u32, why: DeviceError) {
        let options = &self.inner.options;
        self.inner.lock().fail(operation, why, options);
        self.inner.changed.notify_all();
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.inner.stop();
        let Some(keeper) = self.keeper.take() else { return };
        // A completion that held the last handle runs on the keeper itself, which then ends when it returns.
        if keeper.thread().id() != thread::current().id() {
            let _ = keeper.join();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admits(&self, state: &State, operation: u32) -> Result<(), Refusal> {
        if state.phase != Phase::Up || state.stopping {
            return Err(Refusal::Down);
        }
        if state.standings.get(&operation) != Some(&Standing::Serves) {
            return Err(Refusal::NotServed);
        }
        // One slot is left for a self-test.
        if state.batches_in_flight() >= self.options.in_flight_max.clamp(1, SLOTS - 1) {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        if let Some(link) = &state.link {
            link.close();
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// An instant on the clock that the worker sees.
fn deadline_ns(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    now_ns().saturating_add(crate::protocol::nanoseconds(left))
}

/// The message for a batch.
fn encoded(run: Run) -> Vec<u8> {
    ToWorker::Run(run).encode()
}
