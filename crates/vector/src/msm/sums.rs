//! Sums of many lists of points, in affine coordinates.
//!
//! An affine addition costs an inversion, two products and a square. Additions that do not depend on each other share
//! one inversion by Montgomery's trick (P. L. Montgomery, *Speeding the Pollard and elliptic curve methods of
//! factorization*, 1987, section 10.3.1), three products each. Eight lists of about the same length take a lane each;
//! each list is summed as a tree, so that the additions of one layer never depend on each other; and the layers of many
//! eights go on together, in blocks that stay in the second cache.
//!
//! **What the formulas leave out.** Infinity is seen by its coordinates, all 0: its lane divides by 1 and keeps the
//! other point. Points with the same x would divide by 0. A batch first supposes that there are none, and sees in the
//! product of all whether it was wrong; then it looks at each ([`Steps::multiply_carefully`]).

use super::lists::{List, Lists};
use super::scalars::Secret;
use super::{Check, Coordinate, Curve, Stopped, check};
use crate::lanes::{LANES, Lanes, Mask};
use crate::scratch::{Scratch, Words};
use crate::weierstrass::inversion::invert_all;

/// Additions side by side, each with a product of its own, so that one's waiting is another's work.
const ABREAST: usize = 2;
/// Additions that share an inversion.
const BATCH: usize = 256;
/// Points of the second layer in a block.
const BLOCK: usize = 1024;
/// How many additions before its use a point is asked for from memory.
const AHEAD: usize = 8;

/// Eight points by their coordinates.
pub(super) type Point<F> = [F; 2];

/// Two rows of points whose sum takes the place of the first.
pub(super) type Pair = [u32; 2];

/// The points of one addition: eight entries, and the eight that are added to them.
type Picks = [[u32; LANES]; 2];

/// An addition that waits for its inverse; the first of its points waits in the row of the sum.
#[derive(Clone, Copy, Debug)]
struct Step<F> {
    /// The divisor: the difference of the x.
    run: F,
    /// The difference of the y.
    rise: F,
    /// The product of the runs before this.
    before: F,
}

// SAFETY: coordinates without padding between them, as all have one size.
unsafe impl<F: Words> Words for Step<F> {}

/// Lanes in which the sum is not that of the formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Exceptions {
    /// The first point, or the second in its place.
    copied: Mask,
    /// Infinity.
    opposite: Mask,
    /// Points are the same.
    doubled: Mask,
}

/// Room for a batch of additions.
pub(super) struct Steps<L: Lanes, C: Curve> {
    steps: Scratch<Step<C::Coordinate<L>>>,
    exceptions: Vec<Exceptions>,
}

/// The sums of all buckets.
#[inline(always)]
pub(crate) fn sum_lists<L: Lanes, C: Curve>(
    points: &[C::Row],
    lists: Lists,
    asked: &mut Check<'_>,
) -> Result<Scratch<C::Row>, Stopped> {
    let mut lists = lists;
    let (cut, mut ends) = lists.cut();
    let mut sums = accumulate::<L, C>(points, &lists.entries.0, &cut, asked)?;
    loop {
        let starts = std::iter::once(&0).chain(ends.iter());
        if ends.iter().zip(starts).all(|(end, start)| end - start <= 1) {
            break;
        }
        // Sums of pieces are what is summed next.
        let count = ends.last().map_or(0, |end| *end);
        let mut entries = Secret(Scratch::new(count as usize));
        for (i, entry) in entries.0.iter_mut().enumerate() {
            *entry = (i as u32) << 1;
        }
        lists = Lists { entries, ends };
        let cut;
        (cut, ends) = lists.cut();
        sums = accumulate::<L, C>(&sums, &lists.entries.0, &cut, asked)?;
    }
    let mut buckets = Scratch::<C::Row>::new(ends.len());
    let mut start = 0;
    for (bucket, end) in buckets.iter_mut().zip(ends.iter()) {
        *bucket = if *end > start { sums[start as usize] } else { C::Row::default() };
        start = *end;
    }
    Ok(buckets)
}

