//! Arithmetic modulo a prime of any form, eight numbers at a time: Montgomery's, in limbs of 52 bits.
//!
//! An [`Element`] is a number x·R mod p, where R = 2^(52·N) for N limbs: five for moduli to 256 bits, eight for the
//! 381 of BLS12-381. Its limbs are always *proper*: each below 2⁵², as the multiplication of AVX-512 IFMA reads no
//! more. Its value is any that is right mod p and below some small multiple of p, which each function states:
//!
//! | function | takes | gives |
//! |---|---|---|
//! | [`Element::mul`], [`Element::square`] | a·b ≤ R·p | below 2p |
//! | [`Element::add`] | a + b < R | a + b |
//! | [`Element::sub`]`::<K>` | b ≤ K·p | a − b + K·p |
//! | [`Element::neg`]`::<K>` | a ≤ K·p | K·p − a |
//! | [`Element::halve`] | a | below (a + p)/2 |
//! | [`Element::weaken`] | a·p ≤ R·p | below 2p |
//! | [`Element::canonical`] | a | x itself, below p, and no longer times R |
//!
//! For a modulus of 254 bits R·p is 84 p², so operands up to 9p each are good; for 256 bits, 4p each; for BLS12-381,
//! with 35 bits to spare, 2¹⁷p each: there nothing is ever reduced but by multiplications. Debug builds check limbs
//! and bounds.
//!
//! **Sums of products** take one reduction: [`Columns`], or [`Joined`] where two are reduced together.
//!
//! **Cost.** 2·N² vector multiplications a product, N·(N + 1) a square, 2·N² a reduction: 100 for five limbs,
//! 256 for eight. A reduction is a chain of N steps of nine cycles, so with five limbs two independent products side
//! by side take little longer than one; the processor sees to that where they follow each other in the code.
//!
//! **Source.** P. L. Montgomery, *Modular multiplication without trial division*, 1985; limbs of 52 bits as in
//! S. Gueron, V. Krasnov, *Accelerating big integer arithmetic using Intel IFMA extensions*, 2016.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate::lanes::{LANES, Lanes, Mask};
use crate::radix52::{BITS, LIMB_MASK};

pub mod constants;

mod batch;
mod columns;
mod joined;
mod words;

pub use batch::invert_all;
pub use columns::Columns;
pub use joined::Joined;

/// Repeats a block for 0, 1, … `$n` − 1, at most 8 times, with the number as a constant to the compiler: loops of
/// loops of multiplications are not always unrolled, and arrays indexed by a variable live in memory.
macro_rules! unrolled {
    ($n:expr, $i:ident => $body:block) => {
        unrolled!(@ $n, $i, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $n:expr, $i:ident, $body:block, $($number:literal)*) => {
        $(if $number < $n {
            let $i: usize = $number;
            $body
        })*
    };
}

pub(crate) use unrolled;

/// An odd modulus of `N` limbs.
pub trait Modulus<const N: usize>: Copy + Debug + Send + Sync + 'static {
    /// The modulus p.
    const LIMBS: [u64; N];

    /// −p⁻¹ mod 2⁵².
    const NEGATED_INVERSE: u64 = constants::negated_inverse(Self::LIMBS[0]);
    /// R mod p: one.
    const R: [u64; N] = constants::power_of_two(&Self::LIMBS, N * BITS as usize);
    /// R² mod p, which brings numbers into Montgomery's form.
    const R2: [u64; N] = constants::power_of_two(&Self::LIMBS, 2 * N * BITS as usize);
}

/// Eight numbers modulo `M`, in Montgomery's form. See the module for bounds.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Element<L, M, const N: usize> {
    pub(crate) limbs: [L; N],
    modulus: PhantomData<M>,
}

impl<L: Lanes, M: Modulus<N>, const N: usize> Element<L, M, N> {
    /// Proper limbs of a number that is in Montgomery's form already.
    #[inline(always)]
    pub fn from_limbs(limbs: [L; N]) -> Self {
        Self { limbs, modulus: PhantomData }
    }

    /// The limbs.
    #[inline(always)]
    pub fn limbs(&self) -> &[L; N] {
        &self.limbs
    }

    /// The same number in all lanes, from limbs in Montgomery's form.
    #[inline(always)]
    pub fn constant(limbs: &[u64; N]) -> Self {
        L::apart(
            #[inline(always)]
            || Self::from_limbs(splat(limbs)),
        )
    }

    /// 0.
    #[inline(always)]
    pub fn zero() -> Self {
        Self::from_limbs([L::zero(); N])
    }

