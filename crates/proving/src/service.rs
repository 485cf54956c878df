//! Takes jobs, and knows where each stands.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use outrigger_groth16::engine::ProofEngine;
use outrigger_groth16::{CircuitStore, Control};
use outrigger_types::{Backend, Priority, Rejection};
use rayon::ThreadPool;
use tokio::sync::oneshot;

use crate::admission::{Admission, Limits, Permit, RETRY_AFTER_DRAIN};
use crate::engines::Engines;
use crate::estimate::Estimates;
use crate::job::{Finished, JobState, JobWatch, OnDrop, ProofRequest, Secret};
use crate::journal::{Journal, Pending, Record, now_ms};
use crate::metrics;
use crate::options::ProvingOptions;
use crate::pool::{Group, Pool, PoolOptions, Task};
use crate::prover::{Asked, CircuitProver, Given, Prover, of_stop};
use crate::task::{CallTask, Held, Job, ProofTask, Source};

/// Takes proof jobs and heavy calls. Cheap to clone.
#[derive(Clone)]
pub struct ProofService {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    store: Arc<CircuitStore>,
    prover: Arc<dyn Prover>,
    pool: Pool,
    admission: Arc<Admission>,
    estimates: Estimates,
    journal: Option<Journal>,
    result_lifetime: Duration,
    /// Submitted jobs that wait or run, by id.
    live: Mutex<HashMap<String, Arc<Job>>>,
    numbers: AtomicU64,
}

impl ProofService {
    /// Starts the pool and takes up the jobs that the journal holds; proofs run on this machine's cores and on these
    /// devices. Blocks for as long as the journal takes to read.
    ///
    /// # Errors
    /// In words, where the threads cannot be started, or the journal cannot be opened: it may be in use by another
    /// process.
    pub fn start(
        options: ProvingOptions,
        store: Arc<CircuitStore>,
        devices: Vec<(Backend, Arc<dyn ProofEngine>)>,
    ) -> Result<Self, String> {
        let engines = Engines::of_machine(options.vector, devices);
        let prover =
            Arc::new(CircuitProver::new(store.clone(), options.witness_limits, engines, options.together_domain_max));
        Self::start_with(&options, store, prover)
    }

    /// As [`ProofService::start`], with something else that proves.
    fn start_with(options: &ProvingOptions, store: Arc<CircuitStore>, prover: Arc<dyn Prover>) -> Result<Self, String> {
        let key = options.journal_key.as_ref().map(|key| &***key);
        let (journal, pending) = match Journal::open(&options.directory, key)? {
            Some((journal, pending)) => (Some(journal), pending),
            None => (None, Vec::new()),
        };
        let limits = Limits {
            jobs_max: options.jobs_max,
            tenant_jobs_max: options.tenant_jobs_max,
            secret_bytes_max: options.secret_bytes_max,
        };
        let pool_options = PoolOptions {
            threads: options.threads,
            concurrency: options.concurrency,
            together_max: options.together_max,
            nice: options.nice,
            aging: options.aging,
        };
        let (tell_inner, inner) = std::sync::mpsc::sync_channel::<Weak<Inner>>(1);
        let pool = Pool::start(&pool_options, ticker(inner))?;
        let inner = Arc::new(Inner {
            store,
            prover,
            pool,
            admission: Admission::new(limits),
            estimates: Estimates::default(),
            journal,
            result_lifetime: options.result_lifetime,
            live: Mutex::default(),
            numbers: AtomicU64::new(0),
        });
        // The clock's thread is there, so it takes it.
        let _ = tell_inner.send(Arc::downgrade(&inner));
        let prover = inner.prover.clone();
        inner.pool.spawn(move || prover.warm_up());
        for job in pending {
            inner.take_up(job);
        }
        Ok(Self { inner })
    }

    /// The engine of a backend, for a call by [`ProofService::run`]; or the one that is preferred.
    ///
    /// # Errors
    /// [`Rejection::BackendUnavailable`].
    pub fn engine(&self, backend: Option<Backend>) -> Result<Arc<dyn ProofEngine>, Rejection> {
        self.inner.prover.engine(backend)
    }

    /// The circuits.
    pub fn store(&self) -> &Arc<CircuitStore> {
        &self.inner.store
    }

