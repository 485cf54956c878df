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

use super::field::{Factor, Fe, Loose};
use crate::lanes::{Lanes, Mask};
use crate::weierstrass::inversion::{Invertible, Modulus, rotated};

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
pub(crate) struct Affine<L> {
    pub(super) x: Fe<L>,
    pub(super) y2: Fe<L>,
}

/// A point by X, 2Y and Z with x = X/Z², y = Y/Z³.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jacobian<L> {
    pub(super) x: Factor<L>,
    pub(super) y2: Factor<L>,
    pub(super) z: Factor<L>,
}

/// x³ + 7.
#[inline(always)]
pub(super) fn right_side<L: Lanes>(x: Fe<L>) -> Fe<L> {
    x.square_times(1).mul_called(&x).loose().plus(Loose::small(7)).reduce()
}

impl<L: Lanes> Affine<L> {
    /// From x and y.
    #[inline(always)]
    pub(super) fn new(x: Fe<L>, y: Fe<L>) -> Self {
        Self { x, y2: y.loose().doubled().reduce() }
    }

    /// The denominator of the slope at this point, for [`Affine::doubled`]. Zero of no point, the order being odd.
    #[inline(always)]
    pub(super) fn doubling_denominator(self) -> Fe<L> {
        self.y2
    }

    /// The double, by the inverse of [`Affine::doubling_denominator`].
    #[inline(always)]
    pub(super) fn doubled(self, inverse: Fe<L>) -> Self {
        let slope = self.x.factor().square().tripled().carry().mul(inverse.factor()).reduce();
        self.third(slope, self.x)
    }

    /// Twice the difference of x, the denominator for [`Affine::sum`]. Zero where the points are the same or
    /// opposite.
    #[inline(always)]
    pub(super) fn sum_denominator(self, other: Self) -> Fe<L> {
        other.x.loose().minus(self.x.loose()).doubled().reduce()
    }

    /// The sum, by the inverse of [`Affine::sum_denominator`].
    #[inline(always)]
    pub(super) fn sum(self, other: Self, inverse: Fe<L>) -> Self {
        let slope = other.y2.loose().minus(self.y2.loose()).carry().mul(inverse.factor()).reduce();
        self.third(slope, other.x)
    }

    /// The mirrored third point of a line through this point and one at `other_x`.
    #[inline(always)]
    fn third(self, slope: Fe<L>, other_x: Fe<L>) -> Self {
        let slope = slope.factor();
        let x = slope.square().minus(self.x.loose().plus(other_x.loose())).reduce();
        let run = self.x.loose().minus(x.loose()).carry();
        Self { x, y2: slope.mul(run).doubled().minus(self.y2.loose()).reduce() }
    }

    /// As a Jacobian point, negated where the mask has a bit.
    #[inline(always)]
    pub(super) fn to_jacobian(self, negative: Mask) -> Jacobian<L> {
        Jacobian { x: self.x.factor(), y2: self.y2.negate_where(negative).factor(), z: Fe::one().factor() }
    }
}

/// The values of an expression for each of `W` groups. Written out as steps that all groups take in turn, a formula
/// gives the processor independent work within its reach, which ends after some four products.
macro_rules! side_by_side {
    ($w:ident => $value:expr) => {{
        let mut values = [{
            let $w = 0;
            $value
        }; W];
        for $w in 1..W {
            values[$w] = $value;
        }
        values
    }};
}

/// Replaces each point by the mirror of its double. With A = X², B = (2Y)², S = X·B, E = 3A: X' = E² − 2S, 2Y' =
/// 2E·(X' − S) + B², Z' = 2Y·Z. That is Bernstein and Lange's `dbl-2009-l` for a = 0 with 2Y for Y. Three products,
/// four squares, six reductions: 342 multiplications.
#[inline(always)]
pub(super) fn double_mirrored<L: Lanes, const W: usize>(points: &mut [Jacobian<L>; W]) {
    let e = side_by_side!(w => points[w].x.square().tripled().carry());
    let b = side_by_side!(w => points[w].y2.square().carry());
    let minus_2s = side_by_side!(w => points[w].x.mul(b[w]).doubled().negated());
    let z = side_by_side!(w => points[w].y2.mul(points[w].z).carry());
    let ee = side_by_side!(w => e[w].square());
    let x = side_by_side!(w => ee[w].plus(minus_2s[w]).carry());
    // 2(X' − S), from the sums before they were carried.
    let run = side_by_side!(w => ee[w].doubled().plus(minus_2s[w].tripled()).carry());
    for w in 0..W {
        let y2 = b[w].wide_square().plus_product(e[w], run[w]).fold().carry();
        points[w] = Jacobian { x: x[w], y2, z: z[w] };
    }
}

