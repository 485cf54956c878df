//! Numbers modulo the order n of the group, eight at a time, by Montgomery's multiplication with R = 2²⁶⁰; and their
//! way to the digits of a double-and-add.

use super::field::{Fe, splat_limbs};
use crate::lanes::{LANES, Lanes};
use crate::radix52::{LIMB_MASK, limbs_of, product};
use crate::weierstrass::inversion::{Invertible, Modulus, rotated};

/// n, words from the least.
pub(super) const ORDER: [u64; 4] = [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX];
const ORDER_LIMBS: [u64; 5] = limbs_of(ORDER);
static MODULUS: Modulus = Modulus::new(ORDER);
/// −1/n mod 2⁵².
const NEGATED_INVERSE: u64 = 0x000d_ff66_5588_b13f;
/// R² mod n.
const R_SQUARED: [u64; 5] =
    [0x000e_180c_268b_3b23, 0x0009_4fd6_e33e_4c8e, 0x000d_07c7_3b97_5948, 0x000c_5e69_7f5e_45bc, 0x671c_d581_c69b];

/// A number below 2²⁵⁷ modulo n; limbs 0 to 3 below 2⁵².
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar<L>(pub(super) [L; 5]);

impl<L: Lanes> Scalar<L> {
    /// One number a lane.
    #[inline(always)]
    pub(super) fn from_numbers(numbers: &[[u64; 4]; LANES]) -> Self {
        Self(Fe::from_numbers(numbers).0)
    }

    /// `self · other / R`. Below 2²⁵⁷ in and out: (2⁵¹⁴ + n·2²⁶⁰)/2²⁶⁰ is below n + 2²⁵⁴.
    #[inline(never)]
    pub(super) fn montgomery_mul(&self, other: &Self) -> Self {
        L::enter(
            #[inline(always)]
            || self.montgomery_mul_inlined(other),
        )
    }

    #[inline(always)]
    fn montgomery_mul_inlined(&self, other: &Self) -> Self {
        let mut columns: [L; 10] = product(&self.0, &other.0);
        let order = splat_limbs::<L, 5>(ORDER_LIMBS);
        for i in 0..5 {
            let multiple = L::zero().madd_lo(columns[i], L::splat(NEGATED_INVERSE));
            for j in 0..5 {
                columns[i + j] = columns[i + j].madd_lo(multiple, order[j]);
                columns[i + j + 1] = columns[i + j + 1].madd_hi(multiple, order[j]);
            }
            // The low 52 bits of this column are now zero.
            columns[i + 1] = columns[i + 1].add(columns[i].shr::<52>());
        }
        let mask = L::splat(LIMB_MASK);
        for i in 5..9 {
            columns[i + 1] = columns[i + 1].add(columns[i].shr::<52>());
            columns[i] = columns[i].and(mask);
        }
        let [.., a, b, c, d, e] = columns;
        Self([a, b, c, d, e])
    }

    /// `self · R`: into Montgomery's form.
    #[inline(always)]
    pub(super) fn to_montgomery(self) -> Self {
        self.montgomery_mul(&Self(splat_limbs(R_SQUARED)))
    }

    /// `−self`: n and twice n less it would do for what is below them, and here four times n is above everything.
    #[inline(always)]
    pub(super) fn negated(self) -> Self {
        let mut limbs = self.0;
        let mut borrow = L::zero();
        for i in 0..5 {
            let digit = L::splat(ORDER_LIMBS[i] * 4).sub(limbs[i]).add(borrow);
            borrow = digit.sar::<52>();
            limbs[i] = if i < 4 { digit.and(L::splat(LIMB_MASK)) } else { digit };
        }
        // Below 2²⁵⁸, which a product by R brings down; the two factors of R cancel.
        Self(limbs).to_montgomery().montgomery_mul(&Self(splat_limbs([1, 0, 0, 0, 0])))
    }
}

