//! The field of p² elements, a + b·i with i² = −1. Bounds are those of the base field for each part.

use super::field::{self, Columns, Fp, limbs};
use crate::lanes::{LANES, Lanes, Mask};
use crate::msm::Coordinate;
use crate::scratch::Words;
use crate::weierstrass::inversion::Invertible;

/// A point in memory: x and y, first the reals, then the imaginaries.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Row([field::Row; 2]);

// SAFETY: two rows without padding.
unsafe impl Words for Row {}

/// Eight elements.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Fp2<L> {
    c0: Fp<L>,
    c1: Fp<L>,
}

// SAFETY: two arrays of lanes.
unsafe impl<L: Lanes> Words for Fp2<L> {}

/// p·R, added to differences of products.
const SHIFTED: [u64; 5] = field::MODULUS_LIMBS;

/// Karatsuba's three products and two reductions. Takes parts whose sums have a·b ≤ 84 p²; below 2.4 p.
#[inline(never)]
fn multiply<L: Lanes>(a: &Fp2<L>, b: &Fp2<L>) -> Fp2<L> {
    L::enter(
        #[inline(always)]
        || {
            L::apart(
                #[inline(always)]
                || {
                    let first = Columns::product(&a.c0, &b.c0).joined();
                    let second = Columns::product(&a.c1, &b.c1).joined();
                    let all = Columns::product(&a.c0.plus(&a.c1), &b.c0.plus(&b.c1)).joined();
                    let (mut real, mut imaginary) = (first, all);
                    limbs!(i => {
                        real[i] = real[i].sub(second[i]);
                        real[5 + i] = real[5 + i].add(L::splat(SHIFTED[i])).sub(second[5 + i]);
                        imaginary[i] = imaginary[i].sub(first[i].add(second[i]));
                        imaginary[5 + i] = imaginary[5 + i].sub(first[5 + i].add(second[5 + i]));
                    });
                    Fp2 { c0: Columns::of_joined(real).reduce(), c1: Columns::of_joined(imaginary).reduce() }
                },
            )
        },
    )
}

/// (a + b)(a − b) + 2ab·i. Takes parts below 3p.
#[inline(never)]
fn square<L: Lanes>(a: &Fp2<L>) -> Fp2<L> {
    L::enter(
        #[inline(always)]
        || {
            L::apart(
                #[inline(always)]
                || {
                    let (sum, difference) = (a.c0.plus(&a.c1), a.c0.minus_limbs(&a.c1));
                    let c0 = Columns::product(&sum, &difference).reduce();
                    Fp2 { c0, c1: Columns::product(&a.c0.plus(&a.c0), &a.c1).reduce() }
                },
            )
        },
    )
}

impl<L: Lanes> Invertible for Fp2<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        multiply(&self, &other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        Self { c0: self.c0.rotated(by), c1: self.c1.rotated(by) }
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        let norm = self.c0.squared().plus(&self.c1.squared());
        let inverse = norm.inverse_of_first();
        // The first lane alone has the inverse of its own norm.
        let number = Self { c0: self.c0.product(&inverse), c1: Fp::zero().minus(&self.c1).product(&inverse) };
        Self { c0: number.c0.first_everywhere(), c1: number.c1.first_everywhere() }
    }
}

impl<L: Lanes> Coordinate<L> for Fp2<L> {
    type Row = Row;
    type Number = [[u64; 4]; 2];

    #[inline(always)]
    fn zero() -> Self {
        Self { c0: Fp::zero(), c1: Fp::zero() }
    }

    #[inline(always)]
    fn one() -> Self {
        Self { c0: Fp::one(), c1: Fp::zero() }
    }

    #[inline(always)]
    fn load(rows: [&Row; LANES], negative: Mask) -> (Self, Self, Mask) {
        let half = |part: usize| {
            let [a, b, c, d, e, f, g, h] = rows;
            [a, b, c, d, e, f, g, h].map(|row| &row.0[part])
        };
        let (x0, y0, real_absent) = Fp::load(half(0), 0);
        let (x1, y1, absent) = Fp::load(half(1), 0);
        let absent = absent & real_absent;
        let negative = negative & !absent;
        let y = Self { c0: y0.negated_where(negative), c1: y1.negated_where(negative) };
        (Self { c0: x0, c1: x1 }, y, absent)
    }

    #[inline(always)]
    fn store(x: &Self, y: &Self) -> [Row; LANES] {
        let (reals, imaginaries) = (Fp::store(&x.c0, &y.c0), Fp::store(&x.c1, &y.c1));
        let mut rows = [Row::default(); LANES];
        for lane in 0..LANES {
            rows[lane] = Row([reals[lane], imaginaries[lane]]);
        }
        rows
    }

    #[inline(always)]
    fn from_numbers(numbers: &[[[u64; 4]; 2]; LANES]) -> Self {
        let mut parts = [[[0; 4]; LANES]; 2];
        for lane in 0..LANES {
            [parts[0][lane], parts[1][lane]] = numbers[lane];
        }
        Self { c0: Fp::from_numbers(&parts[0]), c1: Fp::from_numbers(&parts[1]) }
    }

    #[inline(always)]
    fn to_numbers(&self) -> [[[u64; 4]; 2]; LANES] {
        let (reals, imaginaries) = (self.c0.to_numbers(), self.c1.to_numbers());
        let mut numbers = [[[0; 4]; 2]; LANES];
        for lane in 0..LANES {
            numbers[lane] = [reals[lane], imaginaries[lane]];
        }
        numbers
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        multiply(self, other)
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        square(self)
    }

    #[inline(always)]
    fn sum(&self, other: &Self) -> Self {
        Self { c0: self.c0.plus(&other.c0), c1: self.c1.plus(&other.c1) }
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        Self { c0: self.c0.minus(&other.c0), c1: self.c1.minus(&other.c1) }
    }

    #[inline(always)]
    fn settled_x(&self, x: &Self, run: &Self) -> Self {
        Self { c0: self.c0.settled_x(&x.c0, &run.c0), c1: self.c1.settled_x(&x.c1, &run.c1) }
    }

    #[inline(always)]
    fn settled_minus(&self, other: &Self) -> Self {
        Self { c0: self.c0.settled_minus(&other.c0), c1: self.c1.settled_minus(&other.c1) }
    }

    #[inline(always)]
    fn least(&self) -> Self {
        Self { c0: self.c0.least(), c1: self.c1.least() }
    }

    #[inline(always)]
    fn is_nought(&self) -> Mask {
        self.c0.is_nought() & self.c1.is_nought()
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        self.c0.is_zero() & self.c1.is_zero()
    }

    #[inline(always)]
    fn blend(&self, mask: Mask, other: &Self) -> Self {
        Self { c0: self.c0.blend(mask, &other.c0), c1: self.c1.blend(mask, &other.c1) }
    }
}