    /// 1.
    #[inline(always)]
    pub fn one() -> Self {
        Self::constant(&M::R)
    }

    /// Limbs with anything in their 64 bits, as signed numbers, carried into proper ones. The number must not be
    /// negative, and fit.
    #[inline(always)]
    fn from_signed_columns(mut limbs: [L; N]) -> Self {
        let mask = L::splat(LIMB_MASK);
        unrolled!(N, i => {
            if i + 1 < N {
                limbs[i + 1] = limbs[i + 1].add(limbs[i].sar::<52>());
                limbs[i] = limbs[i].and(mask);
            }
        });
        let element = Self::from_limbs(limbs);
        element.debug_check();
        element
    }

    /// `a·b`, below 2p. Takes a·b ≤ R·p.
    #[inline(always)]
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        self.debug_check_product(other);
        L::apart(
            #[inline(always)]
            || Columns::product(self, other).reduce(),
        )
    }

    /// `a²`, below 2p. Takes a² ≤ R·p.
    #[inline(always)]
    #[must_use]
    pub fn square(&self) -> Self {
        self.debug_check_product(self);
        L::apart(
            #[inline(always)]
            || Columns::square(self).reduce(),
        )
    }

    /// `a + b`.
    #[inline(always)]
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self.limbs;
                unrolled!(N, i => { sum[i] = sum[i].add(other.limbs[i]); });
                Self::from_signed_columns(sum)
            },
        )
    }

    /// `2a`.
    #[inline(always)]
    #[must_use]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// `a − b + K·p`. Takes b ≤ K·p.
    #[inline(always)]
    #[must_use]
    pub fn sub<const K: u64>(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let multiple = const { constants::multiple(&M::LIMBS, K) };
                let mut difference = self.limbs;
                unrolled!(N, i => { difference[i] = difference[i].add(L::splat(multiple[i])).sub(other.limbs[i]); });
                Self::from_signed_columns(difference)
            },
        )
    }

    /// `3a`.
    #[inline(always)]
    #[must_use]
    pub fn triple(&self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut sum = self.limbs;
                unrolled!(N, i => { sum[i] = sum[i].add(sum[i].shl::<1>()); });
                Self::from_signed_columns(sum)
            },
        )
    }

    /// `2^A·a − 2^B·b + K·p`, in one go. Takes 2^B·b ≤ K·p, and A and B up to 8.
    #[inline(always)]
    #[must_use]
    pub fn difference<const A: u32, const B: u32, const K: u64>(&self, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let multiple = const { constants::multiple(&M::LIMBS, K) };
                let mut difference = self.limbs;
                unrolled!(N, i => {
                    let shifted = difference[i].shl::<A>().add(L::splat(multiple[i]));
                    difference[i] = shifted.sub(other.limbs[i].shl::<B>());
                });
                Self::from_signed_columns(difference)
            },
        )
    }

    /// `K·p − a`. Takes a ≤ K·p.
    #[inline(always)]
    #[must_use]
    pub fn neg<const K: u64>(&self) -> Self {
        Self::zero().sub::<K>(self)
    }

    /// `a/2` mod p, below (a + p)/2.
    #[inline(always)]
    #[must_use]
    pub fn halve(&self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                // Where a is odd, a + p is even.
                let odd = self.limbs[0].test(L::splat(1));
                let mut sum = self.limbs;
                unrolled!(N, i => { sum[i] = sum[i].add(L::splat(M::LIMBS[i]).keep(odd)); });
                let Self { limbs: even, .. } = Self::from_signed_columns(sum);
                let mut half = even;
                unrolled!(N, i => {
                    half[i] = half[i].shr::<1>();
                    if i + 1 < N {
                        half[i] = half[i].or(even[i + 1].and(L::splat(1)).shl::<51>());
                    }
                });
                Self::from_limbs(half)
            },
        )
    }

    /// The same element below 2p: a multiplication by one. Takes a < R.
    #[inline(always)]
    #[must_use]
    pub fn weaken(&self) -> Self {
        self.mul(&Self::one())
    }

    /// `other` where the mask has a bit, else `self`.
    #[inline(always)]
    #[must_use]
    pub fn select(&self, mask: Mask, other: &Self) -> Self {
        L::apart(
            #[inline(always)]
            || {
                let mut limbs = self.limbs;
                unrolled!(N, i => { limbs[i] = limbs[i].blend(mask, other.limbs[i]); });
                Self::from_limbs(limbs)
            },
        )
    }

    /// Brings a number (below R, proper limbs, not times R) into Montgomery's form, below 2p.
    #[inline(always)]
    pub fn from_number(limbs: [L; N]) -> Self {
        Self::from_limbs(limbs).mul(&Self::constant(&M::R2))
    }

    /// The number itself, no longer times R, below p.
    #[inline(always)]
    pub fn canonical(&self) -> [L; N] {
        L::apart(
            #[inline(always)]
            || {
                // Below a/R + p, so p itself is the only number to bring down.
                let number = Columns::<L, M, N>::unshifted(self).reduce();
                let is_p = equal(&number.limbs, &splat(&M::LIMBS));
                let mut limbs = number.limbs;
                unrolled!(N, i => { limbs[i] = limbs[i].blend(is_p, L::zero()); });
                limbs
            },
        )
    }

    /// Lanes in which the element is 0.
    #[inline(always)]
    pub fn is_zero(&self) -> Mask {
        equal(&self.canonical(), &[L::zero(); N])
    }

    /// Lanes in which both are the same element. Takes b ≤ K·p.
    #[inline(always)]
    pub fn equals<const K: u64>(&self, other: &Self) -> Mask {
        self.sub::<K>(other).is_zero()
    }

    /// `a` to the power of a public exponent (little-endian words), below 2p. Takes a ≤ 2p.
    ///
    /// Windows of four bits: a multiplication for each that is not zero, a squaring a bit.
    #[inline(always)]
    #[must_use]
    pub fn pow(&self, exponent: &[u64]) -> Self {
        let mut powers = [Self::one(); 16];
        for i in 1..16 {
            powers[i] = powers[i - 1].mul(self);
        }
        let digits = exponent.iter().flat_map(|word| (0..16).map(move |i| (word >> (4 * i)) as usize & 15));
        let mut digits: Vec<usize> = digits.collect();
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let mut power = digits.pop().map_or_else(Self::one, |digit| powers[digit]);
        for digit in digits.into_iter().rev() {
            for _ in 0..4 {
                power = power.square();
            }
            if digit != 0 {
                power = power.mul(&powers[digit]);
            }
        }
        power
    }

    /// In tests: every limb is proper.
    #[inline(always)]
    pub(crate) fn debug_check(&self) {
        if crate::BOUNDS_ARE_CHECKED {
            assert_proper(&self.limbs.map(Lanes::to_array));
        }
    }

    /// In tests: a·b ≤ R·p.
    #[inline(always)]
    fn debug_check_product(&self, other: &Self) {
        if crate::BOUNDS_ARE_CHECKED {
            let numbers = [self.limbs, other.limbs].map(|limbs| limbs.map(Lanes::to_array));
            assert_product_within(&numbers, &M::LIMBS);
        }
    }
}

