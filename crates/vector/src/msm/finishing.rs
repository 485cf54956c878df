//! The last few hundred additions, which depend on each other, in Jacobian coordinates: (x/z², y/z³), and z = 0 for
//! infinity. All lanes do the same.

use super::{Coordinate, Curve};
use crate::lanes::{LANES, Lanes};
use crate::weierstrass::inversion::Invertible;

/// Settled coordinates.
#[derive(Clone, Copy, Debug)]
struct Jacobian<F> {
    x: F,
    y: F,
    z: F,
}

/// Σ 2^power·point: x and y, or `None` for infinity. Powers descend.
#[inline(always)]
pub(crate) fn finish<L: Lanes, C: Curve>(sums: &[(usize, C::Row)]) -> Option<[C::Number; 2]> {
    type F<L, C> = <C as Curve>::Coordinate<L>;
    let mut sum = Jacobian { x: F::<L, C>::one(), y: F::<L, C>::one(), z: F::<L, C>::zero() };
    let mut at = sums.first().map_or(0, |(power, _)| *power);
    for (power, point) in sums {
        while at > *power {
            double(&mut sum);
            at -= 1;
        }
        add::<L, C>(&mut sum, point);
    }
    while at > 0 {
        double(&mut sum);
        at -= 1;
    }
    affine::<L, C>(&sum)
}

#[inline(never)]
fn affine<L: Lanes, C: Curve>(point: &Jacobian<C::Coordinate<L>>) -> Option<[C::Number; 2]> {
    L::enter(
        #[inline(always)]
        || {
            if point.z.is_zero() & 1 == 1 {
                return None;
            }
            let inverse = point.z.inverse_of_first();
            let square = inverse.squared();
            let x = point.x.product(&square);
            let y = point.y.product(&square).product(&inverse);
            Some([x.to_numbers()[0], y.to_numbers()[0]])
        },
    )
}

/// Settled.
#[inline(always)]
fn settled<L: Lanes, F: Coordinate<L>>(number: &F) -> F {
    number.settled_minus(&F::zero())
}

/// 2a of a settled number, settled.
#[inline(always)]
fn twice<L: Lanes, F: Coordinate<L>>(number: &F) -> F {
    settled(&number.sum(number))
}

/// 2P ("dbl-2009-l" of the Explicit-Formulas Database).
#[inline(never)]
fn double<L: Lanes, F: Coordinate<L>>(point: &mut Jacobian<F>) {
    L::enter(
        #[inline(always)]
        || {
            let Jacobian { x, y, z } = *point;
            let a = settled(&x.squared());
            let b = settled(&y.squared());
            let c = settled(&b.squared());
            let d = twice(&twice(&settled(&x.product(&b))));
            let e = settled(&a.sum(&a).sum(&a));
            let new_x = e.squared().settled_x(&d, &F::zero());
            let new_y = e.product(&d.minus(&new_x)).settled_minus(&twice(&twice(&twice(&c))));
            *point = Jacobian { x: new_x, y: new_y, z: twice(&settled(&y.product(&z))) };
        },
    );
}

/// P + Q of an affine Q ("madd-2004-hmv"), whatever both are.
#[inline(never)]
fn add<L: Lanes, C: Curve>(point: &mut Jacobian<C::Coordinate<L>>, row: &C::Row) {
    L::enter(
        #[inline(always)]
        || {
            let Jacobian { x, y, z } = *point;
            let (other_x, other_y, absent) = C::Coordinate::<L>::load([row; LANES], 0);
            let zz = settled(&z.squared());
            let h = other_x.product(&zz).settled_minus(&x);
            let r = settled(&other_y.product(&zz)).product(&z).settled_minus(&y);
            let infinite = z.is_zero();
            let equal = h.is_zero() & r.is_zero() & !infinite & !absent;
            let hh = settled(&h.squared());
            let hhh = settled(&hh.product(&h));
            let v = settled(&x.product(&hh));
            let new_x = r.squared().settled_x(&v, &hhh);
            let new_y = r.product(&v.minus(&new_x)).settled_minus(&settled(&y.product(&hhh)));
            let mut sum = Jacobian { x: new_x, y: new_y, z: settled(&z.product(&h)) };
            if equal != 0 {
                sum = *point;
                double(&mut sum);
            }
            if infinite != 0 {
                sum = Jacobian { x: other_x, y: other_y, z: C::Coordinate::one() };
            }
            if absent == 0 {
                *point = sum;
            }
        },
    );
}
