//! Numbers mod p = 2²⁵⁵ − 19, one a lane, in five limbs of 51 bits with a spare bit each.
//!
//! | type | limbs | value |
//! |---|---|---|
//! | [`Element`] | *tight*: below 2⁵¹ + 2¹⁸ | below 2p, any representative |
//! | [`Columns`] | below 2⁶³ | a sum that was not carried yet |
//!
//! Multiplication takes limbs below 2⁵² and gives columns; sums and differences are of columns, so that one pass of
//! carries serves the product and the sum.

use crate::lanes::{LANES, Lanes, Mask, registers, transpose};

/// Bits of a limb.
const BITS: u32 = 51;
const LIMB_MASK: u64 = (1 << BITS) - 1;
/// Tight limbs are below this.
const TIGHT: u64 = (1 << BITS) + (1 << 18);

/// A number mod p with tight limbs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<L>(pub(super) [L; 5]);

/// A number mod p, carries pending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<L>([L; 5]);

/// What 2⁹·p has in its limbs: above all columns of one product of tight limbs (2⁵⁹).
const ABOVE_PRODUCTS: [u64; 5] =
    [(1 << 60) - (19 << 9), (1 << 60) - (1 << 9), (1 << 60) - (1 << 9), (1 << 60) - (1 << 9), (1 << 60) - (1 << 9)];

/// A constant, from little-endian words below 2²⁵⁵.
pub(super) const fn limbs_of(words: [u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = words;
    [
        a & LIMB_MASK,
        (a >> 51 | b << 13) & LIMB_MASK,
        (b >> 38 | c << 26) & LIMB_MASK,
        (c >> 25 | d << 39) & LIMB_MASK,
        d >> 12 & LIMB_MASK,
    ]
}

impl<L: Lanes> Element<L> {
    #[inline(always)]
    pub(super) fn splat(limbs: [u64; 5]) -> Self {
        Self(registers!(i of 5; L::splat(limbs[i])))
    }

    #[inline(always)]
    pub(super) fn zero() -> Self {
        Self([L::zero(); 5])
    }

    #[inline(always)]
    pub(super) fn one() -> Self {
        Self::splat([1, 0, 0, 0, 0])
    }

    /// From four little-endian words a lane; bit 255 is ignored, and the value may be p or above.
    #[inline(always)]
    pub(super) fn from_words(words: [L; 4]) -> Self {
        let [a, b, c, d] = words;
        let mask = L::splat(LIMB_MASK);
        Self([
            a.and(mask),
            a.shr::<51>().or(b.shl::<13>()).and(mask),
            b.shr::<38>().or(c.shl::<26>()).and(mask),
            c.shr::<25>().or(d.shl::<39>()).and(mask),
            d.shr::<12>().and(mask),
        ])
    }

    /// Carries pending in limbs below 2⁵², as sums and differences leave them.
    #[inline(always)]
    pub(super) fn columns(self) -> Columns<L> {
        Columns(self.0)
    }

    #[inline(always)]
    fn check_tight(&self) {
        assert!(!crate::BOUNDS_ARE_CHECKED || all_below(&self.0, TIGHT), "limbs are not tight");
    }

    /// Columns of a product, below 2⁵⁹.
    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Columns<L> {
        if L::IN_MEMORY { times_apart(self, other) } else { self.times_inlined(other) }
    }

    #[inline(always)]
    fn times_inlined(&self, other: &Self) -> Columns<L> {
        self.check_tight();
        other.check_tight();
        let (a, b) = (&self.0, &other.0);
        // Low halves have the weight of column i + j, high halves twice that of the next one.
        let (mut low, mut high) = ([L::zero(); 10], [L::zero(); 10]);
        for i in 0..5 {
            for j in 0..5 {
                low[i + j] = low[i + j].madd_lo(a[i], b[j]);
                high[i + j + 1] = high[i + j + 1].madd_hi(a[i], b[j]);
            }
        }
        fold(registers!(k of 10; low[k].add(high[k].add(high[k]))))
    }

    /// Columns of a square, below 2⁵⁹.
    #[inline(always)]
    pub(super) fn square_columns(&self) -> Columns<L> {
        if L::IN_MEMORY { square_apart(self) } else { self.square_inlined() }
    }

    #[inline(always)]
    fn square_inlined(&self) -> Columns<L> {
        self.check_tight();
        let a = &self.0;
        // What counts four times, then what counts twice, then the rest.
        let mut columns = [L::zero(); 10];
        for i in 0..5 {
            for j in i + 1..5 {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], a[j]);
            }
        }
        for column in &mut columns {
            *column = column.add(*column);
        }
        for i in 0..5 {
            for j in i + 1..5 {
                columns[i + j] = columns[i + j].madd_lo(a[i], a[j]);
            }
            columns[2 * i + 1] = columns[2 * i + 1].madd_hi(a[i], a[i]);
        }
        for column in &mut columns {
            *column = column.add(*column);
        }
        for i in 0..5 {
            columns[2 * i] = columns[2 * i].madd_lo(a[i], a[i]);
        }
        fold(columns)
    }

    #[inline(always)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        self.times(other).carry()
    }

    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        self.square_columns().carry()
    }

    /// −x.
    #[inline(always)]
    pub(super) fn negative(&self) -> Self {
        Self::zero().columns().minus(self.columns()).carry()
    }

    /// `other` in the lanes of the mask.
    #[inline(always)]
    pub(super) fn blend(&self, mask: Mask, other: &Self) -> Self {
        Self(registers!(i of 5; self.0[i].blend(mask, other.0[i])))
    }

    /// The representative below p, each limb below 2⁵¹.
    #[inline(always)]
    pub(super) fn canonical(&self) -> Self {
        if L::IN_MEMORY { canonical_apart(self) } else { self.canonical_inlined() }
    }

    #[inline(always)]
    fn canonical_inlined(&self) -> Self {
        self.check_tight();
        let [a, b, c, d, e] = self.0;
        // ⌊(x + 19) / 2²⁵⁵⌋ is 1 exactly where x ≥ p, as x < 2p.
        let mut over = a.add(L::splat(19)).shr::<BITS>();
        for limb in [b, c, d, e] {
            over = limb.add(over).shr::<BITS>();
        }
        let mask = L::splat(LIMB_MASK);
        let mut carry = L::zero().madd_lo(over, L::splat(19));
        let mut limbs = self.0;
        for limb in &mut limbs {
            let sum = limb.add(carry);
            carry = sum.shr::<BITS>();
            *limb = sum.and(mask);
        }
        Self(limbs)
    }

    /// Lanes in which the value is 0 mod p.
    #[inline(always)]
    pub(super) fn is_zero(&self) -> Mask {
        let [a, b, c, d, e] = self.canonical().0;
        a.or(b).or(c.or(d)).or(e).eq(L::zero())
    }

    /// Lanes in which the canonical value is odd, which is the sign of an x.
    #[inline(always)]
    pub(super) fn is_odd(&self) -> Mask {
        self.canonical().0[0].test(L::splat(1))
    }

    /// Lanes in which both have the same limbs.
    #[inline(always)]
    pub(super) fn same_limbs(&self, other: &Self) -> Mask {
        let mut same = Mask::MAX;
        for i in 0..5 {
            same &= self.0[i].eq(other.0[i]);
        }
        same
    }
}

