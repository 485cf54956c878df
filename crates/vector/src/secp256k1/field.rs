//! The field of p = 2²⁵⁶ − 2³² − 977, eight elements at a time, in five limbs of 52 bits.
//!
//! Four types say how far a number is reduced:
//!
//! | type | limbs | |
//! |---|---|---|
//! | [`Factor`] | 0 to 3 count with their low 52 bits, 4 is below 2⁴⁹ | to be multiplied, and nothing else |
//! | [`Fe`] | 0 to 3 below 2⁵², 4 below 2⁴⁹ | to be multiplied, added, compared |
//! | [`Wide`] | ten columns below 2⁵⁷, the last below 2⁵⁰ | products and their sums |
//! | [`Loose`] | six below 2⁶², the last below 2⁴¹ | folded, carries not propagated |
//!
//! The multiplier reads the low 52 bits of a limb, so what it is given must have been carried, but what was carried
//! need not be masked off. Sums and differences are taken before the carry, where they cost an addition a limb: an
//! expression like a² − 2b is one fold and one carry. 2²⁶⁰ ≡ 2³⁶ + 15,632 folds the upper half; 2²⁵⁶ ≡ 2³² + 977 what
//! is above 256 bits at the end.

use crate::lanes::{LANES, Lanes, Mask, transpose};
use crate::radix52::{LIMB_MASK, limbs_of};

mod pending;

use pending::ripple;
pub(super) use pending::{Factor, Loose};

/// p, words from the least.
pub(super) const PRIME: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
/// 2²⁵⁶ mod p.
const FOLD_256: u64 = 0x1_0000_03d1;
/// Bits of the fifth limb of a reduced number.
const TOP_BITS: u64 = (1 << 48) - 1;
/// An element: limbs 0 to 3 below 2⁵², limb 4 below 2⁴⁹, any multiple of p within.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe<L>(pub(super) [L; 5]);

/// The same limbs in all lanes. (Closures given to the standard library's functions on arrays are not always inlined,
/// and the operations of lanes must be; so there are loops instead of `map` here and elsewhere.)
#[inline(always)]
pub(super) fn splat_limbs<L: Lanes, const N: usize>(limbs: [u64; N]) -> [L; N] {
    let mut splat = [L::zero(); N];
    for i in 0..N {
        splat[i] = L::splat(limbs[i]);
    }
    splat
}

/// Whether all lanes of the words are below 2^`bits`, those of the last below 2^`last_bits`. For tests, which it
/// would swell were it inlined.
#[inline(never)]
fn fits<L: Lanes>(words: &[L], bits: u32, last_bits: u32) -> bool {
    let below = |word: &L, bits: u32| word.to_array().iter().all(|&word| word >> bits == 0);
    let Some((last, words)) = words.split_last() else { return true };
    words.iter().all(|word| below(word, bits)) && below(last, last_bits)
}

impl<L: Lanes> Fe<L> {
    /// The same constant in all lanes; any number of 256 bits.
    #[inline(always)]
    pub(super) fn splat(number: [u64; 4]) -> Self {
        Self(splat_limbs(limbs_of(number)))
    }

    #[inline(always)]
    pub(super) fn one() -> Self {
        Self::splat([1, 0, 0, 0])
    }

    /// From four words of 64 bits a lane; any number of 256 bits.
    #[inline(always)]
    pub(super) fn from_words([a, b, c, d]: [L; 4]) -> Self {
        let mask = L::splat(LIMB_MASK);
        Self([
            a.and(mask),
            a.shr::<52>().or(b.shl::<12>()).and(mask),
            b.shr::<40>().or(c.shl::<24>()).and(mask),
            c.shr::<28>().or(d.shl::<36>()).and(mask),
            d.shr::<16>(),
        ])
    }