/// The sum of each list, at its place; and then infinity. The last of the points is infinity.
fn accumulate<L: Lanes, C: Curve>(
    points: &[C::Row],
    entries: &[u32],
    lists: &[List],
    asked: &mut Check<'_>,
) -> Result<Scratch<C::Row>, Stopped> {
    let mut sums = Scratch::<C::Row>::new(lists.len() + 1);
    sums[lists.len()] = C::Row::default();
    let mut steps = Steps::<L, C>::new();
    let mut rows = rows::<L, C>(BLOCK);
    let mut groups = lists.as_chunks::<LANES>().0;
    // Where the rows of each group start, and how many there are.
    let mut spans: Vec<[u32; 2]> = Vec::new();
    let mut pairs: Vec<Pair> = Vec::new();
    while !groups.is_empty() {
        check(asked)?;
        spans.clear();
        let mut used = 0;
        for group in groups {
            let count = group[0].length.div_ceil(2);
            if used + count > BLOCK as u32 {
                break;
            }
            spans.push([used, count]);
            used += count;
        }
        let (block, rest) = groups.split_at(spans.len());
        groups = rest;
        steps.gather(points, entries, block, &spans, &mut rows);
        let mut stride = 1;
        while spans.iter().any(|span| span[1] > stride) {
            pairs.clear();
            for [start, count] in &spans {
                let seconds = (stride..*count).step_by(2 * stride as usize);
                pairs.extend(seconds.map(|second| [start + second - stride, start + second]));
            }
            steps.add_rows(&mut rows, &mut pairs);
            stride *= 2;
        }
        for (group, span) in block.iter().zip(&spans) {
            if span[1] == 0 {
                for list in group {
                    sums[list.place as usize] = C::Row::default();
                }
            } else {
                let stored = store::<L, C>(&rows[span[0] as usize]);
                for lane in 0..LANES {
                    sums[group[lane].place as usize] = stored[lane];
                }
            }
        }
    }
    Ok(sums)
}

/// Room for rows of points, and one more that is infinity.
pub(super) fn rows<L: Lanes, C: Curve>(count: usize) -> Scratch<Point<C::Coordinate<L>>> {
    let mut rows = Scratch::new(count + 1);
    rows[count] = [C::Coordinate::<L>::zero(); 2];
    rows
}

/// To memory.
#[inline(never)]
pub(super) fn store<L: Lanes, C: Curve>(point: &Point<C::Coordinate<L>>) -> [C::Row; LANES] {
    L::enter(
        #[inline(always)]
        || C::Coordinate::store(&point[0], &point[1]),
    )
}

/// From memory.
#[inline(never)]
pub(super) fn load<L: Lanes, C: Curve>(rows: [&C::Row; LANES], point: &mut Point<C::Coordinate<L>>) {
    L::enter(
        #[inline(always)]
        || {
            let (x, y, _) = C::Coordinate::<L>::load(rows, 0);
            *point = [x, y];
        },
    );
}

/// The points of entries.
#[inline(always)]
fn load_entries<L: Lanes, C: Curve>(
    points: &[C::Row],
    entries: &[u32; LANES],
) -> (C::Coordinate<L>, C::Coordinate<L>, Mask) {
    let mut negative: Mask = 0;
    for lane in 0..LANES {
        negative |= ((entries[lane] & 1) as Mask) << lane;
    }
    let row = |lane: usize| &points[(entries[lane] >> 1) as usize];
    C::Coordinate::<L>::load([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)], negative)
}

/// The entries at one place of eight lists, of which the last is the shortest; infinity where a list is too short.
#[inline(always)]
fn entries_of(entries: &[u32], group: &[List; LANES], at: u32, infinity: u32) -> [u32; LANES] {
    let mut found = [infinity; LANES];
    if at < group[LANES - 1].length {
        for lane in 0..LANES {
            found[lane] = entries[(group[lane].start + at) as usize];
        }
    } else {
        for lane in 0..LANES {
            if at < group[lane].length {
                found[lane] = entries[(group[lane].start + at) as usize];
            }
        }
    }
    found
}

