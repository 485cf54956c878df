//! Sums of many points a lane, all known beforehand: a tree of additions in affine coordinates.
//!
//! An affine addition takes a division, and the divisions of all additions of a layer of the tree, of all groups of
//! lanes, share one inversion (Montgomery's trick): 5 multiplications and a square an addition, where one of an affine
//! point to a Jacobian one takes 8 multiplications and 3 squares.
//!
//! **Layout.** Point i of group g is at i·`groups` + g. A layer adds to each point of the first half the one as far
//! into the second half, in place.
//!
//! **What the formulas leave out.** Points with the same x: what they would divide by is 0. Layers first suppose that
//! there are none, and see in the product of all whether they were wrong; then they look at each, divide by 1 instead,
//! and note the lane. So one lane's exception is no other lane's.

use super::inversion::{Invertible, invert_all};
use super::multiples::Packed;
use crate::lanes::{LANES, Lanes, Mask};

/// Additions that go through the formulas side by side, each with a product of its own, so that one's waiting is
/// another's work.
const ABREAST: usize = 4;

/// A coordinate that can be divided by.
pub(crate) trait Coordinate: Invertible {
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
pub(crate) trait Summand<L: Lanes>: Copy {
    /// Its coordinates.
    type Coordinate: Coordinate;

    /// What rows of tables hold, negated in the lanes of the mask.
    fn unpack(rows: [&Packed; LANES], negative: Mask) -> Self;
    /// What [`Summand::sums`] divides by.
    fn run(&self, other: &Self) -> Self::Coordinate;
    /// Sums of pairs, by the inverses of their runs.
    fn sums<const N: usize>(pairs: &[[Self; 2]; N], inverses: &[Self::Coordinate; N]) -> [Self; N];
}

/// A summand still in its tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<'a> {
    /// A row for each lane.
    pub(crate) rows: [&'a Packed; LANES],
    /// The lanes that subtract it.
    pub(crate) negative: Mask,
}

/// What a layer adds, and where its sums go.
trait Layer<L: Lanes, S: Summand<L>> {
    fn pair(&self, at: usize) -> [S; 2];
    fn put(&mut self, at: usize, sum: S);
}

/// The first layer, which reads the tables.
struct Leaves<'t, 'a, S> {
    terms: &'t [Term<'a>],
    /// How far apart the points of a pair are.
    half: usize,
    sums: &'t mut [S],
}

impl<L: Lanes, S: Summand<L>> Layer<L, S> for Leaves<'_, '_, S> {
    #[inline(always)]
    fn pair(&self, at: usize) -> [S; 2] {
        let [a, b] = [&self.terms[at], &self.terms[at + self.half]];
        [S::unpack(a.rows, a.negative), S::unpack(b.rows, b.negative)]
    }

    #[inline(always)]
    fn put(&mut self, at: usize, sum: S) {
        self.sums[at] = sum;
    }
}

/// A later layer.
struct Branches<'t, S> {
    points: &'t mut [S],
    half: usize,
}

impl<L: Lanes, S: Summand<L>> Layer<L, S> for Branches<'_, S> {
    #[inline(always)]
    fn pair(&self, at: usize) -> [S; 2] {
        [self.points[at], self.points[at + self.half]]
    }

    #[inline(always)]
    fn put(&mut self, at: usize, sum: S) {
        self.points[at] = sum;
    }
}

/// The points of some groups on their way to one sum each.
pub(crate) struct Tree<L: Lanes, S: Summand<L>> {
    points: Vec<S>,
    groups: usize,
    /// For each group the lanes that met an exception: what they hold is no sum.
    pub(crate) exceptional: Vec<Mask>,
    /// The products of all runs before one, of its chain.
    before: Vec<S::Coordinate>,
}

