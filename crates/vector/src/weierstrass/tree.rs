//! Sums of many points a lane, all known beforehand: a tree of additions in affine coordinates.
//!
//! An affine addition takes a division, and the divisions of all additions of a layer of the tree, of all groups of
//! lanes, share one inversion (Montgomery's trick): 5 multiplications and a square an addition, where one of an affine
//! point to a Jacobian one takes 8 multiplications and 3 squares.
//!
//! **Layout.** Groups come in blocks, whose leaves take turns in one place, so that they are read again before they
//! leave the second cache. Of a block of b groups, point i of group g is at i·b + g. A layer adds to each point of the
//! first half the one as far into the second half.
//!
//! **What the formulas leave out.** Points with the same x: what they would divide by is 0. Layers first suppose that
//! there are none, and see in the product of all whether they were wrong; then they look at each, divide by 1 instead,
//! and note the lane. So one lane's exception is no other lane's.

use std::array::{from_mut, from_ref};

use super::inversion::{Invertible, invert_all};
use super::multiples::Packed;
use crate::lanes::{LANES, Lanes, Mask};
use crate::scratch::{Scratch, Words};

/// Additions that go through the formulas side by side, each with a product of its own, so that one's waiting is
/// another's work.
const ABREAST: usize = 2;

/// A coordinate that can be divided by.
pub(crate) trait Coordinate: Invertible + Words {
    /// One.
    fn one() -> Self;
    /// The product, inlined.
    fn product(&self, other: &Self) -> Self;
    /// Lanes that are 0.
    fn is_zero(&self) -> Mask;
    /// `other` in the lanes of the mask.
    fn blend(&self, mask: Mask, other: &Self) -> Self;
}

/// An affine point in each lane.
pub(crate) trait Summand<L: Lanes>: Words {
    /// Its coordinates.
    type Coordinate: Coordinate;

    /// What rows of tables hold, negated in the lanes of the mask.
    fn unpack(rows: [&Packed; LANES], negative: Mask) -> Self;
    /// What [`Summand::add`] divides by.
    fn run(&self, other: &Self) -> Self::Coordinate;
    /// Sums of pairs, by the inverses of their runs.
    fn add<const N: usize>(pairs: [&[Self; N]; 2], inverses: &[Self::Coordinate; N], sums: &mut [Self; N]);
}

/// A summand still in its tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<'a> {
    /// A row for each lane.
    pub(crate) rows: [&'a Packed; LANES],
    /// The lanes that subtract it.
    pub(crate) negative: Mask,
}

/// Groups of a block: the leaves of so many, and their products, are some 400 KiB.
pub(crate) const BLOCK: usize = 8;

/// The points of some groups on their way to one sum each.
pub(crate) struct Tree<L: Lanes, S: Summand<L>> {
    groups: usize,
    /// The leaves of a block.
    leaves: Scratch<S>,
    /// What is left of all blocks, one after the other.
    points: Scratch<S>,
    /// How many these are.
    count: usize,
    /// Where the next layer's points go.
    next: Scratch<S>,
    /// For each group the lanes that met an exception: what they hold is no sum.
    pub(crate) exceptional: Vec<Mask>,
    /// The products of all runs that were multiplied before one, of its chain.
    before: Scratch<S::Coordinate>,
}

impl<L: Lanes, S: Summand<L>> Tree<L, S> {
    /// A tree of a number of terms a group, a power of two, which [`Tree::add`] is to bring block by block.
    #[inline(always)]
    pub(crate) fn new(groups: usize, terms: usize) -> Self {
        let block = BLOCK.min(groups);
        Self {
            groups,
            leaves: Scratch::new(block * terms),
            points: Scratch::new(groups * terms / 2),
            count: 0,
            next: Scratch::new(groups * terms / 4),
            exceptional: vec![0; groups],
            before: Scratch::new((block * terms / 2).max(groups * terms / 4)),
        }
    }

