//! Points in Jacobian coordinates: (X, Y, Z) stands for (X/Z², Y/Z³).
//!
//! **Bounds.** X and Y are below 1.01·p, Z below 4·p.
//!
//! **Exceptional cases.** Nothing here branches. Where the formulas do not hold (points that are equal, opposite or
//! at infinity) Z becomes 0, and every later step keeps it 0: whoever uses the result looks at Z once.

use super::Curve;
use super::field::Element;
use super::inversion::Invertible;
use super::multiples::{self, Packed};
use super::tree::{Coordinate, Summand};
use crate::lanes::{LANES, Lanes, Mask};
use crate::scratch::Words;

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

/// One step of a formula for N points in turn: what waits for the one is filled with the other's work. The processor
/// sees some 450 instructions ahead, four multiplications, and a doubling has few that do not wait for one another.
macro_rules! each {
    ($i:ident => $step:expr) => {{
        let mut results = [Element::one(); N];
        for $i in 0..N {
            results[$i] = $step;
        }
        results
    }};
}

/// 2P for a = −3: 4 multiplications, 4 squarings, 7 reductions ("dbl-2001-b" of the Explicit-Formulas Database,
/// with Y² doubled at once).
#[inline(always)]
pub(crate) fn double<C: Curve, L: Lanes, const N: usize>(p: &mut [Point<C, L>; N]) {
    let z_squared = each!(i => p[i].z.square().carry()); // < 2p
    let twice_y_squared = each!(i => p[i].y.square().doubled().carry()); // < 2.2p
    let less = each!(i => p[i].x.loose().plus_modulus::<2>().minus(&z_squared[i]).carry()); // < 3.1p
    let more = each!(i => p[i].x.loose().plus(&z_squared[i]).carry()); // < 3.1p
    let slope = each!(i => less[i].mul(&more[i]).tripled().carry()); // < 4.9p
    let s = each!(i => p[i].x.mul(&twice_y_squared[i]).doubled().carry()); // 4XY² < 2.3p
    // Of < 7.6p.
    let x = each!(i => slope[i].square().plus_modulus::<5>().minus(&s[i]).minus(&s[i]).fold());
    let z = each!(i => p[i].y.mul(&p[i].z).doubled().carry()); // < 2.6p
    let run = each!(i => s[i].loose().plus_modulus::<2>().minus(&x[i]).carry()); // < 4.4p
    // −0.7p to 2.4p before the modulus is added.
    let y = each!(i => slope[i].mul_minus_twice_square(&run[i], &twice_y_squared[i]).plus_modulus::<1>().fold());
    for i in 0..N {
        p[i] = Point { x: x[i], y: y[i], z: z[i] };
    }
}

/// P ± Q for an affine Q, minus in the lanes of the mask: 8 multiplications, 3 squarings, 10 reductions.
#[inline(always)]
fn add<C: Curve, L: Lanes, const N: usize>(p: &mut [Point<C, L>; N], q: &[(Affine<C, L>, Mask); N]) {
    let z_squared = each!(i => p[i].z.square().carry()); // < 2p
    let z_cubed = each!(i => z_squared[i].mul(&p[i].z).carry()); // < 1.5p
    let run = each!(i => q[i].0.x.mul(&z_squared[i]).plus_modulus::<2>().minus(&p[i].x).carry()); // < 3.2p
    let rise = each!(i => q[i].0.y.mul(&z_cubed[i]).negated(q[i].1).plus_modulus::<3>().minus(&p[i].y).carry()); // < 4.2p
    let run_squared = each!(i => run[i].square().carry()); // < 1.7p
    let run_cubed = each!(i => run_squared[i].mul(&run[i]).carry()); // < 1.4p
    let x_run_squared = each!(i => p[i].x.mul(&run_squared[i]).carry()); // < 1.2p
    let x = each!(i => {
        let square = rise[i].square().plus_modulus::<4>();
        square.minus(&run_cubed[i]).minus(&x_run_squared[i]).minus(&x_run_squared[i]).fold()
    });
    let z = each!(i => p[i].z.mul(&run[i]).carry()); // < 1.8p
    let back = each!(i => x_run_squared[i].loose().plus_modulus::<2>().minus(&x[i]).carry()); // < 3.2p
    // −0.1p to 1.9p before the modulus is added.
    let y = each!(i => rise[i].mul_minus_mul(&back[i], &p[i].y, &run_cubed[i]).plus_modulus::<1>().fold());
    for i in 0..N {
        p[i] = Point { x: x[i], y: y[i], z: z[i] };
    }
}

