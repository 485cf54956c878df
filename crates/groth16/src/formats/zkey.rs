//! `.zkey`: a proving key of snarkjs.
//!
//! | section | holds |
//! |---|---|
//! | 1 | protocol: 1 is Groth16 |
//! | 2 | bytes of q, q, bytes of r, r, wires, public signals, domain, alpha1, beta1, beta2, gamma2, delta1, delta2 |
//! | 3 | IC, one point for the constant wire and each public signal |
//! | 4 | number of terms of A and B, then terms: matrix, row, wire, coefficient |
//! | 5, 6, 7 | A in G1, B in G1, B in G2, one point a wire |
//! | 8 | C, one point a private wire |
//! | 9 | H, one point an element of the domain |
//! | 10 | hash of the circuit, contributions of the ceremony: not read |
//!
//! Numbers of 32 bits and field elements are little-endian, coordinates in Montgomery form, coefficients times R²
//! (see [`crate::curve::RawScalar::from_raw_limbs`]).

mod layout;
mod matrices;
mod writer;

pub(crate) use layout::{Layout, curve_of};
pub(crate) use matrices::read_matrices;
pub use writer::{Matrix, Term, ZkeyParts, write};

const FORMAT: &str = ".zkey";
const MAGIC: [u8; 4] = *b"zkey";
const VERSION: u32 = 1;

/// Bytes of a term: matrix, row, wire, coefficient.
const TERM_BYTES: usize = 4 + 4 + 4 + crate::curve::SCALAR_BYTES;

/// The numbers of the sections.
mod section {
    pub(super) const PROTOCOL: u32 = 1;
    pub(super) const HEADER: u32 = 2;
    pub(super) const IC: u32 = 3;
    pub(super) const TERMS: u32 = 4;
    pub(super) const A: u32 = 5;
    pub(super) const B1: u32 = 6;
    pub(super) const B2: u32 = 7;
    pub(super) const C: u32 = 8;
    pub(super) const H: u32 = 9;
    pub(super) const CONTRIBUTIONS: u32 = 10;
}

#[cfg(test)]
mod tests;
