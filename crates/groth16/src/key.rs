//! Proving keys: mapped, made ready once, checked once.

use std::fmt;
use std::sync::Arc;

use outrigger_types::ProofKey;

use crate::curve::{Curve, RawPoints};
use crate::{Control, FormatError, Stop};

/// Where the bytes of a key lie: a mapped file, or memory.
pub type KeySource = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The size of a key, in words that need no curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// The curve.
    pub curve: outrigger_types::Curve,
    /// Wires of the circuit, the constant one included.
    pub wires: usize,
    /// Public signals.
    pub public_signals: usize,
    /// Size of the domain, a power of two.
    pub domain: usize,
    /// Rows of A that hold a term beyond those of the public signals: the constraints that the key tells of.
    pub constraints: usize,
    /// Bytes of the `.zkey`.
    pub bytes: usize,
}

/// Why a key is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The file cannot be read.
    Io(String),
    /// It is not a `.zkey` as it should be.
    Format(FormatError),
    /// A point is off its curve or outside its subgroup, or gamma equals delta.
    Unsound(String),
    /// The check was given up.
    Stopped(Stop),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what) => f.write_str(what),
            Self::Format(error) => error.fmt(f),
            Self::Unsound(what) => write!(f, "the proving key must not be used: {what}"),
            Self::Stopped(stop) => stop.fmt(f),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<FormatError> for KeyError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

/// A sparse matrix by rows. Coefficients are few and repeat (most are 1 or −1), so terms hold their number.
#[derive(Clone, Debug, Default)]
pub struct Rows<F> {
    /// Where the terms of each row end.
    pub ends: Vec<u32>,
    /// The terms: a wire, and the number of its coefficient.
    pub terms: Vec<(u32, u32)>,
    /// The coefficients, each once, as [`crate::curve::RawScalar::from_raw_limbs`] of what the `.zkey` stores (c·R²):
    /// times a plain value as raw limbs, each gives the product.
    pub coefficients: Vec<F>,
}

/// A proving key of one curve. Its points stay where the file is mapped; its matrices are kept by rows.
pub struct ProvingKey<E: Curve> {
    /// The size of the key.
    pub summary: KeySummary,
    /// alpha in G1.
    pub alpha1: E::G1Affine,
    /// beta in G1.
    pub beta1: E::G1Affine,
    /// beta in G2.
    pub beta2: E::G2Affine,
    /// gamma in G2.
    pub gamma2: E::G2Affine,
    /// delta in G1.
    pub delta1: E::G1Affine,
    /// delta in G2.
    pub delta2: E::G2Affine,
    /// The matrix A, with the rows of the public signals behind those of the constraints.
    pub a: Rows<E::ScalarField>,
    /// The matrix B.
    pub b: Rows<E::ScalarField>,
}

impl<E: Curve> ProvingKey<E> {
    /// Reads a key. Lengths, indices and the header's points are checked; the other points are not: see
    /// [`ProvingKey::check`].
    pub fn parse(_source: KeySource) -> Result<Self, FormatError> {
        todo!()
    }

    /// Checks what [`ProvingKey::parse`] left out, on the current rayon pool: every point on its curve and in its
    /// subgroup, coordinates below q, gamma ≠ delta.
    pub fn check(&self, _control: &Control) -> Result<(), KeyError> {
        todo!()
    }

    /// For each wire, its A polynomial at tau in G1 (section 5).
    pub fn a_points(&self) -> RawPoints<'_, E::G1Affine> {
        todo!()
    }

    /// For each wire, its B polynomial at tau in G1 (section 6).
    pub fn b1_points(&self) -> RawPoints<'_, E::G1Affine> {
        todo!()
    }

    /// For each wire, its B polynomial at tau in G2 (section 7).
    pub fn b2_points(&self) -> RawPoints<'_, E::G2Affine> {
        todo!()
    }

    /// For each private wire (from number 1 + public signals on), its C term (section 8).
    pub fn c_points(&self) -> RawPoints<'_, E::G1Affine> {
        todo!()
    }

    /// For each element of the odd coset of the domain, its Lagrange term of the quotient (section 9).
    pub fn h_points(&self) -> RawPoints<'_, E::G1Affine> {
        todo!()
    }

    /// What verifies this key's proofs.
    pub fn verifying_key(&self) -> ProofKey {
        todo!()
    }

    /// Bytes of memory that the key holds beside its file.
    pub fn memory_bytes(&self) -> usize {
        todo!()
    }
}
