//! Jobs as callers see them.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use outrigger_groth16::{Proof, Stage, Timings};
use outrigger_types::{Backend, CircuitId, Priority, Rejection};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// The secret part of a request. Its `Debug` shows lengths only.
pub enum Secret {
    /// A `.wtns` file.
    Witness(Zeroizing<Vec<u8>>),
    /// Inputs in JSON, for the circuit's witness program.
    Inputs(Zeroizing<Vec<u8>>),
}

/// Which secret a request brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretKind {
    Witness,
    Inputs,
}

impl SecretKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Witness => "witness",
            Self::Inputs => "inputs",
        }
    }

    /// The secret of this kind that these bytes are.
    pub(crate) fn of(self, bytes: Zeroizing<Vec<u8>>) -> Secret {
        match self {
            Self::Witness => Secret::Witness(bytes),
            Self::Inputs => Secret::Inputs(bytes),
        }
    }
}

impl Secret {
    pub(crate) fn kind(&self) -> SecretKind {
        match self {
            Self::Witness(_) => SecretKind::Witness,
            Self::Inputs(_) => SecretKind::Inputs,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Witness(bytes) | Self::Inputs(bytes) => bytes.len(),
        }
    }

    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Witness(bytes) | Self::Inputs(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("kind", &self.kind()).field("bytes", &self.len()).finish()
    }
}

/// A proof that is asked for.
#[derive(Debug)]
pub struct ProofRequest {
    /// The circuit; the caller has checked that the tenant may use it.
    pub circuit: CircuitId,
    /// Who asks: the name of a tenant.
    pub tenant: Arc<str>,
    /// How urgent it is.
    pub priority: Priority,
    /// When the proof is worthless.
    pub deadline: Option<Instant>,
    /// Run here or nowhere.
    pub backend: Option<Backend>,
    /// Witness or inputs.
    pub secret: Secret,
}

/// What a job came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The proof, verified.
    pub proof: Proof,
    /// What took how long, the making of the witness included.
    pub timings: Timings,
    /// Whether the proof comes from the reference, because the engine's own try did not count.
    pub repeated: bool,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits; this many go before it.
    Queued(usize),
    /// It runs.
    Running {
        /// The stage.
        stage: Stage,
        /// Of the whole proof, 0 to 100.
        percent: u8,
    },
    /// It is proved.
    Done(Arc<Finished>),
    /// There will be no proof. A submitted job that the sidecar's shutdown stops is said to have failed with
    /// [`Rejection::Draining`]: it goes on after the restart.
    Failed(Rejection),
    /// It was given up.
    Cancelled,
}

impl JobState {
    /// Whether it will change no more.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_) | Self::Cancelled)
    }

    pub(crate) fn of(outcome: Result<Arc<Finished>, Rejection>) -> Self {
        match outcome {
            Ok(finished) => Self::Done(finished),
            Err(Rejection::Cancelled) => Self::Cancelled,
            Err(rejection) => Self::Failed(rejection),
        }
    }
}

/// A running look at a job. For an attached job, dropping it cancels the job.
pub struct JobWatch {
    state: watch::Receiver<JobState>,
    _attached: Option<OnDrop>,
}

/// Runs something when dropped.
pub(crate) struct OnDrop(pub(crate) Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

impl JobWatch {
    pub(crate) fn new(state: watch::Receiver<JobState>, attached: Option<OnDrop>) -> Self {
        Self { state, _attached: attached }
    }

    /// A look at a job that has ended.
    pub(crate) fn ended(state: JobState) -> Self {
        Self::new(watch::channel(state).1, None)
    }

    /// How it stands now.
    pub fn now(&self) -> JobState {
        self.state.borrow().clone()
    }

    /// Waits for a change and gives the new state; after a final state it gives that again, at once. Changes that come
    /// faster than they are asked for are seen as the last of them.
    pub async fn changed(&mut self) -> JobState {
        if !self.now().is_final() && self.state.changed().await.is_err() && !self.now().is_final() {
            // Whoever works on a job says how it ended, so this is never seen; without it a caller might wait for ever.
            return JobState::Failed(Rejection::Internal("the job was lost".to_owned()));
        }
        self.state.borrow_and_update().clone()
    }

    /// Waits for the end.
    pub async fn end(mut self) -> JobState {
        loop {
            let state = self.changed().await;
            if state.is_final() {
                return state;
            }
        }
    }
}
