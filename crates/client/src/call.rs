//! The way of a call: split, sent, retried, taken over by this process, compared.

mod exchange;

pub(crate) use exchange::{proofs, signatures};

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outrigger_proto::v1;
use outrigger_types::{ColumnBuf, Output, Ruleset, Verdict, Work};
use rand::RngExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::breaker::Breaker;
use crate::client::instant_after;
use crate::convert::{self, Wire};
use crate::error::Failure;
use crate::key_sets::KeySets;
use crate::stats::Counters;
use crate::{Answer, CallOptions, ClientError, ClientOptions, Fallback, LocalRunner, Origin, Stats, connect, shadow};

/// Comparisons under way at once. They burn the node's own cores, so more would turn a check into a load.
const SHADOW_RUNS_MAX: usize = 4;
/// Parts of one call under way at once: enough to keep sidecar and socket busy, few enough that a huge call leaves
/// room for others.
const PARTS_IN_FLIGHT_MAX: usize = 4;

/// All of a client but the coalescer.
pub(crate) struct Core {
    options: ClientOptions,
    channels: Vec<Channel>,
    next_channel: AtomicUsize,
    pub(crate) breaker: Breaker,
    pub(crate) counters: Counters,
    key_sets: KeySets,
    local: LocalRunner,
    shadow_runs: Arc<Semaphore>,
    /// Messages of a stream that may be unanswered; 0 until the sidecar was asked.
    stream_window: AtomicUsize,
}

/// One attempt's surroundings.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) wire: Wire,
    /// What is left of the deadline, for `grpc-timeout`.
    pub(crate) timeout: Option<Duration>,
}

impl Attempt {
    /// A request that carries what is left of the deadline.
    pub(crate) fn request<T>(self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(timeout) = self.timeout {
            request.set_timeout(timeout);
        }
        request
    }
}

impl Core {
    pub(crate) fn new(options: ClientOptions, local: LocalRunner) -> Result<Self, ClientError> {
        check(&options)?;
        Ok(Self {
            channels: connect::channels(&options)?,
            next_channel: AtomicUsize::new(0),
            breaker: Breaker::new(options.breaker),
            counters: Counters::default(),
            key_sets: KeySets::default(),
            local,
            shadow_runs: Arc::new(Semaphore::new(SHADOW_RUNS_MAX)),
            stream_window: AtomicUsize::new(0),
            options,
        })
    }

    pub(crate) const fn options(&self) -> &ClientOptions {
        &self.options
    }

