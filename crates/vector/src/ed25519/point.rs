//! Points of −x² + y² = 1 + dx²y², one a lane.
//!
//! The additions are the complete ones of Hisil, Wong, Carter and Dawson ("Twisted Edwards Curves Revisited", 2008)
//! for a = −1 a square and d none: right for all points, equal, opposite, of small order or the identity.

use super::field::{Columns, Element, limbs_of};
use crate::lanes::{Lanes, Mask};

/// d = −121665/121666.
pub(super) const D: [u64; 5] =
    limbs_of([0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73]);
/// 2d mod p.
pub(super) const D2: [u64; 5] =
    limbs_of([0xebd6_9b94_26b2_f159, 0x00e0_149a_8283_b156, 0x198e_80f2_eef3_d130, 0x2406_d9dc_56df_fce7]);

/// A point as what an addition ends with: X = EF, Y = GH, Z = FG, T = EH. The next operation multiplies out what it
/// needs, and adds before it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<L> {
    pub(super) e: Element<L>,
    pub(super) f: Element<L>,
    pub(super) g: Element<L>,
    pub(super) h: Element<L>,
}

/// A point for additions: (y + x, y − x, 2dxy) with Z = 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine<L> {
    pub(super) sum: Element<L>,
    pub(super) difference: Element<L>,
    pub(super) product: Element<L>,
}

/// A point for additions: (Y + X, Y − X, 2dT, Z).
#[derive(Clone, Copy, Debug)]
pub(super) struct Projective<L> {
    pub(super) sum: Element<L>,
    pub(super) difference: Element<L>,
    pub(super) product: Element<L>,
    pub(super) z: Element<L>,
}

/// A point at the start of an addition: Y + X, Y − X, T, and Z with carries pending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extended<L> {
    sum: Element<L>,
    difference: Element<L>,
    product: Element<L>,
    z: Columns<L>,
}

impl<L: Lanes> Extended<L> {
    /// P + Q, or P − Q in the lanes of `minus`, of Q as (Y + X, Y − X, 2dT) and of 2·Z₁·Z₂.
    #[inline(always)]
    fn add_terms(&self, [sum, difference, product]: [&Element<L>; 3], z: Columns<L>, minus: Mask) -> Point<L> {
        let a = self.difference.times(&difference.blend(minus, sum));
        let b = self.sum.times(&sum.blend(minus, difference));
        let c = self.product.times(product);
        let (less, more) = (z.minus(c).carry(), z.plus(c).carry());
        Point { e: b.minus(a).carry(), f: less.blend(minus, &more), g: more.blend(minus, &less), h: b.plus(a).carry() }
    }

    /// P + Q, or P − Q in the lanes of `minus`.
    #[inline(always)]
    pub(super) fn add(&self, q: &Projective<L>, minus: Mask) -> Point<L> {
        self.add_terms([&q.sum, &q.difference, &q.product], self.z.carry().times(&q.z).double(), minus)
    }

    /// The form for additions.
    #[inline(always)]
    pub(super) fn to_projective(self) -> Projective<L> {
        let Self { sum, difference, product, z } = self;
        Projective { sum, difference, product: product.mul(&Element::splat(D2)), z: z.carry() }
    }
}

impl<L: Lanes> Point<L> {
    #[inline(always)]
    pub(super) fn identity() -> Self {
        Self { e: Element::zero(), f: Element::one(), g: Element::one(), h: Element::one() }
    }

    #[inline(always)]
    pub(super) fn of_affine(x: Element<L>, y: Element<L>) -> Self {
        Self { e: x, f: Element::one(), g: Element::one(), h: y }
    }

    /// A point in the form for additions, or its negative in the lanes of `minus`: all coordinates four times.
    #[inline(always)]
    pub(super) fn of_row(point: &Affine<L>, minus: Mask) -> Self {
        let (sum, difference) = (point.sum.columns(), point.difference.columns());
        let x = sum.minus(difference).carry();
        let two = Element::splat([2, 0, 0, 0, 0]);
        Self { e: x.blend(minus, &x.negative()), f: two, g: two, h: sum.plus(difference).carry() }
    }

    /// 2P.
    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        let (x, y) = (self.e.times(&self.f), self.g.times(&self.h));
        let xx = x.carry().square_columns();
        let yy = y.carry().square_columns();
        let both = x.plus(y).carry().square_columns();
        let zz = self.f.mul(&self.g).square_columns();
        let difference = xx.minus(yy);
        let sum = xx.plus(yy);
        Self {
            e: sum.minus(both).carry(),
            f: zz.double().plus(difference).carry(),
            g: difference.carry(),
            h: sum.carry(),
        }
    }

    /// What additions start from.
    #[inline(always)]
    pub(super) fn to_extended(self) -> Extended<L> {
        let (x, y) = (self.e.times(&self.f), self.g.times(&self.h));
        Extended {
            sum: y.plus(x).carry(),
            difference: y.minus(x).carry(),
            product: self.e.mul(&self.h),
            z: self.f.times(&self.g),
        }
    }

    /// P + Q, or P − Q in the lanes of `minus`.
    #[inline(always)]
    pub(super) fn add_affine(&self, q: &Affine<L>, minus: Mask) -> Self {
        let p = self.to_extended();
        p.add_terms([&q.sum, &q.difference, &q.product], p.z.double(), minus)
    }

    /// P + Q, or P − Q in the lanes of `minus`.
    #[inline(always)]
    pub(super) fn add(&self, q: &Projective<L>, minus: Mask) -> Self {
        self.to_extended().add(q, minus)
    }

    /// The form for additions.
    #[inline(always)]
    pub(super) fn to_projective(self) -> Projective<L> {
        self.to_extended().to_projective()
    }

    /// `other` in the lanes of the mask.
    #[inline(always)]
    pub(super) fn blend(&self, mask: Mask, other: &Self) -> Self {
        Self {
            e: self.e.blend(mask, &other.e),
            f: self.f.blend(mask, &other.f),
            g: self.g.blend(mask, &other.g),
            h: self.h.blend(mask, &other.h),
        }
    }

    /// Lanes of points P with \[8\]P = 0.
    #[inline(always)]
    pub(super) fn has_small_order(&self) -> Mask {
        let mut point = *self;
        for _ in 0..3 {
            point = point.double();
        }
        // The identity: X = 0 and Y = Z. No F or G is ever 0, so E = 0 and H = F.
        point.e.is_zero() & point.h.columns().minus(point.f.columns()).carry().is_zero()
    }
}

impl<L: Lanes> Affine<L> {
    /// Of a point's coordinates.
    #[inline(always)]
    pub(super) fn of(x: &Element<L>, y: &Element<L>) -> Self {
        Self {
            sum: y.columns().plus(x.columns()).carry(),
            difference: y.columns().minus(x.columns()).carry(),
            product: x.mul(y).mul(&Element::splat(D2)),
        }
    }
}
