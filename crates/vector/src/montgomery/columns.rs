//! Sums of products before their reduction.

use std::marker::PhantomData;

use super::{Element, Modulus, unrolled};
use crate::lanes::Lanes;
use crate::radix52::LIMB_MASK;

/// A sum of products, one number a lane, as 2·`N` columns of weight 2^52k, split in two registers each so that chains
/// of additions are half as long.
///
/// **Bounds.** A product adds less than 2·`N`·2⁵² to a column, so up to 64 products of eight limbs fit a word with
/// its sign. The number as a whole must end in 0 ≤ number, and below R·p for a result below 2p.
#[derive(Clone, Copy, Debug)]
pub struct Columns<L, M, const N: usize> {
    low: [[L; N]; 2],
    high: [[L; N]; 2],
    modulus: PhantomData<M>,
}

/// Column `k` of the two halves.
macro_rules! at {
    ($halves:expr, $k:expr) => {
        $halves[$k / N][$k % N]
    };
}

impl<L: Lanes, M: Modulus<N>, const N: usize> Columns<L, M, N> {
    /// Nothing yet.
    #[inline(always)]
    pub fn zero() -> Self {
        Self { low: [[L::zero(); N]; 2], high: [[L::zero(); N]; 2], modulus: PhantomData }
    }

    /// `number`·R: what reduces to `number`. To add an element to a sum of products.
    #[inline(always)]
    pub fn shifted(number: &Element<L, M, N>) -> Self {
        Self { low: [[L::zero(); N], number.limbs], ..Self::zero() }
    }

    /// `number` as it is: what reduces to `number`/R.
    #[inline(always)]
    pub(super) fn unshifted(number: &Element<L, M, N>) -> Self {
        Self { low: [number.limbs, [L::zero(); N]], ..Self::zero() }
    }

    /// The product of two elements. 2·N² multiplications.
    #[inline(always)]
    pub fn product(a: &Element<L, M, N>, b: &Element<L, M, N>) -> Self {
        Self::zero().plus(a, b)
    }

    /// `self` + a·b.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, a: &Element<L, M, N>, b: &Element<L, M, N>) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self;
                a.debug_check();
                b.debug_check();
                unrolled!(N, i => {
                    unrolled!(N, j => {
                        at!(sum.low, (i + j)) = at!(sum.low, (i + j)).madd_lo(a.limbs[i], b.limbs[j]);
                        at!(sum.high, (i + j + 1)) = at!(sum.high, (i + j + 1)).madd_hi(a.limbs[i], b.limbs[j]);
                    });
                });
                sum
            },
        )
    }

    /// The square of an element. N·(N + 1) multiplications.
    #[inline(always)]
    pub fn square(a: &Element<L, M, N>) -> Self {
        L::apart(
            #[inline(always)]
            || {
                a.debug_check();
                let mut sum = Self::zero();
                unrolled!(N, i => {
                    unrolled!(N, j => {
                        if j > i {
                            at!(sum.low, (i + j)) = at!(sum.low, (i + j)).madd_lo(a.limbs[i], a.limbs[j]);
                            at!(sum.high, (i + j + 1)) = at!(sum.high, (i + j + 1)).madd_hi(a.limbs[i], a.limbs[j]);
                        }
                    });
                });
                unrolled!(2, half => {
                    unrolled!(N, i => {
                        sum.low[half][i] = sum.low[half][i].add(sum.low[half][i]);
                        sum.high[half][i] = sum.high[half][i].add(sum.high[half][i]);
                    });
                });
                unrolled!(N, i => {
                    at!(sum.low, (2 * i)) = at!(sum.low, (2 * i)).madd_lo(a.limbs[i], a.limbs[i]);
                    at!(sum.high, (2 * i + 1)) = at!(sum.high, (2 * i + 1)).madd_hi(a.limbs[i], a.limbs[i]);
                });
                sum
            },
        )
    }

    /// Column by column.
    #[inline(always)]
    #[must_use]
    pub fn plus_all(self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self;
                unrolled!(2, half => {
                    unrolled!(N, i => {
                        sum.low[half][i] = sum.low[half][i].add(other.low[half][i]);
                        sum.high[half][i] = sum.high[half][i].add(other.high[half][i]);
                    });
                });
                sum
            },
        )
    }

    /// Column by column; columns may become negative.
    #[inline(always)]
    #[must_use]
    pub fn minus_all(self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self;
                unrolled!(2, half => {
                    unrolled!(N, i => {
                        sum.low[half][i] = sum.low[half][i].sub(other.low[half][i]);
                        sum.high[half][i] = sum.high[half][i].sub(other.high[half][i]);
                    });
                });
                sum
            },
        )
    }

    /// `self` + `K`·p·R, which reduces to `K`·p more: keeps differences of products positive.
    #[inline(always)]
    #[must_use]
    pub fn plus_multiple<const K: u64>(mut self) -> Self {
        let multiple = const { super::constants::multiple(&M::LIMBS, K) };
        unrolled!(N, i => { self.low[1][i] = self.low[1][i].add(L::splat(multiple[i])); });
        self
    }

    /// The number over R, mod p: below number/R + p, in proper limbs. 2·N² multiplications.
    ///
    /// **How.** Montgomery's reduction, digit by digit: q makes the lowest column a multiple of 2⁵² and the column
    /// goes away. Its low bits need no multiplication: added to those of q·p they give 0 or 2⁵², so that what is
    /// carried on is the column divided by 2⁵² and rounded up.
    #[inline(always)]
    pub fn reduce(self) -> Element<L, M, N> {
        L::apart(
            #[inline(always)]
            || {
                let Self { mut low, mut high, .. } = self;
                let inverse = L::splat(M::NEGATED_INVERSE);
                let round_up = L::splat(LIMB_MASK);
                unrolled!(N, i => {
                    let column = at!(low, i).add(at!(high, i));
                    let q = L::zero().madd_lo(column, inverse);
                    let carry = column.add(round_up).sar::<52>();
                    at!(low, (i + 1)) = at!(low, (i + 1)).add(carry);
                    unrolled!(N, j => {
                        let limb = L::splat(M::LIMBS[j]);
                        if j > 0 {
                            at!(low, (i + j)) = at!(low, (i + j)).madd_lo(q, limb);
                        }
                        at!(high, (i + j + 1)) = at!(high, (i + j + 1)).madd_hi(q, limb);
                    });
                });
                let mut sums = low[1];
                unrolled!(N, i => { sums[i] = sums[i].add(high[1][i]); });
                Element::from_signed_columns(sums)
            },
        )
    }
}
