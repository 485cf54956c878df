//! The base field: numbers modulo p of 254 bits, one a lane, in limbs of 52 bits and Montgomery's form with R = 2²⁶⁰.
//!
//! **Bounds**, in multiples of p. R is 84 p. Limbs are below 2⁵². A product of numbers with a·b ≤ 84 p² is below 2.13 p;
//! what [`Fp::settle`] leaves is below 1.65 p, and points have such coordinates.
//!
//! **Reduction.** With k = −p⁻¹ mod 2⁵², k·p + 1 is 2⁵²·m for an m of 254 bits below 0.127 p. So the lowest column of a
//! sum, q + 2⁵²·c, may be replaced by c + q·m in the next: that takes as many multiplications as Montgomery's step, but
//! q is there without one, and a step is a chain of five cycles instead of nine. Since it leaves 52 bits too many, the
//! last step is Montgomery's own. The result is below (number/R) + m + p.

use crate::lanes::{LANES, Lanes, Mask, transpose};
use crate::montgomery::constants;
use crate::msm::Coordinate;
use crate::radix52::{LIMB_MASK, to_words};
use crate::scratch::Words;
use crate::weierstrass::inversion::{Invertible, Modulus, rotated};

/// p.
const P_WORDS: [u64; 4] = [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
const P: [u64; 5] = constants::limbs(&P_WORDS);
pub(super) const MODULUS_LIMBS: [u64; 5] = P;
/// −p⁻¹ mod 2⁵².
const K: u64 = constants::negated_inverse(P[0]);
/// (k·p + 1)/2⁵².
const M: [u64; 5] = replaced();
/// One.
const ONE: [u64; 5] = constants::power_of_two(&P, 260);
/// Times this goes from Montgomery's form with 2²⁵⁶ to that with 2²⁶⁰.
const FROM_WORDS: [u64; 5] = constants::power_of_two(&P, 264);
/// Times this goes back.
const TO_WORDS: [u64; 5] = constants::power_of_two(&P, 256);
/// Times this makes the inverse in Montgomery's form of the inverse of a number in that form.
const R_CUBED: [u64; 5] = constants::power_of_two(&P, 3 * 260);
const MODULUS: Modulus = Modulus::new(P_WORDS);
/// What [`Fp::settle`] takes off a number by its bits from 253 on: that power times q is 0.6613 q of p, rounded down.
const MULTIPLES: [[u64; 16]; 5] = multiples();

const fn replaced() -> [u64; 5] {
    let mut limbs = [0; 5];
    let mut carry = 1_u128;
    let mut i = 0;
    while i < 5 {
        carry += P[i] as u128 * K as u128;
        if i > 0 {
            limbs[i - 1] = carry as u64 & LIMB_MASK;
        } else {
            assert!(carry as u64 & LIMB_MASK == 0);
        }
        carry >>= 52;
        i += 1;
    }
    limbs[4] = carry as u64;
    limbs
}

const fn multiples() -> [[u64; 16]; 5] {
    let mut table = [[0; 16]; 5];
    let mut q = 0;
    while q < 16 {
        let multiple = constants::multiple(&P, q as u64 * 6613 / 10000);
        let mut i = 0;
        while i < 5 {
            table[i][q] = multiple[i];
            i += 1;
        }
        q += 1;
    }
    table
}

/// Repeats a block for the five limbs, with the number as a constant to the compiler: a loop that is not unrolled keeps
/// its registers in memory.
macro_rules! limbs {
    ($i:ident => $body:block) => {
        limbs!(@ $i, $body, 0 1 2 3 4)
    };
    (@ $i:ident, $body:block, $($number:literal)*) => {
        $({
            let $i: usize = $number;
            $body
        })*
    };
}

pub(super) use limbs;

/// A point in memory: x and y, four little-endian words each; all 0 for infinity.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Row([u64; LANES]);

// SAFETY: an array of integers, of the size of its alignment.
unsafe impl Words for Row {}

impl Default for Row {
    fn default() -> Self {
        Self([0; LANES])
    }
}

/// Eight numbers.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Fp<L>(pub(super) [L; 5]);

// SAFETY: an array of lanes, which are words without padding.
unsafe impl<L: Lanes> Words for Fp<L> {}

/// A number of 520 bits on its way to its reduction, column by column: two registers each, so that chains of additions
/// are half as long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<L> {
    low: [L; 10],
    high: [L; 10],
}

