//! How the service is set up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_witness::WitnessLimits;
use zeroize::Zeroizing;

/// How the service is set up.
#[derive(Clone, Debug)]
pub struct ProvingOptions {
    /// Where the journal lies: `jobs.redb`, and `jobs/` for the sealed secrets.
    pub directory: PathBuf,
    /// Threads of the pool; the machine's cores where 0.
    pub threads: usize,
    /// Proofs that run at once; 1 where 0.
    pub concurrency: usize,
    /// Whether engine vector is used where the machine has AVX-512.
    pub vector: bool,
    /// The operating system's niceness of the pool's threads, 0 to 19.
    pub nice: u8,
    /// Jobs that wait or run, over all tenants.
    pub jobs_max: usize,
    /// Jobs of one tenant that wait or run.
    pub tenant_jobs_max: usize,
    /// Bytes of witnesses and inputs that are held, over all jobs; those of submitted jobs, which lie sealed on disk
    /// until they run, included.
    pub secret_bytes_max: u64,
    /// After this wait a job counts as one class more urgent; after twice this, two. Zero: jobs do not age.
    pub aging: Duration,
    /// How long results of submitted jobs are kept.
    pub result_lifetime: Duration,
    /// The key that seals witnesses and inputs of submitted jobs, 32 bytes. Without one, nothing can be submitted.
    /// See [`crate::read_key`].
    pub journal_key: Option<Arc<Zeroizing<[u8; 32]>>>,
    /// What witness programs may use up.
    pub witness_limits: WitnessLimits,
}
