//! A job inside: what the pool does with it, and how it ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use outrigger_groth16::{Control, Progress, Stage};
use outrigger_types::{Backend, CircuitId, Rejection};
use rayon::ThreadPool;
use tokio::sync::{oneshot, watch};

use crate::admission::Permit;
use crate::job::{JobState, Secret};
use crate::journal::Record;
use crate::metrics;
use crate::pool::{Ahead, Group, Work};
use crate::prover::{Given, of_stop};
use crate::service::Inner;

/// A proof job, as long as it waits or runs.
pub(crate) struct Job {
    /// Its number in the pool.
    pub(crate) number: u64,
    pub(crate) circuit: CircuitId,
    /// Run there or nowhere.
    pub(crate) backend: Option<Backend>,
    pub(crate) tenant: Arc<str>,
    pub(crate) control: Control,
    pub(crate) state: Arc<watch::Sender<JobState>>,
    /// Its id in the journal, where it was submitted.
    pub(crate) id: Option<String>,
    /// Whether the sidecar shuts down, and it is to go on another time.
    pub(crate) stopping: AtomicBool,
    /// Whether an attempt was counted in the journal.
    pub(crate) begun: AtomicBool,
    /// Whether it has ended. Held while it ends, so that it does so once.
    pub(crate) ended: Mutex<bool>,
}

impl Job {
    pub(crate) fn new(
        number: u64,
        circuit: CircuitId,
        backend: Option<Backend>,
        tenant: Arc<str>,
        deadline: Option<Instant>,
        id: Option<String>,
    ) -> Arc<Self> {
        let state = Arc::new(watch::channel(JobState::Queued(0)).0);
        let told = state.clone();
        let control = Control::default().with_deadline(deadline).with_report(move |step| progress(&told, step));
        let (stopping, begun, ended) = Default::default();
        Arc::new(Self { number, circuit, backend, tenant, control, state, id, stopping, begun, ended })
    }
}

/// A step of a running job is seen: percentages never fall, and what has ended stays so.
fn progress(state: &watch::Sender<JobState>, step: Progress) {
    state.send_if_modified(|now| {
        let so_far = match now {
            JobState::Queued(_) => 0,
            JobState::Running { percent, .. } => *percent,
            _ => return false,
        };
        let next = JobState::Running { stage: step.stage, percent: step.percent.min(100).max(so_far) };
        let changed = *now != next;
        *now = next;
        changed
    });
}

/// Where a job's secret is.
pub(crate) enum Source {
    /// In memory: the caller waits.
    Held(Arc<Held>),
    /// Sealed on disk, until it runs.
    Sealed(Box<Record>),
}

/// A secret in memory. Whoever works on it has it locked, so that the job waits when its turn comes meanwhile.
pub(crate) struct Held {
    /// Taken when the job runs.
    given: Mutex<Option<Given>>,
    /// Whether somebody was told to go ahead with it.
    is_begun: AtomicBool,
}

impl Held {
    pub(crate) fn new(secret: Secret) -> Arc<Self> {
        Arc::new(Self { given: Mutex::new(Some(Given::Secret(secret))), is_begun: AtomicBool::new(false) })
    }

    /// Does with it what `make` does, unless the job has it.
    fn go_ahead(&self, make: impl FnOnce(Secret) -> Given) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        *given = given.take().map(|given| match given {
            Given::Secret(secret) => make(secret),
            made @ Given::Made(_) => made,
        });
    }

    /// For the job, whose turn it is.
    pub(crate) fn take(&self) -> Option<Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A proof job in the pool.
pub(crate) struct ProofTask {
    pub(crate) inner: Arc<Inner>,
    pub(crate) job: Arc<Job>,
    pub(crate) source: Source,
    /// The jobs that it may be done with.
    pub(crate) group: Option<Group>,
    pub(crate) permit: Permit,
    pub(crate) queued: Instant,
}

impl Work for ProofTask {
    fn group(&self) -> Option<Group> {
        self.group
    }

    /// Makes the witness of a job whose caller waits. A submitted job stays sealed until it runs: to open it counts as an
    /// attempt, and it would be blamed for what another job does to the process.
    fn ahead(&self) -> Option<Ahead> {
        let Source::Held(held) = &self.source else { return None };
        if held.is_begun.swap(true, Ordering::Relaxed) {
            return None;
        }
        let (inner, job, held) = (self.inner.clone(), self.job.clone(), held.clone());
        Some(Box::new(move || held.go_ahead(|secret| inner.make(&job, secret))))
    }

    fn run(self: Box<Self>, others: Vec<Box<dyn Work>>, threads: &ThreadPool) {
        let others = others.into_iter().filter_map(|work| work.into_any().downcast::<Self>().ok());
        let tasks: Vec<Self> = std::iter::once(self).chain(others).map(|task| *task).collect();
        let inner = tasks[0].inner.clone();
        let (mut jobs, mut sources, mut permits) = (Vec::new(), Vec::new(), Vec::new());
        for Self { job, source, permit, queued, .. } in tasks {
            metrics::waited(queued.elapsed());
            progress(&job.state, Progress { stage: Stage::Witness, percent: 0 });
            jobs.push(job);
            sources.push(source);
            permits.push(permit);
        }
        let begun = Instant::now();
        let work = AssertUnwindSafe(|| inner.work(&jobs, sources, threads));
        let outcomes = catch_unwind(work).unwrap_or_else(|_| {
            tracing::error!(circuit = %jobs[0].circuit, "a proof panicked");
            vec![Err(Rejection::Internal("the prover panicked".to_owned())); jobs.len()]
        });
        for ((job, outcome), mut permit) in jobs.iter().zip(outcomes).zip(permits) {
            metrics::proved_in(begun.elapsed());
            inner.end(job, outcome, &mut permit);
        }
        // What holds the journal goes last.
    }

    fn refuse(self: Box<Self>, why: Rejection) {
        let Self { inner, job, source, mut permit, .. } = *self;
        drop(source);
        inner.end(&job, Err(why), &mut permit);
        drop(inner);
        drop(permit);
    }

    fn moved(&self, ahead: usize) {
        self.job.state.send_if_modified(|now| match now {
            JobState::Queued(before) if *before != ahead => {
                *before = ahead;
                true
            }
            _ => false,
        });
    }
}

/// A heavy call in the pool.
pub(crate) struct CallTask<T, F> {
    pub(crate) call: F,
    pub(crate) control: Control,
    pub(crate) answer: oneshot::Sender<Result<T, Rejection>>,
    pub(crate) permit: Permit,
}

impl<T: Send + 'static, F: FnOnce(&Control) -> T + Send + 'static> Work for CallTask<T, F> {
    fn run(self: Box<Self>, _others: Vec<Box<dyn Work>>, threads: &ThreadPool) {
        let Self { call, control, answer, permit } = *self;
        let result = control.check().map_err(of_stop).and_then(|()| {
            let work = AssertUnwindSafe(|| threads.install(|| call(&control)));
            catch_unwind(work).map_err(|_| Rejection::Internal("a call panicked".to_owned()))
        });
        // Given back before the caller hears of it, who may ask for the next thing at once.
        drop(permit);
        // Nobody may be listening any more.
        let _ = answer.send(result);
    }

    fn refuse(self: Box<Self>, why: Rejection) {
        drop(self.permit);
        let _ = self.answer.send(Err(why));
    }

    fn moved(&self, _ahead: usize) {}
}

impl Job {
    /// Stops it for now: it goes on after the restart.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.control.cancel();
    }
}
