//! Coordinates of G2. Bounds are those of the base field for each part, but products are below 2.01 p.

use super::field::{
    columns_of_limbs, from_words, inverse_of_first, is_nought, least, limbs_of_columns, negated_where, rotated_limbs,
    settled_minus, settled_x,
};
use crate::bls12_381::base;
use crate::bls12_381::field::Field as _;
use crate::bls12_381::quadratic;
use crate::lanes::{LANES, Lanes, Mask, transpose};
use crate::montgomery::{Element, unrolled};
use crate::msm::Coordinate;
use crate::scratch::Words;
use crate::weierstrass::inversion::Invertible;

/// A point in memory: x and y, the real part first, six little-endian words each; all 0 for infinity.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub struct Row([[u64; LANES]; 3]);

// SAFETY: an array of integers, of three times the size of its alignment.
unsafe impl Words for Row {}

/// Eight elements.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Fp2<L>(quadratic::Fp2<L>);

// SAFETY: two arrays of lanes.
unsafe impl<L: Lanes> Words for Fp2<L> {}

impl<L: Lanes> Fp2<L> {
    #[inline(always)]
    fn new(c0: base::Fp<L>, c1: base::Fp<L>) -> Self {
        Self(quadratic::Fp2 { c0, c1 })
    }
}

/// Lane 0 in all lanes.
#[inline(always)]
fn first_everywhere<L: Lanes>(number: &base::Fp<L>) -> base::Fp<L> {
    let mut limbs = *number.limbs();
    unrolled!(8, i => { limbs[i] = limbs[i].pick(limbs[i], L::zero()); });
    Element::from_limbs(limbs)
}

impl<L: Lanes> Invertible for Fp2<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.product(&other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        Self::new(rotated_limbs(&self.0.c0, by), rotated_limbs(&self.0.c1, by))
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        // The first lane alone has the inverse of its own norm.
        let number = self.0.inverse_by_norm(&inverse_of_first(&self.0.norm()));
        Self::new(first_everywhere(&number.c0), first_everywhere(&number.c1))
    }
}

impl<L: Lanes> Coordinate<L> for Fp2<L> {
    type Row = Row;
    type Number = [[u64; 6]; 2];

    #[inline(always)]
    fn zero() -> Self {
        Self(quadratic::Fp2::zero())
    }

    #[inline(always)]
    fn one() -> Self {
        Self(quadratic::Fp2::one())
    }

    #[inline(always)]
    fn load(rows: [&Row; LANES], negative: Mask) -> (Self, Self, Mask) {
        let [a, b, c, d, e, f, g, h] = rows;
        let third = |part: usize| {
            [&a.0[part], &b.0[part], &c.0[part], &d.0[part], &e.0[part], &f.0[part], &g.0[part], &h.0[part]]
        };
        let [x0, x1, x2, x3, x4, x5, x6, x7] = L::load_columns(third(0));
        let [x8, x9, x10, x11, y0, y1, y2, y3] = L::load_columns(third(1));
        let [y4, y5, y6, y7, y8, y9, y10, y11] = L::load_columns(third(2));
        let any_x = x0.or(x1).or(x2.or(x3)).or(x4.or(x5).or(x6.or(x7))).or(x8.or(x9).or(x10.or(x11)));
        let any_y = y0.or(y1).or(y2.or(y3)).or(y4.or(y5).or(y6.or(y7))).or(y8.or(y9).or(y10.or(y11)));
        let absent = any_x.or(any_y).eq(L::zero());
        let negative = negative & !absent;
        let x = Self::new(
            Element::from_limbs(limbs_of_columns([x0, x1, x2, x3, x4, x5])),
            Element::from_limbs(limbs_of_columns([x6, x7, x8, x9, x10, x11])),
        );
        let y = Self::new(
            negated_where(limbs_of_columns([y0, y1, y2, y3, y4, y5]), negative),
            negated_where(limbs_of_columns([y6, y7, y8, y9, y10, y11]), negative),
        );
        (x, y, absent)
    }

    #[inline(always)]
    fn store(x: &Self, y: &Self) -> [Row; LANES] {
        let [x0, x1, x2, x3, x4, x5] = columns_of_limbs(*x.0.c0.limbs());
        let [x6, x7, x8, x9, x10, x11] = columns_of_limbs(*x.0.c1.limbs());
        let [y0, y1, y2, y3, y4, y5] = columns_of_limbs(*y.0.c0.limbs());
        let [y6, y7, y8, y9, y10, y11] = columns_of_limbs(*y.0.c1.limbs());
        let thirds = [
            transpose([x0, x1, x2, x3, x4, x5, x6, x7]),
            transpose([x8, x9, x10, x11, y0, y1, y2, y3]),
            transpose([y4, y5, y6, y7, y8, y9, y10, y11]),
        ];
        let mut rows = [Row::default(); LANES];
        for lane in 0..LANES {
            unrolled!(3, part => { thirds[part][lane].store(&mut rows[lane].0[part]); });
        }
        rows
    }

    #[inline(always)]
    fn from_numbers(numbers: &[[[u64; 6]; 2]; LANES]) -> Self {
        let mut parts = [[[0; 6]; LANES]; 2];
        for lane in 0..LANES {
            [parts[0][lane], parts[1][lane]] = numbers[lane];
        }
        Self::new(from_words(&parts[0]), from_words(&parts[1]))
    }

    #[inline(always)]
    fn to_numbers(&self) -> [[[u64; 6]; 2]; LANES] {
        let (reals, imaginaries) = (base::to_words(&self.0.c0), base::to_words(&self.0.c1));
        let mut numbers = [[[0; 6]; 2]; LANES];
        for lane in 0..LANES {
            numbers[lane] = [reals[lane], imaginaries[lane]];
        }
        numbers
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        Self(self.0.mul(&other.0))
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        Self(self.0.square())
    }

    #[inline(always)]
    fn sum(&self, other: &Self) -> Self {
        Self(self.0.add(&other.0))
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        Self(self.0.sub::<2>(&other.0))
    }

    #[inline(always)]
    fn settled_x(&self, x: &Self, run: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || Self::new(settled_x(&self.0.c0, &x.0.c0, &run.0.c0), settled_x(&self.0.c1, &x.0.c1, &run.0.c1)),
        )
    }

    #[inline(always)]
    fn settled_minus(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || Self::new(settled_minus(&self.0.c0, &other.0.c0), settled_minus(&self.0.c1, &other.0.c1)),
        )
    }

    #[inline(always)]
    fn least(&self) -> Self {
        Self::new(least(&self.0.c0), least(&self.0.c1))
    }

    #[inline(always)]
    fn is_nought(&self) -> Mask {
        is_nought(&self.0.c0) & is_nought(&self.0.c1)
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        self.0.is_zero()
    }

    #[inline(always)]
    fn blend(&self, mask: Mask, other: &Self) -> Self {
        Self(self.0.select(mask, &other.0))
    }
}
