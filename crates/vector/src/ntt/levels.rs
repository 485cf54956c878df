//! Levels of butterflies over vectors, and the transform of eight within them.

use super::arithmetic::{
    Factor, LIMBS, LaneFactor, PRODUCT, STORED, Vector, WEAK, butterfly, debug_below, multiply, plain_butterfly, weaken,
};
use crate::lanes::{LANES, Lanes};
use crate::montgomery::Modulus;

/// Vectors that go through all levels at once: 20 KB, in a level-1 cache.
const VECTORS_AT_ONCE: usize = 64;

/// Vectors of a quarter that go through one level before the next: butterflies that do not wait for each other.
const STRIP: usize = 4;

/// Levels that split polynomials: a block of 2m is one modulo X^2m − z², in each lane, and becomes those modulo
/// X^m − z and X^m + z, until m is 1. Factors by nodes of a binary tree, `node` being the block's own: its z is
/// `factors[node]`, and its halves are nodes 2·`node` and 2·`node` + 1.
///
/// Takes and gives vectors below 24p.
#[inline(never)]
pub(super) fn split<L: Lanes, M: Modulus<LIMBS>>(block: &mut [Vector], factors: &[Factor], node: usize) {
    if block.len() > VECTORS_AT_ONCE {
        split_once::<L, M>(block, factors, node, block.len());
        let quarter = block.len() / 4;
        for (i, block) in block.chunks_exact_mut(quarter).enumerate() {
            split::<L, M>(block, factors, 4 * node + i);
        }
        return;
    }
    let (mut size, mut first) = (block.len(), node);
    while size >= 4 {
        split_once::<L, M>(block, factors, first, size);
        (size, first) = (size / 4, 4 * first);
    }
    if size == 2 {
        pairs::<L, M>(block, |i| &factors[first + i]);
    }
}

