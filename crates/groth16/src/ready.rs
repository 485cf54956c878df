//! Keys and proofs without a type parameter: what everything around the prover holds.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_mapping::Mapping;
use outrigger_types::{Curve as CurveId, ProofKey};

use crate::curve::Curve;
use crate::engine::{Arithmetic, ProofEngine};
use crate::formats::zkey;
use crate::key::{KeySource, MappedFile};
use crate::{Control, KeyError, KeySummary, ProveError, Proved, ProvingKey, R1cs, Wanted, Witness, prover};

/// A proof with its public signals, as they travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The curve.
    pub curve: CurveId,
    /// A ‖ B ‖ C, uncompressed, coordinates big-endian, those of G2 as (c1, c0): EIP-197's order.
    pub bytes: Vec<u8>,
    /// The public signals, 32 bytes big-endian each.
    pub public_signals: Vec<u8>,
}

/// A proving key that is ready to prove with.
pub struct ReadyKey {
    key: Box<dyn AnyKey>,
}

/// A proving key of whichever curve.
trait AnyKey: Send + Sync {
    fn check(&self, control: &Control) -> Result<(), KeyError>;
    fn summary(&self) -> KeySummary;
    fn verifying_key(&self) -> &Arc<ProofKey>;
    fn memory_bytes(&self) -> usize;
    fn moved_to(&self, path: &Path);
    fn prove(
        &self,
        witness: &Witness,
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
        control: &Control,
    ) -> Result<Proved, ProveError>;
    fn prove_many(
        &self,
        wanted: &[Wanted<'_>],
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
    ) -> Vec<Result<Proved, ProveError>>;
}

impl<E: Curve> AnyKey for ProvingKey<E> {
    fn check(&self, control: &Control) -> Result<(), KeyError> {
        self.check(control)
    }

    fn summary(&self) -> KeySummary {
        self.summary
    }

    fn verifying_key(&self) -> &Arc<ProofKey> {
        self.verifying_key()
    }

    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }

    fn moved_to(&self, path: &Path) {
        self.moved_to(path);
    }

    fn prove(
        &self,
        witness: &Witness,
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
        control: &Control,
    ) -> Result<Proved, ProveError> {
        prover::prove(self, witness, r1cs, E::arithmetic(engine), &stand_ins(engine), control)
    }

    fn prove_many(
        &self,
        wanted: &[Wanted<'_>],
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
    ) -> Vec<Result<Proved, ProveError>> {
        prover::prove_many(self, wanted, r1cs, E::arithmetic(engine), &stand_ins(engine))
    }
}

fn stand_ins<E: Curve>(engine: &dyn ProofEngine) -> Vec<&'static dyn Arithmetic<E>> {
    engine.stand_ins().iter().map(|choice| choice.of::<E>()).collect()
}

impl ReadyKey {
    /// Maps a `.zkey` and makes it ready. Its points are not checked: see [`ReadyKey::check`].
    ///
    /// # Errors
    /// Where the file cannot be mapped, or is no good `.zkey`.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |error| KeyError::Io(format!("{}: {error}", path.display()));
        let mapping = Mapping::open(path).map_err(unreadable)?;
        mapping.will_need();
        let path = std::path::absolute(path).map_err(unreadable)?;
        Self::of_source(Arc::new(MappedFile::new(mapping, path)))
    }

    /// Makes a key in memory ready.
    ///
    /// # Errors
    /// Where it is no good `.zkey`.
    pub fn of_source(source: KeySource) -> Result<Self, KeyError> {
        let key: Box<dyn AnyKey> = match zkey::curve_of((*source).as_ref())? {
            CurveId::Bn254 => Box::new(ProvingKey::<Bn254>::parse(source)?),
            CurveId::Bls12_381 => Box::new(ProvingKey::<Bls12_381>::parse(source)?),
        };
        Ok(Self { key })
    }

    /// Checks every point, in the current rayon pool: see [`ProvingKey::check`].
    ///
    /// # Errors
    /// Where the key must not be used, or the check was given up.
    pub fn check(&self, control: &Control) -> Result<(), KeyError> {
        self.key.check(control)
    }

    /// The size of the key.
    pub fn summary(&self) -> KeySummary {
        self.key.summary()
    }

    /// What verifies this key's proofs.
    pub fn verifying_key(&self) -> &Arc<ProofKey> {
        self.key.verifying_key()
    }

    /// Bytes of memory that the key holds beside its file.
    pub fn memory_bytes(&self) -> usize {
        self.key.memory_bytes()
    }

    /// Its file was moved here.
    pub(crate) fn moved_to(&self, path: &Path) {
        self.key.moved_to(path);
    }

    /// Proves: see [`crate::prover::prove`].
    ///
    /// # Errors
    /// Where there is no proof: see [`ProveError`].
    pub fn prove(
        &self,
        witness: &Witness,
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
        control: &Control,
    ) -> Result<Proved, ProveError> {
        self.key.prove(witness, r1cs, engine, control)
    }

    /// Proves several times with this key: see [`crate::prover::prove_many`].
    pub fn prove_many(
        &self,
        wanted: &[Wanted<'_>],
        r1cs: Option<&R1cs>,
        engine: &dyn ProofEngine,
    ) -> Vec<Result<Proved, ProveError>> {
        self.key.prove_many(wanted, r1cs, engine)
    }
}

impl fmt::Debug for ReadyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyKey").field("summary", &self.summary()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
