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

/// Digits of a scalar.
const WINDOWS: usize = 32;
/// Digits of a coefficient.
const COEFFICIENT_WINDOWS: usize = 16;
/// Sizes of a digit that is not 0.
const BUCKETS: usize = 128;
/// What is added to each digit to make it a byte.
const HALF: u8 = 128;

/// Decoded points, affine, in rows.
#[derive(Clone, Debug)]
pub struct Points {
    rows: Vec<AffineRow>,
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
    let (mut rows, mut are_points) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
    for chunk in encodings.chunks(2 * LANES) {
        let of = |place: usize| *chunk.get(place).unwrap_or(&&[0; 32]);
        let groups = [0, LANES].map(|start| std::array::from_fn(|lane| of(start + lane)));
        for decoded in decode::<L, 2>(&groups) {
            rows.extend(store_affine(&Affine::of(&decoded.x, &decoded.y)));
            are_points.extend((0..LANES).map(|lane| decoded.is_point >> lane & 1 == 1));
        }
    }
    rows.truncate(count);
    are_points.truncate(count);
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
    let (key_sums, base_sum) = scalars::<L>(points.rows.len(), terms);
    let mut lists = Lists::new(points.rows.len() + terms.len() + 1);
    let mut rows = points.rows.clone();
    let (x, y) = base::<L>();
    rows.push(store_affine(&Affine::of(&x.negative(), &y))[0]);
    rows.push(IDENTITY_ROW);
    for (row, digits) in digits::<L>(&key_sums) {
        lists.push(row, digits);
    }
    for (_, digits) in digits::<L>(&[(0, base_sum)]) {
        lists.push(points.rows.len(), digits);
    }
    for term in terms {
        lists.push_coefficient(term.r, &term.coefficient);
    }
    let sorted = lists.sort();
    let buckets = buckets::<L>(&rows, &sorted);
    let mut sum = Point::<L>::identity();
    for pass in (0..WINDOWS / LANES).rev() {
        for _ in 0..8 * LANES {
            sum = sum.double();
        }
        sum = sum.add(&windows::<L>(&buckets, pass * LANES).to_projective(), 0);
    }
    across(sum).has_small_order() & 1 == 1
}

/// Limbs of a sum of scalars, not carried.
type ScalarSum = [u64; 5];

