//! The field of SM2's curve: integers modulo p = 2^256 − 2^224 − 2^96 + 2^64 − 1.
//!
//! **Bounds.** An element is four limbs of 64 bits, least significant first, always canonical (below p), in
//! Montgomery form: a stands as a·2^256 mod p. Every function takes canonical elements and gives canonical ones;
//! so equality is equality of limbs.
//!
//! **Reduction.** p ≡ −1 modulo 2^64, so the quotient digit of a Montgomery step is the lowest limb m itself, and
//! with (p + 1)/2^64 = 2^192 − 2^160 − 2^32 + 1 the step needs shifts and additions, no multiplication:
//! (t + m·p)/2^64 = ⌊t/2^64⌋ + m·(2^192 − 2^160 − 2^32 + 1).
//!
//! All data is public here, so nothing promises constant time; where there is no branch, that is for speed.

/// p.
pub(super) const PRIME: [u64; 4] =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// 2^512 mod p: multiplying by it brings a number into Montgomery form.
const R_SQUARED: Element =
    Element([0x0000_0002_0000_0003, 0x0000_0002_ffff_ffff, 0x0000_0001_0000_0001, 0x0000_0004_0000_0002]);

/// An element of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element([u64; 4]);

impl Element {
    pub(super) const ZERO: Self = Self([0; 4]);

    /// 2^256 mod p: one in Montgomery form.
    pub(super) const ONE: Self = Self([1, 0xffff_ffff, 0, 0x1_0000_0000]);

    /// The element of 32 big-endian bytes; `None` where they are not below p.
    pub(super) fn decode(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(limbs(bytes))
    }

    /// The element of a number; `None` where it is not below p.
    pub(super) fn from_limbs(limbs: [u64; 4]) -> Option<Self> {
        is_below(&limbs, &PRIME).then(|| Self(limbs).mul(&R_SQUARED))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    #[inline(always)]
    pub(super) fn add(&self, other: &Self) -> Self {
        let (sum, carry) = add_limbs(&self.0, &other.0);
        Self(subtract_prime_once(sum, carry))
    }

    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        self.add(self)
    }

    /// a/2.
    #[inline(always)]
    pub(super) fn halve(&self) -> Self {
        let odd = mask(self.0[0] & 1 == 1);
        let ([a, b, c, d], carry) = add_limbs(&self.0, &PRIME.map(|limb| limb & odd));
        Self([a >> 1 | b << 63, b >> 1 | c << 63, c >> 1 | d << 63, d >> 1 | u64::from(carry) << 63])
    }

    #[inline(always)]
    pub(super) fn sub(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let (d0, borrow) = a[0].borrowing_sub(b[0], false);
        let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
        let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
        // A borrow taken from four limbs was compiled to comparisons; one taken from 128 bits stays in the chain.
        let top = u128::from(a[3]).wrapping_sub(u128::from(b[3])).wrapping_sub(u128::from(borrow));
        // All ones where the difference is negative.
        let negative = (top >> 64) as u64;
        let correction = [negative, negative << 32, negative, negative & PRIME[3]];
        Self(add_limbs(&[d0, d1, d2, top as u64], &correction).0)
    }

    #[inline(always)]
    pub(super) fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    #[inline(always)]
    pub(super) fn mul(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let mut t = [0; 8];
        for i in 0..4 {
            // Two chains of carries a row, one for the low and one for the high halves of the products: that
            // was faster than one carry of a whole limb from product to product.
            let products: [(u64, u64); 4] = std::array::from_fn(|j| a[i].carrying_mul(b[j], 0));
            let (low, carry) = add_limbs(&[t[i], t[i + 1], t[i + 2], t[i + 3]], &products.map(|(low, _)| low));
            let upper = [low[1], low[2], low[3], u64::from(carry)];
            // The sum of row i is below 2^320, so the last chain leaves no carry.
            let (high, _never) = add_limbs(&upper, &products.map(|(_, high)| high));
            t[i] = low[0];
            t[i + 1..i + 5].copy_from_slice(&high);
        }
        Self(reduce(t))
    }