/// Asks for all cache lines of a row.
#[inline(always)]
fn prefetch<L: Lanes, R: Words>(row: &R) {
    let bytes = std::ptr::from_ref(row).cast::<u8>();
    let mut at = 0;
    while at < size_of::<R>() {
        // SAFETY: within the row, of which any byte is a value.
        L::prefetch(unsafe { &*bytes.add(at) });
        at += 64;
    }
}

impl<L: Lanes, C: Curve> Steps<L, C> {
    pub(super) fn new() -> Self {
        Self { steps: Scratch::new(BATCH), exceptions: vec![Exceptions::default(); BATCH] }
    }

    /// The first layer of a block: neighbours of each list are added, from memory into the rows of their group.
    fn gather(
        &mut self,
        points: &[C::Row],
        entries: &[u32],
        groups: &[[List; LANES]],
        spans: &[[u32; 2]],
        rows: &mut [Point<C::Coordinate<L>>],
    ) {
        let (infinity, spare) = ((points.len() as u32 - 1) << 1, rows.len() as u32 - 1);
        let mut picks: Vec<Picks> = Vec::with_capacity(BATCH + ABREAST);
        let mut places: Vec<u32> = Vec::with_capacity(BATCH + ABREAST);
        for (group, [start, count]) in groups.iter().zip(spans) {
            for i in 0..*count {
                let first = entries_of(entries, group, 2 * i, infinity);
                if 2 * i + 1 < group[0].length {
                    picks.push([first, entries_of(entries, group, 2 * i + 1, infinity)]);
                    places.push(start + i);
                } else {
                    copy::<L, C>(points, &first, &mut rows[(start + i) as usize]);
                }
                if picks.len() == BATCH {
                    self.gather_batch(points, &picks, &places, rows);
                    picks.clear();
                    places.clear();
                }
            }
        }
        while !picks.len().is_multiple_of(ABREAST) {
            picks.push([[infinity; LANES]; 2]);
            places.push(spare);
        }
        self.gather_batch(points, &picks, &places, rows);
    }

    fn gather_batch(
        &mut self,
        points: &[C::Row],
        picks: &[Picks],
        places: &[u32],
        rows: &mut [Point<C::Coordinate<L>>],
    ) {
        if picks.is_empty() {
            return;
        }
        let mut products = [C::Coordinate::<L>::one(); ABREAST];
        self.multiply_picks(points, picks, places, rows, &mut products);
        self.invert(places, rows, &mut products);
        self.divide(places, &mut products, rows);
    }

    /// Adds pairs of rows. No row is in two pairs, but for second ones. The last row is spare.
    pub(super) fn add_rows(&mut self, rows: &mut [Point<C::Coordinate<L>>], pairs: &mut Vec<Pair>) {
        let spare = rows.len() as u32 - 1;
        while !pairs.len().is_multiple_of(ABREAST) {
            pairs.push([spare; 2]);
        }
        let mut places = Vec::with_capacity(BATCH);
        for pairs in pairs.chunks(BATCH) {
            let mut products = [C::Coordinate::<L>::one(); ABREAST];
            self.multiply_pairs(rows, pairs, &mut products);
            places.clear();
            places.extend(pairs.iter().map(|pair| pair[0]));
            self.invert(&places, rows, &mut products);
            self.divide(&places, &mut products, rows);
        }
    }

    /// Doubles the first `count` rows, or one more.
    pub(super) fn double_rows(&mut self, rows: &mut [Point<C::Coordinate<L>>], count: usize) {
        let places: Vec<u32> = (0..count.next_multiple_of(ABREAST) as u32).collect();
        for places in places.chunks(BATCH) {
            let mut products = [C::Coordinate::<L>::one(); ABREAST];
            self.multiply_doubled(rows, places, &mut products);
            self.invert(places, rows, &mut products);
            self.divide(places, &mut products, rows);
        }
    }

