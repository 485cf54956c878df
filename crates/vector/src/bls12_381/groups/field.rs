//! Coordinates of G1, with points packed into 48 bytes a coordinate.
//!
//! **Bounds**, in multiples of p. Limbs have room for 2³⁵, so that products may have any sums and differences of
//! settled numbers, and are below 1.01 p. In memory there is room for 9.8 p. What [`settle`] leaves is below 1.62 p.

use super::super::base::{self, Base, Limbs, P_WORDS};
use crate::lanes::{LANES, Lanes, Mask, transpose};
use crate::montgomery::{Element, Modulus as _, below, constants, equal, splat, unrolled};
use crate::msm::Coordinate;
use crate::radix52::LIMB_MASK;
use crate::scratch::Words;
use crate::weierstrass::inversion::{Invertible, Modulus, rotated};

/// Times this goes from Montgomery's form with 2³⁸⁴ to that with 2⁴¹⁶, once more times 2⁴¹⁶.
const FROM_WORDS: Limbs = constants::power_of_two(&Base::LIMBS, 416 + 32 + 416);
const MODULUS: Modulus<6, 7> = Modulus::long(P_WORDS);
/// What [`settle`] takes off a number by its bits from 380 on: that power times q is 0.6152 q of p, rounded down.
const MULTIPLES: [[u64; 16]; 8] = multiples();

const fn multiples() -> [[u64; 16]; 8] {
    let mut table = [[0; 16]; 8];
    let mut q = 0;
    while q < 16 {
        let multiple = constants::multiple(&Base::LIMBS, q as u64 * 6152 / 10000);
        let mut i = 0;
        while i < 8 {
            table[i][q] = multiple[i];
            i += 1;
        }
        q += 1;
    }
    table
}

/// A point in memory: x and y, six little-endian words each; all 0 for infinity.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub struct Row([u64; 12]);

// SAFETY: an array of integers, of three times the size of its alignment.
unsafe impl Words for Row {}

/// Eight numbers.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Fp<L>(base::Fp<L>);

// SAFETY: an array of lanes, which are words without padding.
unsafe impl<L: Lanes> Words for Fp<L> {}

/// The limbs of numbers by their words.
#[inline(always)]
pub(super) fn limbs_of_columns<L: Lanes>([a, b, c, d, e, f]: [L; 6]) -> [L; 8] {
    let mask = L::splat(LIMB_MASK);
    [
        a.and(mask),
        a.shr::<52>().or(b.shl::<12>()).and(mask),
        b.shr::<40>().or(c.shl::<24>()).and(mask),
        c.shr::<28>().or(d.shl::<36>()).and(mask),
        d.shr::<16>().or(e.shl::<48>()).and(mask),
        e.shr::<4>().and(mask),
        e.shr::<56>().or(f.shl::<8>()).and(mask),
        f.shr::<44>(),
    ]
}

/// The opposite, of numbers below 2³⁸⁴.
#[inline(always)]
pub(super) fn columns_of_limbs<L: Lanes>([a, b, c, d, e, f, g, h]: [L; 8]) -> [L; 6] {
    [
        a.or(b.shl::<52>()),
        b.shr::<12>().or(c.shl::<40>()),
        c.shr::<24>().or(d.shl::<28>()),
        d.shr::<36>().or(e.shl::<16>()),
        e.shr::<48>().or(f.shl::<4>()).or(g.shl::<56>()),
        g.shr::<8>().or(h.shl::<44>()),
    ]
}

/// Signed limbs of a number that is not negative.
#[inline(always)]
fn carried<L: Lanes>(mut limbs: [L; 8]) -> base::Fp<L> {
    let mask = L::splat(LIMB_MASK);
    unrolled!(7, i => {
        limbs[i + 1] = limbs[i + 1].add(limbs[i].sar::<52>());
        limbs[i] = limbs[i].and(mask);
    });
    let number = Element::from_limbs(limbs);
    number.debug_check();
    number
}

