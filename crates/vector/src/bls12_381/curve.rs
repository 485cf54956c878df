//! Points of y² = x³ + b over either field, eight at a time. No formula here needs b.
//!
//! **Exceptional cases.** Jacobian doubling has none here, as the orders of both curves are odd. Addition of equal or
//! opposite points, or of infinity, gives z = 0, and once it is 0 it stays 0: so who has a point with z = 0 in the end
//! redoes that lane by other means, and nothing is tested on the way.
//!
//! **Bounds.** Points come and go with coordinates below 40p.

use std::marker::PhantomData;

use super::field::Field;
use crate::lanes::{Lanes, Mask};

/// |z|, the absolute value of the curve's parameter, which is negative.
pub(super) const PARAMETER: u64 = 0xd201_0000_0001_0000;

/// Eight points by x and y.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine<F> {
    pub(super) x: F,
    pub(super) y: F,
}

/// Eight points (x/z², y/z³).
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian<L, F> {
    pub(super) x: F,
    pub(super) y: F,
    pub(super) z: F,
    lanes: PhantomData<L>,
}

impl<F> Affine<F> {
    /// The negative. Takes y ≤ 128p.
    #[inline(always)]
    pub(super) fn neg<L: Lanes>(&self) -> Self
    where
        F: Field<L>,
    {
        Self { x: self.x, y: self.y.neg::<128>() }
    }

    /// `other` where the mask has a bit.
    #[inline(always)]
    pub(super) fn select<L: Lanes>(&self, mask: Mask, other: &Self) -> Self
    where
        F: Field<L>,
    {
        Self { x: self.x.select(mask, &other.x), y: self.y.select(mask, &other.y) }
    }
}

impl<L: Lanes, F: Field<L>> Jacobian<L, F> {
    #[inline(always)]
    pub(super) fn new(x: F, y: F, z: F) -> Self {
        Self { x, y, z, lanes: PhantomData }
    }

    #[inline(always)]
    pub(super) fn from_affine(point: &Affine<F>) -> Self {
        Self::new(point.x, point.y, F::one())
    }

    /// The negative. Takes y ≤ 128p.
    #[inline(always)]
    pub(super) fn neg(&self) -> Self {
        Self { y: self.y.neg::<128>(), ..*self }
    }

    /// `other` where the mask has a bit.
    #[inline(always)]
    pub(super) fn select(&self, mask: Mask, other: &Self) -> Self {
        Self::new(self.x.select(mask, &other.x), self.y.select(mask, &other.y), self.z.select(mask, &other.z))
    }

    /// x and y, from the inverse of z.
    #[inline(always)]
    pub(super) fn to_affine(self, inverse: &F) -> Affine<F> {
        let square = inverse.square();
        Affine { x: self.x.mul(&square), y: self.y.mul(&square).mul(inverse) }
    }

    /// Lanes in which this is the point of x and y (each ≤ 128p). Not for z = 0.
    #[inline(always)]
    pub(super) fn equals(&self, point: &Affine<F>) -> Mask {
        let square = self.z.square();
        let x = point.x.mul(&square);
        let y = point.y.mul(&square).mul(&self.z);
        self.x.equals(&x) & self.y.equals(&y)
    }
}

/// 2P. Three products and four squares (dbl-2009-l of the Explicit-Formulas Database).
#[inline(never)]
pub(super) fn double<L: Lanes, F: Field<L>>(point: &mut Jacobian<L, F>) {
    L::enter(
        #[inline(always)]
        || {
            let [a, b] = F::squares(&point.x, &point.y);
            let [c, xb] = F::square_and_product(&b, &point.x, &b);
            let e = a.triple();
            let [ee, yz] = F::square_and_product(&e, &point.y, &point.z);
            // With d = 4xb: e² − 2d, and e·(d − x) − 8c.
            let x = ee.difference::<0, 3, 32>(&xb);
            let y = e.mul(&xb.difference::<2, 0, 64>(&x)).difference::<0, 3, 32>(&c);
            (point.x, point.y, point.z) = (x, y, yz.double());
        },
    );
}

/// P + Q. Eight products and three squares.
#[inline(never)]
pub(super) fn add_affine<L: Lanes, F: Field<L>>(point: &mut Jacobian<L, F>, other: &Affine<F>) {
    L::enter(
        #[inline(always)]
        || {
            let zz = point.z.square();
            let [u, zzz] = F::products(&other.x, &zz, &point.z, &zz);
            let h = u.sub::<64>(&point.x);
            let [hh, s] = F::square_and_product(&h, &other.y, &zzz);
            let r = s.sub::<64>(&point.y);
            let (x, y, z) = (point.x, point.y, point.z);
            *point = sum(&x, &y, &z, &h, &hh, &r);
        },
    );
}