/// Σ z·k of each key that has terms, and Σ z·S, both limb by limb.
#[inline(never)]
fn scalars<L: Lanes>(points: usize, terms: &[Term<'_>]) -> (Vec<(usize, ScalarSum)>, ScalarSum) {
    L::enter(
        #[inline(always)]
        || {
            let mut key_sums: Vec<ScalarSum> = vec![[0; 5]; points];
            let mut has_terms = vec![false; points];
            let mut base_sum: ScalarSum = [0; 5];
            for chunk in terms.chunks(LANES) {
                let of = |lane: usize| chunk.get(lane).unwrap_or(&chunk[0]);
                let lanes: [&Term<'_>; LANES] = std::array::from_fn(of);
                let coefficients = lanes.map(|term| widened(&term.coefficient));
                let z = Scalar::<L>::of_signed_bytes(&words_of_bytes(&coefficients.each_ref()));
                let k = Scalar::<L>::of_wide_words(&words_of_hashes(&lanes.map(|term| term.hash)));
                let s = Scalar::<L>::of_words(&words_of_bytes(&lanes.map(|term| term.s)));
                let (zk, zs) = (z.times(&k).0, z.times(&s).0);
                for i in 0..5 {
                    let (zk, zs) = (zk[i].to_array(), zs[i].to_array());
                    for (lane, term) in chunk.iter().enumerate() {
                        key_sums[term.key][i] += zk[lane];
                        has_terms[term.key] = true;
                        base_sum[i] += zs[lane];
                    }
                }
            }
            let used = key_sums.into_iter().enumerate().filter(|(key, _)| has_terms[*key]);
            (used.collect(), base_sum)
        },
    )
}

fn widened(coefficient: &[u8; 16]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(coefficient);
    bytes
}

/// The digits, as bytes, of sums mod L, each with its number.
#[inline(never)]
fn digits<L: Lanes>(sums: &[(usize, ScalarSum)]) -> Vec<(usize, [u8; WINDOWS])> {
    L::enter(
        #[inline(always)]
        || {
            let mut digits = Vec::with_capacity(sums.len());
            for chunk in sums.chunks(LANES) {
                let mut columns = [[0; LANES]; 5];
                for (lane, (_, sum)) in chunk.iter().enumerate() {
                    for i in 0..5 {
                        columns[i][lane] = sum[i];
                    }
                }
                let words = to_words(&Scalar::<L>::of_sum(registers!(i of 5; L::load(&columns[i]))).0);
                digits.extend(chunk.iter().zip(words).map(|(&(number, _), words)| (number, signed_bytes(words))));
            }
            digits
        },
    )
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

/// Digits of all points, window by window.
struct Lists {
    digits: Vec<Vec<(u32, u8)>>,
}

/// The points of each bucket of each window, and the buckets in the order of how many they have.
struct SortedLists {
    /// Twice a point's number, and 1 where it counts negatively.
    entries: Vec<u32>,
    /// Where in `entries` the list of a bucket starts, and how long it is; shortest first. And the bucket.
    lists: Vec<(u32, u32, u32)>,
}

impl Lists {
    fn new(points: usize) -> Self {
        Self { digits: (0..WINDOWS).map(|_| Vec::with_capacity(points)).collect() }
    }

    fn push(&mut self, row: usize, digits: [u8; WINDOWS]) {
        for (window, digit) in self.digits.iter_mut().zip(digits) {
            window.push((row as u32, digit));
        }
    }

    fn push_coefficient(&mut self, row: usize, digits: &[u8; COEFFICIENT_WINDOWS]) {
        for (window, &digit) in self.digits.iter_mut().zip(digits) {
            window.push((row as u32, digit));
        }
    }

    fn sort(self) -> SortedLists {
        let total = self.digits.iter().map(Vec::len).sum();
        let mut entries = vec![0_u32; total];
        let mut lists = Vec::with_capacity(WINDOWS * BUCKETS);
        let mut start = 0;
        for (window, digits) in self.digits.iter().enumerate() {
            let mut counts = [0_u32; BUCKETS + 1];
            for (_, digit) in digits {
                counts[usize::from(digit.abs_diff(HALF))] += 1;
            }
            let mut ends = [0_u32; BUCKETS + 1];
            for bucket in 1..=BUCKETS {
                ends[bucket] = start;
                lists.push((start, counts[bucket], (window * BUCKETS + bucket - 1) as u32));
                start += counts[bucket];
            }
            for &(row, digit) in digits {
                let bucket = usize::from(digit.abs_diff(HALF));
                if bucket > 0 {
                    entries[ends[bucket] as usize] = row << 1 | u32::from(digit < HALF);
                    ends[bucket] += 1;
                }
            }
        }
        SortedLists { entries, lists: by_length(&lists) }
    }
}

/// Sorted by the second, by counting.
fn by_length(lists: &[(u32, u32, u32)]) -> Vec<(u32, u32, u32)> {
    let longest = lists.iter().map(|list| list.1).max().unwrap_or(0) as usize;
    let mut places = vec![0; longest + 2];
    for list in lists {
        places[list.1 as usize + 1] += 1;
    }
    for length in 0..=longest {
        places[length + 1] += places[length];
    }
    let mut sorted = vec![(0, 0, 0); lists.len()];
    for list in lists {
        let place: &mut usize = &mut places[list.1 as usize];
        sorted[*place] = *list;
        *place += 1;
    }
    sorted
}

/// The sums of all lists, by the number of the bucket. The last row is the identity.
#[inline(never)]
fn buckets<L: Lanes>(rows: &[AffineRow], sorted: &SortedLists) -> Vec<ProjectiveRow> {
    L::enter(
        #[inline(always)]
        || {
            let mut buckets = vec![ProjectiveRow::ZERO; WINDOWS * BUCKETS];
            let identity = (rows.len() - 1) as u32 * 2;
            for group in sorted.lists.as_chunks::<LANES>().0 {
                let longest = group[LANES - 1].1;
                let mut entry = 0;
                let mut sum = Point::<L>::identity();
                while entry < longest.max(1) {
                    let mut points = [&rows[0]; LANES];
                    let mut minus: Mask = 0;
                    for lane in 0..LANES {
                        let (start, length, _) = group[lane];
                        let packed = if entry < length { sorted.entries[(start + entry) as usize] } else { identity };
                        points[lane] = &rows[(packed >> 1) as usize];
                        minus |= ((packed & 1) as Mask) << lane;
                    }
                    let point = load_affine::<L>(points);
                    sum = if entry == 0 { Point::of_row(&point, minus) } else { sum.add_affine(&point, minus) };
                    entry += 1;
                }
                let rows = store_projective(&sum.to_projective());
                for lane in 0..LANES {
                    buckets[group[lane].2 as usize] = rows[lane];
                }
            }
            buckets
        },
    )
}

/// Σ b·bucket b of eight windows from `first` on, one a lane.
#[inline(never)]
fn windows<L: Lanes>(buckets: &[ProjectiveRow], first: usize) -> Point<L> {
    L::enter(
        #[inline(always)]
        || {
            let mut running = Point::<L>::identity();
            let mut sum = Point::<L>::identity();
            for bucket in (0..BUCKETS).rev() {
                let mut rows = [&buckets[0]; LANES];
                for lane in 0..LANES {
                    rows[lane] = &buckets[(first + lane) * BUCKETS + bucket];
                }
                running = running.add(&load_projective::<L>(rows), 0);
                sum = sum.add(&running.to_projective(), 0);
            }
            sum
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
                let mut shifted = sum;
                for _ in 0..8 * distance {
                    shifted = shifted.double();
                }
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