#[inline(never)]
fn times_apart<L: Lanes>(a: &Element<L>, b: &Element<L>) -> Columns<L> {
    a.times_inlined(b)
}

#[inline(never)]
fn square_apart<L: Lanes>(a: &Element<L>) -> Columns<L> {
    a.square_inlined()
}

#[inline(never)]
fn carry_apart<L: Lanes>(columns: Columns<L>) -> Element<L> {
    columns.carry_inlined()
}

#[inline(never)]
fn minus_apart<L: Lanes>(a: Columns<L>, b: Columns<L>) -> Columns<L> {
    a.minus_inlined(b)
}

#[inline(never)]
fn canonical_apart<L: Lanes>(a: &Element<L>) -> Element<L> {
    a.canonical_inlined()
}

/// Whether all limbs of all lanes are below a bound.
#[inline(always)]
fn all_below<L: Lanes>(limbs: &[L; 5], bound: u64) -> bool {
    let mut below = Mask::MAX;
    for limb in limbs {
        below &= limb.lt(L::splat(bound));
    }
    below == Mask::MAX
}

/// Adds the upper five columns, which weigh 2²⁵⁵ ≡ 19 times the lower. One multiplication of whole words, on AMD as
/// fast as one of IFMA, takes the place of four shifts and additions.
#[inline(always)]
fn fold<L: Lanes>(columns: [L; 10]) -> Columns<L> {
    Columns(registers!(k of 5; columns[k].add(columns[k + 5].mul64(L::splat(19)))))
}