    /// One number a lane.
    #[inline(always)]
    pub(super) fn from_numbers(numbers: &[[u64; 4]; LANES]) -> Self {
        let mut rows = [L::zero(); LANES];
        for (row, [a, b, c, d]) in rows.iter_mut().zip(*numbers) {
            *row = L::load(&[a, b, c, d, 0, 0, 0, 0]);
        }
        let [a, b, c, d, ..] = transpose(rows);
        Self::from_words([a, b, c, d])
    }

    /// The four words of each lane's number, which is below 2²⁵⁶.
    #[inline(always)]
    pub(super) fn to_words(self) -> [L; 4] {
        let [a, b, c, d, e] = self.0;
        [
            a.or(b.shl::<52>()),
            b.shr::<12>().or(c.shl::<40>()),
            c.shr::<24>().or(d.shl::<28>()),
            d.shr::<36>().or(e.shl::<16>()),
        ]
    }

    /// The number of lane 0 as it is, which is below 2²⁵⁶.
    #[inline(always)]
    pub(super) fn first_number(self) -> [u64; 4] {
        let mut number = [0; 4];
        for (i, word) in self.to_words().into_iter().enumerate() {
            let mut words = [0; LANES];
            word.store(&mut words);
            number[i] = words[0];
        }
        number
    }

    /// The numbers of the lanes, below p.
    #[inline(always)]
    pub(super) fn to_numbers(self) -> [[u64; 4]; LANES] {
        let mut numbers = [[0; 4]; LANES];
        for (i, word) in self.normalize().to_words().into_iter().enumerate() {
            let mut words = [0; LANES];
            word.store(&mut words);
            for lane in 0..LANES {
                numbers[lane][i] = words[lane];
            }
        }
        numbers
    }

    /// Whether the limbs are within their bounds.
    #[inline(always)]
    pub(super) fn is_reduced(&self) -> bool {
        fits(&self.0, 52, 49)
    }

    #[inline(always)]
    fn check(self) -> Self {
        assert!(!crate::BOUNDS_ARE_CHECKED || self.is_reduced());
        self
    }

    /// To be multiplied.
    #[inline(always)]
    pub(super) fn factor(self) -> Factor<L> {
        Factor(self.check().0)
    }

    /// `self · other`.
    #[inline(always)]
    pub(super) fn mul(self, other: Self) -> Self {
        self.factor().mul(other.factor()).reduce()
    }

    /// As [`Fe::mul`], called rather than inlined: for all but the inner formulas, to keep the code small.
    #[inline(never)]
    pub(super) fn mul_called(&self, other: &Self) -> Self {
        L::enter(
            #[inline(always)]
            || self.mul(*other),
        )
    }

    /// `self^(2^count)`, called rather than inlined.
    #[inline(never)]
    pub(super) fn square_times(&self, count: u32) -> Self {
        L::enter(
            #[inline(always)]
            || {
                let mut power = self.factor();
                for _ in 0..count {
                    power = power.square().carry();
                }
                power.masked()
            },
        )
    }

    /// As a sum to go on with.
    #[inline(always)]
    pub(super) fn loose(self) -> Loose<L> {
        let [a, b, c, d, e] = self.0;
        Loose([a, b, c, d, e, L::zero()])
    }

    /// The only form below p.
    #[inline(never)]
    pub(super) fn normalize(&self) -> Self {
        L::enter(
            #[inline(always)]
            || self.normalize_inlined(),
        )
    }

    #[inline(always)]
    fn normalize_inlined(&self) -> Self {
        // Below 2²⁵⁷; once folded, below 2²⁵⁶ + 2³³; where that is above 2²⁵⁶, it is far below after another fold.
        let below = self.check().fold_top().fold_top();
        // At least p where adding 2²⁵⁶ − p carries into bit 256, and what is left below that bit is then the rest.
        let Self([a, b, c, d, e]) = below;
        let Self(sum) = ripple([a.add(L::splat(FOLD_256)), b, c, d, e]).masked();
        let above = sum[4].shr::<48>().test(L::splat(1));
        let mut limbs = below.0;
        for i in 0..5 {
            limbs[i] = limbs[i].blend(above, sum[i]);
        }
        limbs[4] = limbs[4].and(L::splat(TOP_BITS));
        Self(limbs)
    }

