//! Which operations a device may be asked for: those that it was tried with in this life of its worker and answered
//! as the CPU does. Each is offered from its trial on, while the worker still compiles the kernels of others; after a
//! wrong answer none is until all were tried anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_algorithms::planted::{self, Plant};
use outrigger_algorithms::{known_keys, registry};
use outrigger_types::packed::Marks;
use outrigger_types::{EngineError, Operation, Output, Work};

use super::{DeviceOptions, DeviceState, Shared, Worker};
use crate::cost::Pieces;

/// How often it is looked whether the worker lives another life.
const LOOK: Duration = Duration::from_millis(50);
/// The longest quarantine.
const QUARANTINE_LONGEST: Duration = Duration::from_secs(600);
/// After so long without a wrong answer the next quarantine is as short as the first.
const FORGIVEN: Duration = Duration::from_secs(600);
/// Items of the trial: more than two groups of the host build, of no round number.
const JUDGED: usize = 19;
/// Batches that tell what an operation costs: its fixed part and that of an item.
const MEASURED: [usize; 3] = [1, 32, 1_024];
/// A larger batch is measured only where the one before took at most this.
const MEASURED_MAX: Duration = Duration::from_millis(10);
/// How often each is measured: a cost model says nothing after fewer observations.
const REPEATS: usize = 3;

/// What could not be carried out is tried again after this.
const AGAIN: Duration = Duration::from_secs(5);

/// What was tried.
pub(super) struct Trust {
    state: Mutex<State>,
    changed: Condvar,
    quarantine_first: Duration,
    measured_again: Duration,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// The life that the trials below are of.
    life: Option<u64>,
    passed: BTreeSet<Operation>,
    /// Why a trial failed, and when there is another.
    failed: BTreeMap<Operation, (String, Instant)>,
    /// Measured while the worker compiled other kernels, perhaps on the same cores: to be measured again.
    measured_early: BTreeSet<Operation>,
    /// When somebody was last interested in what an operation costs, and when that was last measured or seen.
    asked: BTreeMap<Operation, Instant>,
    measured: BTreeMap<Operation, Instant>,
    /// Left alone until then, and asked nothing before all trials were passed after it.
    quarantine: Option<Instant>,
    /// The last wrong answer, and how long it was left alone for it.
    wrong: Option<(Instant, Duration)>,
}

impl State {
    /// Operations whose trial is due.
    fn due(&self, worker: &dyn Worker, now: Instant) -> Vec<Operation> {
        let is_due = |operation: &Operation| match self.failed.get(operation) {
            Some((_, again)) => *again <= now,
            None => !self.passed.contains(operation),
        };
        worker.operations().into_iter().filter(is_due).collect()
    }

    /// An operation that is asked for and goes elsewhere, so that nobody would learn if its cost were another by now.
    fn neglected(&self, now: Instant, measured_again: Duration) -> Option<Operation> {
        let age = |at: &Instant| now.saturating_duration_since(*at);
        let is_old = |operation: &Operation| self.measured.get(operation).is_none_or(|at| age(at) > measured_again);
        let asked = self.asked.iter().filter(|(_, at)| age(at) < measured_again).map(|(operation, _)| operation);
        asked.copied().find(|operation| self.passed.contains(operation) && is_old(operation))
    }

    /// Whether everything that this life of the worker can do was tried.
    fn is_complete(&self, worker: &dyn Worker) -> bool {
        let tried = |operation: &Operation| self.passed.contains(operation) || self.failed.contains_key(operation);
        let life = worker.life();
        life.is_some() && self.life == life && !worker.is_testing() && worker.operations().iter().all(tried)
    }
}

/// What is to be tried.
pub(super) struct Trials {
    /// In this life of the worker.
    life: u64,
    /// Against the CPU.
    judge: Vec<Operation>,
    /// For their cost alone.
    measure: Vec<Operation>,
}

