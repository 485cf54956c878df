//! Proof jobs: who waits, what runs, what survives a restart.
//!
//! A [`ProofService`] owns a pool of threads at lower operating-system priority, in which a stated number of proofs
//! run at once, so that verification beside it hardly notices. Jobs wait by priority with aging, tenants taking turns
//! inside a class. A job that is *submitted* is kept in a journal on disk until its result is fetched or expires; one
//! that is *attached* lives as long as its caller listens.
//!
//! Blocking work happens on the pool or on the blocking threads of the runtime; the asynchronous functions here never
//! compute.

pub mod metrics;

mod admission;
mod engines;
mod estimate;
mod job;
mod journal;
mod key_file;
mod options;
mod pool;
mod programs;
mod prover;
mod queue;
mod service;
mod task;

pub use job::{Finished, JobState, JobWatch, ProofRequest, Secret};
pub use key_file::{create_key, read_credential, read_key};
pub use options::ProvingOptions;
pub use service::ProofService;
