//! The jobs of a device.

use std::collections::{HashMap, HashSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use outrigger_types::{EngineError, Job, JobId, Outcome};

/// Jobs that wait inside the engine at most. The scheduler gives a device two at once and keeps the rest, where
/// priorities and fairness act.
const WAITING_MAX: usize = 8;

/// What waits, runs, and has ended without being asked for.
#[derive(Default)]
pub(super) struct Jobs {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    last_id: JobId,
    waiting: Vec<(JobId, Job)>,
    running: HashSet<JobId>,
    cancelled: HashSet<JobId>,
    ended: HashMap<JobId, Outcome>,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, job: Job) -> Result<JobId, (EngineError, Box<Job>)> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= WAITING_MAX {
            return Err((EngineError::Busy, Box::new(job)));
        }
        state.last_id += 1;
        let id = state.last_id;
        state.waiting.push((id, job));
        drop(state);
        self.ready.notify_one();
        Ok(id)
    }

    /// The most urgent job, of those the oldest, and whether it was cancelled; waits for one. `None` once closed.
    pub(super) fn next(&self) -> Option<(JobId, Job, bool)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let urgency = |(_, (id, job)): &(usize, &(JobId, Job))| (job.priority, std::cmp::Reverse(*id));
            if let Some(place) = state.waiting.iter().enumerate().max_by_key(urgency).map(|(place, _)| place) {
                let (id, job) = state.waiting.remove(place);
                let is_cancelled = state.cancelled.remove(&id);
                state.running.insert(id);
                return Some((id, job, is_cancelled));
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn end(&self, id: JobId, outcome: Outcome) {
        let mut state = self.lock();
        state.running.remove(&id);
        state.ended.insert(id, outcome);
    }

    pub(super) fn poll(&self, id: JobId) -> Outcome {
        let mut state = self.lock();
        if let Some(outcome) = state.ended.remove(&id) {
            return outcome;
        }
        if state.running.contains(&id) || state.waiting.iter().any(|(other, _)| *other == id) {
            return Outcome::Running(Vec::new());
        }
        Outcome::Failed(Vec::new(), EngineError::UnknownJob)
    }

    /// A job that waits is not begun; one that runs ends as it does.
    pub(super) fn cancel(&self, id: JobId) {
        let mut state = self.lock();
        if state.waiting.iter().any(|(other, _)| *other == id) {
            state.cancelled.insert(id);
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}