/// The number below 1.62 p: takes signed limbs of one from 2³⁷⁰ to 9.8 p.
#[inline(always)]
fn settle<L: Lanes>(limbs: [L; 8]) -> base::Fp<L> {
    let top = limbs[7].shr::<16>();
    if crate::BOUNDS_ARE_CHECKED {
        assert_few(&top.to_array());
    }
    let mut rest = limbs;
    unrolled!(8, i => {
        let (low, high) = MULTIPLES[i].split_at(LANES);
        let (low, high) = (low.as_chunks::<LANES>().0, high.as_chunks::<LANES>().0);
        rest[i] = rest[i].sub(L::load(&low[0]).pick(L::load(&high[0]), top));
    });
    carried(rest)
}

#[inline(never)]
fn assert_few(tops: &[u64; LANES]) {
    assert!(tops.iter().all(|top| *top < 16), "a number that has no multiple to be settled by: {tops:x?}");
}

/// a − 2x − b of a product a below 2.01 p, a settled number, and one below 3.62 p; settled.
#[inline(always)]
pub(super) fn settled_x<L: Lanes>(a: &base::Fp<L>, x: &base::Fp<L>, b: &base::Fp<L>) -> base::Fp<L> {
    let (mut limbs, x, b) = (*a.limbs(), x.limbs(), b.limbs());
    unrolled!(8, i => {
        let less = b[i].add(x[i].shl::<1>());
        limbs[i] = limbs[i].add(L::splat(const { constants::multiple(&Base::LIMBS, 7) }[i])).sub(less);
    });
    settle(limbs)
}

/// a − b of a number below 7.8 p and a settled one; settled.
#[inline(always)]
pub(super) fn settled_minus<L: Lanes>(a: &base::Fp<L>, b: &base::Fp<L>) -> base::Fp<L> {
    let (mut limbs, b) = (*a.limbs(), b.limbs());
    unrolled!(8, i => {
        limbs[i] = limbs[i].add(L::splat(const { constants::multiple(&Base::LIMBS, 2) }[i])).sub(b[i]);
    });
    settle(limbs)
}

/// p − a in lanes of the mask, for a ≤ p.
#[inline(always)]
pub(super) fn negated_where<L: Lanes>(limbs: [L; 8], negative: Mask) -> base::Fp<L> {
    let mut negated = limbs;
    unrolled!(8, i => { negated[i] = limbs[i].blend(negative, L::splat(Base::LIMBS[i]).sub(limbs[i])); });
    carried(negated)
}

/// A settled number, below p.
#[inline(always)]
pub(super) fn least<L: Lanes>(number: &base::Fp<L>) -> base::Fp<L> {
    L::apart(
        #[inline(always)]
        || {
            let mut limbs = *number.limbs();
            let above = !below(&limbs, &splat(&Base::LIMBS));
            unrolled!(8, i => { limbs[i] = limbs[i].sub(L::splat(Base::LIMBS[i]).keep(above)); });
            carried(limbs)
        },
    )
}

/// From words of x·2³⁸⁴, below p; below p.
#[inline(always)]
pub(super) fn from_words<L: Lanes>(numbers: &[[u64; 6]; LANES]) -> base::Fp<L> {
    let number = base::Fp::<L>::from_limbs(base::Fp::<L>::limbs_of_words(numbers));
    Element::from_limbs(number.mul(&Element::constant(&FROM_WORDS)).canonical())
}

/// Lanes in which all limbs are 0.
#[inline(always)]
pub(super) fn is_nought<L: Lanes>(number: &base::Fp<L>) -> Mask {
    equal(number.limbs(), &[L::zero(); 8])
}

/// The inverse of lane 0 in all lanes.
#[inline(always)]
pub(super) fn inverse_of_first<L: Lanes>(number: &base::Fp<L>) -> base::Fp<L> {
    let [words, ..] = base::Fp::<L>::words_of_limbs::<6>(&number.canonical());
    let inverse = constants::limbs::<6, 8>(&MODULUS.invert(words));
    Element::from_number(splat(&inverse))
}

