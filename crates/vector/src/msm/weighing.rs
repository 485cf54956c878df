//! The buckets of windows, weighted with their digits.
//!
//! With B_i the bucket of digit i + 1, the sum is ΣB_i + Σ i·B_i, and Σ i·B_i = 2·Σ i·(B_2i + B_2i+1) + ΣB_2i+1: half as
//! many buckets, and the sum of the odd ones. All levels go on together, in place: after the step with stride s, the row
//! at a multiple of 2s is the sum of the 2s rows from it on, and that at 2^k more the sum of those of them whose number
//! has bit k. That is two additions a bucket as with running sums, but independent ones, which share their inversions.

use super::sums::{Pair, Point, Steps, load, rows, store};
use super::{Coordinate, Curve};
use crate::lanes::{LANES, Lanes, Mask};
use crate::scratch::Scratch;
use crate::weierstrass::inversion::Invertible;

/// The lanes whose number has bit 0, 1 or 2.
const ODD_LANES: [Mask; 3] = [0b1010_1010, 0b1100_1100, 0b1111_0000];

/// For each window: the sum of its buckets, and for each bit of a bucket's number the sum of the buckets that have it.
#[inline(always)]
pub(crate) fn weigh<L: Lanes, C: Curve>(buckets: &[C::Row], windows: usize) -> Vec<C::Row> {
    let of_window = buckets.len() / windows;
    let stride = of_window / LANES;
    let count = windows * stride;
    let mut points = rows::<L, C>(count);
    // Each lane has a run of buckets.
    for (window, buckets) in buckets.chunks_exact(of_window).enumerate() {
        for i in 0..stride {
            let lanes: [&C::Row; LANES] = std::array::from_fn(|lane| &buckets[lane * stride + i]);
            load::<L, C>(lanes, &mut points[window * stride + i]);
        }
    }
    let mut steps = Steps::<L, C>::new();
    let mut pairs: Vec<Pair> = Vec::new();
    let levels = stride.trailing_zeros();
    for level in 0..levels {
        pairs.clear();
        let half = 1 << level;
        let offsets = std::iter::once(0).chain((0..level).map(|bit| 1 << bit));
        for offset in offsets {
            let firsts = (offset..count as u32).step_by(2 * half as usize);
            pairs.extend(firsts.map(|first| [first, first + half]));
        }
        steps.add_rows(&mut points, &mut pairs);
    }
    let mut wanted = Scratch::<Point<C::Coordinate<L>>>::new(windows * (1 + levels as usize + ODD_LANES.len()));
    let mut place = 0;
    for window in points[..count].chunks_exact(stride) {
        let bits = (0..levels).map(|bit| (&window[1 << bit], Mask::MAX));
        let of_lanes = ODD_LANES.map(|lanes| (&window[0], lanes));
        for (point, lanes) in std::iter::once((&window[0], Mask::MAX)).chain(bits).chain(of_lanes) {
            keep::<L, C>(point, lanes, &mut wanted[place]);
            place += 1;
        }
    }
    add_lanes::<L, C>(&mut steps, &wanted)
}

#[inline(never)]
fn keep<L: Lanes, C: Curve>(point: &Point<C::Coordinate<L>>, lanes: Mask, kept: &mut Point<C::Coordinate<L>>) {
    L::enter(
        #[inline(always)]
        || {
            let zero = C::Coordinate::<L>::zero();
            *kept = [zero.blend(lanes, &point[0]), zero.blend(lanes, &point[1])];
        },
    );
}

#[inline(never)]
fn rotate<L: Lanes, C: Curve>(by: usize, point: &Point<C::Coordinate<L>>, rotated: &mut Point<C::Coordinate<L>>) {
    L::enter(
        #[inline(always)]
        || *rotated = [point[0].rotated(by), point[1].rotated(by)],
    );
}

/// Of each row the sum of its eight points.
fn add_lanes<L: Lanes, C: Curve>(steps: &mut Steps<L, C>, points: &[Point<C::Coordinate<L>>]) -> Vec<C::Row> {
    let count = points.len();
    let mut both = rows::<L, C>(2 * count);
    both[..count].copy_from_slice(points);
    for by in [4, 2, 1] {
        let (points, others) = both.split_at_mut(count);
        for (point, other) in points.iter().zip(others) {
            rotate::<L, C>(by, point, other);
        }
        let mut pairs: Vec<Pair> = (0..count as u32).map(|i| [i, count as u32 + i]).collect();
        steps.add_rows(&mut both, &mut pairs);
    }
    both[..count].iter().map(|point| store::<L, C>(point)[0]).collect()
}