    pub(crate) const fn local(&self) -> &LocalRunner {
        &self.local
    }

    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    pub(crate) fn default_deadline(&self) -> Option<Instant> {
        instant_after(self.options.deadline)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Carries out any work.
    pub(crate) async fn run(self: &Arc<Self>, work: Arc<Work>, call: CallOptions) -> Result<Answer, ClientError> {
        let deadline = instant_after(call.deadline.or(self.options.deadline));
        self.run_until(work, call, deadline).await
    }

    /// As [`Self::run`], with a deadline that stands already.
    pub(crate) async fn run_until(
        self: &Arc<Self>,
        work: Arc<Work>,
        call: CallOptions,
        deadline: Option<Instant>,
    ) -> Result<Answer, ClientError> {
        if work.items() == 0 && work.operation().is_divisible() {
            return Ok(Answer { output: Output::default(), origin: Origin::Local });
        }
        let result = self.run_parts(&work, call, deadline).await;
        match result {
            Ok(answer) => Ok(self.shadowed(&work, answer).await),
            Err(error) => {
                self.counters.failed(error.reason());
                Err(error)
            }
        }
    }

    async fn run_parts(
        self: &Arc<Self>,
        work: &Arc<Work>,
        call: CallOptions,
        deadline: Option<Instant>,
    ) -> Result<Answer, ClientError> {
        let ranges = convert::split(work)?;
        if let [range] = &ranges[..] {
            return self.run_part(work, range.clone(), call, deadline).await;
        }
        let gate = Arc::new(Semaphore::new(PARTS_IN_FLIGHT_MAX));
        let mut tasks = JoinSet::new();
        for (i, range) in ranges.into_iter().enumerate() {
            let (core, work, gate) = (Arc::clone(self), Arc::clone(work), Arc::clone(&gate));
            tasks.spawn(async move {
                let _permit = gate.acquire().await.expect("the gate is never closed");
                (i, core.run_part(&work, range, call, deadline).await)
            });
        }
        let mut parts: Vec<Option<Answer>> = vec![None; tasks.len()];
        while let Some(joined) = tasks.join_next().await {
            let (i, result) = joined.map_err(|error| ClientError::Internal(format!("a part of the call: {error}")))?;
            parts[i] = Some(result?);
        }
        let mut whole = Answer { output: Output::default(), origin: Origin::Sidecar };
        for part in parts.into_iter().flatten() {
            whole.output.append(part.output);
            if part.origin == Origin::Local {
                whole.origin = Origin::Local;
            }
        }
        Ok(whole)
    }

    /// One range: by the sidecar, or where it cannot, by this process.
    async fn run_part(
        &self,
        work: &Arc<Work>,
        range: Range<usize>,
        call: CallOptions,
        deadline: Option<Instant>,
    ) -> Result<Answer, ClientError> {
        match self.run_remote(work, range.clone(), call, deadline).await {
            Ok(output) => {
                self.counters.answered(Origin::Sidecar, range.len());
                Ok(Answer { output, origin: Origin::Sidecar })
            }
            Err(error) if self.may_fall_back(work, call) && error.invites_fallback() => {
                tracing::debug!(%error, operation = work.operation().kind(), "falling back to this process");
                self.run_local(work, range, deadline).await
            }
            Err(error) => Err(error),
        }
    }

    fn may_fall_back(&self, work: &Work, call: CallOptions) -> bool {
        self.options.fallback == Fallback::Local && call.backend.is_none() && self.local.supports(work.operation())
    }

    pub(crate) async fn run_local(
        &self,
        work: &Arc<Work>,
        range: Range<usize>,
        deadline: Option<Instant>,
    ) -> Result<Answer, ClientError> {
        let items = range.len();
        let output = before(deadline, self.local.run(Arc::clone(work), range)).await.ok_or_else(|| {
            ClientError::DeadlineExceeded("the work in this process was not done in time".to_owned())
        })??;
        self.counters.answered(Origin::Local, items);
        Ok(Answer { output, origin: Origin::Local })
    }

    async fn run_remote(
        &self,
        work: &Arc<Work>,
        range: Range<usize>,
        call: CallOptions,
        deadline: Option<Instant>,
    ) -> Result<Output, ClientError> {
        let wire = Wire::new(call.priority, call.backend);
        let output = self.with_retries(deadline, wire, |attempt| self.exchange(work, range.clone(), attempt)).await?;
        self.refuse_undone(work, &output)?;
        Ok(output)
    }

    /// *Unprocessed* is no answer for work that every sidecar of this version can do.
    pub(crate) fn refuse_undone(&self, work: &Work, output: &Output) -> Result<(), ClientError> {
        // A transaction of a type that nobody knows stays unprocessed, and says so by its reason.
        let is_explained = |i: usize| output.reasons.get(i).is_some_and(|reason| *reason != 0);
        let undone = (0..output.verdicts.len())
            .filter(|i| output.verdicts[*i] == Verdict::Unprocessed && !is_explained(*i))
            .count();
        if undone == 0 || !self.local.supports(work.operation()) {
            return Ok(());
        }
        Err(ClientError::Internal(format!("the sidecar left {undone} of {} items unprocessed", output.verdicts.len())))
    }

    /// Makes attempts until one is answered, the status does not invite another, or the deadline leaves no time.
    pub(crate) async fn with_retries<'a, T, F, A>(
        &'a self,
        deadline: Option<Instant>,
        wire: Wire,
        attempt: A,
    ) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, Failure>> + 'a,
        A: Fn(Attempt) -> F,
    {
        let mut attempts = 0;
        loop {
            let failure = match self.attempt(deadline, wire, &attempt).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            attempts += 1;
            let Some(invited) = failure.retry_after else { return Err(failure.error) };
            let wait = self.backoff(attempts, invited);
            let is_late = deadline.is_some_and(|deadline| Instant::now() + wait >= deadline);
            if attempts >= self.options.retry.attempts_max || is_late {
                return Err(failure.error);
            }
            self.counters.retried();
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt<T, F, A>(&self, deadline: Option<Instant>, wire: Wire, attempt: &A) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
        A: Fn(Attempt) -> F,
    {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if timeout == Some(Duration::ZERO) {
            return Err(Failure::fatal(ClientError::DeadlineExceeded("no time is left for the call".to_owned())));
        }
        let Some(permit) = self.breaker.admit() else {
            return Err(Failure::fatal(ClientError::unavailable(
                "the circuit breaker is open after failures in a row",
            )));
        };
        let result =
            before(deadline, attempt(Attempt { wire, timeout })).await.unwrap_or_else(|| Err(Failure::timed_out()));
        match &result {
            Err(failure) if failure.is_transport => permit.fail(),
            _ => permit.succeed(),
        }
        self.counters.breaker(!self.breaker.is_closed());
        result
    }

    /// The wait before the next attempt: what the sidecar asks for or a doubling time of our own, whichever is longer,
    /// and up to half as much again so that clients do not come back together.
    pub(crate) fn backoff(&self, attempts: u32, invited: Duration) -> Duration {
        let retry = &self.options.retry;
        let doubled = retry.backoff_base.saturating_mul(1_u32 << (attempts - 1).min(16)).min(retry.backoff_max);
        let wait = doubled.max(invited);
        wait.mul_f64(1.0 + 0.5 * rand::rng().random::<f64>())
    }

    /// Messages of a stream that may be unanswered: one until the sidecar has said how many it takes.
    pub(crate) fn stream_window(&self) -> usize {
        self.stream_window.load(Ordering::Relaxed).max(1)
    }

    /// Asks the sidecar for its window, once; one that does not say gets this client's own.
    pub(crate) fn learn_stream_window(self: &Arc<Self>) {
        if self.stream_window.load(Ordering::Relaxed) != 0 {
            return;
        }
        let core = Arc::clone(self);
        tokio::spawn(async move {
            let own = core.options.coalesce.window;
            let deadline = instant_after(Some(core.options.coalesce.answer_timeout));
            let limits = core.capabilities(deadline).await.ok().and_then(|capabilities| capabilities.limits);
            let theirs = limits.map_or(0, |limits| limits.stream_window as usize);
            let window = if theirs == 0 { own } else { own.min(theirs) };
            core.stream_window.store(window, Ordering::Relaxed);
        });
    }

    /// The next connection in turn.
    pub(crate) fn channel(&self) -> Channel {
        let turn = self.next_channel.fetch_add(1, Ordering::Relaxed);
        self.channels[turn % self.channels.len()].clone()
    }

    /// Registers a key set unless it is, and gives its name.
    pub(crate) async fn put_key_set(
        &self,
        ruleset: Ruleset,
        keys: &Arc<ColumnBuf>,
        deadline: Option<Instant>,
    ) -> Result<Arc<str>, ClientError> {
        let wire = Wire::new(outrigger_types::Priority::Mempool, None);
        self.with_retries(deadline, wire, |attempt| async move {
            self.registered(ruleset, keys, None, attempt).await.map(|(name, _)| name)
        })
        .await
    }

    pub(crate) async fn drop_key_set(
        &self,
        ruleset: Ruleset,
        keys: &Arc<ColumnBuf>,
        deadline: Option<Instant>,
    ) -> Result<(), ClientError> {
        let Some(slot) = self.key_sets.forget(ruleset, keys) else { return Ok(()) };
        let Some(name) = slot.lock().await.name.take() else { return Ok(()) };
        let wire = Wire::new(outrigger_types::Priority::Mempool, None);
        let dropped = self.with_retries(deadline, wire, |attempt| self.send_drop(Arc::clone(&name), attempt)).await;
        match dropped {
            // Evicted already, or the sidecar started anew.
            Err(ClientError::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    pub(crate) async fn capabilities(
        &self,
        deadline: Option<Instant>,
    ) -> Result<v1::GetCapabilitiesResponse, ClientError> {
        let wire = Wire::new(outrigger_types::Priority::Mempool, None);
        self.with_retries(deadline, wire, |attempt| self.send_capabilities(attempt)).await
    }

    pub(crate) async fn health(&self, deadline: Option<Instant>) -> Result<ServingStatus, ClientError> {
        let wire = Wire::new(outrigger_types::Priority::Mempool, None);
        self.with_retries(deadline, wire, |attempt| self.send_health(attempt)).await
    }

    /// Compares a sample of the sidecar's answers with this process's own, at once where the caller wants the local
    /// one, else in the background.
    pub(crate) async fn shadowed(self: &Arc<Self>, work: &Arc<Work>, answer: Answer) -> Answer {
        let Some(options) = &self.options.shadow else { return answer };
        let is_sampled = answer.origin == Origin::Sidecar
            && self.local.supports(work.operation())
            && rand::rng().random::<f64>() < options.sample_rate;
        if !is_sampled {
            return answer;
        }
        if options.use_local {
            return match self.compare(work, &answer.output).await {
                Some(local) => Answer { output: local, origin: Origin::Local },
                None => answer,
            };
        }
        match Arc::clone(&self.shadow_runs).try_acquire_owned() {
            Ok(permit) => {
                let (core, work, output) = (Arc::clone(self), Arc::clone(work), answer.output.clone());
                tokio::spawn(async move {
                    core.compare(&work, &output).await;
                    drop(permit);
                });
            }
            Err(_) => self.counters.shadow_skipped(),
        }
        answer
    }

    /// This process's answer, after a comparison with the sidecar's; `None` where there is none.
    async fn compare(&self, work: &Arc<Work>, sidecar: &Output) -> Option<Output> {
        let local = self.local.run(Arc::clone(work), 0..work.items()).await.ok()?;
        let mismatches = shadow::compare(work.operation(), sidecar, &local);
        self.counters.shadow_compared(mismatches.len());
        let hook = self.options.shadow.as_ref().and_then(|options| options.on_mismatch.as_ref());
        for mismatch in &mismatches {
            tracing::warn!(
                kind = mismatch.operation.kind(),
                ruleset = mismatch.operation.label(),
                index = mismatch.index,
                sidecar = mismatch.sidecar.name(),
                local = mismatch.local.name(),
                "the sidecar's answer differs from this process's"
            );
            if let Some(hook) = hook {
                hook(mismatch);
            }
        }
        Some(local)
    }
}

/// The future's output, or `None` once the deadline passes.
pub(crate) async fn before<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => tokio::time::timeout_at(deadline, future).await.ok(),
    }
}

fn check(options: &ClientOptions) -> Result<(), ClientError> {
    let coalesce = &options.coalesce;
    if !(1..=outrigger_types::limits::ITEMS_MAX).contains(&coalesce.items_max) {
        let max = outrigger_types::limits::ITEMS_MAX;
        return Err(ClientError::invalid("coalesce.items_max", format!("must be between 1 and {max}")));
    }
    if coalesce.window == 0 {
        return Err(ClientError::invalid("coalesce.window", "must be at least 1"));
    }
    if options.retry.attempts_max == 0 {
        return Err(ClientError::invalid("retry.attempts_max", "must be at least 1"));
    }
    match &options.shadow {
        Some(shadow) if !(0.0..=1.0).contains(&shadow.sample_rate) => {
            Err(ClientError::invalid("shadow.sample_rate", "must be between 0 and 1"))
        }
        _ => Ok(()),
    }
}
