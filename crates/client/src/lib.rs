//! The client of a sidecar, for chain nodes and for everything here that speaks to one.
//!
//! [`Client::run`] takes any [`Work`](outrigger_types::Work) and gives back the answer that an engine in this process
//! would give; [`Client::verify_one`] takes single signatures and gathers those of many callers into batches on a
//! stream. When the sidecar is away, the same rulesets run in this process ([`Fallback::Local`]) and only
//! [`Answer::origin`], [`Client::stats`] and the metrics tell. A device or network failure is never a verdict: an
//! answer of the wrong shape is a [`ClientError::Protocol`].
//!
//! Proofs are made there or not at all: [`Client::prove`] and its kin never fall back.
//!
//! Metrics (facade `metrics`): `outrigger_client_calls_total{origin,result}`, `outrigger_client_retries_total`,
//! `outrigger_client_breaker_open` (0 or 1), `outrigger_client_shadow_mismatches_total`.

mod breaker;
mod call;
mod client;
mod coalesce;
mod connect;
mod convert;
mod endpoint;
mod error;
mod key_sets;
pub mod local;
mod options;
mod proofs;
mod shadow;
mod stats;

pub use client::{Answer, CallOptions, Client, Health, Origin};
pub use endpoint::{Endpoint, TlsOptions};
pub use error::ClientError;
pub use local::LocalRunner;
pub use options::{BreakerOptions, ClientOptions, CoalesceOptions, Fallback, RetryOptions};
pub use proofs::{CircuitDescription, CircuitFiles, ProofEvent, ProofSecret, ProofStream};
pub use shadow::{Mismatch, MismatchHook, ShadowOptions};
pub use stats::Stats;

#[cfg(test)]
mod tests;