    /// Takes a job that lives as long as the watch.
    ///
    /// # Errors
    /// A [`Rejection`] before any work: the circuit is unknown or cannot make its witness, there is no room, the
    /// deadline cannot be met, the sidecar drains.
    pub async fn prove(&self, request: ProofRequest) -> Result<JobWatch, Rejection> {
        let inner = self.inner.clone();
        blocking(move || inner.counted(Inner::attach, request)).await
    }

    /// Takes a job that survives restarts, and names it. Once this returns, the job is on disk.
    ///
    /// # Errors
    /// As [`ProofService::prove`]; [`Rejection::NotReady`] without a journal key.
    pub async fn submit(&self, request: ProofRequest) -> Result<String, Rejection> {
        let inner = self.inner.clone();
        blocking(move || inner.counted(Inner::submit, request)).await
    }

    /// How a submitted job of this tenant stands.
    ///
    /// # Errors
    /// [`Rejection::NotFound`] where there is no such job, it is another tenant's, or its result has expired.
    pub async fn state(&self, tenant: &str, job: &str) -> Result<JobState, Rejection> {
        Ok(self.watch(tenant, job).await?.now())
    }

    /// Follows a submitted job of this tenant. Dropping the watch leaves the job alone.
    ///
    /// # Errors
    /// As [`ProofService::state`].
    pub async fn watch(&self, tenant: &str, job: &str) -> Result<JobWatch, Rejection> {
        let (inner, tenant, job) = (self.inner.clone(), tenant.to_owned(), job.to_owned());
        blocking(move || match inner.live_of(&tenant, &job) {
            Some(live) => Ok(JobWatch::new(live.state.subscribe(), None)),
            None => inner.on_disk(&tenant, &job).map(|record| JobWatch::ended(state_of(&record))),
        })
        .await
    }

    /// Gives a submitted job of this tenant up and wipes what is kept of its secret. A job that has ended stays as it
    /// is.
    ///
    /// # Errors
    /// As [`ProofService::state`].
    pub async fn cancel(&self, tenant: &str, job: &str) -> Result<(), Rejection> {
        let (inner, tenant, job) = (self.inner.clone(), tenant.to_owned(), job.to_owned());
        blocking(move || inner.cancel(&tenant, &job)).await
    }

    /// Runs a heavy call (an upload's checks, an MSM) in the pool as a job that waits its turn. Dropping the future
    /// cancels the control that the call was given.
    ///
    /// # Errors
    /// A [`Rejection`] where it was not run, or panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        tenant: Arc<str>,
        priority: Priority,
        deadline: Option<Instant>,
        call: impl FnOnce(&Control) -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        let inner = &self.inner;
        let control = Control::default().with_deadline(deadline);
        control.check().map_err(of_stop)?;
        let permit = inner.admission.take(&tenant, 0)?;
        let number = inner.next_number();
        let (answer, answered) = oneshot::channel();
        let work = Box::new(CallTask { call, control: control.clone(), answer, permit });
        let _given_up = inner.on_drop(number, control);
        inner.pool.push(Task { number, tenant, priority, since: Instant::now(), deadline, expected: None, work });
        answered.await.unwrap_or_else(|_| Err(Rejection::Cancelled))
    }

    /// Refuses new jobs; waits until attached ones have ended; stops submitted ones, which go on after the restart.
    pub async fn drain(&self) {
        let inner = &self.inner;
        inner.admission.close();
        let live: Vec<_> = inner.live().values().cloned().collect();
        for job in live {
            inner.stop(&job);
        }
        inner.admission.empty().await;
    }
}

impl Inner {
    /// Takes a job, and counts it where it is refused.
    fn counted<T>(
        self: &Arc<Self>,
        take: impl FnOnce(&Arc<Self>, ProofRequest) -> Result<T, Rejection>,
        request: ProofRequest,
    ) -> Result<T, Rejection> {
        take(self, request).inspect_err(|rejection| metrics::ended(Err(rejection)))
    }

    fn attach(self: &Arc<Self>, request: ProofRequest) -> Result<JobWatch, Rejection> {
        let permit = self.admit(&request)?;
        let ProofRequest { circuit, tenant, priority, deadline, backend, secret } = request;
        let job = Job::new(self.next_number(), circuit, backend, tenant, deadline, None);
        let attached = self.on_drop(job.number, job.control.clone());
        let state = job.state.subscribe();
        self.enqueue(job, priority, deadline, Source::Held(Held::new(secret)), permit);
        Ok(JobWatch::new(state, Some(attached)))
    }

