//! The threads: a stated number of runners that take jobs from the queue one by one, the rayon pool that they compute
//! in, one that goes ahead of busy runners and does what can be done for the next jobs, and a clock that takes out what has
//! waited past its deadline.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use outrigger_types::{Backend, CircuitId, Priority, Rejection};
use rayon::ThreadPool;

use crate::metrics;
use crate::queue::{Queue, Waiting};

/// How often the clock runs what is to be done from time to time.
const TICK: Duration = Duration::from_secs(5);

/// Jobs that may be done together: of one circuit that is small, on one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) circuit: CircuitId,
    pub(crate) backend: Option<Backend>,
}

/// Lets a job of a group know the others for what they are.
pub(crate) trait IntoAny {
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

impl<T: 'static> IntoAny for T {
    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// What can be done for a job while others run.
pub(crate) type Ahead = Box<dyn FnOnce() + Send>;

/// What a runner does with a job.
pub(crate) trait Work: Send + IntoAny {
    /// The jobs that it may be done with.
    fn group(&self) -> Option<Group> {
        None
    }

    /// What can be done for it before its turn; nothing where that was given out before.
    fn ahead(&self) -> Option<Ahead> {
        None
    }

    /// Does it, computing in these threads; and with it others of its group.
    fn run(self: Box<Self>, others: Vec<Box<dyn Work>>, threads: &ThreadPool);

    /// It will not be run.
    fn refuse(self: Box<Self>, why: Rejection);

    /// So many go before it now.
    fn moved(&self, ahead: usize);
}

/// A job for the pool.
pub(crate) struct Task {
    /// Names it. Numbers rise in the order in which jobs come.
    pub(crate) number: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) priority: Priority,
    pub(crate) since: Instant,
    pub(crate) deadline: Option<Instant>,
    /// How long it will run, where that is known.
    pub(crate) expected: Option<Duration>,
    pub(crate) work: Box<dyn Work>,
}

/// How many threads, and how they yield to others.
pub(crate) struct PoolOptions {
    pub(crate) threads: usize,
    pub(crate) concurrency: usize,
    /// Jobs of a group that are done at once: a proof of a small circuit leaves threads idle in its many short stages.
    pub(crate) together_max: usize,
    pub(crate) nice: u8,
    pub(crate) aging: Duration,
}

pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work_came: Condvar,
    clock: Condvar,
    /// There may be something to do ahead.
    ahead: Condvar,
    threads: ThreadPool,
    concurrency: usize,
    together_max: usize,
}

/// The job that goes next, with those that go right after it and are of its group.
struct Next {
    /// Of all of them.
    numbers: Vec<u64>,
    first: Box<dyn Work>,
    others: Vec<Box<dyn Work>>,
}

struct State {
    queue: Queue<Entry>,
    running: HashMap<u64, Running>,
    /// Runners that have a job.
    busy: usize,
    closed: bool,
}

struct Entry {
    deadline: Option<Instant>,
    expected: Option<Duration>,
    work: Box<dyn Work>,
}

#[derive(Clone, Copy)]
struct Running {
    since: Instant,
    expected: Option<Duration>,
}

