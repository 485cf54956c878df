//! Decimal numbers in strings.

use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};

/// Digits of the largest number that can be below a modulus here: q of BLS12-381 has 115.
const DIGITS_MAX: usize = 115;
/// Limbs of the largest number that is printed.
const LIMBS_MAX: usize = 6;
/// The largest power of ten in a limb, and its digits.
const CHUNK: (u64, usize) = (10_000_000_000_000_000_000, 19);

/// A number as its text has it, not yet looked at.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Decimal(String);

impl Decimal {
    /// The number of big-endian bytes, at most 48.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        debug_assert!(bytes.len() <= 8 * LIMBS_MAX, "at most {LIMBS_MAX} limbs");
        let mut limbs = [0; LIMBS_MAX];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks(8)) {
            *limb = chunk.iter().fold(0, |limb, byte| (limb << 8) | u64::from(*byte));
        }
        let mut chunks = Vec::new();
        while limbs != [0; LIMBS_MAX] {
            chunks.push(divide(&mut limbs, CHUNK.0));
        }
        let mut text = chunks.pop().unwrap_or(0).to_string();
        for chunk in chunks.into_iter().rev() {
            text.push_str(&format!("{chunk:0width$}", width = CHUNK.1));
        }
        Self(text)
    }

    /// A small number.
    pub(super) fn small(number: u8) -> Self {
        Self(number.to_string())
    }

    /// The element of a prime field: digits only, none to spare, and below the modulus.
    pub(super) fn element<F: PrimeField>(&self) -> Option<F> {
        let digits = self.0.as_bytes();
        let is_plain = !digits.is_empty()
            && digits.len() <= DIGITS_MAX
            && digits.iter().all(u8::is_ascii_digit)
            && (digits[0] != b'0' || digits.len() == 1);
        if !is_plain {
            return None;
        }
        let mut number = F::BigInt::default();
        for digit in digits {
            multiply_and_add(number.as_mut(), 10, u64::from(digit - b'0'))?;
        }
        F::from_bigint(number)
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Divides a number, limbs from the least significant; gives the remainder.
fn divide(limbs: &mut [u64], divisor: u64) -> u64 {
    let mut remainder = 0u64;
    for limb in limbs.iter_mut().rev() {
        let dividend = (u128::from(remainder) << 64) | u128::from(*limb);
        // The quotient fits: the remainder is below the divisor.
        *limb = (dividend / u128::from(divisor)) as u64;
        remainder = (dividend % u128::from(divisor)) as u64;
    }
    remainder
}

/// number × factor + term; `None` where it does not fit.
fn multiply_and_add(limbs: &mut [u64], factor: u64, term: u64) -> Option<()> {
    let mut carry = term;
    for limb in limbs {
        let product = u128::from(*limb) * u128::from(factor) + u128::from(carry);
        *limb = product as u64;
        carry = (product >> 64) as u64;
    }
    (carry == 0).then_some(())
}
