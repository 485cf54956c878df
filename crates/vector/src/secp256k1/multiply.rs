//! u₁·G + u₂·Q, a pair of scalars and a point Q a lane.
//!
//! Both scalars are split in halves by the endomorphism, the halves written in odd digits of fixed width, and the four
//! sums share one chain of 125 doublings.

use super::field::Fe;
use super::point::{Affine, Jacobian, add_mirrored, double_mirrored};
use super::scalar::{HALF_BITS, Half, Scalar};
use super::table::{GeneratorTables, STATIC_WIDTH, Tables, WIDTH};
use crate::lanes::{Lanes, Mask};

/// Groups of eight that go through the formulas side by side. A formula alone waits for its own products; another
/// group's fill the time.
const SIDE_BY_SIDE: usize = 2;

/// What is to be computed for eight lanes.
#[derive(Clone, Copy)]
pub(super) struct Task<L> {
    /// u₁.
    pub(super) generator_scalar: Scalar<L>,
    /// u₂.
    pub(super) scalar: Scalar<L>,
    /// Q, a point of the curve.
    pub(super) point: Affine<L>,
}

struct Split<L> {
    generator: [Half<L>; 2],
    point: [Half<L>; 2],
}

impl<L: Lanes> Split<L> {
    /// What the digit of a half of u₂ at a position stands for, without its power of two: a multiple of Q or λ·Q, and
    /// the lanes in which it is to be negated.
    #[inline(always)]
    fn point(&self, tables: &Tables, group: usize, image: usize, position: u32) -> (Affine<L>, Mask) {
        let digit = self.point[image].digit(position, WIDTH);
        (tables.lookup(group, image, &digit), digit.negative)
    }

    /// The same of u₁, G and λ·G.
    #[inline(always)]
    fn generator(&self, tables: &GeneratorTables, image: usize, position: u32) -> (Affine<L>, Mask) {
        let digit = self.generator[image].digit(position, STATIC_WIDTH);
        (tables.lookup(image, &digit), digit.negative)
    }
}

/// u₁·G + u₂·Q of each task. Lanes with Z = 0 say nothing: there an exception was met, or the sum is infinity.
#[inline(always)]
pub(super) fn multiply<L: Lanes>(tasks: &[Task<L>]) -> Vec<Jacobian<L>> {
    let mut points = Vec::with_capacity(tasks.len());
    let mut splits = Vec::with_capacity(tasks.len());
    for task in tasks {
        points.push(task.point);
        splits.push(Split { generator: task.generator_scalar.split(), point: task.scalar.split() });
    }
    let tables = Tables::new(&points);
    let mut sums = Vec::with_capacity(tasks.len());
    let mut groups = 0..tasks.len();
    while groups.len() >= SIDE_BY_SIDE {
        let several: [usize; SIDE_BY_SIDE] = std::array::from_fn(|i| groups.start + i);
        sums.extend(chain(several, &splits, &tables));
        groups.start += SIDE_BY_SIDE;
    }
    for group in groups {
        sums.extend(chain([group], &splits, &tables));
    }
    sums
}

/// The accumulators of `W` groups side by side.
struct Sums<L, const W: usize> {
    sums: [Jacobian<L>; W],
    /// Whether they hold the opposites; see [`super::point`].
    are_mirrored: bool,
}

/// The chain of the groups of these numbers.
#[inline(never)]
fn chain<L: Lanes, const W: usize>(groups: [usize; W], splits: &[Split<L>], tables: &Tables) -> [Jacobian<L>; W] {
    L::enter(
        #[inline(always)]
        || {
            let generators = GeneratorTables::shared();
            let mut position = HALF_BITS - WIDTH;
            let mut sums = Sums { sums: [Jacobian::infinity(); W], are_mirrored: false };
            for (sum, &group) in sums.sums.iter_mut().zip(&groups) {
                let (point, negative) = splits[group].point(tables, group, 0, position);
                *sum = point.to_jacobian(negative);
            }
            sums.add(
                #[inline(always)]
                |w| splits[groups[w]].point(tables, groups[w], 1, position),
            );
            while position > 0 {
                sums.double(WIDTH);
                position -= WIDTH;
                for image in 0..2 {
                    sums.add(
                        #[inline(always)]
                        |w| splits[groups[w]].point(tables, groups[w], image, position),
                    );
                }
                if position.is_multiple_of(STATIC_WIDTH) {
                    for image in 0..2 {
                        sums.add(
                            #[inline(always)]
                            |w| splits[groups[w]].generator(generators, image, position),
                        );
                    }
                }
            }
            sums.upright()
        },
    )
}

impl<L: Lanes, const W: usize> Sums<L, W> {
    /// Doubles all of them `times` times.
    #[inline(always)]
    fn double(&mut self, times: u32) {
        double(&mut self.sums, times);
        self.are_mirrored ^= times % 2 == 1;
    }

    /// Adds the point that `point` gives for each group, negated in the lanes of the mask.
    #[inline(always)]
    fn add(&mut self, point: impl Fn(usize) -> (Affine<L>, Mask)) {
        let mut points = [(Affine { x: Fe::one(), y2: Fe::one() }, 0); W];
        for w in 0..W {
            points[w] = point(w);
            if self.are_mirrored {
                points[w].1 = !points[w].1;
            }
        }
        add(&mut self.sums, &points);
        self.are_mirrored = !self.are_mirrored;
    }

    #[inline(always)]
    fn upright(self) -> [Jacobian<L>; W] {
        let mirrored = if self.are_mirrored { Mask::MAX } else { 0 };
        let mut sums = self.sums;
        for sum in &mut sums {
            *sum = sum.negate_where(mirrored);
        }
        sums
    }
}

#[inline(never)]
fn double<L: Lanes, const W: usize>(sums: &mut [Jacobian<L>; W], times: u32) {
    L::enter(
        #[inline(always)]
        || {
            for _ in 0..times {
                double_mirrored(sums);
            }
        },
    );
}

#[inline(never)]
fn add<L: Lanes, const W: usize>(sums: &mut [Jacobian<L>; W], points: &[(Affine<L>, Mask); W]) {
    L::enter(
        #[inline(always)]
        || add_mirrored(sums, points),
    );
}
