//! Scalars mod L = 2²⁵² + c, the order of the base point, one a lane, and their digits.

use crate::lanes::{Lanes, registers};
use crate::radix52::{BITS, LIMB_MASK, product};

/// The words of L, little-endian.
const ORDER_WORDS: [u64; 4] = [0x5812_631a_5cf5_d3ed, 0x14de_f9de_a2f7_9cd6, 0, 1 << 60];
/// L in limbs.
const ORDER: [u64; 5] = order_shifted(0);
/// 2⁷·L > 2²⁵⁹.
const ORDER_7: [u64; 6] = order_shifted(7);
/// 2¹³³·L > 2³⁸⁵.
const ORDER_133: [u64; 8] = order_shifted(133);
/// c = L − 2²⁵².
const C: [u64; 3] = limbs_at([ORDER_WORDS[0], ORDER_WORDS[1], 0, 0], 0);
/// 2⁸·c ≡ −2²⁶⁰.
const C_8: [u64; 3] = limbs_at([ORDER_WORDS[0], ORDER_WORDS[1], 0, 0], 8);

/// L less 128 at each of 16 bytes.
const LESS_HALVES: [u64; 5] = {
    let halves = 0x8080_8080_8080_8080_8080_8080_8080_8080;
    let low = (ORDER_WORDS[1] as u128) << 64 | ORDER_WORDS[0] as u128;
    // One is borrowed of 2²⁵² for the lower 128 bits.
    let low = low.wrapping_sub(halves);
    limbs_at([low as u64, (low >> 64) as u64, u64::MAX, ORDER_WORDS[3] - 1], 0)
};

const fn order_shifted<const N: usize>(shift: usize) -> [u64; N] {
    limbs_at(ORDER_WORDS, shift)
}

/// The limbs of 2^`shift` times a number.
const fn limbs_at<const N: usize>(words: [u64; 4], shift: usize) -> [u64; N] {
    let mut limbs = [0; N];
    let mut bit = 0;
    while bit < 256 {
        let at = bit + shift;
        if words[bit / 64] >> (bit % 64) & 1 == 1 {
            limbs[at / BITS as usize] |= 1 << (at % BITS as usize);
        }
        bit += 1;
    }
    limbs
}

/// Whether a little-endian scalar is below L.
pub fn is_reduced(scalar: &[u8; 32]) -> bool {
    let (words, _) = scalar.as_chunks::<8>();
    let words = words.iter().rev().map(|word| u64::from_le_bytes(*word));
    words.lt(ORDER_WORDS.iter().rev().copied())
}

/// A scalar in five limbs of 52 bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar<L>(pub(super) [L; 5]);

/// The limbs of little-endian words: limb i has bits 52i and up. The words' bits past the last limb are dropped.
#[inline(always)]
fn limbs_of_words<L: Lanes, const W: usize, const N: usize>(words: &[L; W]) -> [L; N] {
    let mut limbs = [L::zero(); N];
    for (i, limb) in limbs.iter_mut().enumerate() {
        let (word, shift) = (i * BITS as usize / 64, (i * BITS as usize % 64) as u64);
        let low = words[word].shr_by(L::splat(shift));
        let high = if word + 1 < W { words[word + 1].shl_by(L::splat(64 - shift)) } else { L::zero() };
        *limb = low.or(high).and(L::splat(LIMB_MASK));
    }
    limbs
}

/// Limbs of 52 bits from columns that may be negative, of a sum that is not. The last keeps what is above it.
#[inline(always)]
fn carry<L: Lanes, const N: usize>(mut columns: [L; N]) -> [L; N] {
    for i in 0..N - 1 {
        columns[i + 1] = columns[i + 1].add(columns[i].sar::<BITS>());
        columns[i] = columns[i].and(L::splat(LIMB_MASK));
    }
    columns
}

/// `low` + `multiple` − `high`·`c`, columns carried: the fold of what weighs −`c`.
#[inline(always)]
fn fold<L: Lanes, const H: usize, const N: usize>(
    low: &[L],
    high: &[L; H],
    c: &[u64; 3],
    multiple: &[u64; N],
) -> [L; N] {
    let mut columns = registers!(i of N; L::splat(multiple[i]));
    for (column, low) in columns.iter_mut().zip(low) {
        *column = column.add(*low);
    }
    let (mut lows, mut highs) = ([L::zero(); N], [L::zero(); N]);
    for i in 0..H {
        for j in 0..3 {
            lows[i + j] = lows[i + j].madd_lo(high[i], L::splat(c[j]));
            if i + j + 1 < N {
                highs[i + j + 1] = highs[i + j + 1].madd_hi(high[i], L::splat(c[j]));
            }
        }
    }
    for i in 0..N {
        columns[i] = columns[i].sub(lows[i]).sub(highs[i]);
    }
    carry(columns)
}

