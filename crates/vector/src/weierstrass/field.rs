//! Numbers modulo a number of 256 bits, one a lane, in Montgomery form with R = 2²⁶⁰.
//!
//! **Bounds.** The limbs of an [`Element`] are below 2⁵² (the multipliers read no more); its value is below a small
//! multiple of the modulus m, at most 16, stated where it is made. The product of numbers below a·m and b·m is below
//! (a·b/16 + 1)·m, since m < 2²⁵⁶ = R/16: sums of a few elements can be multiplied as they are.
//!
//! What a multiplication leaves is [`Loose`]: limbs of 64 bits, signed. Sums and differences are made of it before
//! its carries are taken, once.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::inversion::{self, Invertible, rotated};
use crate::lanes::{Lanes, Mask};
use crate::radix52::{BITS, LIMB_MASK, limbs_of, to_words};

/// A modulus of 256 bits, odd.
pub(crate) trait Modulus: Copy + Debug + Send + Sync + 'static {
    /// m, little-endian.
    const WORDS: [u64; 4];
    /// R mod m: one in Montgomery form.
    const ONE: [u64; 5] = limbs_of(power_of_two(260, Self::WORDS));
    /// R² mod m: what brings a number into Montgomery form.
    const R_SQUARED: [u64; 5] = limbs_of(power_of_two(520, Self::WORDS));

    /// (T + k·m)/R for the k in 0..R that makes it whole, of columns T. Columns may be negative and are below 2⁵⁹;
    /// so are the limbs out.
    fn reduce<L: Lanes>(columns: [L; 10]) -> [L; 5];
}

/// A modulus close below 2²⁵⁶.
pub(crate) trait Prime: Modulus {
    /// Takes the multiple of m off that leaves a number below 2²⁵⁶ + 2²²⁹ < 1.01·m, from a number in 0..2²⁶⁰. Limbs
    /// in below 2⁵⁷, signed.
    fn fold<L: Lanes>(limbs: [L; 5]) -> [L; 5];
}

/// [`Modulus::reduce`] for a modulus without a pattern; `factor` is −m⁻¹ mod 2⁵².
#[inline(always)]
pub(crate) fn reduce_dense<M: Modulus, L: Lanes>(mut columns: [L; 10], factor: u64) -> [L; 5] {
    let modulus = splats(const { limbs_of(M::WORDS) });
    let factor = L::splat(factor);
    for k in 0..5 {
        let digit = L::zero().madd_lo(columns[k], factor);
        for j in 0..5 {
            columns[k + j] = columns[k + j].madd_lo(digit, modulus[j]);
            columns[k + j + 1] = columns[k + j + 1].madd_hi(digit, modulus[j]);
        }
        columns[k + 1] = columns[k + 1].add(columns[k].sar::<BITS>());
    }
    let [.., a, b, c, d, e] = columns;
    [a, b, c, d, e]
}

/// −m⁻¹ mod 2⁵² of an odd m, by Newton's iteration.
pub(crate) const fn negative_inverse(modulus: u64) -> u64 {
    let mut inverse = 1_u64;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(modulus.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & LIMB_MASK
}

/// 2^`exponent` mod m, of an m with its highest bit set.
const fn power_of_two(exponent: u32, m: [u64; 4]) -> [u64; 4] {
    let mut value = [1, 0, 0, 0];
    let mut i = 0;
    while i < exponent {
        let overflow = value[3] >> 63 == 1;
        value = [
            value[0] << 1,
            value[1] << 1 | value[0] >> 63,
            value[2] << 1 | value[1] >> 63,
            value[3] << 1 | value[2] >> 63,
        ];
        let (difference, borrow) = subtract(value, m);
        if overflow || !borrow {
            value = difference;
        }
        i += 1;
    }
    value
}

/// a − b modulo 2²⁵⁶, and whether b was larger.
pub(crate) const fn subtract(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let (mut difference, mut borrow) = ([0; 4], false);
    let mut i = 0;
    while i < 4 {
        // `borrowing_sub` is no const function yet.
        let (word, first) = a[i].overflowing_sub(b[i]);
        let (word, second) = word.overflowing_sub(borrow as u64);
        (difference[i], borrow) = (word, first | second);
        i += 1;
    }
    (difference, borrow)
}

/// k·m as limbs, for k below 16.
struct Times<M, const K: u64>(PhantomData<M>);

impl<M: Modulus, const K: u64> Times<M, K> {
    const LIMBS: [u64; 5] = {
        let mut limbs = limbs_of(M::WORDS);
        let (mut carry, mut i) = (0, 0);
        while i < 5 {
            let limb = limbs[i] * K + carry;
            (limbs[i], carry) = (limb & LIMB_MASK, limb >> BITS);
            i += 1;
        }
        assert!(carry == 0);
        limbs
    };
}

/// A number modulo m in each lane, times R.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<M, L> {
    limbs: [L; 5],
    modulus: PhantomData<M>,
}