    fn submit(self: &Arc<Self>, request: ProofRequest) -> Result<String, Rejection> {
        let journal = self.journal.as_ref().filter(|journal| journal.has_key()).ok_or_else(|| {
            let message = "submitted jobs need a key that seals their witnesses on disk: set proving.journal_key, or \
                           use Prove";
            Rejection::NotReady(message.to_owned())
        })?;
        let permit = self.admit(&request)?;
        let ProofRequest { circuit, tenant, priority, deadline, backend, secret } = request;
        let id = new_id()?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let now_ms = now_ms();
        let mut record = Record {
            tenant: tenant.clone(),
            circuit,
            backend,
            priority,
            submitted_ms: now_ms,
            deadline_ms: left.map(|left| now_ms.saturating_add(left.as_millis() as u64)),
            kind: secret.kind(),
            secret_bytes: secret.len() as u64,
            key: String::new(),
            attempts: 0,
            end: None,
        };
        journal.insert(&id, &mut record, secret).map_err(|error| {
            tracing::error!(error, "a submitted job cannot be put on disk");
            Rejection::Internal("the job cannot be put on disk: see the sidecar's log".to_owned())
        })?;
        let job = Job::new(self.next_number(), circuit, backend, tenant, deadline, Some(id.clone()));
        self.live().insert(id.clone(), job.clone());
        self.enqueue(job.clone(), priority, deadline, Source::Sealed(Box::new(record)), permit);
        if self.admission.is_draining() {
            // The drain began after this was let in, and may have looked at the jobs before this was one.
            self.stop(&job);
        }
        Ok(id)
    }

    /// Takes up a job of the journal.
    fn take_up(self: &Arc<Self>, pending: Pending) {
        let Pending { id, record } = pending;
        let left = record.deadline_ms.map(|deadline| Duration::from_millis(deadline.saturating_sub(now_ms())));
        let deadline = left.map(|left| Instant::now() + left);
        let (circuit, priority) = (record.circuit, record.priority);
        let permit = self.admission.take_again(&record.tenant, record.secret_bytes);
        let (tenant, backend) = (record.tenant.clone(), record.backend);
        let job = Job::new(self.next_number(), circuit, backend, tenant, deadline, Some(id.clone()));
        tracing::info!(job = id, %circuit, attempts = record.attempts, "a submitted job goes on after the restart");
        self.live().insert(id, job.clone());
        self.enqueue(job, priority, deadline, Source::Sealed(Box::new(record)), permit);
    }

    /// Everything that can be said against a job before it costs anything.
    fn admit(&self, request: &ProofRequest) -> Result<Permit, Rejection> {
        Control::default().with_deadline(request.deadline).check().map_err(of_stop)?;
        self.prover.accepts(request.circuit, request.secret.kind(), request.backend)?;
        let permit = self.admission.take(&request.tenant, request.secret.len() as u64)?;
        self.check_deadline(request)?;
        Ok(permit)
    }

    /// Whether a job can end before its deadline, by what was seen so far.
    fn check_deadline(&self, request: &ProofRequest) -> Result<(), Rejection> {
        let Some(deadline) = request.deadline else { return Ok(()) };
        let now = Instant::now();
        let wait = self.pool.predicted_wait(&request.tenant, request.priority, now);
        let predicted = wait + self.estimates.of(request.circuit).unwrap_or_default();
        if predicted > deadline.saturating_duration_since(now) {
            return Err(Rejection::DeadlineExceeded { predicted: Some(predicted) });
        }
        Ok(())
    }

    fn enqueue(
        self: &Arc<Self>,
        job: Arc<Job>,
        priority: Priority,
        deadline: Option<Instant>,
        source: Source,
        permit: Permit,
    ) {
        let (number, tenant, queued) = (job.number, job.tenant.clone(), Instant::now());
        let since = match &source {
            Source::Held(_) => queued,
            // What it waited before a restart counts.
            Source::Sealed(record) => {
                let waited = Duration::from_millis(now_ms().saturating_sub(record.submitted_ms));
                queued.checked_sub(waited).unwrap_or(queued)
            }
        };
        let expected = self.estimates.of(job.circuit);
        let group = Group { circuit: job.circuit, backend: job.backend };
        let group = self.prover.is_small(job.circuit).then_some(group);
        let work = Box::new(ProofTask { inner: self.clone(), job, source, group, permit, queued });
        self.pool.push(Task { number, tenant, priority, since, deadline, expected, work });
    }