impl<L: Lanes> Columns<L> {
    #[inline(always)]
    pub(super) fn product(a: &Fp<L>, b: &Fp<L>) -> Self {
        a.debug_check();
        b.debug_check();
        let (mut low, mut high) = ([L::zero(); 10], [L::zero(); 10]);
        limbs!(i => {
            limbs!(j => {
                low[i + j] = low[i + j].madd_lo(a.0[i], b.0[j]);
                high[i + j + 1] = high[i + j + 1].madd_hi(a.0[i], b.0[j]);
            });
        });
        Self { low, high }
    }

    #[inline(always)]
    pub(super) fn square(a: &Fp<L>) -> Self {
        a.debug_check();
        let (mut low, mut high) = ([L::zero(); 10], [L::zero(); 10]);
        limbs!(i => {
            limbs!(j => {
                if j > i {
                    low[i + j] = low[i + j].madd_lo(a.0[i], a.0[j]);
                    high[i + j + 1] = high[i + j + 1].madd_hi(a.0[i], a.0[j]);
                }
            });
        });
        limbs!(i => {
            low[2 * i] = low[2 * i].add(low[2 * i]).madd_lo(a.0[i], a.0[i]);
            low[2 * i + 1] = low[2 * i + 1].add(low[2 * i + 1]);
            high[2 * i] = high[2 * i].add(high[2 * i]);
            high[2 * i + 1] = high[2 * i + 1].add(high[2 * i + 1]).madd_hi(a.0[i], a.0[i]);
        });
        Self { low, high }
    }

    /// One register a column.
    #[inline(always)]
    pub(super) fn joined(&self) -> [L; 10] {
        let mut columns = self.low;
        limbs!(i => {
            columns[i] = columns[i].add(self.high[i]);
            columns[5 + i] = columns[5 + i].add(self.high[5 + i]);
        });
        columns
    }

    #[inline(always)]
    pub(super) fn of_joined(columns: [L; 10]) -> Self {
        Self { low: columns, high: [L::zero(); 10] }
    }

    /// The number over R; see the module. The number is not negative and below 84 p²; columns may be negative.
    #[inline(always)]
    pub(super) fn reduce(self) -> Fp<L> {
        let Self { mut low, mut high } = self;
        limbs!(i => {
            if i < 4 {
                let column = low[i].add(high[i]);
                let carry = column.sar::<52>();
                limbs!(j => {
                    let limb = L::splat(M[j]);
                    low[i + 1 + j] = low[i + 1 + j].madd_lo(column, limb);
                    high[i + 2 + j] = high[i + 2 + j].madd_hi(column, limb);
                });
                high[i + 1] = high[i + 1].add(carry);
            }
        });
        let column = low[4].add(high[4]);
        let q = L::zero().madd_lo(column, L::splat(K));
        // What goes away is 0, or 2⁵² where the column's low bits were not.
        high[5] = high[5].add(column.add(L::splat(LIMB_MASK)).sar::<52>());
        limbs!(j => {
            let limb = L::splat(P[j]);
            if j > 0 {
                low[4 + j] = low[4 + j].madd_lo(q, limb);
            }
            high[5 + j] = high[5 + j].madd_hi(q, limb);
        });
        let mut sums = [L::zero(); 5];
        limbs!(i => { sums[i] = low[5 + i].add(high[5 + i]); });
        Fp::carried(sums)
    }
}

impl<L: Lanes> Fp<L> {
    #[inline(always)]
    pub(super) fn constant(limbs: &[u64; 5]) -> Self {
        let mut number = [L::zero(); 5];
        limbs!(i => { number[i] = L::splat(limbs[i]); });
        Self(number)
    }

    /// Signed limbs of a number that is not negative.
    #[inline(always)]
    pub(super) fn carried(mut limbs: [L; 5]) -> Self {
        let mask = L::splat(LIMB_MASK);
        limbs!(i => {
            if i < 4 {
                limbs[i + 1] = limbs[i + 1].add(limbs[i].sar::<52>());
                limbs[i] = limbs[i].and(mask);
            }
        });
        let number = Self(limbs);
        number.debug_check();
        number
    }

