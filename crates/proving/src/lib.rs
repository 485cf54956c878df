//! Proof jobs: who waits, what runs, what survives a restart.
//!
//! A [`ProofService`] owns a pool of threads at lower operating-system priority, in which a stated number of proofs
//! run at once, so that verification beside it hardly notices. Jobs wait by priority with aging, tenants taking turns
//! inside a class. A job that is *submitted* is kept in a journal on disk until its result is fetched or expires; one
//! that is *attached* lives as long as its caller listens.
//!
//! Blocking work happens on the pool or on the blocking threads of the runtime; the asynchronous functions here never
//! compute.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_groth16::{CircuitStore, Control, Proof, Stage, Timings};
use outrigger_types::{Backend, CircuitId, Priority, Rejection};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// How the service is set up.
#[derive(Clone, Debug)]
pub struct ProvingOptions {
    /// Where the journal lies: `jobs.redb`, and `jobs/` for the sealed secrets.
    pub directory: PathBuf,
    /// Threads of the pool; the machine's cores where 0.
    pub threads: usize,
    /// Proofs that run at once.
    pub concurrency: usize,
    /// The operating system's niceness of the pool's threads, 0 to 19.
    pub nice: u8,
    /// Jobs that wait or run, over all tenants.
    pub jobs_max: usize,
    /// Jobs of one tenant that wait or run.
    pub tenant_jobs_max: usize,
    /// Bytes of witnesses and inputs that are held, over all jobs.
    pub secret_bytes_max: u64,
    /// After this wait a job counts as one class more urgent; after twice this, two.
    pub aging: Duration,
    /// How long results of submitted jobs are kept.
    pub result_lifetime: Duration,
    /// The key that seals witnesses and inputs of submitted jobs, 32 bytes. Without one, nothing can be submitted.
    pub journal_key: Option<Arc<Zeroizing<[u8; 32]>>>,
    /// What witness programs may use up.
    pub witness_limits: outrigger_witness::WitnessLimits,
}

/// The secret part of a request.
#[derive(Debug)]
pub enum Secret {
    /// A `.wtns` file.
    Witness(Zeroizing<Vec<u8>>),
    /// Inputs in JSON, for the circuit's witness program.
    Inputs(Zeroizing<Vec<u8>>),
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
#[derive(Clone, Debug)]
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
    /// There will be no proof.
    Failed(Rejection),
    /// It was given up.
    Cancelled,
}

impl JobState {
    /// Whether it will change no more.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_) | Self::Cancelled)
    }
}

/// A running look at a job. For an attached job, dropping it cancels the job.
pub struct JobWatch {
    state: watch::Receiver<JobState>,
    _attached: Option<Attached>,
}

impl JobWatch {
    /// How it stands now.
    pub fn now(&self) -> JobState {
        self.state.borrow().clone()
    }

    /// Waits for a change and gives the new state; after a final state it gives that again, at once. Changes that come
    /// faster than they are asked for are seen as the last of them.
    pub async fn changed(&mut self) -> JobState {
        if !self.now().is_final() {
            // The sender lives until it has said a final state.
            let _ = self.state.changed().await;
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

/// Cancels its job when dropped.
struct Attached {
    control: Control,
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

/// Takes proof jobs and heavy calls. Cheap to clone.
#[derive(Clone)]
pub struct ProofService {
    _store: Arc<CircuitStore>,
}

impl ProofService {
    /// Starts the pool and takes up the jobs that the journal holds.
    pub fn start(_options: ProvingOptions, _store: Arc<CircuitStore>) -> Result<Self, String> {
        todo!()
    }

    /// The circuits.
    pub fn store(&self) -> &Arc<CircuitStore> {
        todo!()
    }

    /// Takes a job that lives as long as the watch.
    pub async fn prove(&self, _request: ProofRequest) -> Result<JobWatch, Rejection> {
        todo!()
    }

    /// Takes a job that survives restarts, and names it. Once this returns, the job is on disk.
    pub async fn submit(&self, _request: ProofRequest) -> Result<String, Rejection> {
        todo!()
    }

    /// How a submitted job of this tenant stands.
    pub async fn state(&self, _tenant: &str, _job: &str) -> Result<JobState, Rejection> {
        todo!()
    }

    /// Follows a submitted job of this tenant. Dropping the watch leaves the job alone.
    pub async fn watch(&self, _tenant: &str, _job: &str) -> Result<JobWatch, Rejection> {
        todo!()
    }

    /// Gives a submitted job of this tenant up and wipes what is kept of its secret.
    pub async fn cancel(&self, _tenant: &str, _job: &str) -> Result<(), Rejection> {
        todo!()
    }

    /// Runs a heavy call (an upload's checks, an MSM) in the pool as a job that waits its turn. Dropping the future
    /// cancels the control that the call was given.
    pub async fn run<T: Send + 'static>(
        &self,
        _tenant: Arc<str>,
        _priority: Priority,
        _deadline: Option<Instant>,
        _call: impl FnOnce(&Control) -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        todo!()
    }

    /// Refuses new jobs; waits until attached ones have ended; stops submitted ones, which go on after the restart.
    pub async fn drain(&self) {
        todo!()
    }
}