impl<L: Lanes> Invertible for Scalar<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.montgomery_mul(&other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        let mut limbs = self.0;
        for limb in &mut limbs {
            *limb = rotated(*limb, by);
        }
        Self(limbs)
    }

    /// In Montgomery's form, as all that is inverted here.
    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        // Out of the form, below 2²⁵⁷/2²⁶⁰ + n, so at most n; and n itself only of a multiple of n.
        let plain = self.montgomery_mul(&Self(splat_limbs([1, 0, 0, 0, 0])));
        let inverse = MODULUS.invert(Fe(plain.0).first_number());
        Self(splat_limbs(limbs_of(inverse))).to_montgomery()
    }
}

/// Bits of a [`Half`].
pub(super) const HALF_BITS: u32 = 130;

/// An odd number k between −2¹³⁰ and 2¹³⁰, held as (k + 2¹³⁰ − 1)/2.
///
/// Written to base 2ʷ, where w divides 130, digit t stands for the odd digit 2t − (2ʷ − 1) of k, since the sum of the
/// (2ʷ − 1)·2ʷⁱ is 2¹³⁰ − 1. So no digit is zero, and the sign is the top bit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Half<L>([L; 3]);

/// An odd digit of each lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digit {
    /// (|digit| − 1)/2.
    pub(super) index: [u64; LANES],
    /// Lanes in which the digit is negative.
    pub(super) negative: u8,
}

impl<L: Lanes> Half<L> {
    /// The digit to base 2^`width` at bit `position`.
    #[inline(always)]
    pub(super) fn digit(&self, position: u32, width: u32) -> Digit {
        let (limb, shift) = ((position / 52) as usize, u64::from(position % 52));
        let low = self.0[limb].shr_by(L::splat(shift));
        let above = if limb < 2 { self.0[limb + 1].shl_by(L::splat(52 - shift)) } else { L::zero() };
        let bits = low.or(above);
        let half = 1 << (width - 1);
        let positive = bits.test(L::splat(half));
        let low_bits = L::splat(half - 1);
        let index = bits.and(low_bits);
        let index = index.xor(low_bits).blend(positive, index);
        Digit { index: index.to_array(), negative: !positive }
    }
}

/// The lattice of (a, b) with a + b·λ ≡ 0 mod n, where λ·(x, y) is (β·x, y): short vectors (a₁, −b₁) and (a₂, a₁),
/// by the extended Euclidean algorithm (Gallant, Lambert, Vanstone, *Faster point multiplication on elliptic curves
/// with efficient endomorphisms*, 2001).
const A1: [u64; 3] = [0x000c_90e4_9284_eb15, 0x0002_1a7d_46bc_de86, 0x0030_86d2];
const B1: [u64; 3] = [0x0004_7fa9_0abf_e4c3, 0x000d_6010_e882_86f5, 0x00e4_437e];
const A2: [u64; 3] = [0x0001_108d_9d44_cfd8, 0x000f_7a8e_2f3f_657c, 0x0114_ca50];
/// 2³⁶⁴·a₁/n and 2³⁶⁴·b₁/n, rounded.
const G1: [u64; 5] =
    [0x0007_fe89_3209_a45e, 0x000d_aa8a_1471_e8ca, 0x0009_0e49_284e_b153, 0x0001_a7d4_6bcd_e86c, 0x0308_6d22];
const G2: [u64; 5] =
    [0x000c_6157_1b4a_e8ac, 0x0002_1208_ac9d_f506, 0x0007_fa90_abfe_4c42, 0x0006_010e_8828_6f54, 0x0e44_37ed];

impl<L: Lanes> Scalar<L> {
    /// Odd (k₁, k₂) with k₁ + k₂·λ ≡ `self`, both between −2¹²⁹ and 2¹²⁹.
    ///
    /// The nearest vector of the lattice leaves k₁ below (a₁ + a₂ + 1)/2 < 2^127.4 and k₂ below (a₁ + b₁ + 1)/2 <
    /// 2^127.2. What is even is made odd by one more vector, of parities (odd, odd), (even, odd) or, as the
    /// difference of these two, (odd, even): at most 2^128.2 more.
    #[inline(never)]
    pub(super) fn split(&self) -> [Half<L>; 2] {
        L::enter(
            #[inline(always)]
            || self.split_inlined(),
        )
    }