    /// The number below 1.65 p: takes signed limbs of one from 2²¹⁰ to 10.5 p.
    #[inline(always)]
    pub(super) fn settle(limbs: [L; 5]) -> Self {
        let top = limbs[4].shr::<45>();
        let mut rest = limbs;
        limbs!(i => {
            let (low, high) = MULTIPLES[i].split_at(LANES);
            let (low, high) = (low.as_chunks::<LANES>().0, high.as_chunks::<LANES>().0);
            rest[i] = rest[i].sub(L::load(&low[0]).pick(L::load(&high[0]), top));
        });
        Self::carried(rest)
    }

    #[inline(always)]
    fn debug_check(&self) {
        if crate::BOUNDS_ARE_CHECKED {
            assert_proper(&self.0.map(Lanes::to_array));
        }
    }

    /// a + b.
    #[inline(always)]
    pub(super) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.0;
        limbs!(i => { sum[i] = sum[i].add(other.0[i]); });
        Self::carried(sum)
    }

    /// a − b + 3p. Takes b ≤ 3p.
    #[inline(always)]
    pub(super) fn minus_limbs(&self, other: &Self) -> Self {
        let mut difference = self.0;
        limbs!(i => { difference[i] = difference[i].add(L::splat(const { constants::multiple(&P, 3) }[i])).sub(other.0[i]); });
        Self::carried(difference)
    }

    /// Lane 0 in all lanes.
    #[inline(always)]
    pub(super) fn first_everywhere(&self) -> Self {
        let mut limbs = self.0;
        limbs!(i => { limbs[i] = limbs[i].pick(limbs[i], L::zero()); });
        Self(limbs)
    }

    /// Lanes that are this very number.
    #[inline(always)]
    fn equals(&self, number: &[u64; 5]) -> Mask {
        let mut differences = L::zero();
        limbs!(i => { differences = differences.or(self.0[i].xor(L::splat(number[i]))); });
        differences.eq(L::zero())
    }

    /// From the words of each lane.
    #[inline(always)]
    pub(super) fn of_columns(words: [L; 4]) -> Self {
        let mask = L::splat(LIMB_MASK);
        let [a, b, c, d] = words;
        Self([
            a.and(mask),
            a.shr::<52>().or(b.shl::<12>()).and(mask),
            b.shr::<40>().or(c.shl::<24>()).and(mask),
            c.shr::<28>().or(d.shl::<36>()).and(mask),
            d.shr::<16>(),
        ])
    }

    /// The opposite.
    #[inline(always)]
    pub(super) fn columns(&self) -> [L; 4] {
        let [a, b, c, d, e] = self.0;
        [
            a.or(b.shl::<52>()),
            b.shr::<12>().or(c.shl::<40>()),
            c.shr::<24>().or(d.shl::<28>()),
            d.shr::<36>().or(e.shl::<16>()),
        ]
    }

    /// p − a in lanes of the mask, for a ≤ p.
    #[inline(always)]
    pub(super) fn negated_where(&self, negative: Mask) -> Self {
        let mut limbs = self.0;
        limbs!(i => { limbs[i] = limbs[i].blend(negative, L::splat(P[i]).sub(limbs[i])); });
        Self::carried(limbs)
    }

    /// Below p.
    #[inline(always)]
    pub(super) fn canonical(&self) -> Self {
        let settled = Self::settle(self.0);
        let mut less = settled.0;
        limbs!(i => { less[i] = less[i].sub(L::splat(P[i])); });
        // Signed to the last: a number below p becomes negative.
        limbs!(i => {
            if i < 4 {
                less[i + 1] = less[i + 1].add(less[i].sar::<52>());
                less[i] = less[i].and(L::splat(LIMB_MASK));
            }
        });
        let below = less[4].test(L::splat(1 << 63));
        let mut limbs = less;
        limbs!(i => { limbs[i] = limbs[i].blend(below, settled.0[i]); });
        Self(limbs)
    }

    /// From numbers in Montgomery's form with 2²⁵⁶, below p; below p.
    #[inline(always)]
    pub(super) fn from_montgomery(words: [L; 4]) -> Self {
        Self::of_columns(words).product(&Self::constant(&FROM_WORDS)).canonical()
    }

    /// The opposite.
    #[inline(always)]
    pub(super) fn to_montgomery(self) -> [[u64; 4]; LANES] {
        to_words(&self.product(&Self::constant(&TO_WORDS)).canonical().0)
    }
}