/// As [`Element`], before its carries were taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loose<M, L> {
    limbs: [L; 5],
    modulus: PhantomData<M>,
}

impl<M: Modulus, L: Lanes> Element<M, L> {
    #[inline(always)]
    fn new(limbs: [L; 5]) -> Self {
        if crate::BOUNDS_ARE_CHECKED {
            let are_proper = limbs.iter().all(|limb| limb.to_array().iter().all(|word| *word <= LIMB_MASK));
            assert!(are_proper, "limbs of 52 bits: {limbs:?}");
        }
        Self { limbs, modulus: PhantomData }
    }

    /// One.
    #[inline(always)]
    pub(crate) fn one() -> Self {
        Self::new(splats(M::ONE))
    }

    /// Limbs that are in Montgomery form already: below 2⁵², the value below 16·m.
    #[inline(always)]
    pub(crate) fn from_montgomery(limbs: [L; 5]) -> Self {
        Self::new(limbs)
    }

    /// The limbs, in Montgomery form.
    #[inline(always)]
    pub(crate) fn montgomery(&self) -> [L; 5] {
        self.limbs
    }

    /// A plain number below 2²⁵⁶ into Montgomery form: below 1.1·m.
    #[inline(always)]
    pub(crate) fn from_plain(limbs: &[L; 5]) -> Self {
        Self::new(*limbs).mul(&Self::new(splats(M::R_SQUARED))).carry()
    }

    /// Product over R.
    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Loose<M, L> {
        Loose::new(M::reduce(product(&self.limbs, &other.limbs)))
    }

    /// Square over R.
    #[inline(always)]
    pub(crate) fn square(&self) -> Loose<M, L> {
        Loose::new(M::reduce(square(&self.limbs)))
    }

    /// a·b − c·d over R, with one reduction. With c·d below k·16·m² it is above −k·m.
    #[inline(always)]
    pub(crate) fn mul_minus_mul(&self, b: &Self, c: &Self, d: &Self) -> Loose<M, L> {
        let (mut columns, less): ([L; 10], [L; 10]) = (product(&self.limbs, &b.limbs), product(&c.limbs, &d.limbs));
        for k in 0..10 {
            columns[k] = columns[k].sub(less[k]);
        }
        Loose::new(M::reduce(columns))
    }

    /// a·b − 2c² over R, with one reduction. With 2c² below k·16·m² it is above −k·m.
    #[inline(always)]
    pub(crate) fn mul_minus_twice_square(&self, b: &Self, c: &Self) -> Loose<M, L> {
        let (mut columns, less): ([L; 10], [L; 10]) = (product(&self.limbs, &b.limbs), square(&c.limbs));
        for k in 0..10 {
            columns[k] = columns[k].sub(less[k].add(less[k]));
        }
        Loose::new(M::reduce(columns))
    }

    /// To be added to and subtracted from.
    #[inline(always)]
    pub(crate) fn loose(&self) -> Loose<M, L> {
        Loose::new(self.limbs)
    }

    /// The number itself in 0..m, from a value below 2m.
    #[inline(always)]
    pub(crate) fn subtract_once(&self) -> Self {
        let less = Loose::<M, L>::new(self.limbs).minus_modulus();
        let [.., top] = less.limbs;
        let negative = top.test(L::splat(1 << 63));
        Self { limbs: less.limbs, modulus: PhantomData }.blend(negative, self)
    }

    /// `other` in the lanes of the mask.
    #[inline(always)]
    pub(crate) fn blend(&self, mask: Mask, other: &Self) -> Self {
        let mut limbs = self.limbs;
        for i in 0..5 {
            limbs[i] = limbs[i].blend(mask, other.limbs[i]);
        }
        Self { limbs, modulus: PhantomData }
    }

    /// Lanes that are 0, of a value in 0..2m.
    #[inline(always)]
    pub(crate) fn is_zero(&self) -> Mask {
        let is = |limbs: [u64; 5]| (0..5).fold(Mask::MAX, |mask, i| mask & self.limbs[i].eq(L::splat(limbs[i])));
        is([0; 5]) | is(Times::<M, 1>::LIMBS)
    }
}

/// Values below 4·m; inverses below 1.2·m.
impl<M: Modulus, L: Lanes> Invertible for Element<M, L> {
    #[inline(never)]
    fn times(self, other: Self) -> Self {
        L::enter(
            #[inline(always)]
            || self.mul(&other).carry(),
        )
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        let mut limbs = self.limbs;
        for limb in &mut limbs {
            *limb = rotated(*limb, by);
        }
        Self { limbs, modulus: PhantomData }
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        let one = Self::new([L::splat(1), L::zero(), L::zero(), L::zero(), L::zero()]);
        let [first, ..] = to_words(&self.mul(&one).carry().subtract_once().limbs);
        Self::from_plain(&splats(limbs_of(const { inversion::Modulus::new(M::WORDS) }.invert(first))))
    }
}

