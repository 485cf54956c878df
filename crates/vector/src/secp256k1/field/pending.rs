//! Elements on their way through a formula: products, and sums whose carries are pending.

use super::{FOLD_256, Fe, TOP_BITS, fits};
use crate::lanes::{Lanes, Mask};
use crate::radix52::LIMB_MASK;

/// 2²⁶⁰ mod p.
const FOLD_260: u64 = 0x10_0000_3d10;
/// A multiple of p with limbs of at least 2⁵⁹ (the sixth 2³⁸): what is added before a subtraction.
const BIAS: [u64; 6] = [
    0x0800_b3fe_ffe1_742f,
    0x080f_ffff_ffbf_ff7f,
    0x080f_ffff_ffff_ff7f,
    0x080f_ffff_ffff_ff7f,
    0x0800_ffff_ffff_ff7f,
    1 << 38,
];

/// An element that can only be multiplied: what limbs 0 to 3 have above bit 52 was carried to the next and does not
/// count; limb 4 is below 2⁴⁹.
#[derive(Clone, Copy, Debug)]
pub(in crate::secp256k1) struct Factor<L>(pub(super) [L; 5]);

/// The ten columns of a sum of products, each below 2⁵⁷, the last below 2⁵⁰.
#[derive(Clone, Copy, Debug)]
pub(in crate::secp256k1) struct Wide<L>([L; 10]);

/// A number whose carries are pending: limbs below 2⁶², the sixth below 2⁴¹.
#[derive(Clone, Copy, Debug)]
pub(in crate::secp256k1) struct Loose<L>(pub(super) [L; 6]);

impl<L: Lanes> Factor<L> {
    /// The element to be added.
    #[inline(always)]
    pub(in crate::secp256k1) fn masked(self) -> Fe<L> {
        let (mask, [a, b, c, d, e]) = (L::splat(LIMB_MASK), self.0);
        Fe([a.and(mask), b.and(mask), c.and(mask), d.and(mask), e]).check()
    }

    /// `self · other`. 50 multiplications.
    #[inline(always)]
    pub(in crate::secp256k1) fn wide_mul(self, other: Self) -> Wide<L> {
        Wide([L::zero(); 10]).plus_product(self, other)
    }

    /// `self²`. 30 multiplications.
    #[inline(always)]
    pub(in crate::secp256k1) fn wide_square(self) -> Wide<L> {
        let (a, mut columns) = (self.0, [L::zero(); 10]);
        for i in 0..5 {
            for j in i + 1..5 {
                columns[i + j] = columns[i + j].madd_lo(a[i], a[j]);
            }
            for j in i + 1..5 {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], a[j]);
            }
        }
        // 0 and 9 have no products of two different limbs.
        for column in &mut columns[1..9] {
            *column = column.add(*column);
        }
        for i in 0..5 {
            columns[2 * i] = columns[2 * i].madd_lo(a[i], a[i]);
            columns[2 * i + 1] = columns[2 * i + 1].madd_hi(a[i], a[i]);
        }
        Wide(columns)
    }

    /// `self · other`.
    #[inline(always)]
    pub(in crate::secp256k1) fn mul(self, other: Self) -> Loose<L> {
        self.wide_mul(other).fold()
    }

    /// `self²`.
    #[inline(always)]
    pub(in crate::secp256k1) fn square(self) -> Loose<L> {
        self.wide_square().fold()
    }
}

impl<L: Lanes> Wide<L> {
    /// `self + a · b`.
    #[inline(always)]
    pub(in crate::secp256k1) fn plus_product(self, a: Factor<L>, b: Factor<L>) -> Self {
        let (mut columns, a, b) = (self.0, a.0, b.0);
        for i in 0..5 {
            for j in 0..5 {
                columns[i + j] = columns[i + j].madd_lo(a[i], b[j]);
            }
            for j in 0..5 {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], b[j]);
            }
        }
        Self(columns)
    }

    /// Twice the sum.
    #[inline(always)]
    pub(in crate::secp256k1) fn doubled(self) -> Self {
        let mut columns = self.0;
        for column in &mut columns {
            *column = column.add(*column);
        }
        Self(columns)
    }

    /// The same number modulo p in six limbs, each below 2⁵⁷ + 2⁵⁴, the sixth below 2³⁶. 10 multiplications.
    #[inline(always)]
    pub(in crate::secp256k1) fn fold(self) -> Loose<L> {
        assert!(!crate::BOUNDS_ARE_CHECKED || fits(&self.0, 57, 50));
        let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9] = self.0;
        let fold = L::splat(FOLD_260);
        // What is carried needs no mask: the multiplications read 52 bits.
        let c6 = c6.add(c5.shr::<52>());
        let c7 = c7.add(c6.shr::<52>());
        let c8 = c8.add(c7.shr::<52>());
        // Below 2⁵⁰ + 2⁷, so that its fold fits a limb and 35 bits.
        let c9 = c9.add(c8.shr::<52>());
        Loose([
            c0.madd_lo(c5, fold),
            c1.madd_lo(c6, fold).madd_hi(c5, fold),
            c2.madd_lo(c7, fold).madd_hi(c6, fold),
            c3.madd_lo(c8, fold).madd_hi(c7, fold),
            c4.madd_lo(c9, fold).madd_hi(c8, fold),
            L::zero().madd_hi(c9, fold),
        ])
    }
}

