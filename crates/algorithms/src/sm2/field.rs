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
//! Time varies with the data nowhere but in [`Element::invert`], [`Element::decode`] and comparisons; all data
//! is public here.

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
        let (difference, borrow) = sub_limbs(&self.0, &other.0);
        let borrowed = mask(borrow);
        Self(add_limbs(&difference, &PRIME.map(|limb| limb & borrowed)).0)
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
            let mut carry = 0;
            for j in 0..4 {
                (t[i + j], carry) = a[i].carrying_mul_add(b[j], t[i + j], carry);
            }
            t[i + 4] = carry;
        }
        Self(reduce(t))
    }

    #[inline(always)]
    pub(super) fn square(&self) -> Self {
        let [a0, a1, a2, a3] = self.0;
        // The products of different limbs.
        let (t1, carry) = a0.carrying_mul(a1, 0);
        let (t2, carry) = a0.carrying_mul(a2, carry);
        let (t3, t4) = a0.carrying_mul(a3, carry);
        let (t3, carry) = a1.carrying_mul_add(a2, t3, 0);
        let (t4, t5) = a1.carrying_mul_add(a3, t4, carry);
        let (t5, t6) = a2.carrying_mul(a3, t5);
        // Doubled, in place of the limbs t1 to t7, and the squares of limbs.
        let doubled = [t1 << 1, t2 << 1 | t1 >> 63, t3 << 1 | t2 >> 63, t4 << 1 | t3 >> 63];
        let doubled_high = [t5 << 1 | t4 >> 63, t6 << 1 | t5 >> 63, t6 >> 63];
        let (s0, h0) = a0.carrying_mul(a0, 0);
        let (s1, h1) = a1.carrying_mul(a1, 0);
        let (s2, h2) = a2.carrying_mul(a2, 0);
        let (s3, h3) = a3.carrying_mul(a3, 0);
        let ([t1, t2, t3, t4], carry) = add_limbs(&doubled, &[h0, s1, h1, s2]);
        let (t5, carry) = doubled_high[0].carrying_add(h2, carry);
        let (t6, carry) = doubled_high[1].carrying_add(s3, carry);
        let (t7, _never) = doubled_high[2].carrying_add(h3, carry);
        Self(reduce([s0, t1, t2, t3, t4, t5, t6, t7]))
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
    // m·(2^192 − 2^160 − 2^32 + 1) lies in 0..2^256; in limbs it is [m, 0, 0, m] − [l, h, l, h].
    let (l, h) = (m << 32, m >> 32);
    let (multiple, _never) = sub_limbs(&[m, 0, 0, m], &[l, h, l, h]);
    add_limbs(&[t1, t2, t3, 0], &multiple).0
}

/// The number carry·2^256 + t, less p where it is not below p; for numbers below 2p.
#[inline(always)]
fn subtract_prime_once(t: [u64; 4], carry: bool) -> [u64; 4] {
    let (difference, borrow) = sub_limbs(&t, &PRIME);
    // Too small only where the subtraction borrowed and no bit 256 pays for it.
    let keep = mask(borrow & !carry);
    std::array::from_fn(|i| (t[i] & keep) | (difference[i] & !keep))
}

/// All ones for `true`: a choice without a branch that would be mispredicted every other time.
#[inline(always)]
fn mask(condition: bool) -> u64 {
    0_u64.wrapping_sub(u64::from(condition))
}
