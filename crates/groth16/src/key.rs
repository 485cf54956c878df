//! Proving keys: mapped, made ready once, checked once.

mod check;

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use outrigger_mapping::Mapping;
use outrigger_types::ProofKey;
use outrigger_vector::Unit;

use crate::curve::{Curve, RawPoints};
use crate::engine::vector::KeyBases;
use crate::formats::encoding::point_to_bytes;
use crate::formats::zkey::{Layout, read_matrices};
use crate::{Control, FormatError, Stop};

/// The bytes of a key.
pub trait KeyBytes: AsRef<[u8]> + Send + Sync {
    /// These bytes will not be read soon: what they take of memory beside their file may go.
    fn release(&self, range: Range<usize>) {
        let _ = range;
    }

    /// The file that they are in, where another process can read them.
    fn path(&self) -> Option<PathBuf> {
        None
    }

    /// Their file was moved here.
    fn moved_to(&self, path: &Path) {
        let _ = path;
    }
}

impl KeyBytes for Vec<u8> {}

impl KeyBytes for &'static [u8] {}

/// A mapped file, and where it is.
pub(crate) struct MappedFile {
    mapping: Mapping,
    path: RwLock<PathBuf>,
}

impl MappedFile {
    pub(crate) fn new(mapping: Mapping, path: PathBuf) -> Self {
        Self { mapping, path: RwLock::new(path) }
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        self.mapping.as_ref()
    }
}

impl KeyBytes for MappedFile {
    fn release(&self, range: Range<usize>) {
        self.mapping.release(range);
    }

    fn path(&self) -> Option<PathBuf> {
        Some(self.path.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn moved_to(&self, path: &Path) {
        *self.path.write().unwrap_or_else(PoisonError::into_inner) = path.to_owned();
    }
}

/// Where the bytes of a key lie: a mapped file, or memory.
pub type KeySource = Arc<dyn KeyBytes>;

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
    /// Constraints, as far as the key tells: the rows of A up to its last term, without those of the constant wire and
    /// the public signals, which lie behind.
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
    /// A point is off its curve or outside its subgroup, gamma equals delta, or beta or delta differ between the groups.
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
    /// The coefficients, each once (in a key with very many of them: almost), as [`crate::curve::RawScalar::from_raw_limbs`] of what the `.zkey` stores (c·R²):
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
    source: KeySource,
    sections: Sections,
    verifying_key: Arc<ProofKey>,
    bases: OnceLock<KeyBases<E>>,
}

/// Where the points lie in the file.
#[derive(Clone, Debug)]
struct Sections {
    a: Range<usize>,
    b1: Range<usize>,
    b2: Range<usize>,
    c: Range<usize>,
    h: Range<usize>,
}

impl<E: Curve> ProvingKey<E> {
    /// Reads a key. Lengths, indices, the header's points and those of IC are checked; the other points are not: see
    /// [`ProvingKey::check`].
    ///
    /// # Errors
    /// Where it is no good `.zkey` of this curve.
    pub fn parse(source: KeySource) -> Result<Self, FormatError> {
        let bytes = (*source).as_ref();
        let layout = Layout::<E>::parse(bytes)?;
        let [a, b] = read_matrices(&bytes[layout.terms.clone()], &layout)?;
        source.release(layout.terms.clone());
        let summary = KeySummary {
            curve: E::ID,
            wires: layout.wires,
            public_signals: layout.public_signals,
            domain: layout.domain,
            constraints: a.ends.len().saturating_sub(layout.public_signals + 1),
            bytes: bytes.len(),
        };
        Ok(Self {
            summary,
            alpha1: layout.alpha1,
            beta1: layout.beta1,
            beta2: layout.beta2,
            gamma2: layout.gamma2,
            delta1: layout.delta1,
            delta2: layout.delta2,
            a,
            b,
            verifying_key: Arc::new(verifying_key(&layout)),
            sections: Sections { a: layout.a, b1: layout.b1, b2: layout.b2, c: layout.c, h: layout.h },
            source,
            bases: OnceLock::new(),
        })
    }

