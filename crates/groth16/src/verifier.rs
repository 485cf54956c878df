//! Verification: one proof, or many of one key by a random linear combination.

use outrigger_types::{Column, ProofKey, Verdict};

use crate::KeyError;

/// A verifying key with its pairings precomputed.
pub struct PreparedKey {}

impl PreparedKey {
    /// Prepares a key; every point must be on its curve and in its subgroup, and gamma ≠ delta.
    pub fn new(_key: &ProofKey) -> Result<Self, KeyError> {
        todo!()
    }

    /// Verifies one proof: bytes as in [`crate::Proof`]. *Malformed*: a length, a coordinate ≥ q, a point off its
    /// curve. *Invalid*: a point outside its subgroup, a public signal ≥ r, or the equation fails.
    pub fn verify(&self, _proof: &[u8], _public_signals: &[u8]) -> Verdict {
        todo!()
    }

    /// Verifies proofs, one verdict each, by a random linear combination with fresh 128-bit coefficients; where that
    /// fails, halves are looked at until each bad one is found. A bad proof passes with a probability of 2^-128.
    pub fn verify_batch(&self, _proofs: Column<'_>, _public_signals: Column<'_>) -> Vec<Verdict> {
        todo!()
    }
}