    /// a². Inlined, the compiler merges the equal products itself; a formula of its own took longer.
    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        self.mul(self)
    }

    /// 1/a by Fermat, for tables alone: 256 squarings. Zero gives zero.
    pub(super) fn invert(&self) -> Self {
        let mut power = Self::ONE;
        // p − 2 differs from p in its lowest limb alone.
        let exponent = [PRIME[0] - 2, PRIME[1], PRIME[2], PRIME[3]];
        for bit in (0..256).rev() {
            power = power.square();
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
                power = power.mul(self);
            }
        }
        power
    }

    /// The number that the element stands for, for tests.
    #[cfg(test)]
    pub(super) fn to_limbs(self) -> [u64; 4] {
        let [a, b, c, d] = self.0;
        reduce([a, b, c, d, 0, 0, 0, 0])
    }
}

/// Four limbs, least significant first, of 32 big-endian bytes.
pub(super) fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    limbs
}

/// Whether a < b.
pub(super) fn is_below(a: &[u64; 4], b: &[u64; 4]) -> bool {
    sub_limbs(a, b).1
}

/// a + b modulo 2^256, and the carry.
#[inline(always)]
pub(super) fn add_limbs(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (s0, carry) = a[0].carrying_add(b[0], false);
    let (s1, carry) = a[1].carrying_add(b[1], carry);
    let (s2, carry) = a[2].carrying_add(b[2], carry);
    let (s3, carry) = a[3].carrying_add(b[3], carry);
    ([s0, s1, s2, s3], carry)
}

/// a − b modulo 2^256, and the borrow.
#[inline(always)]
pub(super) fn sub_limbs(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (d0, borrow) = a[0].borrowing_sub(b[0], false);
    let (d1, borrow) = a[1].borrowing_sub(b[1], borrow);
    let (d2, borrow) = a[2].borrowing_sub(b[2], borrow);
    let (d3, borrow) = a[3].borrowing_sub(b[3], borrow);
    ([d0, d1, d2, d3], borrow)
}

/// t/2^256 mod p for t ≤ (p − 1)^2; below p.
#[inline(always)]
fn reduce(t: [u64; 8]) -> [u64; 4] {
    let mut low = [t[0], t[1], t[2], t[3]];
    for _ in 0..4 {
        low = reduce_step(low);
    }
    // Four steps give (low + M·p)/2^256 with M < 2^256: at most p. The upper half is below p − 1: together below 2p.
    let (sum, carry) = add_limbs(&low, &[t[4], t[5], t[6], t[7]]);
    subtract_prime_once(sum, carry)
}

/// (t + m·p)/2^64 where m is the lowest limb of t. Below 2^192 + p, so below 2^256, for any t below 2^256.
#[inline(always)]
fn reduce_step([m, t1, t2, t3]: [u64; 4]) -> [u64; 4] {
    // Added are m·(2^192 − 2^160), as limbs m − ⌊m/2^32⌋ at the top and −l below it, and −m·(2^32 − 1). The
    // result is below 2^256, so arithmetic modulo 2^256 is exact.
    let (l, h) = (m << 32, m >> 32);
    let (v0, borrow) = l.overflowing_sub(m);
    let v1 = h - u64::from(borrow);
    sub_limbs(&[t1, t2, t3, m - h], &[v0, v1, l, 0]).0
}

/// The number carry·2^256 + t, less p where it is not below p; for numbers below 2p.
///
/// The plain way, a subtraction and then a choice between two arrays, was compiled to comparisons and a choice
/// between two addresses: that cost a quarter of each multiplication and two thirds of each addition.
#[inline(always)]
fn subtract_prime_once(t: [u64; 4], carry: bool) -> [u64; 4] {
    // With a carry, adding 2^256 − p modulo 2^256 subtracts p, and the difference is below p.
    let (t, _ignored) = add_limbs(&t, &excess(carry));
    // Between p and 2^256 lie so few numbers (one in 2^32) that a branch costs nothing.
    if t[3] >= PRIME[3] {
        std::hint::cold_path();
        let (difference, borrow) = sub_limbs(&t, &PRIME);
        return if borrow { t } else { difference };
    }
    t
}

/// 2^256 − p where the condition holds, else 0.
#[inline(always)]
fn excess(condition: bool) -> [u64; 4] {
    let one = u64::from(condition);
    let high = one << 32;
    [one, high - one, 0, high]
}

/// All ones for `true`: a choice without a branch that would be mispredicted every other time.
#[inline(always)]
fn mask(condition: bool) -> u64 {
    0_u64.wrapping_sub(u64::from(condition))
}