/// Two levels on each block of `size`, `first` being the first block's node.
#[inline(never)]
fn split_once<L: Lanes, M: Modulus<LIMBS>>(vectors: &mut [Vector], factors: &[Factor], first: usize, size: usize) {
    let quarter = size / 4;
    L::enter(
        #[inline(always)]
        || {
            for (i, blocks) in vectors.chunks_mut(size.max(4 * STRIP)).enumerate() {
                let first = first + i * (size.max(4 * STRIP) / size);
                for start in (0..quarter).step_by(STRIP) {
                    let strip = start..quarter.min(start + STRIP);
                    for (i, block) in blocks.chunks_exact_mut(size).enumerate() {
                        let [a, b, c, d] = quarters(block);
                        for j in strip.clone() {
                            first_level::<L, M>([&mut a[j], &mut b[j], &mut c[j], &mut d[j]], &factors[first + i]);
                        }
                    }
                    for (i, block) in blocks.chunks_exact_mut(size).enumerate() {
                        let [a, b, c, d] = quarters(block);
                        let node = 2 * (first + i);
                        for j in strip.clone() {
                            let factors = [&factors[node], &factors[node + 1]];
                            second_level::<L, M>([&mut a[j], &mut b[j], &mut c[j], &mut d[j]], factors);
                        }
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn quarters(block: &mut [Vector]) -> [&mut [Vector]; 4] {
    let (low, high) = block.split_at_mut(block.len() / 2);
    let ((a, b), (c, d)) = (low.split_at_mut(low.len() / 2), high.split_at_mut(high.len() / 2));
    [a, b, c, d]
}

/// The levels of decimation in time: pairs of blocks of s vectors, the second times its place's factor, become blocks
/// of 2s, until the block is one. The factor of place j at that level is `factors[s + j]`.
///
/// Takes and gives vectors below 24p.
#[inline(never)]
pub(super) fn merge<L: Lanes, M: Modulus<LIMBS>>(block: &mut [Vector], factors: &[Factor]) {
    let mut size = if block.len().ilog2().is_multiple_of(2) { 1 } else { 2 };
    if block.len() > VECTORS_AT_ONCE {
        size = block.len() / 4;
        for block in block.chunks_exact_mut(size) {
            merge::<L, M>(block, factors);
        }
    } else if size == 2 {
        pairs::<L, M>(block, |_| &factors[1]);
    }
    while size < block.len() {
        merge_once::<L, M>(block, factors, size);
        size *= 4;
    }
}

/// Two levels, from blocks of `size` to blocks of four times that.
#[inline(never)]
fn merge_once<L: Lanes, M: Modulus<LIMBS>>(vectors: &mut [Vector], factors: &[Factor], size: usize) {
    L::enter(
        #[inline(always)]
        || {
            for blocks in vectors.chunks_mut(4 * size.max(STRIP)) {
                for start in (0..size).step_by(STRIP) {
                    let strip = start..size.min(start + STRIP);
                    for block in blocks.chunks_exact_mut(4 * size) {
                        let [a, b, c, d] = quarters(block);
                        for j in strip.clone() {
                            first_level::<L, M>([&mut a[j], &mut c[j], &mut b[j], &mut d[j]], &factors[size + j]);
                        }
                    }
                    for block in blocks.chunks_exact_mut(4 * size) {
                        let [a, b, c, d] = quarters(block);
                        for j in strip.clone() {
                            let factors = [&factors[2 * size + j], &factors[3 * size + j]];
                            second_level::<L, M>([&mut a[j], &mut c[j], &mut b[j], &mut d[j]], factors);
                        }
                    }
                }
            }
        },
    );
}

/// Butterflies of the first and third vector and of the second and fourth.
///
/// Only the first goes through both levels without a multiplication, so only it is weakened: the second level's x is
/// below 13p, and all that comes of it below 23p. Its y may be any, and is below 34p.
#[inline(always)]
fn first_level<L: Lanes, M: Modulus<LIMBS>>([a, b, c, d]: [&mut Vector; 4], factor: &Factor) {
    let [sum, difference] = butterfly::<L, M>(&weaken::<L, M>(&a.load()), &c.load(), factor);
    a.store(&sum);
    c.store(&difference);
    let [sum, difference] = butterfly::<L, M>(&b.load(), &d.load(), factor);
    b.store(&sum);
    d.store(&difference);
}

/// Butterflies of the first two vectors and of the last two.
#[inline(always)]
fn second_level<L: Lanes, M: Modulus<LIMBS>>([a, b, c, d]: [&mut Vector; 4], factors: [&Factor; 2]) {
    for (x, y, factor) in [(a, b, factors[0]), (c, d, factors[1])] {
        let [sum, difference] = butterfly::<L, M>(&x.load(), &y.load(), factor);
        debug_below::<L, M>(&sum, STORED);
        debug_below::<L, M>(&difference, STORED);
        x.store(&sum);
        y.store(&difference);
    }
}

/// One level on pairs of neighbours.
#[inline(always)]
fn pairs<'a, L: Lanes, M: Modulus<LIMBS>>(vectors: &mut [Vector], factor: impl Fn(usize) -> &'a Factor) {
    for (i, [x, y]) in vectors.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        pair::<L, M>(x, y, factor(i));
    }
}

/// A butterfly in memory, of numbers below 24p, that gives numbers below 13p.
#[inline(never)]
fn pair<L: Lanes, M: Modulus<LIMBS>>(x: &mut Vector, y: &mut Vector, factor: &Factor) {
    L::enter(
        #[inline(always)]
        || {
            let [sum, difference] = butterfly::<L, M>(&weaken::<L, M>(&x.load()), &y.load(), factor);
            debug_below::<L, M>(&sum, WEAK + PRODUCT);
            debug_below::<L, M>(&difference, WEAK + PRODUCT);
            x.store(&sum);
            y.store(&difference);
        },
    );
}

/// What transforms of eight take for factors, w being a root of unity of order n, or its inverse.
pub(super) struct Eighth {
    /// In lane i of number r: w^(i·r), for r from 1.
    pub(super) lanes: [LaneFactor; 7],
    /// Roots of order 4 and 8 and the third power of the latter.
    pub(super) roots: [Factor; 3],
}

/// The nontrivial butterflies of a transform of eight by splits after the first level: places, and number of the root.
const SECOND_LEVEL: [(usize, usize, usize); 2] = [(4, 6, 0), (5, 7, 0)];
const THIRD_LEVEL: [(usize, usize, usize); 3] = [(2, 3, 0), (4, 5, 1), (6, 7, 2)];

/// A transform over lanes: turns lanes into vectors and the other way round, multiplies vector r by the powers of its
/// lanes and by `factors[r − 1]`, and transforms the eight of each lane, which end in bit-reversed order.
///
/// Takes and gives vectors below 24p.
#[inline(always)]
pub(super) fn across_lanes<L: Lanes, M: Modulus<LIMBS>>(
    rows: [&Vector; LANES],
    factors: &[Factor],
    eighth: &Eighth,
    vectors: &mut [Vector; LANES],
) {
    L::enter(
        #[inline(always)]
        || {
            turn::<L>(rows, vectors);
            for r in 1..LANES {
                let product = multiply::<L, M>(&vectors[r].load(), &factors[r - 1]);
                vectors[r].store(&multiply::<L, M>(&product, &eighth.lanes[r - 1]));
            }
            let first = weaken::<L, M>(&vectors[0].load());
            vectors[0].store(&first);
            for i in 0..4 {
                // Below 10p: sums and differences below 20p.
                let [sum, difference] = plain_butterfly::<L, M, PRODUCT>(&vectors[i].load(), &vectors[i + 4].load());
                vectors[i].store(&weaken::<L, M>(&sum));
                vectors[i + 4].store(&weaken::<L, M>(&difference));
            }
        },
    );
    // From 3p to 6p, and to 12p.
    plain_pair::<L, M, WEAK>(vectors, 0, 2);
    plain_pair::<L, M, WEAK>(vectors, 1, 3);
    plain_pair::<L, M, { 2 * WEAK }>(vectors, 0, 1);
    for (x, y, root) in SECOND_LEVEL.into_iter().chain(THIRD_LEVEL) {
        pair_of::<L, M>(vectors, x, y, &eighth.roots[root]);
    }
}

/// Lane j of row i becomes lane i of vector j.
#[inline(always)]
fn turn<L: Lanes>(rows: [&Vector; LANES], vectors: &mut [Vector; LANES]) {
    for limb in 0..LIMBS {
        let mut places = [&rows[0].0[0]; LANES];
        for i in 0..LANES {
            places[i] = &rows[i].0[limb];
        }
        let columns = L::load_columns(places);
        for i in 0..LANES {
            columns[i].store(&mut vectors[i].0[limb]);
        }
    }
}

#[inline(always)]
fn plain_pair<L: Lanes, M: Modulus<LIMBS>, const K: u64>(vectors: &mut [Vector; LANES], x: usize, y: usize) {
    L::enter(
        #[inline(always)]
        || {
            let [sum, difference] = plain_butterfly::<L, M, K>(&vectors[x].load(), &vectors[y].load());
            vectors[x].store(&sum);
            vectors[y].store(&difference);
        },
    );
}

#[inline(always)]
fn pair_of<L: Lanes, M: Modulus<LIMBS>>(vectors: &mut [Vector; LANES], x: usize, y: usize, factor: &Factor) {
    if let Ok([x, y]) = vectors.get_disjoint_mut([x, y]) {
        pair::<L, M>(x, y, factor);
    }
}

/// The butterflies of decimation in time of eight: places, and number of the factor.
const EIGHT: [(usize, usize, usize); 12] = [
    (0, 1, 0),
    (2, 3, 0),
    (4, 5, 0),
    (6, 7, 0),
    (0, 2, 1),
    (1, 3, 2),
    (4, 6, 1),
    (5, 7, 2),
    (0, 4, 3),
    (1, 5, 4),
    (2, 6, 5),
    (3, 7, 6),
];

/// The first three levels of decimation in time: the factors are those of one pair, of two and of four.
pub(super) fn merge_eight<L: Lanes, M: Modulus<LIMBS>>(vectors: &mut [Vector; LANES], factors: &[Factor; 7]) {
    for (x, y, factor) in EIGHT {
        pair_of::<L, M>(vectors, x, y, &factors[factor]);
    }
}