impl Trust {
    pub(super) fn new(options: &DeviceOptions) -> Self {
        let (quarantine_first, measured_again) = (options.quarantine, options.measured_again);
        Self { state: Mutex::default(), changed: Condvar::new(), quarantine_first, measured_again }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn allows(&self, worker: &dyn Worker, operation: Operation) -> bool {
        let life = worker.life();
        let state = self.lock();
        life.is_some() && state.life == life && state.quarantine.is_none() && state.passed.contains(&operation)
    }

    /// How the device is, as far as its trials say.
    pub(super) fn state(&self, worker: &dyn Worker) -> DeviceState {
        if worker.life().is_none() {
            return DeviceState::Down;
        }
        let state = self.lock();
        match state.quarantine {
            Some(_) => DeviceState::Quarantined,
            None if state.is_complete(worker) => DeviceState::Up,
            None => DeviceState::Testing,
        }
    }

    pub(super) fn failures(&self) -> Vec<(Operation, String)> {
        self.lock().failed.iter().map(|(operation, (why, _))| (*operation, why.clone())).collect()
    }

    /// A wrong answer: nothing is asked until the device was left alone and passed its trials again. Gives back how
    /// long it is left alone.
    pub(super) fn distrust(&self, now: Instant) -> Duration {
        let mut state = self.lock();
        let quarantine = match state.wrong {
            Some((before, quarantine)) if now.saturating_duration_since(before) < FORGIVEN => {
                (quarantine * 2).min(QUARANTINE_LONGEST)
            }
            _ => self.quarantine_first,
        };
        state.wrong = Some((now, quarantine));
        state.quarantine = Some(now + quarantine);
        state.life = None;
        quarantine
    }

    /// Waits for something to try; `None` once closed.
    pub(super) fn next(&self, worker: &dyn Worker) -> Option<Trials> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if let Some(life) = worker.life().filter(|_| state.quarantine.is_none_or(|until| until <= now)) {
                if state.life != Some(life) {
                    state.passed.clear();
                    state.failed.clear();
                    state.measured_early.clear();
                    state.life = Some(life);
                }
                let judge = state.due(worker, now);
                if !judge.is_empty() {
                    return Some(Trials { life, judge, measure: Vec::new() });
                }
                if state.is_complete(worker) {
                    if state.quarantine.take().is_some() {
                        tracing::info!(device = worker.device(), "a device passed its trials: it is out of quarantine");
                    }
                    self.changed.notify_all();
                    if !state.measured_early.is_empty() {
                        let measure = std::mem::take(&mut state.measured_early).into_iter().collect();
                        return Some(Trials { life, judge, measure });
                    }
                    if let Some(operation) = state.neglected(now, self.measured_again) {
                        return Some(Trials { life, judge, measure: vec![operation] });
                    }
                }
            }
            (state, _) = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that somebody wants to know what an operation costs.
    pub(super) fn note_asked(&self, operation: Operation) {
        self.lock().asked.insert(operation, Instant::now());
    }

    /// Notes that it was seen what an operation costs.
    pub(super) fn note_measured(&self, operation: Operation) {
        self.lock().measured.insert(operation, Instant::now());
    }

    /// Notes how a trial ended, where nothing has happened to that life of the worker meanwhile.
    fn note(&self, life: u64, operation: Operation, result: Result<(), String>, is_early: bool) {
        let mut state = self.lock();
        if state.life != Some(life) {
            return;
        }
        state.failed.remove(&operation);
        match result {
            Ok(()) => {
                state.passed.insert(operation);
                if is_early {
                    state.measured_early.insert(operation);
                }
            }
            Err(why) => {
                state.failed.insert(operation, (why, Instant::now() + AGAIN));
            }
        }
    }

    /// Waits until everything was tried in the worker's life, at most so long.
    pub(super) fn settled(&self, worker: &dyn Worker, time_max: Duration) -> bool {
        let until = Instant::now() + time_max;
        let mut state = self.lock();
        loop {
            if state.is_complete(worker) && state.quarantine.is_none() && state.measured_early.is_empty() {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.closed {
                return false;
            }
            (state, _) = self.changed.wait_timeout(state, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }
}

/// Tries what is due. One wrong answer puts the device into quarantine; an operation that could not be carried out at
/// all, as where there was no memory, is not offered until it is tried again.
pub(super) fn try_all(shared: &Shared, trials: &Trials) {
    let worker = shared.worker.as_ref();
    let is_over = || shared.trust.is_closed() || worker.life() != Some(trials.life);
    for &operation in &trials.judge {
        if is_over() {
            return;
        }
        let is_early = worker.is_testing();
        let result = match judge(shared, operation) {
            Ok(()) => {
                measure(shared, operation);
                Ok(())
            }
            Err(Failure::Wrong(what)) => {
                shared.trust.note(trials.life, operation, Err(what.clone()), is_early);
                return shared.distrust(crate::metrics::DeviceEvent::Planted, &what);
            }
            Err(Failure::Engine(error)) => {
                let (device, kind, label) = (worker.device(), operation.kind(), operation.label());
                tracing::warn!(device, kind, label, %error, "a trial could not be carried out; the device is not asked");
                Err(error.to_string())
            }
        };
        shared.trust.note(trials.life, operation, result, is_early);
    }
    for &operation in &trials.measure {
        if is_over() {
            return;
        }
        shared.costs.forget(operation);
        measure(shared, operation);
    }
}

enum Failure {
    /// Another answer than the CPU's.
    Wrong(String),
    /// No answer.
    Engine(EngineError),
}

/// Compares the answers to planted good and bad items with the CPU's; where keys can be known, also to all of them
/// marked, so that tables are tried too.
fn judge(shared: &Shared, operation: Operation) -> Result<(), Failure> {
    let Some(work) = planted::work(operation, &planted::mixed(JUDGED)) else {
        return Err(Failure::Engine(EngineError::Unsupported));
    };
    let expected = registry::run(&work, 0..work.items());
    let all = known_keys::is_of_kind(&work).then(|| [true; JUDGED].into_iter().collect());
    let work = Arc::new(work);
    for marks in [Some(Marks::none()), all].into_iter().flatten() {
        if run(shared, operation, &work, &marks).map_err(Failure::Engine)? != expected {
            let (kind, label) = (operation.kind(), operation.label());
            return Err(Failure::Wrong(format!(
                "the trial of {kind} of {label} was answered otherwise than by the CPU"
            )));
        }
    }
    Ok(())
}

fn run(shared: &Shared, operation: Operation, work: &Arc<Work>, marks: &Marks) -> Result<Output, EngineError> {
    shared.run(operation, &[(work.clone(), 0..work.items())], marks, None)
}

/// Learns what batches of some sizes take.
fn measure(shared: &Shared, operation: Operation) {
    shared.trust.note_measured(operation);
    for items in MEASURED {
        let mut least = Duration::MAX;
        for _ in 0..REPEATS {
            let Some(work) = planted::work(operation, &vec![Plant::Good; items]) else { return };
            let work = Arc::new(work);
            let bytes = work.bytes();
            let started = Instant::now();
            if run(shared, operation, &work, &Marks::none()).is_err() {
                return;
            }
            least = least.min(started.elapsed());
            let pieces = Pieces { count: 1, items, bytes, compute: started.elapsed() };
            shared.costs.observe(operation, pieces, Instant::now());
        }
        if least > MEASURED_MAX {
            return;
        }
    }
}
