//! Groth16 (Jens Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016) in circom's formats:
//! keys, witnesses and proofs as snarkjs reads and writes them.
//!
//! The way of a proof: a key is mapped ([`ProvingKey`]) and made ready once ([`ReadyKey`]); a witness is read
//! ([`Witness`]; the crate `outrigger-witness` makes one from inputs); the [`prover`] runs one pipeline
//! over four operations, *sparse product, NTT, MSM in G1, MSM in G2*, that every engine provides ([`engine`]); the
//! proof is verified before it leaves. [`CircuitStore`] keeps circuits on disk.
//!
//! Everything here computes in the calling thread and the rayon pool that it runs in; nothing waits, queues or speaks
//! to a network.

pub mod curve;
pub mod engine;
pub mod formats;
pub mod prover;
pub mod setup;
pub mod store;
pub mod verifier;
pub mod witness;

mod control;
mod key;
mod ready;

pub use control::{Control, Progress, Stage, Stop};
pub use formats::FormatError;
pub use formats::r1cs::{R1cs, Unsatisfied};
pub use key::{KeyBytes, KeyError, KeySource, KeySummary, ProvingKey, Rows};
pub use prover::{ProveError, Proved, Timings, Wanted};
pub use ready::{Proof, ReadyKey};
pub use store::{CircuitStore, StoreError};
pub use verifier::PreparedKey;
pub use witness::Witness;