#[inline(never)]
fn assert_proper(limbs: &[[u64; LANES]]) {
    assert!(limbs.iter().flatten().all(|&limb| limb <= LIMB_MASK), "an improper limb: {limbs:x?}");
}

impl<L: Lanes> Invertible for Fp<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.product(&other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        let mut limbs = self.0;
        limbs!(i => { limbs[i] = rotated(limbs[i], by); });
        Self(limbs)
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        let number = to_words(&self.canonical().0)[0];
        let inverse = constants::limbs::<4, 5>(&MODULUS.invert(number));
        Self::constant(&inverse).product(&Self::constant(&R_CUBED))
    }
}

impl<L: Lanes> Coordinate<L> for Fp<L> {
    type Row = Row;
    type Number = [u64; 4];

    #[inline(always)]
    fn zero() -> Self {
        Self([L::zero(); 5])
    }

    #[inline(always)]
    fn one() -> Self {
        Self::constant(&ONE)
    }

    #[inline(always)]
    fn load(rows: [&Row; LANES], negative: Mask) -> (Self, Self, Mask) {
        let words = L::load_columns([
            &rows[0].0, &rows[1].0, &rows[2].0, &rows[3].0, &rows[4].0, &rows[5].0, &rows[6].0, &rows[7].0,
        ]);
        let [a, b, c, d, e, f, g, h] = words;
        let any = a.or(b).or(c.or(d)).or(e.or(f).or(g.or(h)));
        let absent = any.eq(L::zero());
        let y = Self::of_columns([e, f, g, h]).negated_where(negative & !absent);
        (Self::of_columns([a, b, c, d]), y, absent)
    }

    #[inline(always)]
    fn store(x: &Self, y: &Self) -> [Row; LANES] {
        let ([a, b, c, d], [e, f, g, h]) = (x.columns(), y.columns());
        let columns = transpose([a, b, c, d, e, f, g, h]);
        let mut rows = [Row::default(); LANES];
        for lane in 0..LANES {
            columns[lane].store(&mut rows[lane].0);
        }
        rows
    }

    #[inline(always)]
    fn from_numbers(numbers: &[[u64; 4]; LANES]) -> Self {
        let mut rows = [L::zero(); LANES];
        for (row, [a, b, c, d]) in rows.iter_mut().zip(*numbers) {
            *row = L::load(&[a, b, c, d, 0, 0, 0, 0]);
        }
        let [a, b, c, d, ..] = transpose(rows);
        Self::from_montgomery([a, b, c, d])
    }

    #[inline(always)]
    fn to_numbers(&self) -> [[u64; 4]; LANES] {
        self.to_montgomery()
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || Columns::product(self, other).reduce(),
        )
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        L::apart(
            #[inline(always)]
            || Columns::square(self).reduce(),
        )
    }

    #[inline(always)]
    fn sum(&self, other: &Self) -> Self {
        self.plus(other)
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || self.minus_limbs(other),
        )
    }

    #[inline(always)]
    fn settled_x(&self, x: &Self, run: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut limbs = self.0;
                limbs!(i => {
                    let less = run.0[i].add(x.0[i].shl::<1>());
                    limbs[i] = limbs[i].add(L::splat(const { constants::multiple(&P, 8) }[i])).sub(less);
                });
                Self::settle(limbs)
            },
        )
    }

    #[inline(always)]
    fn settled_minus(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut limbs = self.0;
                limbs!(i => {
                    limbs[i] = limbs[i].add(L::splat(const { constants::multiple(&P, 4) }[i])).sub(other.0[i]);
                });
                Self::settle(limbs)
            },
        )
    }

    #[inline(always)]
    fn least(&self) -> Self {
        L::apart(
            #[inline(always)]
            || self.canonical(),
        )
    }

    #[inline(always)]
    fn is_nought(&self) -> Mask {
        let [a, b, c, d, e] = self.0;
        a.or(b).or(c.or(d)).or(e).eq(L::zero())
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        L::apart(
            #[inline(always)]
            || {
                let number = self.canonical();
                number.equals(&[0; 5])
            },
        )
    }

    #[inline(always)]
    fn blend(&self, mask: Mask, other: &Self) -> Self {
        let mut limbs = self.0;
        limbs!(i => { limbs[i] = limbs[i].blend(mask, other.0[i]); });
        Self(limbs)
    }
}
