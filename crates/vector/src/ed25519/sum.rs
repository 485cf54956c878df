//! Sums of many multiples of points, by buckets (Pippenger), for equations that are checked together.
//!
//! Scalars are cut into signed digits of eight bits. For each window and each size of a digit there is a list of the
//! points to be added up; lists of about the same length are summed eight at a time, one a lane, so buckets live in
//! registers and points are read only. Then each lane adds up the buckets of a window of its own.

use super::decode::decode;
use super::equation::words_of_hashes;
use super::field::{Element, words_of_bytes};
use super::point::{Affine, Point, Projective};
use super::scalar::Scalar;
use super::table::{
    AffineRow, IDENTITY_ROW, ProjectiveRow, base, load_affine, load_projective, store_affine, store_projective,
};
use crate::lanes::{LANES, Lanes, Mask, registers};
use crate::radix52::to_words;
use crate::scratch::{Scratch, Words};

/// Digits of a scalar.
const WINDOWS: usize = 32;
/// Digits of a coefficient.
const COEFFICIENT_WINDOWS: usize = 16;
/// Windows are summed eight at a time, one a lane.
const PASSES: usize = WINDOWS / LANES;
/// Of these, those in which coefficients have digits.
const COEFFICIENT_PASSES: usize = COEFFICIENT_WINDOWS / LANES;
/// Sizes of a digit that is not 0.
const BUCKETS: usize = 128;
/// Points of a list that are made ready together before they are added: what readies them waits for memory, and what
/// adds them only for itself.
const STEPS: usize = 8;
/// What is added to each digit to make it a byte.
const HALF: u8 = 128;

/// Decoded points, affine, in rows.
#[derive(Debug)]
pub struct Points {
    /// After them the negative of the base point, and the identity.
    rows: Scratch<AffineRow>,
    are_points: Vec<bool>,
}

impl Points {
    /// Whether encoding `number` is of a point.
    pub fn is_point(&self, number: usize) -> bool {
        self.are_points[number]
    }
}

#[inline(always)]
pub(super) fn decode_points<L: Lanes>(encodings: &[&[u8; 32]]) -> Points {
    let count = encodings.len();
    let capacity = count.next_multiple_of(2 * LANES);
    let (mut rows, mut are_points) = (Scratch::<AffineRow>::new(capacity + 2), Vec::with_capacity(capacity));
    for (number, chunk) in encodings.chunks(2 * LANES).enumerate() {
        let of = |place: usize| *chunk.get(place).unwrap_or(&&[0; 32]);
        let groups = [0, LANES].map(|start| std::array::from_fn(|lane| of(start + lane)));
        for (group, decoded) in decode::<L, 2>(&groups).iter().enumerate() {
            let start = (2 * number + group) * LANES;
            rows[start..start + LANES].copy_from_slice(&store_affine(&Affine::of(&decoded.x, &decoded.y)));
            are_points.extend((0..LANES).map(|lane| decoded.is_point >> lane & 1 == 1));
        }
    }
    are_points.truncate(count);
    let (x, y) = base::<L>();
    rows[count] = store_affine(&Affine::of(&x.negative(), &y))[0];
    rows[count + 1] = IDENTITY_ROW;
    Points { rows, are_points }
}

/// A signature in a sum.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a> {
    /// The number of A among the points.
    pub key: usize,
    /// The number of R among the points.
    pub r: usize,
    /// S, little-endian, below 2²⁵³.
    pub s: &'a [u8; 32],
    /// SHA-512(R‖A‖M): k is this mod L.
    pub hash: &'a [u8; 64],
    /// The coefficient z: 16 signed digits, byte b meaning b − 128. All of these differ mod L.
    pub coefficient: [u8; 16],
}

#[inline(always)]
pub(super) fn sum_holds<L: Lanes>(points: &Points, terms: &[Term<'_>]) -> bool {
    let count = points.are_points.len();
    let (key_sums, base_sum) = scalars::<L>(count, terms);
    let mut lists = Lists::new(key_sums.len() + 1, terms.len(), count + 1);
    lists.push_sums::<L>(&key_sums);
    lists.push_sums::<L>(&[KeySum { row: count as u64, sum: base_sum }]);
    for term in terms {
        lists.push(term.r, &term.coefficient);
    }
    let rows = &points.rows[..count + 2];
    let mut sum = Point::<L>::identity();
    for pass in (0..PASSES).rev() {
        if pass < PASSES - 1 {
            sum = doubled(sum, 8 * LANES as u32);
        }
        let sorted = lists.sort(pass);
        let buckets = buckets::<L>(rows, &sorted);
        sum = sum.add(&windows::<L>(&buckets).to_projective(), 0);
    }
    across(sum).has_small_order() & 1 == 1
}

/// Limbs of a sum of scalars, not carried.
type ScalarSum = [u64; 5];

/// What a point is multiplied by, and its row.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct KeySum {
    row: u64,
    sum: ScalarSum,
}

