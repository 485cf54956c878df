//! Many inversions for the price of one.

use super::{Element, Modulus};
use crate::lanes::Lanes;

/// Inverts elements (each ≤ 2p; results below 2p), with 0 where an element is 0: Montgomery's trick, three
/// multiplications an element, and a power to p − 2 for all of them together.
pub fn invert_all<L: Lanes, M: Modulus<N>, const N: usize>(elements: &mut [Element<L, M, N>]) {
    L::enter(
        #[inline(always)]
        || invert_in_lanes(elements),
    );
}

#[inline(always)]
fn invert_in_lanes<L: Lanes, M: Modulus<N>, const N: usize>(elements: &mut [Element<L, M, N>]) {
    // Products of all elements before each. A zero counts as one, so that it does not spoil the others of its lane.
    let mut before = vec![(Element::one(), 0); elements.len()];
    let mut product = Element::one();
    for (element, place) in elements.iter().zip(&mut before) {
        let zeros = element.is_zero();
        *place = (product, zeros);
        product = product.mul(&element.select(zeros, &Element::one()));
    }
    let mut inverse = product.pow(&exponent_of_inversion::<M, N>());
    for (element, (before, zeros)) in elements.iter_mut().zip(&before).rev() {
        let inverted = inverse.mul(before).select(*zeros, &Element::zero());
        inverse = inverse.mul(&element.select(*zeros, &Element::one()));
        *element = inverted;
    }
}

/// p − 2, in words.
fn exponent_of_inversion<M: Modulus<N>, const N: usize>() -> [u64; 8] {
    let mut words = [0; 8];
    let mut at = 0;
    for (i, limb) in M::LIMBS.iter().enumerate() {
        let limb = if i == 0 { limb - 2 } else { *limb };
        words[at / 64] |= limb << (at % 64);
        if at % 64 > 12 && at / 64 + 1 < 8 {
            words[at / 64 + 1] |= limb >> (64 - at % 64);
        }
        at += 52;
    }
    words
}