#[inline(always)]
pub(super) fn rotated_limbs<L: Lanes>(number: &base::Fp<L>, by: usize) -> base::Fp<L> {
    let mut limbs = *number.limbs();
    unrolled!(8, i => { limbs[i] = rotated(limbs[i], by); });
    Element::from_limbs(limbs)
}

impl<L: Lanes> Invertible for Fp<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.product(&other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        Self(rotated_limbs(&self.0, by))
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        Self(inverse_of_first(&self.0))
    }
}

impl Row {
    /// Words 0 to 7.
    #[inline(always)]
    fn first(&self) -> &[u64; LANES] {
        &self.0[..8].as_chunks::<LANES>().0[0]
    }

    /// Words 4 to 11.
    #[inline(always)]
    fn last(&self) -> &[u64; LANES] {
        &self.0[4..].as_chunks::<LANES>().0[0]
    }
}

impl<L: Lanes> Coordinate<L> for Fp<L> {
    type Row = Row;
    type Number = [u64; 6];

    #[inline(always)]
    fn zero() -> Self {
        Self(Element::zero())
    }

    #[inline(always)]
    fn one() -> Self {
        Self(Element::one())
    }

    #[inline(always)]
    fn load(rows: [&Row; LANES], negative: Mask) -> (Self, Self, Mask) {
        let [a, b, c, d, e, f, g, h] = rows;
        let first = [a.first(), b.first(), c.first(), d.first(), e.first(), f.first(), g.first(), h.first()];
        let last = [a.last(), b.last(), c.last(), d.last(), e.last(), f.last(), g.last(), h.last()];
        let [x0, x1, x2, x3, x4, x5, y0, y1] = L::load_columns(first);
        let [.., y2, y3, y4, y5] = L::load_columns(last);
        let any = x0.or(x1).or(x2.or(x3)).or(x4.or(x5).or(y0.or(y1))).or(y2.or(y3).or(y4.or(y5)));
        let absent = any.eq(L::zero());
        let x = Element::from_limbs(limbs_of_columns([x0, x1, x2, x3, x4, x5]));
        let y = negated_where(limbs_of_columns([y0, y1, y2, y3, y4, y5]), negative & !absent);
        (Self(x), Self(y), absent)
    }

    #[inline(always)]
    fn store(x: &Self, y: &Self) -> [Row; LANES] {
        let [x0, x1, x2, x3, x4, x5] = columns_of_limbs(*x.0.limbs());
        let [y0, y1, y2, y3, y4, y5] = columns_of_limbs(*y.0.limbs());
        let first = transpose([x0, x1, x2, x3, x4, x5, y0, y1]);
        let last = transpose([x4, x5, y0, y1, y2, y3, y4, y5]);
        let mut rows = [Row::default(); LANES];
        for lane in 0..LANES {
            first[lane].store(&mut rows[lane].0[..8].as_chunks_mut::<LANES>().0[0]);
            last[lane].store(&mut rows[lane].0[4..].as_chunks_mut::<LANES>().0[0]);
        }
        rows
    }

    #[inline(always)]
    fn from_numbers(numbers: &[[u64; 6]; LANES]) -> Self {
        Self(from_words(numbers))
    }

    #[inline(always)]
    fn to_numbers(&self) -> [[u64; 6]; LANES] {
        base::to_words(&self.0)
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
            || Self(settled_x(&self.0, &x.0, &run.0)),
        )
    }

    #[inline(always)]
    fn settled_minus(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || Self(settled_minus(&self.0, &other.0)),
        )
    }

    #[inline(always)]
    fn least(&self) -> Self {
        Self(least(&self.0))
    }

    #[inline(always)]
    fn is_nought(&self) -> Mask {
        is_nought(&self.0)
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
