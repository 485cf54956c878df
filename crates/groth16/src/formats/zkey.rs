//! `.zkey`: a proving key of snarkjs.

use std::io::{self, Write};

use ark_ff::{PrimeField, Zero};

use crate::curve::{Curve, RawField, RawPoint, RawScalar, SCALAR_BYTES, point_bytes, write_point};
use crate::formats::sections::{write_file_header, write_section_header};

/// The matrix of a term: section 4 has A and B; C is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// A.
    A = 0,
    /// B.
    B = 1,
}

/// A coefficient of a matrix.
#[derive(Clone, Copy, Debug)]
pub struct Term<F> {
    /// The matrix.
    pub matrix: Matrix,
    /// The row: a constraint, or for A also a public signal (row constraints + s for wire s, coefficient 1; the
    /// constant wire is s = 0).
    pub row: u32,
    /// The wire.
    pub wire: u32,
    /// The coefficient itself, in no special form.
    pub value: F,
}

/// What a `.zkey` holds.
#[derive(Clone, Copy, Debug)]
pub struct ZkeyParts<'a, E: Curve> {
    /// Public signals.
    pub public_signals: u32,
    /// Size of the domain, a power of two.
    pub domain: u32,
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
    /// Section 3: one point for the constant wire and each public signal.
    pub ic: &'a [E::G1Affine],
    /// Section 4: the terms of A and B, those of the public signals' rows included.
    pub terms: &'a [Term<E::ScalarField>],
    /// Section 5: one point a wire.
    pub a: &'a [E::G1Affine],
    /// Section 6: one point a wire.
    pub b1: &'a [E::G1Affine],
    /// Section 7: one point a wire.
    pub b2: &'a [E::G2Affine],
    /// Section 8: one point a private wire.
    pub c: &'a [E::G1Affine],
    /// Section 9: one point an element of the domain.
    pub h: &'a [E::G1Affine],
    /// Section 10: the hash of the circuit that contributions to a ceremony refer to.
    pub circuit_hash: [u8; 64],
}

/// Writes a `.zkey` in the order of snarkjs's sections (1, 2, 4, 3, 9, 8, 5, 6, 7, 10), with no contributions.
///
/// # Errors
/// Where the parts do not fit together (lengths), or where `into` cannot be written.
pub fn write<E: Curve>(_parts: &ZkeyParts<'_, E>, _into: &mut dyn Write) -> io::Result<()> {
    todo!()
}
