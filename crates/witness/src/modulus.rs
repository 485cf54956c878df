//! The orders of the scalar fields, and numbers taken modulo one.

use outrigger_groth16::curve::SCALAR_LIMBS;
use outrigger_types::Curve;

/// A number of 256 bits, limbs from the least significant.
pub(crate) type Limbs = [u64; SCALAR_LIMBS];

/// The order r of a curve's scalar field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modulus {
    /// The curve.
    pub(crate) curve: Curve,
    order: Limbs,
}

const BN254: Modulus = Modulus {
    curve: Curve::Bn254,
    order: [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029],
};

const BLS12_381: Modulus = Modulus {
    curve: Curve::Bls12_381,
    order: [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48],
};

impl Modulus {
    /// The modulus that these limbs are, where it is one of ours.
    pub(crate) fn of(order: &Limbs) -> Option<Self> {
        [BN254, BLS12_381].into_iter().find(|modulus| modulus.order == *order)
    }

    /// Whether a number is below the order.
    pub(crate) fn contains(&self, value: &Limbs) -> bool {
        value.iter().rev().lt(self.order.iter().rev())
    }

    /// The number that a text says, modulo the order: decimal digits, which a sign may precede, or 0x and hexadecimal
    /// digits, 0b and binary ones, 0o and octal ones. `None` where it says none.
    pub(crate) fn number(&self, text: &str) -> Option<Limbs> {
        let text = text.trim_ascii();
        match text.split_at_checked(2) {
            Some(("0x" | "0X", digits)) => self.digits(digits, 16),
            Some(("0b" | "0B", digits)) => self.digits(digits, 2),
            Some(("0o" | "0O", digits)) => self.digits(digits, 8),
            _ => match text.strip_prefix('-') {
                Some(digits) => self.digits(digits, 10).map(|value| self.negative(&value)),
                None => self.digits(text.strip_prefix('+').unwrap_or(text), 10),
            },
        }
    }

    fn digits(&self, digits: &str, base: u32) -> Option<Limbs> {
        if digits.is_empty() {
            return None;
        }
        digits.chars().try_fold([0; SCALAR_LIMBS], |value, digit| {
            Some(self.times_plus(&value, base.into(), digit.to_digit(base)?.into()))
        })
    }

    /// value · base + digit modulo r, for a value below r and a base of at most 16: the sum is below 16 r, so it fits
    /// into five limbs and takes at most 15 subtractions.
    fn times_plus(&self, value: &Limbs, base: u64, digit: u64) -> Limbs {
        let mut sum = [0; SCALAR_LIMBS];
        let mut carry = u128::from(digit);
        for (limb, factor) in sum.iter_mut().zip(value) {
            carry += u128::from(*factor) * u128::from(base);
            *limb = carry as u64;
            carry >>= 64;
        }
        let mut high = carry as u64;
        while high > 0 || !self.contains(&sum) {
            let (difference, borrow) = subtract(&sum, &self.order);
            sum = difference;
            high -= u64::from(borrow);
        }
        sum
    }

    fn negative(&self, value: &Limbs) -> Limbs {
        if *value == [0; SCALAR_LIMBS] { *value } else { subtract(&self.order, value).0 }
    }
}

/// a − b modulo 2^256, and whether b was the greater one.
fn subtract(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let mut difference = [0; SCALAR_LIMBS];
    let mut borrow = false;
    for (limb, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
        (*limb, borrow) = a.borrowing_sub(*b, borrow);
    }
    (difference, borrow)
}

#[cfg(test)]
mod tests;
