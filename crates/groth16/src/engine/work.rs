//! How much work a proof is, before it is begun: what engines are compared by.

use super::PlainScalar;
use crate::{KeySummary, Witness};

/// Bits of a window of a multi-scalar multiplication of ordinary size.
const WINDOW_BITS: u64 = 13;
/// Bits of a scalar of full width.
const SCALAR_BITS: u64 = 254;
/// An addition in G2, in additions in G1.
const IN_G2: u64 = 3;
/// Butterflies of a transform that take as long as an addition in G1.
const BUTTERFLIES: u64 = 5;

/// About how much work a proof is, in additions of points of G1: the transforms by the size of the domain, the sums by
/// how many wires are not zero, and how wide they are. Engines take different times for a unit, and one engine about
/// the same for proofs of about the same work.
pub fn work_of_proof(key: &KeySummary, witness: &Witness) -> u64 {
    let domain = key.domain as u64;
    let transforms = 6 * domain / 2 * u64::from(domain.trailing_zeros()) / BUTTERFLIES;
    let wires: u64 = witness.values().iter().map(additions).sum();
    transforms + domain * SCALAR_BITS.div_ceil(WINDOW_BITS) + (3 + IN_G2) * wires
}

fn additions(scalar: &PlainScalar) -> u64 {
    match scalar {
        [0, 0, 0, 0] => 0,
        [low, 0, 0, 0] => u64::from(low.ilog2() + 1).div_ceil(WINDOW_BITS),
        _ => SCALAR_BITS.div_ceil(WINDOW_BITS),
    }
}
