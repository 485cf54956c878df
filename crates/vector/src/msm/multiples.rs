//! Multiples of points by powers of two, which let windows share their buckets.

use std::ops::RangeInclusive;

use super::lists::pieces_of_set;
use super::scalars::halved;
use super::sums::{Point, Steps, load, rows};
use super::{Coordinate, Curve, Cut};
use crate::lanes::{LANES, Lanes};

/// Bits that a window may have.
pub(super) const WINDOWS: RangeInclusive<usize> = 4..=18;

/// Rows of points that are doubled together, in the second cache.
const ROWS: usize = 512;

/// Points of so many bytes make an addition take twice as long: all are read, and each once.
const SLOW_BYTES: usize = 512 << 20;

/// Which multiples there are of each point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Multiples {
    /// How many, the point itself included.
    pub(super) count: usize,
    /// Each is 2 to the power of this times the one before.
    pub(super) spacing: usize,
    pub(super) cut: Cut,
}

impl Cut {
    /// The bits that windows may have.
    pub(super) fn windows(self) -> RangeInclusive<usize> {
        *WINDOWS.start()..=self.window_bits_max.clamp(*WINDOWS.start(), *WINDOWS.end())
    }
}

impl Multiples {
    /// Those with which a multiplication of `count` points by long scalars takes the least, of `most` at most.
    pub(super) fn best(count: usize, most: usize, cut: Cut, order: &[u64; 4], row_bytes: usize) -> Self {
        let half = halved(order);
        // Room for the carry.
        let length = 256 - half[3].leading_zeros() as usize + 1;
        let mut best = Self { count: 1, spacing: length, cut };
        let mut least = usize::MAX;
        for bits in cut.windows() {
            let windows = length.div_ceil(bits);
            for sets in (1..=windows).rev() {
                let multiples = windows.div_ceil(sets);
                if multiples > most.max(1) {
                    break;
                }
                let bytes = if multiples > 1 { multiples * count * row_bytes } else { 0 };
                let additions = count * windows + sets * weighing(bits, count, multiples, cut);
                let cost = additions + additions / 1024 * (bytes / (SLOW_BYTES / 1024));
                // No more memory for nothing.
                if cost + cost / 32 * usize::from(multiples > best.count) < least {
                    least = cost;
                    best = Self { count: multiples, spacing: sets * bits, cut };
                }
            }
        }
        best
    }

    /// Windows that share their buckets: their bits, and how many sets of buckets there are.
    pub(super) fn windows(&self) -> impl Iterator<Item = (usize, usize)> {
        let spacing = if self.count > 1 { self.spacing } else { 0 };
        self.cut
            .windows()
            .filter(move |bits| spacing > 0 && spacing.is_multiple_of(*bits))
            .map(move |bits| (bits, spacing / bits))
    }
}

/// Additions that weigh a set of buckets, of so many windows with so many digits each: two a bucket, in each of the
/// parts that it is cut into.
pub(super) fn weighing(bits: usize, count: usize, windows: usize, cut: Cut) -> usize {
    pieces_of_set(count * windows, cut).clamp(1, windows.max(1)) << bits
}

/// All points times 2^`times`.
#[inline(always)]
pub(crate) fn doubled<L: Lanes, C: Curve>(points: &[C::Row], times: usize) -> Vec<C::Row> {
    let mut steps = Steps::<L, C>::new();
    let mut found = Vec::with_capacity(points.len());
    let mut block = rows::<L, C>(ROWS);
    let infinity = C::Row::default();
    for points in points.chunks(ROWS * LANES) {
        block.fill([C::Coordinate::<L>::zero(); 2]);
        for (eight, row) in points.chunks(LANES).zip(block.iter_mut()) {
            load::<L, C>(std::array::from_fn(|lane| eight.get(lane).unwrap_or(&infinity)), row);
        }
        let used = points.len().div_ceil(LANES);
        for _ in 0..times {
            steps.double_rows(&mut block, used);
        }
        for (eight, row) in points.chunks(LANES).zip(block.iter()) {
            found.extend_from_slice(&store_least::<L, C>(row)[..eight.len()]);
        }
    }
    found
}

/// To memory, below p, as points are that may be negated.
#[inline(never)]
fn store_least<L: Lanes, C: Curve>(point: &Point<C::Coordinate<L>>) -> [C::Row; LANES] {
    L::enter(
        #[inline(always)]
        || C::Coordinate::store(&point[0].least(), &point[1].least()),
    )
}