#[inline(never)]
fn assert_proper(limbs: &[[u64; LANES]]) {
    assert!(limbs.iter().flatten().all(|&limb| limb <= LIMB_MASK), "an improper limb: {limbs:x?}");
}

#[inline(never)]
fn assert_product_within<const N: usize>([a, b]: &[[[u64; LANES]; N]; 2], modulus: &[u64; N]) {
    let value = |limbs: [u64; N]| limbs.iter().rev().fold(0.0, |sum, &limb| sum * 2_f64.powi(52) + limb as f64);
    // A little more, as these are no exact numbers.
    let most = value(*modulus) * 2_f64.powi((N * BITS as usize) as i32) * (1.0 + 1e-9);
    for lane in 0..LANES {
        let product = value(a.map(|limb| limb[lane])) * value(b.map(|limb| limb[lane]));
        assert!(product <= most, "lane {lane}: a product beyond R·p");
    }
}

/// The same number in all lanes.
#[inline(always)]
pub fn splat<L: Lanes, const N: usize>(limbs: &[u64; N]) -> [L; N] {
    // No `map`: its closures would not be inlined, and so know no registers.
    let mut number = [L::zero(); N];
    unrolled!(N, i => { number[i] = L::splat(limbs[i]); });
    number
}

/// Lanes in which two numbers of proper limbs are the same number.
#[inline(always)]
pub fn equal<L: Lanes, const N: usize>(a: &[L; N], b: &[L; N]) -> Mask {
    let mut differences = L::zero();
    unrolled!(N, i => { differences = differences.or(a[i].xor(b[i])); });
    differences.eq(L::zero())
}

/// Lanes in which a number of proper limbs is below another.
#[inline(always)]
pub fn below<L: Lanes, const N: usize>(a: &[L; N], b: &[L; N]) -> Mask {
    let mut borrow = L::zero();
    unrolled!(N, i => { borrow = a[i].sub(b[i]).add(borrow).sar::<52>(); });
    borrow.test(L::splat(1))
}

#[cfg(test)]
mod tests;