    /// The work of jobs of one group, on a runner.
    pub(crate) fn work(
        &self,
        jobs: &[Arc<Job>],
        sources: Vec<Source>,
        threads: &ThreadPool,
    ) -> Vec<Result<Finished, Rejection>> {
        let begun = Instant::now();
        let givens = jobs.iter().zip(sources).map(|(job, source)| {
            job.control.check().map_err(of_stop)?;
            match source {
                Source::Held(held) => {
                    held.take().ok_or_else(|| Rejection::Internal("a job whose secret is gone".to_owned()))
                }
                Source::Sealed(record) => self.begin(job, &record).map(Given::Secret),
            }
        });
        let givens: Vec<Result<Given, Rejection>> = givens.collect();
        // Those that nothing is left of have ended; the others are proved together.
        let mut asked = Vec::new();
        let ended: Vec<Option<Rejection>> = givens
            .into_iter()
            .zip(jobs)
            .map(|(given, job)| given.map(|given| asked.push(Asked { given, control: &job.control })).err())
            .collect();
        let count = u32::try_from(asked.len().max(1)).unwrap_or(u32::MAX);
        let mut proved = self.prover.prove(jobs[0].circuit, asked, jobs[0].backend, threads).into_iter();
        let mut outcome = |ended: Option<Rejection>| match ended {
            Some(rejection) => Err(rejection),
            None => proved.next().unwrap_or_else(|| Err(Rejection::Internal("the prover gave no answer".to_owned()))),
        };
        let outcomes: Vec<_> = ended.into_iter().map(&mut outcome).collect();
        for (job, _) in jobs.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            self.estimates.learn(job.circuit, begun.elapsed() / count);
        }
        outcomes
    }

    /// What can be done for a job before its turn.
    pub(crate) fn make(&self, job: &Job, secret: Secret) -> Given {
        self.prover.make(job.circuit, secret, &job.control)
    }

    /// Counts the attempt and opens the secret.
    fn begin(&self, job: &Job, record: &Record) -> Result<Secret, Rejection> {
        let (Some(journal), Some(id)) = (&self.journal, &job.id) else {
            return Err(Rejection::Internal("a sealed job without a journal".to_owned()));
        };
        match journal.begun(id) {
            Ok(()) => job.begun.store(true, Ordering::Relaxed),
            // It runs all the same; should it end the process, it is begun once more than it should.
            Err(error) => tracing::error!(job = id, error, "the attempt at a submitted job cannot be counted"),
        }
        journal.secret(id, record)
    }

    /// A job ends: on disk first, where it was submitted, then for those who watch. What ended it first counts.
    pub(crate) fn end(&self, job: &Job, outcome: Result<Finished, Rejection>, permit: &mut Permit) {
        let mut ended = job.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *ended, true) {
            self.end_now(job, outcome, Some(permit));
        }
    }

    fn end_now(&self, job: &Job, outcome: Result<Finished, Rejection>, permit: Option<&mut Permit>) {
        let stopped = job.stopping.load(Ordering::Relaxed) && matches!(outcome, Err(Rejection::Cancelled));
        let outcome = if stopped { Err(Rejection::Draining { retry_after: RETRY_AFTER_DRAIN }) } else { outcome };
        metrics::ended(outcome.as_ref());
        let state = JobState::of(outcome.map(Arc::new));
        let on_disk = self.write_end(job, &state);
        if let Some(permit) = permit {
            // Given back before anybody hears of it, who may ask for the next thing at once.
            permit.settle();
        }
        job.state.send_replace(state);
        if let Some(id) = job.id.as_ref().filter(|_| on_disk) {
            self.live().remove(id);
        }
    }

    /// Whether the journal knows how a submitted job ended. Where it cannot be written, the job's end is known as long
    /// as this process lives; after that it runs again.
    fn write_end(&self, job: &Job, state: &JobState) -> bool {
        let (Some(journal), Some(id)) = (&self.journal, &job.id) else { return true };
        let written = match state {
            JobState::Failed(Rejection::Draining { .. }) if job.begun.load(Ordering::Relaxed) => journal.stopped(id),
            JobState::Failed(Rejection::Draining { .. }) => Ok(()),
            state => journal.end(id, state.clone()),
        };
        written.inspect_err(|error| tracing::error!(job = id, error, "the journal cannot be written")).is_ok()
    }

    /// Stops a submitted job for now.
    fn stop(&self, job: &Job) {
        job.stop();
        if let Some(work) = self.pool.remove(job.number) {
            work.refuse(Rejection::Cancelled);
        }
    }

    fn cancel(&self, tenant: &str, id: &str) -> Result<(), Rejection> {
        let Some(job) = self.live_of(tenant, id) else {
            let record = self.on_disk(tenant, id)?;
            return if record.end.is_some() { Ok(()) } else { self.cancel_on_disk(id) };
        };
        job.control.cancel();
        let waiting = self.pool.remove(job.number);
        let mut ended = job.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *ended, true) {
            self.end_now(&job, Err(Rejection::Cancelled), None);
        }
        drop(ended);
        if let Some(work) = waiting {
            work.refuse(Rejection::Cancelled);
        }
        Ok(())
    }

    /// A job that sleeps because there is no journal key.
    fn cancel_on_disk(&self, id: &str) -> Result<(), Rejection> {
        let journal = self.journal.as_ref().ok_or_else(|| unknown(id))?;
        journal.end(id, JobState::Cancelled).map_err(Rejection::Internal)
    }

    fn live_of(&self, tenant: &str, id: &str) -> Option<Arc<Job>> {
        self.live().get(id).filter(|job| *job.tenant == *tenant).cloned()
    }

    fn on_disk(&self, tenant: &str, id: &str) -> Result<Record, Rejection> {
        let journal = self.journal.as_ref().ok_or_else(|| unknown(id))?;
        let record = journal.read(id).map_err(|error| {
            tracing::error!(job = id, error, "the journal cannot be read");
            Rejection::DataLoss(format!("job {id} cannot be read from the journal: see the sidecar's log"))
        })?;
        record.filter(|record| *record.tenant == *tenant).ok_or_else(|| unknown(id))
    }

    fn sweep(&self) {
        let Some(journal) = &self.journal else { return };
        match journal.sweep(self.result_lifetime) {
            Ok(0) => {}
            Ok(jobs) => tracing::debug!(jobs, "results of submitted jobs expired"),
            Err(error) => tracing::error!(error, "expired results cannot be removed from the journal"),
        }
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives a job or a call up when dropped.
    fn on_drop(self: &Arc<Self>, number: u64, control: Control) -> OnDrop {
        let inner = Arc::downgrade(self);
        OnDrop(Some(Box::new(move || {
            control.cancel();
            let waiting = inner.upgrade().and_then(|inner| inner.pool.remove(number));
            if let Some(work) = waiting {
                work.refuse(Rejection::Cancelled);
            }
        })))
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Arc<Job>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the clock does from time to time, once it is told of the service.
fn ticker(told: std::sync::mpsc::Receiver<Weak<Inner>>) -> impl Fn() + Send + 'static {
    let service = std::cell::OnceCell::<Weak<Inner>>::new();
    move || {
        if service.get().is_none() {
            let _ = told.try_recv().map(|inner| service.set(inner));
        }
        if let Some(inner) = service.get().and_then(Weak::upgrade) {
            inner.sweep();
            if inner.prover.is_cold() {
                let prover = inner.prover.clone();
                inner.pool.spawn(move || prover.warm_up());
            }
        }
    }
}

/// Where a job of the journal that does not run here stands: one that has not ended waits for a start with a key.
fn state_of(record: &Record) -> JobState {
    record.end.as_ref().map_or(JobState::Queued(0), |(_, state)| state.clone())
}

fn unknown(id: &str) -> Rejection {
    // Cut short: what was asked for may be anything.
    let id: String = id.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    Rejection::NotFound(format!("no job {id}: it was never submitted by this tenant, or its result has expired"))
}

/// A random name, too long to be guessed.
fn new_id() -> Result<String, Rejection> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Rejection::Internal(format!("no random numbers: {error}")))?;
    Ok(hex::encode(bytes))
}

/// Runs what blocks for a moment (a file, the journal) beside the asynchronous threads.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Rejection> + Send + 'static,
) -> Result<T, Rejection> {
    let done = tokio::task::spawn_blocking(call).await;
    done.unwrap_or_else(|_| Err(Rejection::Internal("the sidecar is shutting down, or a call panicked".to_owned())))
}

#[cfg(test)]
mod tests;
