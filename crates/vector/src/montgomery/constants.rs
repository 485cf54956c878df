//! Numbers of limbs at compile time: what a modulus needs beside itself.

use crate::radix52::{BITS, LIMB_MASK};

/// −n⁻¹ mod 2⁵², for odd n.
pub const fn negated_inverse(n: u64) -> u64 {
    // n is its own inverse mod 8, and each step of Newton's doubles the bits that are right: 3, 6, … 96.
    let mut inverse = n;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg() & LIMB_MASK
}

/// `factor`·`number`; the result must have no more limbs.
pub const fn multiple<const N: usize>(number: &[u64; N], factor: u64) -> [u64; N] {
    let mut result = [0; N];
    let mut carry = 0_u128;
    let mut i = 0;
    while i < N {
        carry += number[i] as u128 * factor as u128;
        result[i] = carry as u64 & LIMB_MASK;
        carry >>= BITS;
        i += 1;
    }
    assert!(carry == 0, "the multiple has too many bits");
    result
}

/// 2^`exponent` mod `modulus`.
pub const fn power_of_two<const N: usize>(modulus: &[u64; N], exponent: usize) -> [u64; N] {
    let mut one = [0; N];
    one[0] = 1;
    shifted(&one, modulus, exponent)
}

/// `number`·2^`exponent` mod `modulus`, of a number below it.
pub const fn shifted<const N: usize>(number: &[u64; N], modulus: &[u64; N], exponent: usize) -> [u64; N] {
    let mut shifted = *number;
    let mut step = 0;
    while step < exponent {
        shifted = doubled(&shifted, modulus);
        step += 1;
    }
    shifted
}

/// 2·`number` mod `modulus`, of a number below it.
const fn doubled<const N: usize>(number: &[u64; N], modulus: &[u64; N]) -> [u64; N] {
    // The doubled number fits the limbs, the last one having bits to spare in its word.
    let (mut double, mut less) = ([0; N], [0; N]);
    let (mut carry, mut borrow) = (0, 0_i64);
    let mut i = 0;
    while i < N {
        let sum = 2 * number[i] + carry;
        double[i] = sum & LIMB_MASK;
        carry = sum >> BITS;
        let difference = double[i] as i64 - modulus[i] as i64 + borrow;
        less[i] = difference as u64 & LIMB_MASK;
        borrow = difference >> BITS;
        i += 1;
    }
    if carry as i64 + borrow < 0 { double } else { less }
}

/// A number of 64-bit words, little-endian, as limbs; it must fit them.
pub const fn limbs<const W: usize, const N: usize>(words: &[u64; W]) -> [u64; N] {
    let mut limbs = [0; N];
    let mut i = 0;
    while i < N {
        let (word, shift) = (i * BITS as usize / 64, i * BITS as usize % 64);
        if word < W {
            let next = if word + 1 < W { words[word + 1] } else { 0 };
            let both = words[word] as u128 | (next as u128) << 64;
            limbs[i] = (both >> shift) as u64 & LIMB_MASK;
        }
        i += 1;
    }
    assert!(W * 64 <= N * BITS as usize || words[W - 1] >> (64 - (W * 64 - N * BITS as usize)) == 0, "too many bits");
    limbs
}