impl Pool {
    /// Starts the threads. `tick` is called from time to time.
    pub(crate) fn start(options: &PoolOptions, tick: impl Fn() + Send + 'static) -> Result<Self, String> {
        let nice = options.nice;
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(options.threads)
            .thread_name(|number| format!("outrigger-proof-{number}"))
            .start_handler(move |_| be_nice(nice))
            .build()
            .map_err(|error| format!("the threads of the proofs cannot be started: {error}"))?;
        let state = State { queue: Queue::new(options.aging), running: HashMap::new(), busy: 0, closed: false };
        let concurrency = options.concurrency.max(1);
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work_came: Condvar::new(),
            clock: Condvar::new(),
            ahead: Condvar::new(),
            threads,
            concurrency,
            together_max: options.together_max.max(1),
        });
        // Dropped where a thread cannot be started: the others end.
        let pool = Self { shared: shared.clone() };
        for number in 0..concurrency {
            let shared = shared.clone();
            spawn(format!("outrigger-prove-{number}"), move || {
                be_nice(nice);
                shared.run_jobs();
            })?;
        }
        let goes_ahead = shared.clone();
        spawn("outrigger-prove-ahead".to_owned(), move || {
            be_nice(nice);
            goes_ahead.go_ahead();
        })?;
        spawn("outrigger-prove-clock".to_owned(), move || shared.keep_time(&tick))?;
        Ok(pool)
    }

    pub(crate) fn push(&self, task: Task) {
        let mut state = self.shared.lock();
        state.queue.push(Waiting {
            number: task.number,
            tenant: task.tenant,
            priority: task.priority,
            since: task.since,
            item: Entry { deadline: task.deadline, expected: task.expected, work: task.work },
        });
        state.tell();
        self.shared.work_came.notify_one();
        self.shared.ahead.notify_one();
        if task.deadline.is_some() {
            self.shared.clock.notify_one();
        }
    }

    /// Runs something beside the jobs, in the threads that they compute in.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.shared.threads.spawn(work);
    }

    /// Takes a job out that does not run yet.
    pub(crate) fn remove(&self, number: u64) -> Option<Box<dyn Work>> {
        let mut state = self.shared.lock();
        let removed = state.queue.remove(number)?;
        state.tell();
        Some(removed.item.work)
    }

    /// How long a job that came now would wait for its start, by what is known: jobs of unknown length count nothing.
    pub(crate) fn predicted_wait(&self, tenant: &Arc<str>, priority: Priority, now: Instant) -> Duration {
        let state = self.shared.lock();
        let concurrency = self.shared.concurrency;
        if state.running.len() < concurrency && state.queue.len() == 0 {
            return Duration::ZERO;
        }
        let left = |running: &Running| {
            let gone = now.saturating_duration_since(running.since);
            running.expected.unwrap_or_default().saturating_sub(gone)
        };
        let running: Duration = state.running.values().map(left).sum();
        let ahead = state.queue.ahead_of(tenant, priority, now);
        let queued: Duration = ahead.filter_map(|waiting| waiting.item.expected).sum();
        // The jobs that run share the cores, and as many start as end.
        (running + queued) / u32::try_from(concurrency).unwrap_or(u32::MAX)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Nobody waits for the threads: a runner may be the one that drops the pool.
        self.shared.lock().closed = true;
        self.shared.work_came.notify_all();
        self.shared.ahead.notify_all();
        self.shared.clock.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A runner: one job after another, until the pool closes.
    fn run_jobs(&self) {
        while let Some(Next { numbers, first, others }) = self.next() {
            // Work deals with its own panics; this is for what it may have missed.
            if catch_unwind(AssertUnwindSafe(|| first.run(others, &self.threads))).is_err() {
                tracing::error!("a proof job panicked past its own guard");
            }
            let mut state = self.lock();
            for number in numbers {
                state.running.remove(&number);
            }
            state.busy -= 1;
            state.tell();
        }
    }

    /// While all runners are busy, does what can be done for the jobs that go next, one job after the other.
    fn go_ahead(&self) {
        let mut state = self.lock();
        while !state.closed {
            // As many as the runners will take when they are done.
            let places = if state.busy < self.concurrency { 0 } else { self.concurrency * self.together_max };
            let ahead = state.queue.in_order(Instant::now()).take(places).find_map(|next| next.item.work.ahead());
            let Some(ahead) = ahead else {
                state = self.ahead.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            if catch_unwind(AssertUnwindSafe(ahead)).is_err() {
                tracing::error!("what is done ahead for a proof job panicked past its own guard");
            }
            state = self.lock();
        }
    }

    fn next(&self) -> Option<Next> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if let Some(first) = state.queue.pop(now) {
                let (priority, group) = (first.priority, first.item.work.group());
                let mut numbers = vec![state.runs(first.number, first.item.expected, now)];
                let mut others = Vec::new();
                while numbers.len() < self.together_max
                    && group.is_some()
                    && state
                        .queue
                        .first(now)
                        .is_some_and(|next| next.priority == priority && next.item.work.group() == group)
                    && let Some(next) = state.queue.pop(now)
                {
                    numbers.push(state.runs(next.number, next.item.expected, now));
                    others.push(next.item.work);
                }
                state.busy += 1;
                state.tell();
                self.ahead.notify_one();
                return Some(Next { numbers, first: first.item.work, others });
            }
            state = self.work_came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The clock: jobs that wait past their deadline are refused on time, though every runner is busy.
    fn keep_time(&self, tick: &dyn Fn()) {
        let mut next_tick = Instant::now() + TICK;
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let expired = state.queue.remove_where(|waiting| waiting.item.deadline.is_some_and(|at| at <= now));
            if !expired.is_empty() {
                state.tell();
            }
            if !expired.is_empty() || now >= next_tick {
                drop(state);
                for waiting in expired {
                    waiting.item.work.refuse(Rejection::DeadlineExceeded { predicted: None });
                }
                if now >= next_tick {
                    tick();
                    next_tick = Instant::now() + TICK;
                }
                state = self.lock();
                continue;
            }
            let deadlines = state.queue.iter().filter_map(|waiting| waiting.item.deadline);
            let wake = deadlines.fold(next_tick, Instant::min);
            let pause = wake.saturating_duration_since(now);
            state = self.clock.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    /// Notes that a job runs, and gives back its number.
    fn runs(&mut self, number: u64, expected: Option<Duration>, now: Instant) -> u64 {
        self.running.insert(number, Running { since: now, expected });
        number
    }

    /// Tells each waiting job its position.
    fn tell(&self) {
        for (ahead, waiting) in self.queue.in_order(Instant::now()).enumerate() {
            waiting.item.work.moved(ahead);
        }
        metrics::jobs(self.queue.len(), self.running.len());
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let spawned = thread::Builder::new().name(name.clone()).spawn(run);
    spawned.map(drop).map_err(|error| format!("the thread {name} cannot be started: {error}"))
}

/// Lets everybody else's threads go before this one.
fn be_nice(nice: u8) {
    static FAILED: AtomicBool = AtomicBool::new(false);
    // Linux takes the number of a thread where POSIX speaks of a process, and so sets that thread alone.
    let thread = Some(rustix::thread::gettid());
    let wanted = i32::from(nice.min(19));
    // One that is nicer already stays so: to take it back would need a privilege.
    if rustix::process::getpriority_process(thread).is_ok_and(|now| now >= wanted) {
        return;
    }
    if let Err(error) = rustix::process::setpriority_process(thread, wanted)
        && !FAILED.swap(true, Ordering::Relaxed)
    {
        tracing::warn!(%error, nice, "the threads of the proofs cannot be made nicer, and compete with verification");
    }
}

#[cfg(test)]
mod tests;
