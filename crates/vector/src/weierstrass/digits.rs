//! Scalars as signed odd digits.
//!
//! An odd k below 2^W is Σ dᵢ·2^(w·i) with W/w digits dᵢ, all odd and between −2^w and 2^w: the windows bᵢ of w bits
//! of B = (k + 2^W − 1)/2 give dᵢ = 2·bᵢ − (2^w − 1). No digit is 0, so no lane has nothing to add. An even k is
//! −(m − k) modulo the order m, and changing the sign of all digits is flipping all bits of B.

use super::field::{Element, Loose, Modulus};
use crate::lanes::{LANES, Lanes, Mask};
use crate::radix52::LIMB_MASK;

/// A scalar of each lane, recoded over `BITS` bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digits<L, const BITS: usize>([L; 5]);

/// Digits of the lanes at one place: the digit is ±(2·index + 1), minus in the lanes of the mask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digit {
    pub(crate) indices: [u64; LANES],
    pub(crate) negative: Mask,
}

impl<L: Lanes, const BITS: usize> Digits<L, BITS> {
    /// Recodes numbers in 0..=m. What stands for 0 and m are digits whose sum is a multiple of m.
    #[inline(always)]
    pub(crate) fn new<M: Modulus>(scalar: &[L; 5]) -> Self {
        const { assert!(BITS >= 256 && BITS <= 260) };
        let one = L::splat(1);
        let odd = scalar[0].test(one);
        let scalar = Element::<M, L>::from_montgomery(*scalar);
        let zero = Element::from_montgomery([L::zero(); 5]);
        let opposite: Loose<M, L> = zero.loose().plus_modulus::<1>().minus(&scalar);
        let [a, b, c, d, e] = opposite.carry().blend(odd, &scalar).montgomery();
        let half = |low: L, high: L| low.shr::<1>().or(high.and(one).shl::<51>());
        let top = e.shr::<1>().or(L::splat(1 << (BITS - 1 - 208)));
        let flip = L::splat(LIMB_MASK).keep(!odd);
        Self([half(a, b).xor(flip), half(b, c).xor(flip), half(c, d).xor(flip), half(d, e).xor(flip), top.xor(flip)])
    }

    /// The digits of `width` bits, at most 51, at bit `position`.
    #[inline(always)]
    pub(crate) fn at(&self, position: usize, width: usize) -> Digit {
        let (limb, shift) = (position / 52, position % 52);
        let low = self.0[limb].shr_by(L::splat(shift as u64));
        let high = self.0.get(limb + 1).map_or(L::zero(), |high| high.shl_by(L::splat(52 - shift as u64)));
        let window = low.or(high).and(L::splat((1 << width) - 1));
        let half = 1 << (width - 1);
        let positive = window.test(L::splat(half));
        let flip = L::splat(half - 1).blend(positive, L::splat(half));
        Digit { indices: window.xor(flip).to_array(), negative: !positive }
    }
}

#[cfg(test)]
mod tests;