    #[inline(always)]
    fn fold_top(self) -> Self {
        let Self([a, b, c, d, e]) = self;
        let a = a.madd_lo(e.shr::<48>(), L::splat(FOLD_256));
        ripple([a, b, c, d, e.and(L::splat(TOP_BITS))]).masked()
    }

    /// Lanes that are zero modulo p.
    #[inline(always)]
    pub(super) fn is_zero(self) -> Mask {
        let [a, b, c, d, e] = self.normalize().0;
        a.or(b).or(c).or(d).or(e).eq(L::zero())
    }

    /// Lanes that are equal modulo p.
    #[inline(always)]
    pub(super) fn is(self, other: Self) -> Mask {
        self.loose().minus(other.loose()).reduce().is_zero()
    }

    /// Lanes that are odd as numbers below p.
    #[inline(always)]
    pub(super) fn is_odd(self) -> Mask {
        self.normalize().0[0].test(L::splat(1))
    }

    /// `other` where the mask has a bit, else `self`.
    #[inline(always)]
    pub(super) fn blend(self, mask: Mask, other: Self) -> Self {
        let mut limbs = self.0;
        for i in 0..5 {
            limbs[i] = limbs[i].blend(mask, other.0[i]);
        }
        Self(limbs)
    }

    /// `self` where the mask has no bit, else `−self`.
    #[inline(always)]
    pub(super) fn negate_where(self, mask: Mask) -> Self {
        self.blend(mask, Loose::zero().minus(self.loose()).reduce())
    }

    /// A root of `self` where there is one: `self^((p + 1)/4)`, which is so because p ≡ 3 mod 4. Whether it is one
    /// is for the caller to see. 253 squares and 13 products.
    ///
    /// (p + 1)/4 is 223 ones, a zero, 22 ones, four zeros, two ones and two zeros; the chain of the blocks of ones
    /// is the usual one, by lengths 2, 3, 6, 9, 11, 22, 44, 88, 176, 220, 223.
    #[inline(always)]
    pub(super) fn root_candidate(self) -> Self {
        // For each block: how often the one before is squared, and which is multiplied then.
        let mut blocks = [self; 12];
        let steps = [(1, 0), (1, 0), (3, 2), (3, 2), (2, 1), (11, 5), (22, 6), (44, 7), (88, 8), (44, 7), (3, 2)];
        for (i, (squares, factor)) in steps.into_iter().enumerate() {
            blocks[i + 1] = blocks[i].square_times(squares).mul_called(&blocks[factor]);
        }
        let high = blocks[11].square_times(23).mul_called(&blocks[6]);
        high.square_times(6).mul_called(&blocks[1]).square_times(2)
    }
}

/// Eight elements as rows of the lanes: what [`rows_to_pair`] reads. Numbers below p.
#[inline(always)]
pub(super) fn pair_to_rows<L: Lanes>(x: Fe<L>, y: Fe<L>) -> [L; LANES] {
    let ([x0, x1, x2, x3], [y0, y1, y2, y3]) = (x.normalize().to_words(), y.normalize().to_words());
    transpose([x0, x1, x2, x3, y0, y1, y2, y3])
}

/// Two elements a lane from one row a lane: the four words of the first, then those of the second.
#[inline(always)]
pub(super) fn rows_to_pair<L: Lanes>(rows: [L; LANES]) -> (Fe<L>, Fe<L>) {
    let [x0, x1, x2, x3, y0, y1, y2, y3] = transpose(rows);
    (Fe::from_words([x0, x1, x2, x3]), Fe::from_words([y0, y1, y2, y3]))
}