// SAFETY: elements are arrays of lanes, which are words; points are two elements.
unsafe impl<C: Curve, L: Lanes> Words for Element<C, L> {}
// SAFETY: as above.
unsafe impl<C: Curve, L: Lanes> Words for Affine<C, L> {}

impl<C: Curve, L: Lanes> Coordinate for Element<C, L> {
    #[inline(always)]
    fn one() -> Self {
        Element::one()
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        if L::IN_MEMORY { self.times(*other) } else { self.mul(other).carry() }
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        self.loose().fold().is_zero()
    }

    #[inline(always)]
    fn blend(&self, mask: Mask, other: &Self) -> Self {
        Element::blend(self, mask, other)
    }
}

/// Abscissas below 1.01·p, ordinates below 2·p.
impl<C: Curve, L: Lanes> Summand<L> for Affine<C, L> {
    type Coordinate = Element<C, L>;

    #[inline(always)]
    fn unpack(rows: [&Packed; LANES], negative: Mask) -> Self {
        let Self { x, y } = multiples::unpack(rows);
        Self { x, y: y.loose().negated(negative).plus_modulus::<1>().carry() }
    }

    #[inline(always)]
    fn run(&self, other: &Self) -> Element<C, L> {
        other.x.loose().plus_modulus::<2>().minus(&self.x).carry() // < 3.1p
    }

    #[inline(always)]
    fn add<const N: usize>([a, b]: [&[Self; N]; 2], inverses: &[Element<C, L>; N], sums: &mut [Self; N]) {
        let rise = each!(i => b[i].y.loose().plus_modulus::<2>().minus(&a[i].y).carry()); // < 4p
        let slope = each!(i => rise[i].mul(&inverses[i]).carry()); // < 1.4p
        for i in 0..N {
            // Of < 5.2p.
            sums[i].x = slope[i].square().plus_modulus::<3>().minus(&a[i].x).minus(&b[i].x).fold();
        }
        for i in 0..N {
            let back = a[i].x.loose().plus_modulus::<2>().minus(&sums[i].x).carry(); // < 3.1p
            sums[i].y = slope[i].mul(&back).plus_modulus::<2>().minus(&a[i].y).fold();
        }
    }
}

/// Doubles N points `times` times. One copy of the code for all callers.
#[inline(never)]
fn double_each<C: Curve, L: Lanes, const N: usize>(points: &mut [Point<C, L>; N], times: usize) {
    L::enter(
        #[inline(always)]
        || {
            for _ in 0..times {
                double(points);
            }
        },
    );
}

/// Adds to each point its own ± affine one.
#[inline(never)]
fn add_each<C: Curve, L: Lanes, const N: usize>(points: &mut [Point<C, L>; N], others: &[(Affine<C, L>, Mask); N]) {
    L::enter(
        #[inline(always)]
        || add(points, others),
    );
}

/// Doubles each point `times` times, two by two.
#[inline(always)]
pub(crate) fn double_all<C: Curve, L: Lanes>(points: &mut [Point<C, L>], times: usize) {
    let (pairs, rest) = points.as_chunks_mut::<2>();
    for pair in pairs {
        double_each(pair, times);
    }
    for point in rest {
        double_each(std::array::from_mut(point), times);
    }
}

/// Adds to each point its own ± affine one, two by two.
#[inline(always)]
pub(crate) fn add_all<C: Curve, L: Lanes>(points: &mut [Point<C, L>], others: &[(Affine<C, L>, Mask)]) {
    let (pairs, rest) = points.as_chunks_mut::<2>();
    let (other_pairs, other_rest) = others.as_chunks::<2>();
    for (pair, others) in pairs.iter_mut().zip(other_pairs) {
        add_each(pair, others);
    }
    let other_rest = other_rest.first().or_else(|| others.get(2 * pairs.len()));
    for (point, other) in rest.iter_mut().zip(other_rest) {
        add_each(std::array::from_mut(point), std::array::from_ref(other));
    }
}