    #[inline(always)]
    fn split_inlined(&self) -> [Half<L>; 2] {
        let (c1, c2) = (times_rounded(&self.0, &G1), times_rounded(&self.0, &G2));
        // k − c₁·a₁ − c₂·a₂ and c₁·b₁ − c₂·a₁, each from its low three limbs: the rest is its sign.
        let (p, q) = (low_columns(&c1, &A1), low_columns(&c2, &A2));
        let (r, s) = (low_columns(&c1, &B1), low_columns(&c2, &A1));
        let mut k1 = [self.0[0], self.0[1], self.0[2]];
        let mut k2 = r;
        for i in 0..3 {
            k1[i] = k1[i].sub(p[i]).sub(q[i]);
            k2[i] = k2[i].sub(s[i]);
        }
        let one = L::splat(1);
        let (even1, even2) = (!k1[0].test(one), !k2[0].test(one));
        let (both, first, second) = (even1 & even2, even1 & !even2, !even1 & even2);
        for i in 0..3 {
            let (a1, a2, b1) = (L::splat(A1[i]), L::splat(A2[i]), L::splat(B1[i]));
            // Both: + (a₁, −b₁). The second: + (a₂, a₁). The first: + (a₁ − a₂, −b₁ − a₁).
            k1[i] = k1[i].add(a1.keep(both | first)).add(a2.keep(second)).sub(a2.keep(first));
            k2[i] = k2[i].sub(b1.keep(both | first)).add(a1.keep(second)).sub(a1.keep(first));
        }
        [odd_half(k1), odd_half(k2)]
    }
}

/// Limbs 7 to 9 of the product, rounded. The columns below the fifth are left out: they are 2⁻⁹⁸ of the result's
/// last place, so where it is rounded otherwise, what is left of k is above a half by no more than that.
#[inline(always)]
fn times_rounded<L: Lanes>(k: &[L; 5], constant: &[u64; 5]) -> [L; 3] {
    let mut columns = [L::zero(); 10];
    for i in 0..5 {
        for j in 0..5 {
            let constant = L::splat(constant[j]);
            if i + j >= 5 {
                columns[i + j] = columns[i + j].madd_lo(k[i], constant);
            }
            if i + j >= 4 {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(k[i], constant);
            }
        }
    }
    let mask = L::splat(LIMB_MASK);
    columns[6] = columns[6].add(L::splat(1 << 51));
    for i in 5..9 {
        columns[i + 1] = columns[i + 1].add(columns[i].shr::<52>());
        columns[i] = columns[i].and(mask);
    }
    [columns[7], columns[8], columns[9]]
}

/// The three lowest columns of the product, each below 2⁵⁶.
#[inline(always)]
fn low_columns<L: Lanes>(a: &[L; 3], constant: &[u64; 3]) -> [L; 3] {
    let mut columns = [L::zero(); 3];
    for i in 0..3 {
        for j in 0..3 - i {
            let constant = L::splat(constant[j]);
            columns[i + j] = columns[i + j].madd_lo(a[i], constant);
            if i + j < 2 {
                columns[i + j + 1] = columns[i + j + 1].madd_hi(a[i], constant);
            }
        }
    }
    columns
}

/// From signed columns of an odd number.
#[inline(always)]
fn odd_half<L: Lanes>([a, b, c]: [L; 3]) -> Half<L> {
    let mask = L::splat(LIMB_MASK);
    // k + 2¹³⁰ − 1: k is odd, so the one is its lowest bit.
    let b = b.add(a.sar::<52>());
    let c = c.add(b.sar::<52>());
    let (a, b, c) = (a.and(mask), b.and(mask), c.and(mask).add(L::splat(1 << 26)));
    // What is above 156 bits of the sum is the carry of a negative number.
    let c = c.and(mask);
    if crate::BOUNDS_ARE_CHECKED {
        assert!(c.to_array().iter().all(|&word| word >> 27 == 0), "between −2¹³⁰ and 2¹³⁰");
    }
    Half([a.shr::<1>().or(b.shl::<51>()).and(mask), b.shr::<1>().or(c.shl::<51>()).and(mask), c.shr::<1>()])
}