impl<L: Lanes> Scalar<L> {
    /// Of 256 bits, as they are.
    #[inline(always)]
    pub(super) fn of_words(words: &[L; 4]) -> Self {
        Self(limbs_of_words(words))
    }

    /// A number of 512 bits mod L.
    #[inline(always)]
    pub(super) fn of_wide_words(words: &[L; 8]) -> Self {
        let [l0, l1, l2, l3, l4, h0, h1, h2, h3, h4] = limbs_of_words(words);
        Self::reduce(fold(&[l0, l1, l2, l3, l4], &[h0, h1, h2, h3, h4], &C_8, &ORDER_133))
    }

    /// A number below 2³⁸⁶ mod L.
    #[inline(always)]
    fn reduce(limbs: [L; 8]) -> Self {
        // Above 2²⁶⁰ there are 126 bits, so their multiple of 2⁸·c is below 2²⁵⁹.
        let [l0, l1, l2, l3, l4, h0, h1, h2] = limbs;
        let [l0, l1, l2, l3, l4, l5] = fold(&[l0, l1, l2, l3, l4], &[h0, h1, h2], &C_8, &ORDER_7);
        // Below 2²⁶¹ now: 9 bits above 2²⁵².
        let high = l4.shr::<44>().or(l5.shl::<8>());
        let limbs = fold(&[l0, l1, l2, l3, l4.and(L::splat((1 << 44) - 1))], &[high], &C, &ORDER);
        // Between 0 and 2L.
        let less: [L; 5] = carry(registers!(i of 5; limbs[i].sub(L::splat(ORDER[i]))));
        let is_less = less[4].test(L::splat(1 << 63));
        Self(registers!(i of 5; less[i].blend(is_less, limbs[i])))
    }

    /// The number mod L whose 16 signed digits of eight bits are the bytes of the lower two words, less 128 each.
    #[inline(always)]
    pub(super) fn of_signed_bytes(words: &[L; 4]) -> Self {
        let limbs: [L; 5] = limbs_of_words(words);
        Self(carry(registers!(i of 5; limbs[i].add(L::splat(LESS_HALVES[i])))))
    }

    /// The product mod L of two numbers below 2²⁵⁴.
    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Self {
        let columns: [L; 10] = product(&self.0, &other.0);
        let [l0, l1, l2, l3, l4, h0, h1, h2, h3, h4] = carry(columns);
        Self::reduce(fold(&[l0, l1, l2, l3, l4], &[h0, h1, h2, h3, h4], &C_8, &ORDER_133))
    }

    /// A sum mod L, of limbs that carry nothing yet, each below 2⁶³.
    #[inline(always)]
    pub(super) fn of_sum(limbs: [L; 5]) -> Self {
        let [a, b, c, d, e] = limbs;
        Self::reduce(carry([a, b, c, d, e, L::zero(), L::zero(), L::zero()]))
    }

    /// In limbs of 50 bits, which ten digits of five bits and five of ten fill, plus half a digit of `WIDTH` bits at
    /// each place: digit i, less that half, is between −2^(`WIDTH` − 1) and 2^(`WIDTH` − 1) − 1.
    #[inline(always)]
    pub(super) fn digits<const WIDTH: u32>(&self) -> [L; 6] {
        let [a, b, c, d, e] = self.0;
        let mask = L::splat((1 << 50) - 1);
        let limbs = [
            a.and(mask),
            a.shr::<50>().or(b.shl::<2>()).and(mask),
            b.shr::<48>().or(c.shl::<4>()).and(mask),
            c.shr::<46>().or(d.shl::<6>()).and(mask),
            d.shr::<44>().or(e.shl::<8>()).and(mask),
            e.shr::<42>(),
        ];
        let half = 1 << (WIDTH - 1);
        let halves = (0..50 / WIDTH).fold(0_u64, |sum, i| sum | half << (WIDTH * i));
        let mut sums = [limbs[5].add(L::splat(half)); 6];
        let mut above = L::zero();
        for i in 0..5 {
            let sum = limbs[i].add(L::splat(halves)).add(above);
            above = sum.shr::<50>();
            sums[i] = sum.and(mask);
        }
        sums[5] = sums[5].add(above);
        sums
    }
}

#[cfg(test)]
mod tests;