    /// The products' inverses.
    #[inline(never)]
    fn invert(&mut self, places: &[u32], rows: &[Point<C::Coordinate<L>>], products: &mut [C::Coordinate<L>; ABREAST]) {
        L::enter(
            #[inline(always)]
            || {
                let mut product = products[0];
                for other in &products[1..] {
                    product = product.product(other);
                }
                if product.is_zero() != 0 {
                    self.multiply_carefully(places, rows, products);
                }
                invert_all(products, &mut Vec::with_capacity(ABREAST));
            },
        );
    }

    /// Notes the addition number `at`, of the second point to that in the row, and multiplies the product by its run.
    #[inline(always)]
    fn note(
        &mut self,
        at: usize,
        product: &mut C::Coordinate<L>,
        row: &mut Point<C::Coordinate<L>>,
        [x, y, other_x, other_y]: [&C::Coordinate<L>; 4],
        [absent, other_absent]: [Mask; 2],
    ) {
        let mut run = other_x.minus(x);
        let step = &mut self.steps[at];
        step.rise = other_y.minus(y);
        let copied = absent | other_absent;
        if copied != 0 {
            run = run.blend(copied, &C::Coordinate::one());
            *row = [x.blend(absent, other_x), y.blend(absent, other_y)];
        }
        self.exceptions[at] = Exceptions { copied, ..Exceptions::default() };
        (step.run, step.before) = (run, *product);
        *product = product.product(&run);
    }

    #[inline(never)]
    fn multiply_picks(
        &mut self,
        points: &[C::Row],
        picks: &[Picks],
        places: &[u32],
        rows: &mut [Point<C::Coordinate<L>>],
        products: &mut [C::Coordinate<L>; ABREAST],
    ) {
        L::enter(
            #[inline(always)]
            || {
                for (at, ([first, second], place)) in picks.iter().zip(places).enumerate() {
                    if let Some(next) = picks.get(at + AHEAD) {
                        for entry in next.as_flattened() {
                            prefetch::<L, C::Row>(&points[(entry >> 1) as usize]);
                        }
                    }
                    let (x, y, absent) = load_entries::<L, C>(points, first);
                    let (other_x, other_y, other_absent) = load_entries::<L, C>(points, second);
                    let row = &mut rows[*place as usize];
                    *row = [x, y];
                    let product = &mut products[at % ABREAST];
                    self.note(at, product, row, [&x, &y, &other_x, &other_y], [absent, other_absent]);
                }
            },
        );
    }

    #[inline(never)]
    fn multiply_pairs(
        &mut self,
        rows: &mut [Point<C::Coordinate<L>>],
        pairs: &[Pair],
        products: &mut [C::Coordinate<L>; ABREAST],
    ) {
        L::enter(
            #[inline(always)]
            || {
                for (at, pair) in pairs.iter().enumerate() {
                    let [x, y] = rows[pair[0] as usize];
                    let [other_x, other_y] = rows[pair[1] as usize];
                    let absent = [x.is_nought() & y.is_nought(), other_x.is_nought() & other_y.is_nought()];
                    let (product, row) = (&mut products[at % ABREAST], &mut rows[pair[0] as usize]);
                    self.note(at, product, row, [&x, &y, &other_x, &other_y], absent);
                }
            },
        );
    }

    #[inline(never)]
    fn multiply_doubled(
        &mut self,
        rows: &[Point<C::Coordinate<L>>],
        places: &[u32],
        products: &mut [C::Coordinate<L>; ABREAST],
    ) {
        L::enter(
            #[inline(always)]
            || {
                for (at, place) in places.iter().enumerate() {
                    let [x, y] = &rows[*place as usize];
                    let copied = x.is_nought() & y.is_nought();
                    let square = x.squared();
                    let step = &mut self.steps[at];
                    step.rise = square.sum(&square).sum(&square);
                    step.run = y.sum(y).blend(copied, &C::Coordinate::one());
                    self.exceptions[at] = Exceptions { copied, opposite: 0, doubled: !copied };
                    let product = &mut products[at % ABREAST];
                    step.before = *product;
                    *product = product.product(&step.run);
                }
            },
        );
    }

