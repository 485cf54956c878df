//! Keys and proofs without a type parameter: what everything around the prover holds.

use std::path::Path;
use std::sync::Arc;

use outrigger_types::{Curve, ProofKey};

use crate::engine::EngineChoice;
use crate::key::KeySource;
use crate::{Control, KeyError, KeySummary, ProveError, Proved, R1cs, Witness};

/// A proof with its public signals, as they travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The curve.
    pub curve: Curve,
    /// A ‖ B ‖ C, uncompressed, coordinates big-endian, those of G2 as (c1, c0): EIP-197's order.
    pub bytes: Vec<u8>,
    /// The public signals, 32 bytes big-endian each.
    pub public_signals: Vec<u8>,
}

/// A proving key that is ready to prove with.
pub struct ReadyKey {}

impl ReadyKey {
    /// Maps a `.zkey` and makes it ready. Its points are not checked: see [`ReadyKey::check`].
    pub fn open(_path: &Path) -> Result<Self, KeyError> {
        todo!()
    }

    /// Makes a key in memory ready.
    pub fn of_source(_source: KeySource) -> Result<Self, KeyError> {
        todo!()
    }

    /// Checks every point, in the current rayon pool.
    pub fn check(&self, _control: &Control) -> Result<(), KeyError> {
        todo!()
    }

    /// The size of the key.
    pub fn summary(&self) -> KeySummary {
        todo!()
    }

    /// What verifies this key's proofs.
    pub fn verifying_key(&self) -> &Arc<ProofKey> {
        todo!()
    }

    /// Bytes of memory that the key holds beside its file.
    pub fn memory_bytes(&self) -> usize {
        todo!()
    }

    /// Proves: see [`crate::prover::prove`].
    pub fn prove(
        &self,
        _witness: &Witness,
        _r1cs: Option<&R1cs>,
        _engine: EngineChoice,
        _control: &Control,
    ) -> Result<Proved, ProveError> {
        todo!()
    }
}
