//! The plain model.

use std::fmt::Debug;

pub(super) fn minus<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let difference = i128::from(a[i]) - i128::from(b[i]) + borrow;
        borrow = difference >> 64;
        difference as u64
    })
}

/// Of numbers below a modulus of which twice fits.
pub(super) fn sum_mod<const N: usize>(a: &[u64; N], b: &[u64; N], modulus: &[u64; N]) -> [u64; N] {
    let mut carry = 0;
    let sum = std::array::from_fn(|i| {
        carry += u128::from(a[i]) + u128::from(b[i]);
        let word = carry as u64;
        carry >>= 64;
        word
    });
    if sum.iter().rev().lt(modulus.iter().rev()) { sum } else { minus(&sum, modulus) }
}

pub(super) fn product_mod<const N: usize>(a: &[u64; N], b: &[u64; N], modulus: &[u64; N]) -> [u64; N] {
    (0..64 * N).rev().fold([0; N], |sum, bit| {
        let double = sum_mod(&sum, &sum, modulus);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { sum_mod(&double, a, modulus) } else { double }
    })
}

/// Words of numbers modulo a prime.
pub(super) trait Words: Copy + Debug + PartialEq {
    const P: Self;
    const ZERO: Self;
    const ONE: Self;

    fn sum(&self, other: &Self) -> Self;
    fn product(&self, other: &Self) -> Self;
    fn negative(&self) -> Self;
    fn bits(&self) -> impl Iterator<Item = bool>;
}

macro_rules! words {
    ($count:literal, $p:expr) => {
        impl Words for [u64; $count] {
            const P: Self = $p;
            const ZERO: Self = [0; $count];
            const ONE: Self = {
                let mut one = [0; $count];
                one[0] = 1;
                one
            };

            fn sum(&self, other: &Self) -> Self {
                sum_mod(self, other, &Self::P)
            }

            fn product(&self, other: &Self) -> Self {
                product_mod(self, other, &Self::P)
            }

            fn negative(&self) -> Self {
                if *self == Self::ZERO { *self } else { minus(&Self::P, self) }
            }

            /// The highest first.
            fn bits(&self) -> impl Iterator<Item = bool> {
                (0..64 * $count).rev().map(|bit| self[bit / 64] >> (bit % 64) & 1 == 1)
            }
        }
    };
}

// The base field of BN254.
words!(4, [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029]);
// That of BLS12-381.
words!(
    6,
    [
        0xb9fe_ffff_ffff_aaab,
        0x1eab_fffe_b153_ffff,
        0x6730_d2a0_f6b0_f624,
        0x6477_4b84_f385_12bf,
        0x4b1b_a7b6_434b_acd7,
        0x1a01_11ea_397f_e69a,
    ]
);

/// A number that is no longer, or not yet, in Montgomery's form.
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
pub(super) struct Fp<W>(pub(super) W);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fp2<W>(pub(super) Fp<W>, pub(super) Fp<W>);

impl<W: Words> Coordinate for Fp<W> {
    type Number = W;

    fn zero() -> Self {
        Self(W::ZERO)
    }

    fn one() -> Self {
        Self(W::ONE)
    }

    fn plus(&self, other: &Self) -> Self {
        Self(self.0.sum(&other.0))
    }

    fn minus(&self, other: &Self) -> Self {
        Self(self.0.sum(&other.0.negative()))
    }

    fn times(&self, other: &Self) -> Self {
        Self(self.0.product(&other.0))
    }

    fn inverse(&self) -> Self {
        let exponent = W::ONE.sum(&W::ONE).negative();
        exponent.bits().fold(Self::one(), |power, bit| {
            let square = power.times(&power);
            if bit { square.times(self) } else { square }
        })
    }

    fn number(&self) -> W {
        self.0.bits().fold(self.0, |number, _| number.sum(&number))
    }

    fn negated(number: &W) -> W {
        number.negative()
    }
}

impl<W: Words> Coordinate for Fp2<W> {
    type Number = [W; 2];

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

    fn number(&self) -> [W; 2] {
        [self.0.number(), self.1.number()]
    }

    fn negated([a, b]: &[W; 2]) -> [W; 2] {
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

    pub(super) fn times(&self, scalar: &[u64; 4]) -> Self {
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
