//! Number-theoretic transforms over the scalar fields of BN254 and BLS12-381, eight elements at a time.
//!
//! [`Transform`] is a single one, from natural order to natural order; [`Quotient`] all that a Groth16 prover needs,
//! from the values of a and b on its domain to those of a·b − c on the coset.
//!
//! **Domains** are those of snarkjs: the generator w of 2^k elements is 5^((p − 1)/2^s), s being the two-adicity,
//! squared s − k times. A coset is the domain times the root of w that is squared once less.
//!
//! **How.** The levels before the middle split polynomials, X^2m − z² into X^m − z and X^m + z, so that a block of
//! butterflies has one factor; lanes are the lowest bits of the index, and all eight have the same factor. In the
//! middle, a transposition of eight vectors by eight lanes gives the levels within a vector, with factors that differ
//! from lane to lane; from then on lanes are the highest bits. The levels after the middle merge: decimation in time,
//! where a factor belongs to a place in a block, and is again the same for all lanes. There the coset's shift is part
//! of the factors, and costs nothing. Nothing is ever reversed in memory: a single transform writes its results where
//! they belong, since what were the highest bits of an index are then the lowest of its reversal, and in the lanes.
//!
//! **Memory.** Each pass works on √n vectors of 320 bytes, give or take, which lie in a level-2 cache: a transform
//! goes through memory twice, and a quotient, of six transforms, three times.
//!
//! **Arithmetic** and its bounds: see `arithmetic`. Factors are kept with their quotients by p, 80 bytes each.

use std::fmt;

use crate::montgomery::{Modulus, constants};

mod arithmetic;
mod factors;
mod levels;
mod pieces;
mod quotient;
mod shape;
mod transform;

pub use crate::poseidon::Bn254Scalars;
pub use pieces::{InOrder, Schedule, Workspace};
pub use quotient::{Quotient, Values};
pub use transform::Transform;

/// A number of four little-endian words.
pub type Number = [u64; 4];

/// A field with roots of unity, of a modulus between 2²⁵³ and 2²⁵⁵.
pub trait ScalarField: Modulus<5> {
    /// s: p − 1 is an odd number times 2^s.
    const TWO_ADICITY: u32;
    /// The smallest number that is no square.
    const NON_RESIDUE: u64;
}

impl ScalarField for Bn254Scalars {
    const TWO_ADICITY: u32 = 28;
    const NON_RESIDUE: u64 = 5;
}

/// The scalar field of BLS12-381: r = 52435875175126190479447740508185965837690552500527637822603658699938581184513.
#[derive(Clone, Copy, Debug)]
pub struct Bls12381Scalars;

impl Modulus<5> for Bls12381Scalars {
    const LIMBS: [u64; 5] =
        constants::limbs(&[0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48]);
}

impl ScalarField for Bls12381Scalars {
    const TWO_ADICITY: u32 = 32;
    const NON_RESIDUE: u64 = 5;
}

/// How numbers stand for elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Plain,
    /// Times 2^256.
    Montgomery,
}

impl Form {
    const fn exponent(self) -> i64 {
        match self {
            Self::Plain => 0,
            Self::Montgomery => 256,
        }
    }
}

/// A transform that the field has no root of unity for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeError {
    /// The binary logarithm of the size that was asked for.
    pub log_size: u32,
    /// The greatest that there is.
    pub most: u32,
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a transform of 2^{} elements: the field's roots of unity allow at most 2^{}",
            self.log_size, self.most
        )
    }
}

impl std::error::Error for SizeError {}

fn check_size<M: ScalarField>(log_size: u32, coset: bool) -> Result<(), SizeError> {
    let most = M::TWO_ADICITY - u32::from(coset);
    if log_size > most { Err(SizeError { log_size, most }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
