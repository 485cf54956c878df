//! Arithmetic modulo p on four words, bit by bit.

use super::*;
use crate::radix52::BITS;

pub(super) struct Model {
    pub(super) modulus: Number,
    root: Number,
    two_adicity: u32,
}

impl Model {
    pub(super) fn new<M: ScalarField>() -> Self {
        let mut modulus = [0; 4];
        for bit in 0..256 {
            let limb = M::LIMBS[bit / BITS as usize] >> (bit % BITS as usize) & 1;
            modulus[bit / 64] |= limb << (bit % 64);
        }
        let mut model = Self { modulus, root: [0; 4], two_adicity: M::TWO_ADICITY };
        // The exponent (p − 1)/2^s.
        let mut exponent = modulus;
        exponent[0] -= 1;
        for _ in 0..M::TWO_ADICITY {
            exponent = std::array::from_fn(|i| exponent[i] >> 1 | exponent.get(i + 1).map_or(0, |next| next << 63));
        }
        model.root = model.pow_wide(&[M::NON_RESIDUE, 0, 0, 0], &exponent);
        model
    }

    /// The root of unity of order 2^`order_log` that snarkjs takes.
    pub(super) fn root(&self, order_log: u32) -> Number {
        (order_log..self.two_adicity).fold(self.root, |root, _| self.mul(&root, &root))
    }

    /// Below p, from any four words.
    pub(super) fn reduce(&self, number: &Number) -> Number {
        let mut number = *number;
        while let Some(less) = less(&number, &self.modulus) {
            number = less;
        }
        number
    }

    pub(super) fn add(&self, a: &Number, b: &Number) -> Number {
        let mut carry = 0;
        let sum = std::array::from_fn(|i| {
            let word = u128::from(a[i]) + u128::from(b[i]) + carry;
            carry = word >> 64;
            word as u64
        });
        self.reduce(&sum)
    }

    pub(super) fn sub(&self, a: &Number, b: &Number) -> Number {
        self.add(a, &self.reduce(&less(&self.modulus, b).expect("a number below p")))
    }

    pub(super) fn mul(&self, a: &Number, b: &Number) -> Number {
        (0..bits(b)).rev().fold([0; 4], |sum, bit| {
            let double = self.add(&sum, &sum);
            if b[bit / 64] >> (bit % 64) & 1 == 1 { self.add(&double, a) } else { double }
        })
    }

    pub(super) fn pow(&self, base: &Number, exponent: u64) -> Number {
        self.pow_wide(base, &[exponent, 0, 0, 0])
    }

    pub(super) fn invert(&self, number: &Number) -> Number {
        let [low, rest @ ..] = self.modulus;
        // Both moduli end in 1.
        let exponent = [low.wrapping_sub(2), rest[0] - u64::from(low < 2), rest[1], rest[2]];
        self.pow_wide(number, &exponent)
    }

    fn pow_wide(&self, base: &Number, exponent: &Number) -> Number {
        (0..bits(exponent)).rev().fold([1, 0, 0, 0], |power, bit| {
            let square = self.mul(&power, &power);
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 { self.mul(&square, base) } else { square }
        })
    }
}

fn bits(number: &Number) -> usize {
    number.iter().rposition(|word| *word != 0).map_or(0, |top| 64 * top + number[top].ilog2() as usize + 1)
}

/// a − b, where that is not negative.
fn less(a: &Number, b: &Number) -> Option<Number> {
    let mut borrow = false;
    let difference = std::array::from_fn(|i| {
        let (word, first) = a[i].overflowing_sub(b[i]);
        let (word, second) = word.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        word
    });
    (!borrow).then_some(difference)
}

/// A sequence of words, the same each time: xorshift of 64 bits.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