    /// Checks what [`ProvingKey::parse`] left out, on the current rayon pool: every point on its curve and in its
    /// subgroup, coordinates below q, gamma ≠ delta, beta and delta the same in both groups.
    ///
    /// # Errors
    /// [`KeyError::Unsound`] names what is wrong and where; [`KeyError::Stopped`] where the check was given up.
    pub fn check(&self, control: &Control) -> Result<(), KeyError> {
        check::check(self, control)
    }

    /// For each wire, its A polynomial at tau in G1 (section 5).
    pub fn a_points(&self) -> RawPoints<'_, E::G1Affine> {
        RawPoints::new(self.bytes(&self.sections.a))
    }

    /// For each wire, its B polynomial at tau in G1 (section 6).
    pub fn b1_points(&self) -> RawPoints<'_, E::G1Affine> {
        RawPoints::new(self.bytes(&self.sections.b1))
    }

    /// For each wire, its B polynomial at tau in G2 (section 7).
    pub fn b2_points(&self) -> RawPoints<'_, E::G2Affine> {
        RawPoints::new(self.bytes(&self.sections.b2))
    }

    /// For each private wire (from number 1 + public signals on), its C term (section 8).
    pub fn c_points(&self) -> RawPoints<'_, E::G1Affine> {
        RawPoints::new(self.bytes(&self.sections.c))
    }

    /// For each element of the odd coset of the domain, its Lagrange term of the quotient (section 9).
    pub fn h_points(&self) -> RawPoints<'_, E::G1Affine> {
        RawPoints::new(self.bytes(&self.sections.h))
    }

    /// The points of A, B1, C, H and B2, as they lie in the file.
    pub(crate) fn sections(&self) -> [&[u8]; 5] {
        let Sections { a, b1, b2, c, h } = &self.sections;
        [a, b1, c, h, b2].map(|section| self.bytes(section))
    }

    fn bytes(&self, section: &Range<usize>) -> &[u8] {
        &(*self.source).as_ref()[section.clone()]
    }

    /// What was read of the points may go from memory.
    pub(crate) fn release_points(&self) {
        let Sections { a, b1, b2, c, h } = &self.sections;
        for section in [a, b1, b2, c, h] {
            self.source.release(section.clone());
        }
    }

    /// The file that the key is in, where there is one.
    pub fn path(&self) -> Option<PathBuf> {
        self.source.path()
    }

    /// The file was moved here, as that of an upload is when it gets its place.
    pub(crate) fn moved_to(&self, path: &Path) {
        self.source.moved_to(path);
    }

    /// What verifies this key's proofs.
    pub fn verifying_key(&self) -> &Arc<ProofKey> {
        &self.verifying_key
    }

    /// The points in lanes: made in the current rayon pool where they are not there yet.
    pub(crate) fn bases(&self, unit: Unit) -> &KeyBases<E> {
        if let Some(bases) = self.bases.get() {
            return bases;
        }
        // Not within `get_or_init`: a thread of the pool that waits for its own parts may take up another proof with
        // this key, and would then wait for itself.
        let made = KeyBases::new(unit, self);
        self.bases.get_or_init(|| made)
    }

    /// Bytes of memory that the key holds beside its file.
    pub fn memory_bytes(&self) -> usize {
        let bases = self.bases.get().map_or(0, KeyBases::memory_bytes);
        size_of::<Self>() + self.a.memory_bytes() + self.b.memory_bytes() + self.verifying_key.bytes.len() + bases
    }
}

impl<E: Curve> fmt::Debug for ProvingKey<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvingKey").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl<F> Rows<F> {
    fn memory_bytes(&self) -> usize {
        self.ends.capacity() * size_of::<u32>()
            + self.terms.capacity() * size_of::<(u32, u32)>()
            + self.coefficients.capacity() * size_of::<F>()
    }
}

fn verifying_key<E: Curve>(layout: &Layout<E>) -> ProofKey {
    let mut bytes = point_to_bytes(&layout.alpha1);
    for point in [&layout.beta2, &layout.gamma2, &layout.delta2] {
        bytes.extend(point_to_bytes(point));
    }
    for point in &layout.ic {
        bytes.extend(point_to_bytes(point));
    }
    ProofKey::new(E::ID, bytes.into())
}

#[cfg(test)]
mod tests;