/// Replaces each point by the mirror of its sum with ± the other, negative where the mask has a bit. With H =
/// x₂·Z² − X, R = 2(y₂·Z³ − Y), HH = 4H², J = H·HH, V = X·HH: X' = R² − J − 2V, 2Y' = 2R·(X' − V) + 2·2Y·J, Z' =
/// 2·Z·H. That is `madd-2007-bl` with 2y for y. Eight products, three squares, ten reductions: 610 multiplications.
#[inline(always)]
pub(super) fn add_mirrored<L: Lanes, const W: usize>(points: &mut [Jacobian<L>; W], others: &[(Affine<L>, Mask); W]) {
    let zz = side_by_side!(w => points[w].z.square().carry());
    let h = side_by_side!(w => {
        others[w].0.x.factor().mul(zz[w]).minus(points[w].x.masked().loose()).carry()
    });
    let zzz = side_by_side!(w => points[w].z.mul(zz[w]).carry());
    let hh = side_by_side!(w => h[w].square().quadrupled().carry());
    let r = side_by_side!(w => {
        let (other, negative) = &others[w];
        other.y2.factor().mul(zzz[w]).negated_where(*negative).minus(points[w].y2.masked().loose()).carry()
    });
    let j = side_by_side!(w => h[w].mul(hh[w]).carry());
    let v = side_by_side!(w => points[w].x.mul(hh[w]));
    let z = side_by_side!(w => points[w].z.mul(h[w]).doubled().carry());
    let rr = side_by_side!(w => r[w].square());
    let loose_x = side_by_side!(w => rr[w].minus(j[w].masked().loose().plus(v[w].doubled())));
    let x = side_by_side!(w => loose_x[w].carry());
    // 2(X' − V), from the sum before it was carried.
    let run = side_by_side!(w => loose_x[w].minus(v[w]).doubled().carry());
    for w in 0..W {
        let y2 = points[w].y2.wide_mul(j[w]).doubled().plus_product(r[w], run[w]).fold().carry();
        points[w] = Jacobian { x: x[w], y2, z: z[w] };
    }
}

impl<L: Lanes> Affine<L> {
    /// As [`Affine::sum`], of pairs in turn.
    #[inline(always)]
    pub(super) fn add_each<const W: usize>([a, b]: [&[Self; W]; 2], inverses: &[Fe<L>; W], sums: &mut [Self; W]) {
        let slope = side_by_side!(w => {
            b[w].y2.loose().minus(a[w].y2.loose()).carry().mul(inverses[w].factor()).carry()
        });
        for w in 0..W {
            sums[w].x = slope[w].square().minus(a[w].x.loose().plus(b[w].x.loose())).reduce();
        }
        for w in 0..W {
            let run = a[w].x.loose().minus(sums[w].x.loose()).carry();
            sums[w].y2 = slope[w].mul(run).doubled().minus(a[w].y2.loose()).reduce();
        }
    }
}

impl<L: Lanes> Jacobian<L> {
    /// The point at infinity, or nothing known.
    #[inline(always)]
    pub(super) fn infinity() -> Self {
        Self { x: Fe::one().factor(), y2: Fe::one().factor(), z: Loose::zero().carry() }
    }

    /// `other` where the mask has a bit.
    #[inline(always)]
    pub(super) fn blend(self, mask: Mask, other: &Self) -> Self {
        let part = |a: Factor<L>, b: Factor<L>| a.masked().blend(mask, b.masked()).factor();
        Self { x: part(self.x, other.x), y2: part(self.y2, other.y2), z: part(self.z, other.z) }
    }

    /// The opposite where the mask has a bit.
    #[inline(always)]
    pub(super) fn negate_where(self, mask: Mask) -> Self {
        Self { y2: self.y2.masked().negate_where(mask).factor(), ..self }
    }
}