    /// The first layer of the next block, of its terms; those of the block after it are asked for from memory.
    #[inline(always)]
    pub(crate) fn add(&mut self, block: usize, terms: &[Term<'_>], ahead: &[Term<'_>]) {
        let leaves = &mut self.leaves[..terms.len()];
        let mut products = [S::Coordinate::one(); ABREAST];
        unpack(terms, leaves, &mut products, &mut self.before);
        let careful = any_zero::<L, _>(&products);
        if careful {
            products = [S::Coordinate::one(); ABREAST];
            let groups = &mut self.exceptional[block * BLOCK..];
            let count = BLOCK.min(groups.len());
            multiply(leaves, &mut products, &mut self.before, Some(&mut groups[..count]));
        }
        invert_all(&mut products, &mut Vec::with_capacity(ABREAST));
        let sums = &mut self.points[self.count..][..leaves.len() / 2];
        divide(leaves, sums, &mut products, &self.before, careful, ahead);
        self.count += sums.len();
    }

    /// Adds up to the last two points of each group.
    #[inline(always)]
    pub(crate) fn grow(&mut self) {
        while self.count > 2 * self.groups {
            self.halve();
        }
    }

    /// One layer more.
    #[inline(always)]
    pub(crate) fn halve(&mut self) {
        let mut products = [S::Coordinate::one(); ABREAST];
        self.multiply_blocks(&mut products, false);
        let careful = any_zero::<L, _>(&products);
        if careful {
            products = [S::Coordinate::one(); ABREAST];
            self.multiply_blocks(&mut products, true);
        }
        invert_all(&mut products, &mut Vec::with_capacity(ABREAST));
        let block = self.count / self.groups * BLOCK;
        let blocks = self.points[..self.count].chunks(block).zip(self.before.chunks(block / 2));
        for ((points, before), sums) in blocks.zip(self.next.chunks_mut(block / 2)).rev() {
            divide(points, &mut sums[..points.len() / 2], &mut products, before, careful, &[]);
        }
        self.count /= 2;
        std::mem::swap(&mut self.points, &mut self.next);
    }

    #[inline(always)]
    fn multiply_blocks(&mut self, products: &mut [S::Coordinate; ABREAST], careful: bool) {
        let block = self.count / self.groups * BLOCK;
        let blocks = self.points[..self.count].chunks(block).zip(self.before.chunks_mut(block / 2));
        for ((points, before), groups) in blocks.zip(self.exceptional.chunks_mut(BLOCK)) {
            multiply(points, products, before, careful.then_some(groups));
        }
    }

    /// The two points of a group after [`Tree::grow`].
    #[inline(always)]
    pub(crate) fn pair(&self, group: usize) -> [&S; 2] {
        let first = group / BLOCK * BLOCK * 2 + group % BLOCK;
        [&self.points[first], &self.points[first + BLOCK.min(self.groups - group / BLOCK * BLOCK)]]
    }

    /// The sum of a group, after another [`Tree::halve`].
    #[inline(always)]
    pub(crate) fn sum(&self, group: usize) -> &S {
        &self.points[group]
    }
}

/// Whether one of the products is 0 in any lane.
#[inline(always)]
fn any_zero<L: Lanes, C: Coordinate>(products: &[C; ABREAST]) -> bool {
    let mut product = products[0];
    for other in &products[1..] {
        product = product.times(*other);
    }
    without_zeros::<L, _>(&product).1 != 0
}

/// 1 in the lanes in which a run is 0, and these.
#[inline(never)]
fn without_zeros<L: Lanes, C: Coordinate>(run: &C) -> (C, Mask) {
    L::enter(
        #[inline(always)]
        || {
            let zero = run.is_zero();
            (run.blend(zero, &C::one()), zero)
        },
    )
}

