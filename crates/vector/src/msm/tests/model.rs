//! The plain model.

use std::fmt::Debug;

type Words = [u64; 4];

const P: Words = [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

pub(super) fn minus(a: &Words, b: &Words) -> Words {
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let difference = i128::from(a[i]) - i128::from(b[i]) + borrow;
        borrow = difference >> 64;
        difference as u64
    })
}

/// Of numbers below a modulus of 255 bits at most.
pub(super) fn sum_mod(a: &Words, b: &Words, modulus: &Words) -> Words {
    let mut carry = 0;
    let sum: Words = std::array::from_fn(|i| {
        carry += u128::from(a[i]) + u128::from(b[i]);
        let word = carry as u64;
        carry >>= 64;
        word
    });
    if sum.iter().rev().lt(modulus.iter().rev()) { sum } else { minus(&sum, modulus) }
}

pub(super) fn product_mod(a: &Words, b: &Words, modulus: &Words) -> Words {
    (0..256).rev().fold([0; 4], |sum, bit| {
        let double = sum_mod(&sum, &sum, modulus);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { sum_mod(&double, a, modulus) } else { double }
    })
}

/// A number that is no longer, or not yet, times 2²⁵⁶.
pub(super) trait Coordinate: Copy + PartialEq {
    type Number: Debug + PartialEq;

    fn zero() -> Self;
    fn one() -> Self;
    fn plus(&self, other: &Self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    fn times(&self, other: &Self) -> Self;
    fn inverse(&self) -> Self;
    fn number(&self) -> Self::Number;
    fn negated(number: &Self::Number) -> Self::Number;
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fp(pub(super) Words);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fp2(pub(super) Fp, pub(super) Fp);

impl Coordinate for Fp {
    type Number = Words;

    fn zero() -> Self {
        Self([0; 4])
    }

    fn one() -> Self {
        Self([1, 0, 0, 0])
    }

    fn plus(&self, other: &Self) -> Self {
        Self(sum_mod(&self.0, &other.0, &P))
    }

    fn minus(&self, other: &Self) -> Self {
        Self(sum_mod(&self.0, &Self::negated(&other.0), &P))
    }

    fn times(&self, other: &Self) -> Self {
        Self(product_mod(&self.0, &other.0, &P))
    }

    fn inverse(&self) -> Self {
        let exponent = minus(&P, &[2, 0, 0, 0]);
        (0..256).rev().fold(Self::one(), |power, bit| {
            let square = power.times(&power);
            if exponent[bit / 64] >> (bit % 64) & 1 == 1 { square.times(self) } else { square }
        })
    }

    fn number(&self) -> Words {
        (0..256).fold(self.0, |number, _| sum_mod(&number, &number, &P))
    }

    fn negated(number: &Words) -> Words {
        if *number == [0; 4] { *number } else { minus(&P, number) }
    }
}

impl Coordinate for Fp2 {
    type Number = [Words; 2];

    fn zero() -> Self {
        Self(Fp::zero(), Fp::zero())
    }

    fn one() -> Self {
        Self(Fp::one(), Fp::zero())
    }

    fn plus(&self, other: &Self) -> Self {
        Self(self.0.plus(&other.0), self.1.plus(&other.1))
    }

    fn minus(&self, other: &Self) -> Self {
        Self(self.0.minus(&other.0), self.1.minus(&other.1))
    }

    fn times(&self, other: &Self) -> Self {
        let real = self.0.times(&other.0).minus(&self.1.times(&other.1));
        Self(real, self.0.times(&other.1).plus(&self.1.times(&other.0)))
    }

    fn inverse(&self) -> Self {
        let norm = self.0.times(&self.0).plus(&self.1.times(&self.1)).inverse();
        Self(self.0.times(&norm), Fp::zero().minus(&self.1).times(&norm))
    }

    fn number(&self) -> [Words; 2] {
        [self.0.number(), self.1.number()]
    }

    fn negated([a, b]: &[Words; 2]) -> [Words; 2] {
        [Fp::negated(a), Fp::negated(b)]
    }
}

/// (x/z², y/z³); infinity has z = 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<F> {
    x: F,
    y: F,
    z: F,
}

impl<F: Coordinate> Point<F> {
    pub(super) fn affine([x, y]: [F; 2]) -> Self {
        Self { x, y, z: F::one() }
    }

    fn doubled(&self) -> Self {
        let square = |a: &F| a.times(a);
        let twice = |a: &F| a.plus(a);
        let (a, b) = (square(&self.x), square(&self.y));
        let d = twice(&twice(&self.x.times(&b)));
        let e = twice(&a).plus(&a);
        let x = square(&e).minus(&twice(&d));
        let y = e.times(&d.minus(&x)).minus(&twice(&twice(&twice(&square(&b)))));
        Self { x, y, z: twice(&self.y.times(&self.z)) }
    }

    fn plus(&self, other: &Self) -> Self {
        if self.z == F::zero() {
            return *other;
        }
        if other.z == F::zero() {
            return *self;
        }
        let (zz, other_zz) = (self.z.times(&self.z), other.z.times(&other.z));
        let (u, other_u) = (self.x.times(&other_zz), other.x.times(&zz));
        let s = self.y.times(&other_zz).times(&other.z);
        let r = other.y.times(&zz).times(&self.z).minus(&s);
        let h = other_u.minus(&u);
        if h == F::zero() && r == F::zero() {
            return self.doubled();
        }
        let hh = h.times(&h);
        let (hhh, v) = (hh.times(&h), u.times(&hh));
        let x = r.times(&r).minus(&hhh).minus(&v).minus(&v);
        Self { x, y: r.times(&v.minus(&x)).minus(&s.times(&hhh)), z: self.z.times(&other.z).times(&h) }
    }

    pub(super) fn times(&self, scalar: &Words) -> Self {
        let infinity = Self { x: F::one(), y: F::one(), z: F::zero() };
        (0..256).rev().fold(infinity, |sum, bit| {
            let double = sum.doubled();
            if scalar[bit / 64] >> (bit % 64) & 1 == 1 { double.plus(self) } else { double }
        })
    }

    pub(super) fn numbers(&self) -> Option<[F::Number; 2]> {
        if self.z == F::zero() {
            return None;
        }
        let inverse = self.z.inverse();
        let square = inverse.times(&inverse);
        Some([self.x.times(&square).number(), self.y.times(&square).times(&inverse).number()])
    }
}