// SAFETY: integers of one size.
unsafe impl Words for KeySum {}

/// Σ z·k of each key that has terms, and Σ z·S, both limb by limb.
#[inline(never)]
fn scalars<L: Lanes>(points: usize, terms: &[Term<'_>]) -> (Scratch<KeySum>, ScalarSum) {
    L::enter(
        #[inline(always)]
        || {
            // Where among the sums a key's is: keys come in any order, some of them often.
            const NONE: u32 = u32::MAX;
            let mut places = Scratch::<u32>::new(points);
            places.fill(NONE);
            let mut key_sums = Scratch::<KeySum>::new(points.min(terms.len()));
            let mut keys = 0;
            let mut base_sum: ScalarSum = [0; 5];
            for chunk in terms.chunks(LANES) {
                let of = |lane: usize| chunk.get(lane).unwrap_or(&chunk[0]);
                let lanes: [&Term<'_>; LANES] = std::array::from_fn(of);
                let coefficients = lanes.map(|term| widened(&term.coefficient));
                let z = Scalar::<L>::of_signed_bytes(&words_of_bytes(&coefficients.each_ref()));
                let k = Scalar::<L>::of_wide_words(&words_of_hashes(&lanes.map(|term| term.hash)));
                let s = Scalar::<L>::of_words(&words_of_bytes(&lanes.map(|term| term.s)));
                let (zk, zs) = (z.times(&k).0, z.times(&s).0);
                let mut limbs = [[[0; LANES]; 5]; 2];
                for i in 0..5 {
                    zk[i].store(&mut limbs[0][i]);
                    zs[i].store(&mut limbs[1][i]);
                }
                for (lane, term) in chunk.iter().enumerate() {
                    let place = &mut places[term.key];
                    if *place == NONE {
                        *place = keys as u32;
                        key_sums[keys] = KeySum { row: term.key as u64, sum: [0; 5] };
                        keys += 1;
                    }
                    let sum = &mut key_sums[*place as usize].sum;
                    for i in 0..5 {
                        sum[i] += limbs[0][i][lane];
                        base_sum[i] += limbs[1][i][lane];
                    }
                }
            }
            key_sums.truncate(keys);
            (key_sums, base_sum)
        },
    )
}

fn widened(coefficient: &[u8; 16]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(coefficient);
    bytes
}

/// Of a number below 2²⁵³: bytes b with Σ (b − 128)·256ⁱ the number.
fn signed_bytes(words: [u64; 4]) -> [u8; WINDOWS] {
    let mut bytes = [0; WINDOWS];
    let mut carry = false;
    for (word, bytes) in words.into_iter().zip(bytes.chunks_exact_mut(8)) {
        let (sum, first) = word.overflowing_add(0x8080_8080_8080_8080);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        bytes.copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

/// Digits of all points.
struct Lists {
    /// The row of each entry: first those of scalars, which have digits in all windows, then those of coefficients.
    rows: Scratch<u32>,
    /// The row of the identity.
    identity: u32,
    /// How many entries are of scalars.
    scalars: usize,
    /// How many entries there are so far.
    filled: usize,
    /// The digits of pass p and entry j, at p times the number of all entries, plus j.
    digits: Scratch<[u8; LANES]>,
}

/// A list of points: those of a bucket.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct List {
    /// Where among the entries it starts.
    start: u32,
    length: u32,
    bucket: u32,
}

// SAFETY: three integers of one size.
unsafe impl Words for List {}

/// The points of each bucket of the windows of a pass, and the buckets in the order of how many they have.
struct SortedLists {
    /// Twice a point's row, and 1 where it counts negatively. The last [`STEPS`] are of the identity.
    entries: Scratch<u32>,
    /// Shortest first.
    lists: Scratch<List>,
}

impl Lists {
    /// Room for so many points with a scalar, and then for so many with a coefficient. And the row of the identity.
    fn new(scalars: usize, coefficients: usize, identity: usize) -> Self {
        let (all, identity) = (scalars + coefficients, identity as u32);
        Self { rows: Scratch::new(all), identity, scalars, filled: 0, digits: Scratch::new(PASSES * all) }
    }

    /// The digits of sums mod L.
    #[inline(never)]
    fn push_sums<L: Lanes>(&mut self, sums: &[KeySum]) {
        L::enter(
            #[inline(always)]
            || {
                for chunk in sums.chunks(LANES) {
                    let mut columns = [[0; LANES]; 5];
                    for (lane, KeySum { sum, .. }) in chunk.iter().enumerate() {
                        for i in 0..5 {
                            columns[i][lane] = sum[i];
                        }
                    }
                    let words = to_words(&Scalar::<L>::of_sum(registers!(i of 5; L::load(&columns[i]))).0);
                    for (KeySum { row, .. }, words) in chunk.iter().zip(words) {
                        self.push(*row as usize, &signed_bytes(words));
                    }
                }
            },
        );
    }

    /// The digits of the next point, from the lowest window on.
    fn push<const N: usize>(&mut self, row: usize, digits: &[u8; N]) {
        let all = self.rows.len();
        for (pass, digits) in digits.as_chunks::<LANES>().0.iter().enumerate() {
            self.digits[pass * all + self.filled] = *digits;
        }
        self.rows[self.filled] = row as u32;
        self.filled += 1;
    }

    /// Sorts the digits of a pass by counting.
    fn sort(&self, pass: usize) -> SortedLists {
        let all = self.rows.len();
        debug_assert_eq!(self.filled, all);
        let count = if pass < COEFFICIENT_PASSES { all } else { self.scalars };
        let digits = &self.digits[pass * all..][..count];
        let mut entries = Scratch::<u32>::new(LANES * count + STEPS);
        let mut lists = Scratch::<List>::new(LANES * BUCKETS);
        let mut start = 0;
        for window in 0..LANES {
            let mut counts = [0_u32; 2 * HALF as usize];
            for digits in digits {
                counts[usize::from(digits[window])] += 1;
            }
            // Of each size, negative ones go first; those that are 0 go last, into no list.
            let mut ends = [0_u32; 2 * HALF as usize];
            for size in 1..=BUCKETS {
                let (minus, plus) = (usize::from(HALF) - size, usize::from(HALF) + size);
                let length = counts[minus] + counts.get(plus).copied().unwrap_or(0);
                ends[minus] = start;
                if let Some(end) = ends.get_mut(plus) {
                    *end = start + counts[minus];
                }
                let bucket = window * BUCKETS + size - 1;
                lists[bucket] = List { start, length, bucket: bucket as u32 };
                start += length;
            }
            ends[usize::from(HALF)] = start;
            start += counts[usize::from(HALF)];
            for (digits, row) in digits.iter().zip(&*self.rows) {
                let digit = digits[window];
                let end = &mut ends[usize::from(digit)];
                entries[*end as usize] = row << 1 | u32::from(digit < HALF);
                *end += 1;
            }
        }
        entries[LANES * count..].fill(self.identity << 1);
        SortedLists { entries, lists: by_length(&lists) }
    }
}

/// Sorted by length, by counting.
fn by_length(lists: &[List]) -> Scratch<List> {
    let longest = lists.iter().map(|list| list.length).max().unwrap_or(0) as usize;
    let mut places = vec![0; longest + 2];
    for list in lists {
        places[list.length as usize + 1] += 1;
    }
    for length in 0..=longest {
        places[length + 1] += places[length];
    }
    let mut sorted = Scratch::<List>::new(lists.len());
    for list in lists {
        let place: &mut usize = &mut places[list.length as usize];
        sorted[*place] = *list;
        *place += 1;
    }
    sorted
}

/// The sums of all lists, by the number of the bucket.
#[inline(never)]
fn buckets<L: Lanes>(rows: &[AffineRow], sorted: &SortedLists) -> Scratch<ProjectiveRow> {
    L::enter(
        #[inline(always)]
        || {
            let mut buckets = Scratch::<ProjectiveRow>::new(LANES * BUCKETS);
            let identity = Affine { sum: Element::one(), difference: Element::one(), product: Element::zero() };
            let mut points = [identity; STEPS];
            let mut signs: [Mask; STEPS] = [0; STEPS];
            for group in sorted.lists.as_chunks::<LANES>().0 {
                let longest = group[LANES - 1].length as usize;
                let mut sum = Point::<L>::identity();
                let mut entry = 0;
                while entry < longest {
                    let steps = (longest - entry).min(STEPS);
                    let next = next_entries(&sorted.entries, group, entry);
                    for step in 0..steps {
                        (points[step], signs[step]) = summands(rows, &next[step]);
                    }
                    let mut step = 0;
                    if entry == 0 {
                        sum = Point::of_row(&points[0], signs[0]);
                        step = 1;
                    }
                    while step < steps {
                        sum = sum.add_affine(&points[step], signs[step]);
                        step += 1;
                    }
                    entry += steps;
                }
                let rows = store_projective(&sum.to_projective());
                for lane in 0..LANES {
                    buckets[group[lane].bucket as usize] = rows[lane];
                }
            }
            buckets
        },
    )
}

/// The entries from `first` on of each list of a group, [`STEPS`] of them; the identity where a list has ended.
#[inline(always)]
fn next_entries(entries: &[u32], group: &[List; LANES], first: usize) -> [[u64; LANES]; STEPS] {
    let identity = entries[entries.len() - 1];
    let mut next = [[0; LANES]; STEPS];
    for lane in 0..LANES {
        let List { start, length, .. } = group[lane];
        let left = (length as usize).saturating_sub(first);
        // Whatever follows a list, or else the entries end with so many more.
        let start = if left > 0 { start as usize + first } else { 0 };
        let found = entries[start..].first_chunk::<STEPS>().expect("padding");
        for step in 0..STEPS {
            next[step][lane] = u64::from(if step < left { found[step] } else { identity });
        }
    }
    next
}

/// The points of entries, and which of them count negatively.
#[inline(always)]
fn summands<L: Lanes>(rows: &[AffineRow], entries: &[u64; LANES]) -> (Affine<L>, Mask) {
    let mut points = [&rows[0]; LANES];
    for lane in 0..LANES {
        points[lane] = &rows[(entries[lane] >> 1) as usize];
    }
    (load_affine(points), L::load(entries).test(L::splat(1)))
}

/// Σ b·bucket b of eight windows, one a lane.
#[inline(never)]
fn windows<L: Lanes>(buckets: &[ProjectiveRow]) -> Point<L> {
    L::enter(
        #[inline(always)]
        || {
            let mut running = Point::<L>::identity().to_extended();
            let mut sum = Point::<L>::identity();
            for bucket in (0..BUCKETS).rev() {
                let mut rows = [&buckets[0]; LANES];
                for lane in 0..LANES {
                    rows[lane] = &buckets[lane * BUCKETS + bucket];
                }
                running = running.add(&load_projective::<L>(rows), 0).to_extended();
                sum = sum.add(&running.to_projective(), 0);
            }
            sum
        },
    )
}

/// 2ⁿ·P.
#[inline(never)]
fn doubled<L: Lanes>(mut point: Point<L>, n: u32) -> Point<L> {
    L::enter(
        #[inline(always)]
        || {
            for _ in 0..n {
                point = point.double();
            }
            point
        },
    )
}

/// Σ 256ⁱ·(lane i), in lane 0.
#[inline(never)]
fn across<L: Lanes>(sum: Point<L>) -> Point<L> {
    L::enter(
        #[inline(always)]
        || {
            let mut sum = sum;
            let mut distance = 1;
            while distance < LANES {
                // Each lane adds what its neighbour at that distance has, shifted by as many digits.
                let shifted = doubled(sum, 8 * distance as u32);
                sum = sum.add(&moved(&shifted.to_projective(), distance), 0);
                distance *= 2;
            }
            sum
        },
    )
}

/// Lane i of the result is lane i + `distance`, around.
#[inline(always)]
fn moved<L: Lanes>(point: &Projective<L>, distance: usize) -> Projective<L> {
    let mut indices = [0; LANES];
    for (lane, index) in indices.iter_mut().enumerate() {
        *index = ((lane + distance) % LANES) as u64;
    }
    let indices = L::load(&indices);
    let [sum, difference, product, z] = [&point.sum, &point.difference, &point.product, &point.z];
    Projective {
        sum: Element(registers!(i of 5; sum.0[i].pick(sum.0[i], indices))),
        difference: Element(registers!(i of 5; difference.0[i].pick(difference.0[i], indices))),
        product: Element(registers!(i of 5; product.0[i].pick(product.0[i], indices))),
        z: Element(registers!(i of 5; z.0[i].pick(z.0[i], indices))),
    }
}