/// P + Q. Twelve products and four squares.
#[inline(never)]
pub(super) fn add<L: Lanes, F: Field<L>>(point: &mut Jacobian<L, F>, other: &Jacobian<L, F>) {
    L::enter(
        #[inline(always)]
        || {
            let [zz, other_zz] = F::squares(&point.z, &other.z);
            let [zzz, other_zzz] = F::products(&zz, &point.z, &other_zz, &other.z);
            let [u, other_u] = F::products(&point.x, &other_zz, &other.x, &zz);
            let [s, other_s] = F::products(&point.y, &other_zzz, &other.y, &zzz);
            let h = other_u.sub::<64>(&u);
            let r = other_s.sub::<64>(&s);
            let [hh, z] = F::square_and_product(&h, &point.z, &other.z);
            *point = sum(&u, &s, &z, &h, &hh, &r);
        },
    );
}

/// P + Q, whatever both are: infinity (z = 0), equal, opposite.
#[inline(never)]
pub(super) fn add_any<L: Lanes, F: Field<L>>(point: &mut Jacobian<L, F>, other: &Jacobian<L, F>) {
    L::enter(
        #[inline(always)]
        || {
            let (no_point, no_other) = (point.z.is_zero(), other.z.is_zero());
            let [zz, other_zz] = F::squares(&point.z, &other.z);
            let [zzz, other_zzz] = F::products(&zz, &point.z, &other_zz, &other.z);
            let [u, other_u] = F::products(&point.x, &other_zz, &other.x, &zz);
            let [s, other_s] = F::products(&point.y, &other_zzz, &other.y, &zzz);
            let h = other_u.sub::<64>(&u);
            let r = other_s.sub::<64>(&s);
            let [hh, z] = F::square_and_product(&h, &point.z, &other.z);
            // Opposite points have a sum with z = 0 as it should be; where one has z = 0 it is not asked.
            let equal = h.is_zero() & r.is_zero();
            let mut result = sum(&u, &s, &z, &h, &hh, &r);
            if equal != 0 {
                let mut twice = *point;
                double(&mut twice);
                result = result.select(equal, &twice);
            }
            *point = result.select(no_other, point).select(no_point, other);
        },
    );
}

/// P + Q of points with z = 1.
#[inline(always)]
pub(super) fn add_affines<L: Lanes, F: Field<L>>(a: &Affine<F>, b: &Affine<F>) -> Jacobian<L, F> {
    let (h, r) = (b.x.sub::<128>(&a.x), b.y.sub::<128>(&a.y));
    sum(&a.x, &a.y, &F::one(), &h, &h.square(), &r)
}

/// The sum, from the first point over a common z, the differences of x and y, and the square of the first.
#[inline(always)]
fn sum<L: Lanes, F: Field<L>>(x: &F, y: &F, z: &F, h: &F, hh: &F, r: &F) -> Jacobian<L, F> {
    let [hhh, v] = F::products(h, hh, x, hh);
    let [rr, yhhh] = F::square_and_product(r, y, &hhh);
    let new_x = rr.sub::<32>(&hhh.add(&v.double()));
    let [product, new_z] = F::products(r, &v.sub::<64>(&new_x), z, h);
    Jacobian::new(new_x, product.sub::<32>(&yhhh), new_z)
}

/// \[|z|\]P.
#[inline(always)]
pub(super) fn times_parameter<L: Lanes, F: Field<L>>(point: &Jacobian<L, F>) -> Jacobian<L, F> {
    let mut multiple = *point;
    for bit in (0..63).rev() {
        double(&mut multiple);
        if PARAMETER >> bit & 1 == 1 {
            add(&mut multiple, point);
        }
    }
    multiple
}

/// \[|z|\]P of a point with z = 1.
#[inline(always)]
pub(super) fn affine_times_parameter<L: Lanes, F: Field<L>>(point: &Affine<F>) -> Jacobian<L, F> {
    let mut multiple = Jacobian::from_affine(point);
    for bit in (0..63).rev() {
        double(&mut multiple);
        if PARAMETER >> bit & 1 == 1 {
            add_affine(&mut multiple, point);
        }
    }
    multiple
}
