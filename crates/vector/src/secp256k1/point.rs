//! Points of y² = x³ + 7, one a lane.
//!
//! Wherever a point is held, its second coordinate is 2y, which takes the factors of two out of most formulas.
//!
//! **Mirrors.** Doubling and adding give −(2P) and −(P + T) here: the sums then have no minus in front of a product,
//! and the two products of the new y share one reduction. Who calls keeps count: after an odd number of steps the
//! accumulator is the mirror of the sum, and the points still to be added are mirrored too.
//!
//! **Exceptions.** Adding T to ±T, or to the point at infinity, gives z = 0 by these formulas, and z = 0 stays so
//! whatever follows. So one look at the end finds all lanes in which something exceptional happened, and a result at
//! infinity is one of them.

use super::field::{Fe, Loose};
use super::inversion::{Invertible, Modulus, rotated};
use crate::lanes::{Lanes, Mask};

static MODULUS: Modulus = Modulus::new(super::field::PRIME);

impl<L: Lanes> Invertible for Fe<L> {
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.mul_called(&other)
    }

    #[inline(always)]
    fn rotated(self, by: usize) -> Self {
        let mut limbs = self.0;
        for limb in &mut limbs {
            *limb = rotated(*limb, by);
        }
        Self(limbs)
    }

    #[inline(always)]
    fn inverse_of_first(self) -> Self {
        Self::splat(MODULUS.invert(self.normalize().first_number()))
    }
}

/// A point by its coordinates x and 2y.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine<L> {
    pub(super) x: Fe<L>,
    pub(super) y2: Fe<L>,
}

/// A point by X, 2Y and Z with x = X/Z², y = Y/Z³.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian<L> {
    pub(super) x: Fe<L>,
    pub(super) y2: Fe<L>,
    pub(super) z: Fe<L>,
}

/// x³ + 7.
#[inline(always)]
pub(super) fn right_side<L: Lanes>(x: Fe<L>) -> Fe<L> {
    x.square_times(1).mul_called(&x).loose().plus(Loose::small(7)).carry()
}

impl<L: Lanes> Affine<L> {
    /// From x and y.
    #[inline(always)]
    pub(super) fn new(x: Fe<L>, y: Fe<L>) -> Self {
        Self { x, y2: y.loose().doubled().carry() }
    }

    /// The denominator of the slope at this point, for [`Affine::doubled`]. Zero of no point, the order being odd.
    #[inline(always)]
    pub(super) fn doubling_denominator(self) -> Fe<L> {
        self.y2
    }

    /// The double, by the inverse of [`Affine::doubling_denominator`].
    #[inline(always)]
    pub(super) fn doubled(self, inverse: Fe<L>) -> Self {
        let slope = self.x.loose_square().tripled().carry().mul(inverse);
        self.third(slope, self.x)
    }

    /// Twice the difference of x, the denominator for [`Affine::sum`]. Zero where the points are the same or
    /// opposite.
    #[inline(always)]
    pub(super) fn sum_denominator(self, other: Self) -> Fe<L> {
        other.x.loose().minus(self.x.loose()).doubled().carry()
    }

    /// The sum, by the inverse of [`Affine::sum_denominator`].
    #[inline(always)]
    pub(super) fn sum(self, other: Self, inverse: Fe<L>) -> Self {
        let slope = other.y2.loose().minus(self.y2.loose()).carry().mul(inverse);
        self.third(slope, other.x)
    }

    /// The mirrored third point of a line through this point and one at `other_x`.
    #[inline(always)]
    fn third(self, slope: Fe<L>, other_x: Fe<L>) -> Self {
        let x = slope.loose_square().minus(self.x.loose().plus(other_x.loose())).carry();
        let run = self.x.loose().minus(x.loose()).carry();
        Self { x, y2: slope.loose_mul(run).doubled().minus(self.y2.loose()).carry() }
    }

    /// As a Jacobian point, negated where the mask has a bit.
    #[inline(always)]
    pub(super) fn to_jacobian(self, negative: Mask) -> Jacobian<L> {
        Jacobian { x: self.x, y2: self.y2.negate_where(negative), z: Fe::one() }
    }
}

impl<L: Lanes> Jacobian<L> {
    /// The point at infinity, or nothing known.
    #[inline(always)]
    pub(super) fn infinity() -> Self {
        Self { x: Fe::one(), y2: Fe::one(), z: Loose::zero().carry() }
    }

    /// The mirror of the double. With A = X², B = (2Y)², S = X·B, E = 3A: X' = E² − 2S, 2Y' = 2E·(X' − S) + B²,
    /// Z' = 2Y·Z. That is Bernstein and Lange's `dbl-2009-l` for a = 0 with 2Y for Y. Three products, four squares,
    /// six reductions: 312 multiplications.
    #[inline(always)]
    pub(super) fn doubled_mirror(&self) -> Self {
        let e = self.x.loose_square().tripled().carry();
        let b = self.y2.square();
        let minus_2s = self.x.loose_mul(b).doubled().negated();
        let x = e.loose_square().plus(minus_2s).carry();
        let run = x.loose().doubled().plus(minus_2s).carry();
        let y2 = e.wide_mul(run).plus(b.wide_square()).fold().carry();
        Self { x, y2, z: self.y2.mul(self.z) }
    }

    /// The mirror of the sum with ±`other`, negative where the mask has a bit. With H = x₂·Z² − X, R = 2(y₂·Z³ − Y),
    /// HH = 4H², J = H·HH, V = X·HH: X' = R² − J − 2V, 2Y' = 2R·(X' − V) + 2·2Y·J, Z' = 2·Z·H. That is
    /// `madd-2007-bl` with 2y for y. Eight products, three squares, ten reductions: 610 multiplications.
    #[inline(always)]
    pub(super) fn sum_mirror(&self, other: &Affine<L>, negative: Mask) -> Self {
        let zz = self.z.square();
        let h = other.x.loose_mul(zz).minus(self.x.loose()).carry();
        let zzz = self.z.mul(zz);
        let r = other.y2.loose_mul(zzz).negated_where(negative).minus(self.y2.loose()).carry();
        let hh = h.loose_square().quadrupled().carry();
        let j = h.mul(hh);
        let v = self.x.loose_mul(hh);
        let x = r.loose_square().minus(j.loose().plus(v.doubled())).carry();
        let run = x.loose().minus(v).doubled().carry();
        let y2 = r.wide_mul(run).plus(self.y2.wide_mul(j).doubled()).fold().carry();
        Self { x, y2, z: self.z.loose_mul(h).doubled().carry() }
    }

    /// The opposite where the mask has a bit.
    #[inline(always)]
    pub(super) fn negate_where(self, mask: Mask) -> Self {
        Self { y2: self.y2.negate_where(mask), ..self }
    }

    /// Whether the limbs are in range; for tests.
    #[cfg(test)]
    pub(super) fn is_reduced(&self) -> bool {
        [self.x, self.y2, self.z].iter().all(Fe::is_reduced)
    }
}
