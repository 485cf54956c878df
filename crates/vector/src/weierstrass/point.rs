//! Points in Jacobian coordinates: (X, Y, Z) stands for (X/Z², Y/Z³).
//!
//! **Bounds.** X and Y are below 1.01·p, Z below 4·p.
//!
//! **Exceptional cases.** Nothing here branches. Where the formulas do not hold (points that are equal, opposite or
//! at infinity) Z becomes 0, and every later step keeps it 0: whoever uses the result looks at Z once.

use super::Curve;
use super::field::Element;
use crate::lanes::{Lanes, Mask};

/// A point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<C, L> {
    pub(crate) x: Element<C, L>,
    pub(crate) y: Element<C, L>,
    pub(crate) z: Element<C, L>,
}

/// A point with Z = 1; coordinates below 1.1·p.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affine<C, L> {
    pub(crate) x: Element<C, L>,
    pub(crate) y: Element<C, L>,
}

impl<C: Curve, L: Lanes> Point<C, L> {
    /// 2P for a = −3: 4 multiplications, 4 squarings, 7 reductions ("dbl-2001-b" of the Explicit-Formulas Database,
    /// with Y² doubled at once).
    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        let Self { x, y, z } = self;
        let z_squared = z.square().carry(); // < 2p
        let twice_y_squared = y.square().doubled().carry(); // < 2.2p
        let s = x.mul(&twice_y_squared).doubled().carry(); // 4XY² < 2.3p
        let less = x.loose().plus_modulus::<2>().minus(&z_squared).carry(); // < 3.1p
        let more = x.loose().plus(&z_squared).carry(); // < 3.1p
        let slope = less.mul(&more).tripled().carry(); // < 4.9p
        let new_x = slope.square().plus_modulus::<5>().minus(&s).minus(&s).fold(); // of < 7.6p
        let run = s.loose().plus_modulus::<2>().minus(&new_x).carry(); // < 4.4p
        // −0.7p to 2.4p before the modulus is added.
        let new_y = slope.mul_minus_twice_square(&run, &twice_y_squared).plus_modulus::<1>().fold();
        Self { x: new_x, y: new_y, z: y.mul(z).doubled().carry() } // Z < 2.6p
    }

    /// P ± Q for an affine Q, minus in the lanes of the mask: 8 multiplications, 3 squarings, 10 reductions.
    #[inline(always)]
    pub(crate) fn add(&self, other: &Affine<C, L>, negative: Mask) -> Self {
        let Self { x, y, z } = self;
        let z_squared = z.square().carry(); // < 2p
        let z_cubed = z_squared.mul(z).carry(); // < 1.5p
        let run = other.x.mul(&z_squared).plus_modulus::<2>().minus(x).carry(); // < 3.2p
        let rise = other.y.mul(&z_cubed).negated(negative).plus_modulus::<3>().minus(y).carry(); // < 4.2p
        let run_squared = run.square().carry(); // < 1.7p
        let run_cubed = run_squared.mul(&run).carry(); // < 1.4p
        let x_run_squared = x.mul(&run_squared).carry(); // < 1.2p
        let new_x =
            rise.square().plus_modulus::<4>().minus(&run_cubed).minus(&x_run_squared).minus(&x_run_squared).fold();
        let back = x_run_squared.loose().plus_modulus::<2>().minus(&new_x).carry(); // < 3.2p
        // −0.1p to 1.9p before the modulus is added.
        let new_y = rise.mul_minus_mul(&back, y, &run_cubed).plus_modulus::<1>().fold();
        Self { x: new_x, y: new_y, z: z.mul(&run).carry() } // Z < 1.8p
    }
}

/// Doubles each point `times` times. One copy of the code for all callers.
#[inline(never)]
pub(crate) fn double_each<C: Curve, L: Lanes>(points: &mut [Point<C, L>], times: usize) {
    L::enter(
        #[inline(always)]
        || {
            for _ in 0..times {
                for point in points.iter_mut() {
                    *point = point.double();
                }
            }
        },
    );
}

/// Adds to each point its own ± affine one.
#[inline(never)]
pub(crate) fn add_each<C: Curve, L: Lanes>(points: &mut [Point<C, L>], others: &[(Affine<C, L>, Mask)]) {
    L::enter(
        #[inline(always)]
        || {
            for (point, (other, negative)) in points.iter_mut().zip(others) {
                *point = point.add(other, *negative);
            }
        },
    );
}