impl<M: Modulus, L: Lanes> Loose<M, L> {
    #[inline(always)]
    fn new(limbs: [L; 5]) -> Self {
        Self { limbs, modulus: PhantomData }
    }

    #[inline(always)]
    fn each(mut self, f: impl Fn(usize, L) -> L) -> Self {
        for (i, limb) in self.limbs.iter_mut().enumerate() {
            *limb = f(i, *limb);
        }
        self
    }

    /// self + other.
    #[inline(always)]
    pub(crate) fn plus(self, other: &Element<M, L>) -> Self {
        self.each(|i, limb| limb.add(other.limbs[i]))
    }

    /// self − other.
    #[inline(always)]
    pub(crate) fn minus(self, other: &Element<M, L>) -> Self {
        self.each(|i, limb| limb.sub(other.limbs[i]))
    }

    /// self + k·m.
    #[inline(always)]
    pub(crate) fn plus_modulus<const K: u64>(self) -> Self {
        self.each(|i, limb| limb.add(L::splat(Times::<M, K>::LIMBS[i])))
    }

    /// self − m with its carries taken; the highest limb tells the sign.
    #[inline(always)]
    fn minus_modulus(self) -> Self {
        Self::new(carried(self.each(|i, limb| limb.sub(L::splat(Times::<M, 1>::LIMBS[i]))).limbs))
    }

    /// 2·self.
    #[inline(always)]
    pub(crate) fn doubled(self) -> Self {
        self.each(|_, limb| limb.add(limb))
    }

    /// 3·self.
    #[inline(always)]
    pub(crate) fn tripled(self) -> Self {
        self.each(|_, limb| limb.add(limb).add(limb))
    }

    /// −self in the lanes of the mask.
    #[inline(always)]
    pub(crate) fn negated(self, mask: Mask) -> Self {
        self.each(|_, limb| limb.blend(mask, L::zero().sub(limb)))
    }

    /// Takes the carries; the value must lie in 0..2²⁶⁰.
    #[inline(always)]
    pub(crate) fn carry(self) -> Element<M, L> {
        Element::new(carried(self.limbs))
    }
}

impl<M: Prime, L: Lanes> Loose<M, L> {
    /// Takes the carries and leaves a value below 1.01·m, of one in 0..2²⁶⁰.
    #[inline(always)]
    pub(crate) fn fold(self) -> Element<M, L> {
        Element::new(carried(M::fold(self.limbs)))
    }
}

/// The same limbs in all lanes.
#[inline(always)]
pub(crate) fn splats<L: Lanes>(limbs: [u64; 5]) -> [L; 5] {
    let mut splats = [L::zero(); 5];
    for (splat, limb) in splats.iter_mut().zip(limbs) {
        *splat = L::splat(limb);
    }
    splats
}

/// The columns of a product, as [`crate::radix52::product`], but low and high halves in one accumulator: longer
/// chains, and some sixteen instructions less. Here, where two points take turns, that was 5 % faster.
#[inline(always)]
fn product<L: Lanes>(a: &[L; 5], b: &[L; 5]) -> [L; 10] {
    let mut columns = [L::zero(); 10];
    for i in 0..5 {
        for j in 0..5 {
            columns[i + j] = columns[i + j].madd_lo(a[i], b[j]);
        }
        for j in 0..5 {
            columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], b[j]);
        }
    }
    columns
}

/// The columns of a square, likewise.
#[inline(always)]
fn square<L: Lanes>(a: &[L; 5]) -> [L; 10] {
    let mut columns = [L::zero(); 10];
    for i in 0..5 {
        for j in i + 1..5 {
            columns[i + j] = columns[i + j].madd_lo(a[i], a[j]);
        }
        for j in i + 1..5 {
            columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], a[j]);
        }
    }
    for column in &mut columns[1..9] {
        *column = column.add(*column);
    }
    for i in 0..5 {
        columns[2 * i] = columns[2 * i].madd_lo(a[i], a[i]);
        columns[2 * i + 1] = columns[2 * i + 1].madd_hi(a[i], a[i]);
    }
    columns
}

/// Moves what is above 52 bits of each limb, signed, to the next.
#[inline(always)]
fn carried<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 5] {
    let mask = L::splat(LIMB_MASK);
    let b = b.add(a.sar::<BITS>());
    let c = c.add(b.sar::<BITS>());
    let d = d.add(c.sar::<BITS>());
    let e = e.add(d.sar::<BITS>());
    [a.and(mask), b.and(mask), c.and(mask), d.and(mask), e]
}

#[cfg(test)]
mod tests;