impl<L: Lanes> Columns<L> {
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self(registers!(i of 5; self.0[i].add(other.0[i])))
    }

    /// The difference, of a subtrahend below 2⁶⁰ − 2¹⁴.
    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        if L::IN_MEMORY { minus_apart(self, other) } else { self.minus_inlined(other) }
    }

    #[inline(always)]
    fn minus_inlined(self, other: Self) -> Self {
        assert!(!crate::BOUNDS_ARE_CHECKED || all_below(&other.0, ABOVE_PRODUCTS[0]), "the subtrahend is too large");
        Self(registers!(i of 5; self.0[i].add(L::splat(ABOVE_PRODUCTS[i])).sub(other.0[i])))
    }

    #[inline(always)]
    pub(super) fn double(self) -> Self {
        self.plus(self)
    }

    /// One pass of carries, all at once: of columns below 2⁶³ makes tight limbs, since the carries are below 2¹²
    /// and the one that wraps around counts 19 times.
    #[inline(always)]
    pub(super) fn carry(self) -> Element<L> {
        if L::IN_MEMORY { carry_apart(self) } else { self.carry_inlined() }
    }

    #[inline(always)]
    fn carry_inlined(self) -> Element<L> {
        assert!(!crate::BOUNDS_ARE_CHECKED || all_below(&self.0, 1 << 63), "columns are too large");
        let mask = L::splat(LIMB_MASK);
        let carries = registers!(i of 5; self.0[i].shr::<BITS>());
        let low = registers!(i of 5; self.0[i].and(mask));
        Element([
            low[0].madd_lo(carries[4], L::splat(19)),
            low[1].add(carries[0]),
            low[2].add(carries[1]),
            low[3].add(carries[2]),
            low[4].add(carries[3]),
        ])
    }
}

/// x^(2ⁿ), of several numbers at once: one chain alone would wait for its own results.
#[inline(never)]
fn square_times<L: Lanes, const N: usize>(x: &[Element<L>; N], n: u32) -> [Element<L>; N] {
    L::enter(
        #[inline(always)]
        || {
            let mut x = *x;
            for _ in 0..n {
                for x in &mut x {
                    *x = x.square();
                }
            }
            x
        },
    )
}

#[inline(never)]
fn products<L: Lanes, const N: usize>(a: &[Element<L>; N], b: &[Element<L>; N]) -> [Element<L>; N] {
    L::enter(
        #[inline(always)]
        || {
            let mut products = *a;
            for i in 0..N {
                products[i] = a[i].mul(&b[i]);
            }
            products
        },
    )
}

/// x^(2²⁵⁰ − 1), and x¹¹ on the way.
#[inline(always)]
fn long_chain<L: Lanes, const N: usize>(x: &[Element<L>; N]) -> ([Element<L>; N], [Element<L>; N]) {
    let x2 = square_times(x, 1);
    let x9 = products(x, &square_times(&x2, 2));
    let x11 = products(&x2, &x9);
    let bits5 = products(&x9, &square_times(&x11, 1));
    let mut sum = bits5;
    // Doubles the exponent's ones: 5 to 10, 20 and 40.
    let mut ones = [bits5; 4];
    let mut length = 5;
    for k in 1..4 {
        sum = products(&square_times(&sum, length), &sum);
        ones[k] = sum;
        length *= 2;
    }
    let bits50 = products(&square_times(&sum, 10), &ones[1]);
    let bits100 = products(&square_times(&bits50, 50), &bits50);
    let bits200 = products(&square_times(&bits100, 100), &bits100);
    (products(&square_times(&bits200, 50), &bits50), x11)
}

/// x^((p − 5)/8) = x^(2²⁵² − 3).
#[inline(always)]
pub(super) fn power_of_roots<L: Lanes, const N: usize>(x: &[Element<L>; N]) -> [Element<L>; N] {
    products(&square_times(&long_chain(x).0, 2), x)
}

/// 1/x = x^(2²⁵⁵ − 21); 0 of 0.
#[inline(always)]
pub(super) fn inverse<L: Lanes>(x: &Element<L>) -> Element<L> {
    let (long, x11) = long_chain(&[*x]);
    square_times(&long, 5)[0].mul(&x11[0])
}

/// The little-endian words of 32 bytes a lane.
#[inline(always)]
pub(super) fn words_of_bytes<L: Lanes>(bytes: &[&[u8; 32]; LANES]) -> [L; 4] {
    let mut rows = [L::zero(); LANES];
    for (row, bytes) in rows.iter_mut().zip(bytes) {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |i: usize| u64::from_le_bytes(words[i]);
        *row = L::load(&[word(0), word(1), word(2), word(3), 0, 0, 0, 0]);
    }
    let [a, b, c, d, ..] = transpose(rows);
    [a, b, c, d]
}

#[cfg(test)]
mod tests;
