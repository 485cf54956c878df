//! Numbers of 256 bits and more as limbs of 52 bits, one number a lane: limb i of all lanes in one register.

use crate::lanes::{LANES, Lanes, transpose};

/// Bits of a limb.
pub const BITS: u32 = 52;
/// All ones in a limb.
pub const LIMB_MASK: u64 = (1 << BITS) - 1;

/// Splits 256-bit numbers, four little-endian words each, into five limbs; the fifth has 48 bits.
#[inline(always)]
pub fn from_words<L: Lanes>(numbers: &[[u64; 4]; LANES]) -> [L; 5] {
    // A loop and no closure: what is not inlined here does without the target features.
    let mut rows = [L::zero(); LANES];
    for (row, [a, b, c, d]) in rows.iter_mut().zip(*numbers) {
        *row = L::load(&[a, b, c, d, 0, 0, 0, 0]);
    }
    let [w0, w1, w2, w3, ..] = transpose(rows);
    let mask = L::splat(LIMB_MASK);
    [
        w0.and(mask),
        w0.shr::<52>().or(w1.shl::<12>()).and(mask),
        w1.shr::<40>().or(w2.shl::<24>()).and(mask),
        w2.shr::<28>().or(w3.shl::<36>()).and(mask),
        w3.shr::<16>(),
    ]
}

/// The opposite of [`from_words`]: limbs below 2⁵², the fifth below 2⁴⁸.
#[inline(always)]
pub fn to_words<L: Lanes>(limbs: &[L; 5]) -> [[u64; 4]; LANES] {
    let [a, b, c, d, e] = *limbs;
    let words = [
        a.or(b.shl::<52>()),
        b.shr::<12>().or(c.shl::<40>()),
        c.shr::<24>().or(d.shl::<28>()),
        d.shr::<36>().or(e.shl::<16>()),
    ]
    .map(Lanes::to_array);
    std::array::from_fn(|lane| words.map(|word| word[lane]))
}

/// A constant number as limbs, for tables and moduli.
pub const fn limbs_of(words: [u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = words;
    [
        a & LIMB_MASK,
        (a >> 52 | b << 12) & LIMB_MASK,
        (b >> 40 | c << 24) & LIMB_MASK,
        (c >> 28 | d << 36) & LIMB_MASK,
        d >> 16,
    ]
}

/// The columns of a product, schoolbook: column k is Σ lo(aᵢ·bⱼ) over i + j = k and Σ hi(aᵢ·bⱼ) over i + j = k − 1.
/// `WIDE` is 2·`N`. Limbs in below 2⁵²; columns out below `N`·2⁵³. 2·N² multiplications.
#[inline(always)]
pub fn product<L: Lanes, const N: usize, const WIDE: usize>(a: &[L; N], b: &[L; N]) -> [L; WIDE] {
    const { assert!(WIDE == 2 * N) };
    // Low and high halves in accumulators of their own: chains half as long.
    let (mut low, mut high) = ([L::zero(); WIDE], [L::zero(); WIDE]);
    for i in 0..N {
        for j in 0..N {
            low[i + j] = low[i + j].madd_lo(a[i], b[j]);
            high[i + j + 1] = high[i + j + 1].madd_hi(a[i], b[j]);
        }
    }
    high[0] = low[0];
    for k in 1..WIDE - 1 {
        high[k] = high[k].add(low[k]);
    }
    high
}

/// The columns of a square, as [`product`] of a number with itself, in N·(N + 1) multiplications.
#[inline(always)]
pub fn square<L: Lanes, const N: usize, const WIDE: usize>(a: &[L; N]) -> [L; WIDE] {
    const { assert!(WIDE == 2 * N) };
    let (mut low, mut high) = ([L::zero(); WIDE], [L::zero(); WIDE]);
    for i in 0..N {
        for j in i + 1..N {
            low[i + j] = low[i + j].madd_lo(a[i], a[j]);
            high[i + j + 1] = high[i + j + 1].madd_hi(a[i], a[j]);
        }
    }
    let mut columns = low;
    for k in 0..WIDE {
        let sum = low[k].add(high[k]);
        columns[k] = sum.add(sum);
    }
    for i in 0..N {
        columns[2 * i] = columns[2 * i].madd_lo(a[i], a[i]);
        columns[2 * i + 1] = columns[2 * i + 1].madd_hi(a[i], a[i]);
    }
    columns
}

#[cfg(test)]
mod tests;
