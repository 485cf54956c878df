//! Points of SM2's curve y² = x³ − 3x + b over [`Element`], and the sum s·G + t·Q.
//!
//! Formulas of the Explicit-Formulas Database for Jacobian coordinates with a = −3, where (X, Y, Z) stands for
//! (X/Z², Y/Z³) and Z = 0 for infinity. Time varies with the data: it is all public. The cases that the formulas
//! do not cover (infinity, equal points, opposite points) are told apart and handled, since whoever makes a
//! signature can bring them about.

use std::sync::LazyLock;

use super::field::Element;
use super::scalar::{DIGITS, Scalar};

/// A point other than infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Affine {
    x: Element,
    y: Element,
}

/// b.
const B: [u64; 4] = [0xddbc_bd41_4d94_0e93, 0xf397_89f5_15ab_8f92, 0x4d5a_9e4b_cf65_09a7, 0x28e9_fa9e_9d9f_5e34];

/// The coordinates of the base point G.
const BASE: [[u64; 4]; 2] = [
    [0x715a_4589_334c_74c7, 0x8fe3_0bbf_f266_0be1, 0x5f99_0446_6a39_c994, 0x32c4_ae2c_1f19_8119],
    [0x02df_32e5_2139_f0a0, 0xd0a9_877c_c62a_4740, 0x59bd_cee3_6b69_2153, 0xbc37_36a2_f4f6_779c],
];

impl Affine {
    /// The point of two coordinates, big-endian; `None` where one is ≥ p or the point is off the curve.
    pub(super) fn decode(x: &[u8; 32], y: &[u8; 32]) -> Option<Self> {
        let point = Self { x: Element::decode(x)?, y: Element::decode(y)? };
        point.is_on_curve().then_some(point)
    }

    /// G.
    fn base() -> Self {
        let [x, y] = BASE.map(|limbs| Element::from_limbs(limbs).expect("a coordinate of G is below p"));
        Self { x, y }
    }

    fn is_on_curve(&self) -> bool {
        let b = Element::from_limbs(B).expect("b is below p");
        let three = Element::ONE.double().add(&Element::ONE);
        self.y.square() == self.x.square().sub(&three).mul(&self.x).add(&b)
    }

    fn neg(&self) -> Self {
        Self { x: self.x, y: self.y.neg() }
    }
}

/// Any point, infinity included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian {
    x: Element,
    y: Element,
    z: Element,
}

impl Jacobian {
    const INFINITY: Self = Self { x: Element::ONE, y: Element::ONE, z: Element::ZERO };

    fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    /// Whether the point's x is this number below p. Compared as X = x·Z²: no inversion.
    pub(super) fn has_x(&self, x: &Element) -> bool {
        !self.is_infinity() && x.mul(&self.z.square()) == self.x
    }

    /// 2P: 4 multiplications, 4 squarings. Infinity stays infinity; no other point doubles to it, since n is odd.
    ///
    /// The tangent's slope is 3(X² − Z⁴)/(2YZ). Taken as 3/2·(X² − Z⁴) over a new Z of YZ, not 2YZ, it needs three
    /// additions fewer than the database's formula.
    pub(super) fn double(&self) -> Self {
        let z_squared = self.z.square();
        let y_squared = self.y.square();
        let x_y_squared = self.x.mul(&y_squared);
        let product = self.x.sub(&z_squared).mul(&self.x.add(&z_squared));
        let slope = product.halve().add(&product);
        let x = slope.square().sub(&x_y_squared.double());
        let y = slope.mul(&x_y_squared.sub(&x)).sub(&y_squared.square());
        Self { x, y, z: self.y.mul(&self.z) }
    }

    /// P + Q for an affine Q: 8 multiplications, 3 squarings.
    pub(super) fn add_affine(&self, other: &Affine) -> Self {
        if self.is_infinity() {
            return Self { x: other.x, y: other.y, z: Element::ONE };
        }
        let z_squared = self.z.square();
        let other_x = other.x.mul(&z_squared);
        let other_y = other.y.mul(&z_squared.mul(&self.z));
        let run = other_x.sub(&self.x);
        let rise = other_y.sub(&self.y);
        if run.is_zero() {
            return if rise.is_zero() { self.double() } else { Self::INFINITY };
        }
        Self::chord(&self.x, &self.y, &run, &rise, self.z.mul(&run))
    }

    /// The third point of the chord through (x, y), with the given differences, over the new Z.
    #[inline(always)]
    fn chord(x: &Element, y: &Element, run: &Element, rise: &Element, z: Element) -> Self {
        let run_squared = run.square();
        let run_cubed = run_squared.mul(run);
        let x_run_squared = x.mul(&run_squared);
        let new_x = rise.square().sub(&run_cubed).sub(&x_run_squared.double());
        let new_y = rise.mul(&x_run_squared.sub(&new_x)).sub(&y.mul(&run_cubed));
        Self { x: new_x, y: new_y, z }
    }
}

/// A point to be added often: beside its coordinates, Z² and Z³.
#[derive(Clone, Copy, Debug)]
struct Multiple {
    point: Jacobian,
    z_squared: Element,
    z_cubed: Element,
}

impl Multiple {
    fn new(point: Jacobian) -> Self {
        let z_squared = point.z.square();
        Self { point, z_squared, z_cubed: z_squared.mul(&point.z) }
    }
}

