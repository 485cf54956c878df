//! How the index of an element is divided among passes, and the levels that lead from natural to bit-reversed order.

use super::ScalarField;
use super::arithmetic::{Factor, Vector};
use super::factors::Roots;
use super::levels::{Eighth, split};
use crate::lanes::{LANES, Lanes};

/// Sizes below 2^6 have no place for lanes at both ends of an index: their elements are a vector each, the same in all
/// lanes.
pub(super) const SMALL_BELOW: u32 = 6;

/// Bits of an index, highest first: 3 of `h`, `upper` of u, `lower` of s, and 3 of l.
///
/// Before the middle of a transform, a vector has the eight l of an (h, u, s) in its lanes; after it, the eight h of a
/// (u, s, l). The first pass takes the levels over h and u for one s, the middle those over s and l for one u.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) log_size: u32,
    pub(super) upper: u32,
    pub(super) lower: u32,
}

impl Shape {
    /// For 2^`log_size` elements, at least 2^[`SMALL_BELOW`].
    pub(super) fn new(log_size: u32) -> Self {
        let upper = (log_size - SMALL_BELOW) / 2;
        Self { log_size, upper, lower: log_size - SMALL_BELOW - upper }
    }

    /// Vectors of a column: all (h, u) of an s.
    pub(super) fn column(self) -> usize {
        LANES << self.upper
    }

    /// Where the vector (x, u, s) stands between passes, x being h or l: groups are in one piece.
    pub(super) fn place(self, x: usize, u: usize, s: usize) -> usize {
        ((u * LANES + x) << self.lower) + s
    }

    /// Elements over eight: by this much the indices of the eight results of a lane differ.
    pub(super) fn eighth(self) -> usize {
        1 << (self.log_size - 3)
    }
}

/// The lower `bits` bits of a number, reversed.
pub(super) fn reversed(number: usize, bits: u32) -> usize {
    if bits == 0 { 0 } else { number.reverse_bits() >> (usize::BITS - bits) }
}

/// A network from natural to bit-reversed order: the values of a polynomial at the powers of w, or of w times a
/// root of w, w being a root of unity of order n or its inverse.
pub(super) struct Network {
    /// By nodes of levels: see [`split`].
    nodes: Vec<Factor>,
    /// Seven for each (u, s).
    across: Vec<Factor>,
    pub(super) eighth: Eighth,
}

impl Network {
    /// For 2^`log_size` elements. `direction` is 1, or −1 for the inverse of w.
    pub(super) fn new<M: ScalarField>(roots: &Roots<M>, log_size: u32, direction: i64, coset: bool) -> Self {
        let n = 1_i64 << log_size;
        let coset = i64::from(coset);
        let levels = if log_size < SMALL_BELOW { log_size } else { log_size - 3 };
        let nodes = roots.factors(1 << levels, |node| {
            // Block b of level i, modulo X^2s − z² for s = n/2^(i + 1).
            let level = node.max(1).ilog2();
            let block = node.max(1) - (1 << level);
            direction * ((n >> level) * reversed(block, level) as i64 + coset * (n >> level >> 1))
        });
        let units = if log_size < SMALL_BELOW { 0 } else { 1 << (log_size - SMALL_BELOW) };
        let across = roots.factors(7 * units, |i| {
            let (unit, r) = (i / 7, i as i64 % 7 + 1);
            direction * r * (16 * reversed(unit, log_size - SMALL_BELOW) as i64 + coset)
        });
        Self { nodes, across, eighth: Eighth::new(roots, log_size, direction) }
    }

    /// All levels of a small transform.
    pub(super) fn split_small<L: Lanes, M: ScalarField>(&self, vectors: &mut [Vector]) {
        split::<L, M>(vectors, &self.nodes, 1);
    }

    /// The levels of a column, by (h, u).
    pub(super) fn split_column<L: Lanes, M: ScalarField>(&self, column: &mut [Vector]) {
        split::<L, M>(column, &self.nodes, 1);
    }

    /// The levels of a group, by (h, s), but for those within vectors.
    pub(super) fn split_group<L: Lanes, M: ScalarField>(&self, shape: Shape, u: usize, group: &mut [Vector]) {
        for (h, block) in group.chunks_exact_mut(1 << shape.lower).enumerate() {
            split::<L, M>(block, &self.nodes, ((LANES + h) << shape.upper) + u);
        }
    }

    /// The factors of (u, s) for the transform across lanes.
    pub(super) fn across(&self, shape: Shape, u: usize, s: usize) -> &[Factor] {
        let unit = (u << shape.lower) + s;
        &self.across[7 * unit..7 * unit + 7]
    }
}

impl Eighth {
    pub(super) fn new<M: ScalarField>(roots: &Roots<M>, log_size: u32, direction: i64) -> Self {
        let eighth = direction * (1 << log_size) / 4;
        let constants = roots.factors(3, |i| eighth * [2, 1, 3][i]);
        Self {
            lanes: std::array::from_fn(|r| roots.lane_factor(|lane| direction * 2 * lane as i64 * (r as i64 + 1))),
            roots: [constants[0], constants[1], constants[2]],
        }
    }
}
