//! Verification: one proof, or many of one key by a random linear combination.
//!
//! A proof (A, B, C) with public signals x holds where e(A, B) = e(α, β) · e(IC(x), γ) · e(C, δ), with
//! IC(x) = IC₀ + Σ xⱼ·ICⱼ. Many are held together by summing their equations with random coefficients, as
//! Zcash does (protocol specification, appendix B.2, "Groth16 batch verification"): each proof then costs one Miller
//! loop, and all of them together one final exponentiation.
//!
//! **Infinity.** A, B and C may be the point at infinity, as in snarkjs: the equation decides. Only someone who knows
//! the toxic waste, or a circuit whose key is degenerate, has such a proof that holds.
//!
//! **Malleability.** Groth16 proofs can be changed without the witness: (x·A, B/x, C) and (A, B + x·δ, C + x·A)
//! verify too. So a proof's bytes name nothing: no nullifier, no key of a cache of what was spent.
//!
//! Everything runs in the calling thread's rayon pool; see [`keep_to_this_thread`] for threads that are in none.

mod equation;
mod thread;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_types::{Column, Curve as CurveId, ProofKey, Verdict};

use crate::KeyError;
use equation::Prepared;

pub use thread::keep_to_this_thread;

/// A verifying key with its pairings precomputed.
pub struct PreparedKey {
    key: OfCurve,
}

enum OfCurve {
    Bn254(Box<Prepared<Bn254>>),
    Bls12_381(Box<Prepared<Bls12_381>>),
}

impl PreparedKey {
    /// Prepares a key; every point must be on its curve and in its subgroup, and gamma ≠ delta.
    pub fn new(key: &ProofKey) -> Result<Self, KeyError> {
        let key = match key.curve {
            CurveId::Bn254 => OfCurve::Bn254(Box::new(Prepared::new(key)?)),
            CurveId::Bls12_381 => OfCurve::Bls12_381(Box::new(Prepared::new(key)?)),
        };
        Ok(Self { key })
    }

    /// The number of public signals of each proof.
    pub fn public_signals(&self) -> usize {
        match &self.key {
            OfCurve::Bn254(key) => key.public_signals(),
            OfCurve::Bls12_381(key) => key.public_signals(),
        }
    }

    /// Verifies one proof: bytes as in [`crate::Proof`]. *Malformed*: a length, a coordinate ≥ q, a point off its
    /// curve. *Invalid*: a point outside its subgroup, a public signal ≥ r, or the equation fails.
    pub fn verify(&self, proof: &[u8], public_signals: &[u8]) -> Verdict {
        match &self.key {
            OfCurve::Bn254(key) => key.verify(proof, public_signals),
            OfCurve::Bls12_381(key) => key.verify(proof, public_signals),
        }
    }

    /// Verifies proofs, one verdict each, three and more by a random linear combination with fresh 128-bit
    /// coefficients; where that fails, halves are looked at until each bad one is found. A bad proof passes with a
    /// probability of 2^-128.
    ///
    /// Where the operating system gives no randomness, each is verified alone. There is one item of public signals
    /// for each proof, or the answer is *malformed* for those that have none.
    pub fn verify_batch(&self, proofs: Column<'_>, public_signals: Column<'_>) -> Vec<Verdict> {
        match &self.key {
            OfCurve::Bn254(key) => key.verify_batch(proofs, public_signals),
            OfCurve::Bls12_381(key) => key.verify_batch(proofs, public_signals),
        }
    }
}

#[cfg(test)]
mod tests;
