//! Odd multiples of points, and their lookup by lane.
//!
//! A table is rows of 64 bytes, a cache line each: the words of x, then those of 2y. A lookup reads one row for each
//! lane and transposes them; the gathering instruction takes longer here than loads and permutations together.

use std::sync::OnceLock;

use super::field::{Fe, pair_to_rows, rows_to_pair};
use super::point::Affine;
use super::scalar::Digit;
use crate::lanes::{LANES, Lanes, Portable};
use crate::scratch::Scratch;
use crate::weierstrass::inversion::invert_all;
use crate::weierstrass::multiples::Packed;

/// β with β³ = 1: (β·x, y) is λ·(x, y).
pub(super) const BETA: [u64; 4] =
    [0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710];
pub(super) const GENERATOR_X: [u64; 4] =
    [0x59f2_815b_16f8_1798, 0x029b_fcdb_2dce_28d9, 0x55a0_6295_ce87_0b07, 0x79be_667e_f9dc_bbac];
pub(super) const GENERATOR_Y: [u64; 4] =
    [0x9c47_d08f_fb10_d4b8, 0xfd17_b448_a685_5419, 0x5da4_fbfc_0e11_08a8, 0x483a_da77_26a3_c465];

/// Bits of a digit of the generator's scalars.
pub(super) const STATIC_WIDTH: u32 = 10;
/// Bits of a digit of other points' scalars.
pub(super) const WIDTH: u32 = 5;
/// Rows of a point's table.
const ROWS: usize = 1 << (WIDTH - 1);

/// P, 3P, 5P … for each of `points`, `count` of them, a power of two; those of point i from i·`count`. Points of the
/// curve alone.
///
/// In affine coordinates: as an inversion is shared by all points, an addition costs less than one in Jacobian
/// coordinates, and there is nothing to convert. A round adds 2c·P to the first c odd multiples.
#[inline(always)]
pub(super) fn odd_multiples<L: Lanes>(points: &[Affine<L>], count: usize) -> Scratch<Affine<L>> {
    let mut multiples: Scratch<Affine<L>> = Scratch::new(points.len() * count);
    for (i, &point) in points.iter().enumerate() {
        multiples[i * count] = point;
    }
    let mut even = points.to_vec();
    let (mut inverses, mut scratch) = (Vec::new(), Vec::new());
    let mut known = 0;
    while known < count {
        double_and_add(&mut multiples, &mut even, count, known, &mut inverses, &mut scratch);
        known = (2 * known).max(1);
    }
    multiples
}

/// A round: the next `known` odd multiples of each point, and the double of its even multiple.
#[inline(always)]
fn double_and_add<L: Lanes>(
    multiples: &mut [Affine<L>],
    even: &mut [Affine<L>],
    count: usize,
    known: usize,
    inverses: &mut Vec<Fe<L>>,
    scratch: &mut Vec<Fe<L>>,
) {
    inverses.clear();
    for (multiples, even) in multiples.chunks_exact(count).zip(even.iter()) {
        inverses.push(even.doubling_denominator());
        for multiple in &multiples[..known] {
            inverses.push(multiple.sum_denominator(*even));
        }
    }
    invert_all(inverses, scratch);
    let inverses = inverses.chunks_exact(known + 1);
    for ((multiples, even), inverses) in multiples.chunks_exact_mut(count).zip(even).zip(inverses) {
        for i in 0..known {
            multiples[known + i] = multiples[i].sum(*even, inverses[i + 1]);
        }
        *even = even.doubled(inverses[0]);
    }
}

/// The tables of P and λ·P for eight points a group.
pub(super) struct Tables(Scratch<Packed>);

impl Tables {
    #[inline(always)]
    pub(super) fn new<L: Lanes>(points: &[Affine<L>]) -> Self {
        let mut rows = Scratch::<Packed>::new(points.len() * 2 * LANES * ROWS);
        let multiples = odd_multiples(points, ROWS);
        let beta = Fe::splat(BETA);
        for (group, multiples) in multiples.chunks_exact(ROWS).enumerate() {
            for (entry, &Affine { x, y2 }) in multiples.iter().enumerate() {
                for (image, x) in [x, x.mul_called(&beta)].into_iter().enumerate() {
                    let lanes = pair_to_rows(x, y2);
                    for (lane, words) in lanes.into_iter().enumerate() {
                        words.store(&mut rows[Self::place(group, image, lane) + entry].0);
                    }
                }
            }
        }
        Self(rows)
    }

    #[inline(always)]
    fn place(group: usize, image: usize, lane: usize) -> usize {
        ((group * 2 + image) * LANES + lane) * ROWS
    }

    /// The point of a digit of each lane's scalar, but for its sign; `image` 0 is P, 1 λ·P.
    #[inline(always)]
    pub(super) fn lookup<L: Lanes>(&self, group: usize, image: usize, digit: &Digit) -> Affine<L> {
        let begin = Self::place(group, image, 0);
        let rows = &self.0[begin..begin + LANES * ROWS];
        let mut lanes = [L::zero(); LANES];
        for lane in 0..LANES {
            lanes[lane] = L::load(&rows[lane * ROWS + digit.index[lane] as usize % ROWS].0);
        }
        let (x, y2) = rows_to_pair(lanes);
        Affine { x, y2 }
    }
}

/// The tables of the generator G and of λ·G: 512 rows each, 64 KiB together.
pub(super) struct GeneratorTables([Vec<Packed>; 2]);

impl GeneratorTables {
    /// Built at first use.
    pub(super) fn shared() -> &'static Self {
        static TABLES: OnceLock<GeneratorTables> = OnceLock::new();
        TABLES.get_or_init(Self::new)
    }

    fn new() -> Self {
        let generator = Affine::<Portable>::new(Fe::splat(GENERATOR_X), Fe::splat(GENERATOR_Y));
        let multiples = odd_multiples(&[generator], 1 << (STATIC_WIDTH - 1));
        let first_lane = |x: Fe<Portable>, y2: Fe<Portable>| Packed(pair_to_rows(x, y2)[0].to_array());
        let beta = Fe::splat(BETA);
        Self([
            multiples.iter().map(|point| first_lane(point.x, point.y2)).collect(),
            multiples.iter().map(|point| first_lane(point.x.mul_called(&beta), point.y2)).collect(),
        ])
    }

    /// The point of a digit of each lane's scalar, but for its sign; `image` 0 is G, 1 λ·G.
    #[inline(always)]
    pub(super) fn lookup<L: Lanes>(&self, image: usize, digit: &Digit) -> Affine<L> {
        let rows = &self.0[image][..];
        let mut lanes = [L::zero(); LANES];
        for lane in 0..LANES {
            lanes[lane] = L::load(&rows[digit.index[lane] as usize].0);
        }
        let (x, y2) = rows_to_pair(lanes);
        Affine { x, y2 }
    }
}
