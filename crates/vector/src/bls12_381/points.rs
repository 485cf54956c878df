//! Points in memory, one by one: whatever regroups points goes through here, at the price of transposing them.

use std::ops::Range;

use super::curve::{Affine, Jacobian, add_any};
use super::field::Field;
use crate::lanes::{LANES, Lanes, Mask};

/// One point (x/z², y/z³); infinity where z is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<R> {
    x: R,
    y: R,
    z: R,
}

/// Points of one group, and what lanes know of them.
pub(super) struct Points<R> {
    /// The points; arbitrary where they are not fine.
    pub(super) points: Vec<Point<R>>,
    /// In G1, the points times |z|; in G2, where such multiples cost nothing, none.
    pub(super) images: Vec<Point<R>>,
    /// Points of the subgroup that are not infinity.
    pub(super) fine: Vec<bool>,
}

impl<R: Copy> Points<R> {
    /// None yet, with room for `count`.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { points: Vec::with_capacity(count), images: Vec::with_capacity(count), fine: Vec::with_capacity(count) }
    }

    /// Takes in the first `count` points of eight lanes.
    pub(super) fn push<L: Lanes, F: Field<L, Row = R>>(&mut self, count: usize, points: &Jacobian<L, F>, fine: Mask) {
        self.points.extend_from_slice(&store(points)[..count]);
        self.fine.extend((0..count).map(|lane| fine >> lane & 1 == 1));
    }

    /// The images of points that were taken in.
    pub(super) fn push_images<L: Lanes, F: Field<L, Row = R>>(&mut self, count: usize, images: &Jacobian<L, F>) {
        self.images.extend_from_slice(&store(images)[..count]);
    }
}

/// Eight points to memory.
#[inline(never)]
pub(super) fn store<L: Lanes, F: Field<L>>(points: &Jacobian<L, F>) -> [Point<F::Row>; LANES] {
    L::enter(
        #[inline(always)]
        || {
            let (x, y, z) = (points.x.rows(), points.y.rows(), points.z.rows());
            std::array::from_fn(|lane| Point { x: x[lane], y: y[lane], z: z[lane] })
        },
    )
}

/// Eight points from memory.
#[inline(never)]
fn load<L: Lanes, F: Field<L>>(points: &[&Point<F::Row>; LANES]) -> Jacobian<L, F> {
    L::enter(
        #[inline(always)]
        || {
            let (x, y, z) = (points.map(|point| &point.x), points.map(|point| &point.y), points.map(|point| &point.z));
            Jacobian::new(F::from_rows(&x), F::from_rows(&y), F::from_rows(&z))
        },
    )
}

/// Up to eight things of a list, the last standing in for those that are not there.
pub(super) fn filled<T: Copy>(things: &[T]) -> [T; LANES] {
    std::array::from_fn(|lane| things[lane.min(things.len() - 1)])
}

/// Points by x and y, eight at a time, with one inversion for all; (0, 0) for infinity.
pub(super) fn to_affine<L: Lanes, F: Field<L>>(points: &[&Point<F::Row>]) -> Vec<Affine<F>> {
    let mut loaded: Vec<Jacobian<L, F>> = Vec::with_capacity(points.len().div_ceil(LANES));
    let mut inverses = Vec::with_capacity(points.len().div_ceil(LANES));
    for points in points.chunks(LANES) {
        let points = load::<L, F>(&filled(points));
        inverses.push(points.z);
        loaded.push(points);
    }
    L::enter(
        #[inline(always)]
        || F::invert_all(&mut inverses),
    );
    let mut affine = Vec::with_capacity(loaded.len());
    for (points, inverse) in loaded.iter().zip(&inverses) {
        affine.push(divided(points, inverse));
    }
    affine
}

#[inline(never)]
fn divided<L: Lanes, F: Field<L>>(points: &Jacobian<L, F>, inverse: &F) -> Affine<F> {
    L::enter(
        #[inline(always)]
        || points.to_affine(inverse),
    )
}

/// Which points are finite.
pub(super) fn are_finite<L: Lanes, F: Field<L>>(points: &[Point<F::Row>]) -> Vec<bool> {
    let mut finite = Vec::with_capacity(points.len());
    for points in points.chunks(LANES) {
        let infinite = is_infinity::<L, F>(&filled(&points.iter().collect::<Vec<_>>()));
        finite.extend((0..points.len()).map(|lane| infinite >> lane & 1 == 0));
    }
    finite
}

#[inline(never)]
fn is_infinity<L: Lanes, F: Field<L>>(points: &[&Point<F::Row>; LANES]) -> Mask {
    let points = load::<L, F>(points);
    L::enter(
        #[inline(always)]
        || points.z.is_zero(),
    )
}

/// Makes points infinity.
pub(super) fn erase<L: Lanes, F: Field<L>>(point: &mut Point<F::Row>) {
    point.z = L::enter(
        #[inline(always)]
        || F::zero().rows()[0],
    );
}

/// Adds up each run of points, into the place of its first. Runs do not overlap; the others of their points are
/// arbitrary afterwards.
///
/// In pairs, level by level, so that lanes are full but for the last pairs of a level. Complete additions without an
/// inversion: beside the validation of a point its addition is less than two per cent, and shared inversions would
/// cost one power a level, which short runs do not pay for.
pub(super) fn add_up<L: Lanes, F: Field<L>>(points: &mut [Point<F::Row>], runs: &[Range<usize>]) {
    let mut lengths: Vec<usize> = runs.iter().map(Range::len).collect();
    let mut pairs = Vec::new();
    loop {
        pairs.clear();
        for (run, length) in runs.iter().zip(&mut lengths) {
            let half = *length / 2;
            *length -= half;
            pairs.extend((run.start..run.start + half).map(|place| (place, place + *length)));
        }
        if pairs.is_empty() {
            return;
        }
        for pairs in pairs.chunks(LANES) {
            let both = filled(pairs);
            let sums = add_pairs::<L, F>(&both.map(|(a, _)| &points[a]), &both.map(|(_, b)| &points[b]));
            for ((place, _), sum) in pairs.iter().zip(sums) {
                points[*place] = sum;
            }
        }
    }
}

#[inline(never)]
fn add_pairs<L: Lanes, F: Field<L>>(
    a: &[&Point<F::Row>; LANES],
    b: &[&Point<F::Row>; LANES],
) -> [Point<F::Row>; LANES] {
    let mut sum = load::<L, F>(a);
    add_any(&mut sum, &load::<L, F>(b));
    store(&sum)
}
