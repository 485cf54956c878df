//! Curves over plain numbers: slow, and written without a look at the lanes.

use crate::weierstrass::Curve;
use crate::weierstrass::field::subtract;
use crate::weierstrass::inversion::Modulus;

pub(super) type Number = [u64; 4];

/// λ of secp256k1, where λ·(x, y) is (β·x, y); of the other curves a number like others.
pub(super) const LAMBDA: Number =
    [0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0];

/// y² = x³ + a·x + b.
#[derive(Clone, Copy)]
pub(super) struct Model {
    prime: Number,
    order: Number,
    a: Number,
    pub(super) base: [Number; 2],
}

impl Model {
    pub(super) const SECP256K1: Self = Self {
        prime: [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX],
        order: [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, u64::MAX],
        a: [0; 4],
        base: crate::secp256k1::Secp256k1::BASE,
    };

    pub(super) const fn of<C: Curve>(prime: Number, order: Number) -> Self {
        Self { prime, order, a: subtract(prime, [3, 0, 0, 0]).0, base: C::BASE }
    }

    pub(super) fn reduced_by_order(&self, number: Number) -> Number {
        reduced(number, self.order)
    }

    pub(super) fn scalar_plus(&self, a: Number, b: Number) -> Number {
        plus(a, b, self.order)
    }

    pub(super) fn scalar_minus(&self, a: Number, b: Number) -> Number {
        minus(a, b, self.order)
    }

    pub(super) fn scalar_times(&self, a: Number, b: Number) -> Number {
        times(a, b, self.order)
    }

    pub(super) fn scalar_inverse(&self, a: Number) -> Number {
        Modulus::new(self.order).invert(a)
    }

    /// k·G; `None` at infinity.
    pub(super) fn multiple_of_base(&self, k: Number) -> Option<[Number; 2]> {
        let mut sum = None;
        for bit in (0..256).rev() {
            sum = self.add(sum, sum);
            if k[bit / 64] >> (bit % 64) & 1 == 1 {
                sum = self.add(sum, Some(self.base));
            }
        }
        sum
    }

    fn add(&self, p: Option<[Number; 2]>, q: Option<[Number; 2]>) -> Option<[Number; 2]> {
        let (Some(p), Some(q)) = (p, q) else { return p.or(q) };
        let m = self.prime;
        let (rise, run) = if p[0] != q[0] {
            (minus(q[1], p[1], m), minus(q[0], p[0], m))
        } else if p[1] == q[1] {
            let square = times(p[0], p[0], m);
            (plus(plus(square, square, m), plus(square, self.a, m), m), plus(p[1], p[1], m))
        } else {
            return None;
        };
        let slope = times(rise, Modulus::new(m).invert(run), m);
        let x = minus(minus(times(slope, slope, m), p[0], m), q[0], m);
        Some([x, minus(times(slope, minus(p[0], x, m), m), p[1], m)])
    }
}

fn reduced(a: Number, m: Number) -> Number {
    let (less, borrow) = subtract(a, m);
    if borrow { a } else { less }
}

/// a + b modulo m, of numbers below m.
fn plus(a: Number, b: Number, m: Number) -> Number {
    let mut carry = false;
    let mut sum = [0; 4];
    for i in 0..4 {
        (sum[i], carry) = a[i].carrying_add(b[i], carry);
    }
    let (less, borrow) = subtract(sum, m);
    if borrow && !carry { sum } else { less }
}

fn minus(a: Number, b: Number, m: Number) -> Number {
    if b == [0; 4] { a } else { plus(a, subtract(m, b).0, m) }
}

/// a·b modulo m, bit by bit.
fn times(a: Number, b: Number, m: Number) -> Number {
    (0..256).rev().fold([0; 4], |sum, bit| {
        let doubled = plus(sum, sum, m);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { plus(doubled, a, m) } else { doubled }
    })
}

/// Numbers like any others (SplitMix64).
pub(super) struct Rng(pub(super) u64);

impl Rng {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ a >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ b >> 31
    }

    /// A scalar, 0 once in 2²⁵⁶ times.
    pub(super) fn scalar(&mut self, model: &Model) -> Number {
        let words = std::array::from_fn(|_| self.word());
        model.reduced_by_order(words)
    }
}