impl<L: Lanes, S: Summand<L>> Tree<L, S> {
    /// Adds terms up to the last two points of each group. At least four terms a group.
    #[inline(always)]
    pub(crate) fn new(terms: &[Term<'_>], groups: usize) -> Self {
        let count = terms.len() / groups;
        let half = count / 2 * groups;
        let mut before = vec![S::Coordinate::one(); half];
        let mut exceptional = vec![0; groups];
        let mut points = Vec::with_capacity(half + groups);
        points.resize(half, S::unpack(terms[0].rows, 0));
        layer(&mut Leaves { terms, half, sums: &mut points }, half, &mut before, &mut exceptional);
        for term in &terms[2 * half..] {
            points.push(S::unpack(term.rows, term.negative));
        }
        let mut tree = Self { points, groups, exceptional, before };
        while tree.points.len() > 2 * groups {
            tree.halve();
        }
        tree
    }

    /// One layer more.
    #[inline(always)]
    pub(crate) fn halve(&mut self) {
        let half = self.points.len() / self.groups / 2 * self.groups;
        let points = &mut self.points[..];
        layer(&mut Branches { points, half }, half, &mut self.before, &mut self.exceptional);
        self.points.copy_within(2 * half.., half);
        self.points.truncate(self.points.len() - half);
    }

    /// The two points of a group after [`Tree::new`].
    #[inline(always)]
    pub(crate) fn pair(&self, group: usize) -> [S; 2] {
        [self.points[group], self.points[group + self.groups]]
    }

    /// The sum of a group, after [`Tree::halve`].
    #[inline(always)]
    pub(crate) fn sum(&self, group: usize) -> S {
        self.points[group]
    }
}

/// Makes all additions of a layer.
#[inline(always)]
fn layer<L: Lanes, S: Summand<L>, Y: Layer<L, S>>(
    layer: &mut Y,
    count: usize,
    before: &mut [S::Coordinate],
    exceptional: &mut [Mask],
) {
    let mut products = [S::Coordinate::one(); ABREAST];
    multiply(layer, count, &mut products, before, None);
    let mut product = products[0];
    for other in &products[1..] {
        product = product.times(*other);
    }
    let careful = product.is_zero() != 0;
    if careful {
        products = [S::Coordinate::one(); ABREAST];
        multiply(layer, count, &mut products, before, Some(exceptional));
    }
    invert_all(&mut products, &mut Vec::with_capacity(ABREAST));
    divide(layer, count, &mut products, before, careful);
}

/// 1 in the lanes in which a run is 0.
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

/// The products of runs, one after the other of each chain; with `exceptional` for what is at 0.
#[inline(never)]
fn multiply<L: Lanes, S: Summand<L>, Y: Layer<L, S>>(
    layer: &Y,
    count: usize,
    products: &mut [S::Coordinate; ABREAST],
    before: &mut [S::Coordinate],
    mut exceptional: Option<&mut [Mask]>,
) {
    L::enter(
        #[inline(always)]
        || {
            for at in (0..count).step_by(ABREAST) {
                for chain in 0..ABREAST.min(count - at) {
                    let [a, b] = layer.pair(at + chain);
                    let mut run = a.run(&b);
                    if let Some(exceptional) = &mut exceptional {
                        let zero;
                        (run, zero) = without_zeros::<L, _>(&run);
                        let groups = exceptional.len();
                        exceptional[(at + chain) % groups] |= zero;
                    }
                    before[at + chain] = products[chain];
                    products[chain] = products[chain].product(&run);
                }
            }
        },
    );
}

/// The sums of all pairs, by the inverses of the products, from the last.
#[inline(never)]
fn divide<L: Lanes, S: Summand<L>, Y: Layer<L, S>>(
    layer: &mut Y,
    count: usize,
    inverses: &mut [S::Coordinate; ABREAST],
    before: &[S::Coordinate],
    careful: bool,
) {
    L::enter(
        #[inline(always)]
        || {
            // In memory there is nothing to wait for.
            let whole = if L::IN_MEMORY { 0 } else { count - count % ABREAST };
            for at in (whole..count).rev() {
                let inverses = std::array::from_mut(&mut inverses[at % ABREAST]);
                divide_some::<L, S, Y, 1>(layer, at, inverses, before, careful);
            }
            if !L::IN_MEMORY {
                for at in (0..whole).step_by(ABREAST).rev() {
                    divide_some::<L, S, Y, ABREAST>(layer, at, inverses, before, careful);
                }
            }
        },
    );
}

#[inline(always)]
fn divide_some<L: Lanes, S: Summand<L>, Y: Layer<L, S>, const N: usize>(
    layer: &mut Y,
    at: usize,
    inverses: &mut [S::Coordinate; N],
    before: &[S::Coordinate],
    careful: bool,
) {
    let mut pairs = [layer.pair(at); N];
    let mut own = *inverses;
    for i in 0..N {
        pairs[i] = layer.pair(at + i);
        let mut run = pairs[i][0].run(&pairs[i][1]);
        if careful {
            run = without_zeros::<L, _>(&run).0;
        }
        own[i] = inverses[i].product(&before[at + i]);
        inverses[i] = inverses[i].product(&run);
    }
    let sums = S::sums(&pairs, &own);
    for i in 0..N {
        layer.put(at + i, sums[i]);
    }
}