impl Jacobian {
    /// P ± Q: 11 multiplications, 3 squarings. Q must not be infinity.
    fn add_multiple(&self, other: &Multiple, negative: bool) -> Self {
        let other_point = if negative { other.point.neg() } else { other.point };
        if self.is_infinity() {
            return other_point;
        }
        let z_squared = self.z.square();
        let x = self.x.mul(&other.z_squared);
        let y = self.y.mul(&other.z_cubed);
        let run = other_point.x.mul(&z_squared).sub(&x);
        let rise = other_point.y.mul(&z_squared.mul(&self.z)).sub(&y);
        if run.is_zero() {
            return if rise.is_zero() { self.double() } else { Self::INFINITY };
        }
        Self::chord(&x, &y, &run, &rise, self.z.mul(&other_point.z).mul(&run))
    }

    /// P + Q, and P over the Z of that sum. P and Q must have the same Z and different x, as the double of a point
    /// and a small odd multiple of it have: n is a large prime.
    fn add_over_one_z(&self, other: &Self) -> (Self, Self) {
        let run = self.x.sub(&other.x);
        let rise = self.y.sub(&other.y);
        let run_squared = run.square();
        let self_x = self.x.mul(&run_squared);
        let other_x = other.x.mul(&run_squared);
        let self_y = self.y.mul(&self_x.sub(&other_x));
        let z = self.z.mul(&run);
        let x = rise.square().sub(&self_x).sub(&other_x);
        let y = rise.mul(&self_x.sub(&x)).sub(&self_y);
        (Self { x, y, z }, Self { x: self_x, y: self_y, z })
    }

    fn neg(&self) -> Self {
        Self { y: self.y.neg(), ..*self }
    }
}

/// Digits of a key's scalar: eight multiples are made for each key (about 75 multiplications), and every sixth
/// digit or so is not 0. A width of 4 costs some 40 multiplications more a signature, 6 as much as 5.
const KEY_WIDTH: usize = 5;

/// Digits of G's scalar: 1,024 multiples in 64 KiB, made once, and every thirteenth digit or so is not 0. One more
/// doubles the table to save one addition or two.
const BASE_WIDTH: usize = 12;

/// The multiples 1, 3, 5 … of a key, up to the largest digit. 2P and the last multiple are kept over one Z, so a
/// further multiple takes 5 multiplications and 2 squarings ("co-Z", Meloni 2007), and 2 more for its Z² and Z³.
fn key_multiples(key: &Affine) -> [Multiple; 1 << (KEY_WIDTH - 2)] {
    let mut last = Jacobian::INFINITY.add_affine(key);
    let mut multiples = [Multiple::new(last); 1 << (KEY_WIDTH - 2)];
    let mut step = last.double();
    // The double of a point with Z = 1 has Z = y: the point itself over that Z.
    let y_squared = key.y.square();
    last = Jacobian { x: key.x.mul(&y_squared), y: y_squared.square(), z: step.z };
    for multiple in &mut multiples[1..] {
        (last, step) = step.add_over_one_z(&last);
        *multiple = Multiple::new(last);
    }
    multiples
}

/// The multiples 1, 3, 5 … of G, up to the largest digit.
static BASE_MULTIPLES: LazyLock<Vec<Affine>> = LazyLock::new(|| {
    let base = Jacobian::INFINITY.add_affine(&Affine::base());
    let step = Multiple::new(base.double());
    let multiples: Vec<_> = std::iter::successors(Some(base), |last| Some(last.add_multiple(&step, false)))
        .take(1 << (BASE_WIDTH - 2))
        .collect();
    normalise(&multiples)
});

/// The points with Z = 1, none being infinity. Montgomery's trick: one inversion for all.
fn normalise(points: &[Jacobian]) -> Vec<Affine> {
    // products[i] is the product of the Z before i.
    let mut product = Element::ONE;
    let mut products = Vec::with_capacity(points.len());
    for point in points {
        products.push(product);
        product = product.mul(&point.z);
    }
    let mut inverse = product.invert();
    let mut affine = Vec::with_capacity(points.len());
    for (point, before) in points.iter().zip(products).rev() {
        let z_inverse = inverse.mul(&before);
        inverse = inverse.mul(&point.z);
        let z_inverse_squared = z_inverse.square();
        let y = point.y.mul(&z_inverse_squared).mul(&z_inverse);
        affine.push(Affine { x: point.x.mul(&z_inverse_squared), y });
    }
    affine.reverse();
    affine
}

/// s·G + t·Q in one chain of doublings (Strauss) over signed digits: about 256 doublings, 43 additions of
/// multiples of Q and 20 of multiples of G.
pub(super) fn combine(s: &Scalar, t: &Scalar, key: &Affine) -> Jacobian {
    let key_multiples = key_multiples(key);
    let base_multiples = &*BASE_MULTIPLES;
    let (s, t) = (s.signed_digits(BASE_WIDTH), t.signed_digits(KEY_WIDTH));
    let mut sum = Jacobian::INFINITY;
    for i in (0..DIGITS).rev() {
        sum = sum.double();
        if t[i] != 0 {
            sum = sum.add_multiple(&key_multiples[index(t[i])], t[i] < 0);
        }
        if s[i] != 0 {
            let multiple = &base_multiples[index(s[i])];
            sum = sum.add_affine(&if s[i] < 0 { multiple.neg() } else { *multiple });
        }
    }
    sum
}

/// Where the multiple |digit| lies among 1, 3, 5 …
fn index(digit: i16) -> usize {
    usize::from(digit.unsigned_abs() / 2)
}