impl<L: Lanes> Loose<L> {
    #[inline(always)]
    pub(in crate::secp256k1) fn zero() -> Self {
        Self([L::zero(); 6])
    }

    /// A small constant in all lanes.
    #[inline(always)]
    pub(in crate::secp256k1) fn small(number: u64) -> Self {
        let zero = L::zero();
        Self([L::splat(number), zero, zero, zero, zero, zero])
    }

    /// `self + other`, limb by limb.
    #[inline(always)]
    pub(in crate::secp256k1) fn plus(self, other: Self) -> Self {
        let mut limbs = self.0;
        for i in 0..6 {
            limbs[i] = limbs[i].add(other.0[i]);
        }
        Self(limbs)
    }

    /// `self − other` plus a multiple of p; limbs of `other` below 2⁵⁹, its sixth below 2³⁸.
    #[inline(always)]
    pub(in crate::secp256k1) fn minus(self, other: Self) -> Self {
        self.plus(other.negated())
    }

    /// A multiple of p less `self`; limbs of `self` below 2⁵⁹, its sixth below 2³⁸.
    #[inline(always)]
    pub(in crate::secp256k1) fn negated(self) -> Self {
        assert!(!crate::BOUNDS_ARE_CHECKED || fits(&self.0, 59, 38));
        let mut limbs = self.0;
        for i in 0..6 {
            limbs[i] = L::splat(BIAS[i]).sub(limbs[i]);
        }
        Self(limbs)
    }

    /// `−self` where the mask has a bit, with the multiple of p of [`Loose::negated`] added in all lanes.
    #[inline(always)]
    pub(in crate::secp256k1) fn negated_where(self, mask: Mask) -> Self {
        assert!(!crate::BOUNDS_ARE_CHECKED || fits(&self.0, 59, 38));
        let mut limbs = self.0;
        for i in 0..6 {
            let bias = L::splat(BIAS[i]);
            limbs[i] = bias.add(limbs[i]).blend(mask, bias.sub(limbs[i]));
        }
        Self(limbs)
    }

    /// Twice the number.
    #[inline(always)]
    pub(in crate::secp256k1) fn doubled(self) -> Self {
        self.plus(self)
    }

    /// Three times the number.
    #[inline(always)]
    pub(in crate::secp256k1) fn tripled(self) -> Self {
        self.plus(self).plus(self)
    }

    /// Four times the number.
    #[inline(always)]
    pub(in crate::secp256k1) fn quadrupled(self) -> Self {
        let mut limbs = self.0;
        for limb in &mut limbs {
            *limb = limb.shl::<2>();
        }
        Self(limbs)
    }

    /// Propagates the carries. Two multiplications.
    ///
    /// What is above bit 256 is folded first: below 2⁴⁵ + 2¹⁴, so limb 0 grows by less than 2⁵² and limb 1 by less
    /// than 2²⁶, and one pass settles all; the fifth limb ends below 2⁴⁸ + 2¹².
    #[inline(always)]
    pub(in crate::secp256k1) fn carry(self) -> Factor<L> {
        assert!(!crate::BOUNDS_ARE_CHECKED || fits(&self.0, 62, 41));
        let [a, b, c, d, e, f] = self.0;
        let (above, fold) = (e.shr::<48>().add(f.shl::<4>()), L::splat(FOLD_256));
        let a = a.madd_lo(above, fold);
        let b = b.madd_hi(above, fold);
        ripple([a, b, c, d, e.and(L::splat(TOP_BITS))])
    }

    /// As [`Loose::carry`], and masks off what was carried.
    #[inline(always)]
    pub(in crate::secp256k1) fn reduce(self) -> Fe<L> {
        self.carry().masked()
    }
}

/// One pass of carries. Nothing is carried out of the fifth limb.
#[inline(always)]
pub(super) fn ripple<L: Lanes>([a, b, c, d, e]: [L; 5]) -> Factor<L> {
    let b = b.add(a.shr::<52>());
    let c = c.add(b.shr::<52>());
    let d = d.add(c.shr::<52>());
    let e = e.add(d.shr::<52>());
    Factor([a, b, c, d, e])
}