/// Unpacks the terms, and multiplies as [`multiply`].
#[inline(never)]
fn unpack<L: Lanes, S: Summand<L>>(
    terms: &[Term<'_>],
    points: &mut [S],
    products: &mut [S::Coordinate; ABREAST],
    before: &mut [S::Coordinate],
) {
    L::enter(
        #[inline(always)]
        || {
            let (terms, other_terms) = terms.split_at(terms.len() / 2);
            let (points, others) = points.split_at_mut(terms.len());
            for at in 0..terms.len() {
                points[at] = S::unpack(terms[at].rows, terms[at].negative);
                others[at] = S::unpack(other_terms[at].rows, other_terms[at].negative);
                let product = &mut products[at % ABREAST];
                before[at] = *product;
                *product = product.product(&points[at].run(&others[at]));
            }
        },
    );
}

/// The products of runs, one after the other of each chain; with `exceptional`, of each group of the
/// block, for what is at 0.
#[inline(never)]
fn multiply<L: Lanes, S: Summand<L>>(
    points: &[S],
    products: &mut [S::Coordinate; ABREAST],
    before: &mut [S::Coordinate],
    mut exceptional: Option<&mut [Mask]>,
) {
    L::enter(
        #[inline(always)]
        || {
            let (points, others) = points.split_at(points.len() / 2);
            for at in 0..points.len() {
                let mut run = points[at].run(&others[at]);
                if let Some(exceptional) = &mut exceptional {
                    let zero;
                    (run, zero) = without_zeros::<L, _>(&run);
                    let groups = exceptional.len();
                    exceptional[at % groups] |= zero;
                }
                let product = &mut products[at % ABREAST];
                before[at] = *product;
                *product = product.product(&run);
            }
        },
    );
}

/// The sums of all pairs, by the inverses of the products, from the last. Meanwhile the rows of as many terms are
/// asked for.
#[inline(never)]
fn divide<L: Lanes, S: Summand<L>>(
    points: &[S],
    sums: &mut [S],
    inverses: &mut [S::Coordinate; ABREAST],
    before: &[S::Coordinate],
    careful: bool,
    ahead: &[Term<'_>],
) {
    L::enter(
        #[inline(always)]
        || {
            let (points, others) = points.split_at(points.len() / 2);
            // In memory there is nothing to wait for.
            let whole = if L::IN_MEMORY { 0 } else { points.len() / ABREAST };
            for at in (whole * ABREAST..points.len()).rev() {
                let inverses = from_mut(&mut inverses[at % ABREAST]);
                let pair = [from_ref(&points[at]), from_ref(&others[at])];
                divide_some::<L, S, 1>(pair, inverses, from_ref(&before[at]), careful, from_mut(&mut sums[at]));
            }
            let half = points.len();
            let (points, others, before) = (points.as_chunks().0, others.as_chunks().0, before.as_chunks().0);
            for (at, sums) in sums.as_chunks_mut().0[..whole].iter_mut().enumerate().rev() {
                if !ahead.is_empty() {
                    for term in at * ABREAST..(at + 1) * ABREAST {
                        prefetch::<L>(ahead.get(term));
                        prefetch::<L>(ahead.get(half + term));
                    }
                }
                divide_some::<L, S, ABREAST>([&points[at], &others[at]], inverses, &before[at], careful, sums);
            }
        },
    );
}

/// Asks for the rows of a term.
#[inline(always)]
fn prefetch<L: Lanes>(term: Option<&Term<'_>>) {
    if let Some(term) = term {
        for row in term.rows {
            L::prefetch(row);
        }
    }
}

/// The sums of some pairs.
#[inline(always)]
fn divide_some<L: Lanes, S: Summand<L>, const N: usize>(
    [points, others]: [&[S; N]; 2],
    inverses: &mut [S::Coordinate; N],
    before: &[S::Coordinate; N],
    careful: bool,
    sums: &mut [S; N],
) {
    let mut own = [inverses[0]; N];
    for i in 0..N {
        own[i] = inverses[i].product(&before[i]);
    }
    for i in 0..N {
        let mut run = points[i].run(&others[i]);
        if careful {
            run = without_zeros::<L, _>(&run).0;
        }
        inverses[i] = inverses[i].product(&run);
    }
    S::add([points, others], &own, sums);
}
