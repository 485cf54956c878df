//! Sums of products that are reduced two at a time.

use std::marker::PhantomData;

use super::{Element, Modulus, unrolled};
use crate::lanes::Lanes;
use crate::radix52::LIMB_MASK;

/// As [`Columns`](super::Columns), with one register a column: half as many, so that two sums fit the registers, and
/// chains of additions twice as long. What is lost in one sum is won by reducing two side by side
/// ([`Joined::reduce_two`]), where each waits while the other works: with eight limbs a reduction alone leaves half of
/// the multiplier idle, and the one after it is too far away for the processor to begin it early.
///
/// **Bounds**: those of [`Columns`](super::Columns).
#[derive(Clone, Copy, Debug)]
pub struct Joined<L, M, const N: usize> {
    columns: [[L; N]; 2],
    modulus: PhantomData<M>,
}

/// Column `k` of the two halves.
macro_rules! at {
    ($halves:expr, $k:expr) => {
        $halves[$k / N][$k % N]
    };
}

impl<L: Lanes, M: Modulus<N>, const N: usize> Joined<L, M, N> {
    /// The product of two elements.
    #[inline(always)]
    pub fn product(a: &Element<L, M, N>, b: &Element<L, M, N>) -> Self {
        Self { columns: [[L::zero(); N]; 2], modulus: PhantomData }.plus(a, b)
    }

    /// `self` + a·b.
    #[inline(always)]
    #[must_use]
    pub fn plus(self, a: &Element<L, M, N>, b: &Element<L, M, N>) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self.columns;
                a.debug_check();
                b.debug_check();
                unrolled!(N, i => {
                    unrolled!(N, j => {
                        at!(sum, (i + j)) = at!(sum, (i + j)).madd_lo(a.limbs[i], b.limbs[j]);
                        at!(sum, (i + j + 1)) = at!(sum, (i + j + 1)).madd_hi(a.limbs[i], b.limbs[j]);
                    });
                });
                Self { columns: sum, ..self }
            },
        )
    }

    /// The square of an element.
    #[inline(always)]
    pub fn square(a: &Element<L, M, N>) -> Self {
        L::apart(
            #[inline(always)]
            || {
                a.debug_check();
                let mut sum = [[L::zero(); N]; 2];
                unrolled!(N, i => {
                    unrolled!(N, j => {
                        if j > i {
                            at!(sum, (i + j)) = at!(sum, (i + j)).madd_lo(a.limbs[i], a.limbs[j]);
                            at!(sum, (i + j + 1)) = at!(sum, (i + j + 1)).madd_hi(a.limbs[i], a.limbs[j]);
                        }
                    });
                });
                unrolled!(2, half => {
                    unrolled!(N, i => { sum[half][i] = sum[half][i].add(sum[half][i]); });
                });
                unrolled!(N, i => {
                    at!(sum, (2 * i)) = at!(sum, (2 * i)).madd_lo(a.limbs[i], a.limbs[i]);
                    at!(sum, (2 * i + 1)) = at!(sum, (2 * i + 1)).madd_hi(a.limbs[i], a.limbs[i]);
                });
                Self { columns: sum, modulus: PhantomData }
            },
        )
    }

    /// Column by column.
    #[inline(always)]
    #[must_use]
    pub fn plus_all(self, other: &Self) -> Self {
        let mut sum = self.columns;
        unrolled!(2, half => {
            unrolled!(N, i => { sum[half][i] = sum[half][i].add(other.columns[half][i]); });
        });
        Self { columns: sum, ..self }
    }

    /// Column by column; columns may become negative.
    #[inline(always)]
    #[must_use]
    pub fn minus_all(self, other: &Self) -> Self {
        let mut difference = self.columns;
        unrolled!(2, half => {
            unrolled!(N, i => { difference[half][i] = difference[half][i].sub(other.columns[half][i]); });
        });
        Self { columns: difference, ..self }
    }

    /// `self` + p·R, which reduces to p more: keeps differences of products positive.
    #[inline(always)]
    #[must_use]
    pub fn plus_modulus(mut self) -> Self {
        unrolled!(N, i => { self.columns[1][i] = self.columns[1][i].add(L::splat(M::LIMBS[i])); });
        self
    }

    /// Both numbers over R, mod p, as [`Columns::reduce`](super::Columns::reduce) gives them.
    #[inline(always)]
    pub fn reduce_two(self, other: Self) -> [Element<L, M, N>; 2] {
        L::apart(
            #[inline(always)]
            || {
                let (mut a, mut b) = (self.columns, other.columns);
                let inverse = L::splat(M::NEGATED_INVERSE);
                let round_up = L::splat(LIMB_MASK);
                unrolled!(N, i => {
                    let (column_a, column_b) = (at!(a, i), at!(b, i));
                    let q_a = L::zero().madd_lo(column_a, inverse);
                    let q_b = L::zero().madd_lo(column_b, inverse);
                    at!(a, (i + 1)) = at!(a, (i + 1)).add(column_a.add(round_up).sar::<52>());
                    at!(b, (i + 1)) = at!(b, (i + 1)).add(column_b.add(round_up).sar::<52>());
                    unrolled!(N, j => {
                        let limb = L::splat(M::LIMBS[j]);
                        if j > 0 {
                            at!(a, (i + j)) = at!(a, (i + j)).madd_lo(q_a, limb);
                            at!(b, (i + j)) = at!(b, (i + j)).madd_lo(q_b, limb);
                        }
                        at!(a, (i + j + 1)) = at!(a, (i + j + 1)).madd_hi(q_a, limb);
                        at!(b, (i + j + 1)) = at!(b, (i + j + 1)).madd_hi(q_b, limb);
                    });
                });
                [Element::from_signed_columns(a[1]), Element::from_signed_columns(b[1])]
            },
        )
    }
}