    /// As [`Steps::note`] did, but where points have the same x they are doubled, or their sum is infinity.
    #[inline(never)]
    fn multiply_carefully(
        &mut self,
        places: &[u32],
        rows: &[Point<C::Coordinate<L>>],
        products: &mut [C::Coordinate<L>; ABREAST],
    ) {
        L::enter(
            #[inline(always)]
            || {
                *products = [C::Coordinate::one(); ABREAST];
                for (at, place) in places.iter().enumerate() {
                    let (step, [x, y]) = (&mut self.steps[at], &rows[*place as usize]);
                    let same_x = step.run.is_zero();
                    if same_x != 0 {
                        let doubled = same_x & step.rise.is_zero();
                        let opposite = same_x & !doubled;
                        let square = x.squared();
                        let tangent = square.sum(&square).sum(&square);
                        step.rise = step.rise.blend(doubled, &tangent);
                        let run = step.run.blend(doubled, &y.sum(y));
                        step.run = run.blend(opposite, &C::Coordinate::one());
                        let exceptions = &mut self.exceptions[at];
                        (exceptions.doubled, exceptions.opposite) = (doubled, opposite);
                    }
                    let product = &mut products[at % ABREAST];
                    step.before = *product;
                    *product = product.product(&step.run);
                }
            },
        );
    }

    /// The sums, to their places, from the inverses of the products of all runs.
    #[inline(never)]
    fn divide(&self, places: &[u32], inverses: &mut [C::Coordinate<L>; ABREAST], rows: &mut [Point<C::Coordinate<L>>]) {
        L::enter(
            #[inline(always)]
            || {
                let steps = self.steps[..places.len()].as_chunks::<ABREAST>().0;
                let exceptions = self.exceptions.as_chunks::<ABREAST>().0;
                let places = places.as_chunks::<ABREAST>().0;
                for (at, (steps, places)) in steps.iter().zip(places).enumerate().rev() {
                    let mut slopes = [C::Coordinate::<L>::zero(); ABREAST];
                    for i in 0..ABREAST {
                        slopes[i] = inverses[i].product(&steps[i].before);
                    }
                    for i in 0..ABREAST {
                        inverses[i] = inverses[i].product(&steps[i].run);
                    }
                    for i in 0..ABREAST {
                        slopes[i] = slopes[i].product(&steps[i].rise);
                    }
                    let mut sums = [[C::Coordinate::<L>::zero(); 2]; ABREAST];
                    for i in 0..ABREAST {
                        let mut run = steps[i].run;
                        let doubled = exceptions[at][i].doubled;
                        if doubled != 0 {
                            // Beside x and 2x no difference of the two.
                            run = run.blend(doubled, &C::Coordinate::zero().minus(&C::Coordinate::zero()));
                        }
                        sums[i][0] = slopes[i].squared().settled_x(&rows[places[i] as usize][0], &run);
                    }
                    for i in 0..ABREAST {
                        let [x, y] = &rows[places[i] as usize];
                        let run = x.minus(&sums[i][0]);
                        sums[i][1] = slopes[i].product(&run).settled_minus(y);
                    }
                    for i in 0..ABREAST {
                        let Exceptions { copied, opposite, .. } = exceptions[at][i];
                        let row = &mut rows[places[i] as usize];
                        if copied | opposite != 0 {
                            let zero = C::Coordinate::zero();
                            for k in 0..2 {
                                sums[i][k] = sums[i][k].blend(copied, &row[k]).blend(opposite, &zero);
                            }
                        }
                        *row = sums[i];
                    }
                }
            },
        );
    }
}

/// The points of entries, to a row.
#[inline(never)]
fn copy<L: Lanes, C: Curve>(points: &[C::Row], entries: &[u32; LANES], row: &mut Point<C::Coordinate<L>>) {
    L::enter(
        #[inline(always)]
        || {
            let (x, y, _) = load_entries::<L, C>(points, entries);
            *row = [x, y];
        },
    );
}
