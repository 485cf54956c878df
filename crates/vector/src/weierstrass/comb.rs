//! Points of which much is known beforehand: tables with which a product needs no doubling.
//!
//! A scalar of 256 bits is 32 signed odd digits of 8 bits. For each place i the table holds the odd multiples of
//! 2^(8·i)·Q up to 255: 4,096 points of 64 bytes, 256 KiB, and a product is 31 additions.

use super::digits::{Digit, Digits};
use super::field::{Element, invert_all};
use super::multiples::{Multiple, Packed, odd_multiples, pack_by_lane, unpack};
use super::point::{Affine, Point, add_all, double_all};
use super::{ABREAST, Curve, Outcome, Terms, decode, judge, no_terms, start};
use crate::Unit;
use crate::lanes::{LANES, Lanes};
use crate::radix52::from_words;
use crate::unit::on_lanes;

/// Bits of a digit. One less would save 40 % of the table and cost 5 more additions of 32.
const WIDTH: usize = 8;
const PLACES: usize = 256 / WIDTH;
const MULTIPLES: usize = 1 << (WIDTH - 1);

/// The table of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comb {
    /// Multiple j of place i at `MULTIPLES`·i + j.
    rows: Box<[Packed]>,
    checksum: u64,
}

impl Comb {
    /// The table of a point with coordinates below p; `None` off the curve.
    pub(crate) fn new<C: Curve>(unit: Unit, point: [[u64; 4]; 2]) -> Option<Self> {
        let rows = on_lanes!(unit, L => rows::<C, L>(point))?.into_boxed_slice();
        let checksum = checksum(&rows);
        Some(Self { rows, checksum })
    }

    /// Whether the table is as it was made.
    pub(crate) fn is_intact(&self) -> bool {
        checksum(&self.rows) == self.checksum
    }

    /// Bytes of memory.
    pub(crate) const fn bytes(&self) -> usize {
        std::mem::size_of_val::<[Packed]>(&self.rows) + std::mem::size_of::<Self>()
    }

    /// What the digits of a place pick, one table for all lanes.
    #[inline(always)]
    fn rows_for_all(&self, place: usize, digit: &Digit) -> [&Packed; LANES] {
        let rows = self.place(place);
        std::array::from_fn(|lane| &rows[digit.indices[lane] as usize % MULTIPLES])
    }

    #[inline(always)]
    fn place(&self, place: usize) -> &[Packed; MULTIPLES] {
        self.rows[place * MULTIPLES..].first_chunk().expect("a table has all places")
    }
}

/// Sums of words turned by their place: any changed bit, and any two rows exchanged, change it.
fn checksum(rows: &[Packed]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sums = [FACTOR; 8];
    for row in rows {
        for (sum, word) in sums.iter_mut().zip(row) {
            *sum = (*sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
    sums.iter().fold(0, |sum, word| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29))
}

/// Eight places at once: the points 2^(8·i)·Q go into lanes, each with its odd multiples.
#[inline(always)]
fn rows<C: Curve, L: Lanes>(point: [[u64; 4]; 2]) -> Option<Vec<Packed>> {
    let (key, on_curve) = decode::<C, L>(&[from_words(&[point[0]; LANES]), from_words(&[point[1]; LANES])]);
    if on_curve == 0 {
        return None;
    }
    let mut tops = Vec::with_capacity(PLACES / LANES);
    let mut inverses = Vec::with_capacity(PLACES / LANES);
    let mut power = [Point { x: key.x, y: key.y, z: Element::one() }];
    for _ in 0..PLACES / LANES {
        let mut lanes = power[0];
        for lane in 1..LANES {
            double_all(&mut power, WIDTH);
            let from_here = !0 << lane;
            lanes.x = lanes.x.blend(from_here, &power[0].x);
            lanes.y = lanes.y.blend(from_here, &power[0].y);
            lanes.z = lanes.z.blend(from_here, &power[0].z);
        }
        double_all(&mut power, WIDTH);
        tops.push(lanes);
        inverses.push(lanes.z);
    }
    invert_all(&mut inverses);
    let mut multiples = vec![Multiple::<C, L>::empty(); MULTIPLES * tops.len()];
    for (i, multiples) in multiples.chunks_exact_mut(MULTIPLES).enumerate() {
        let squared = inverses[i].square().carry();
        let cubed = squared.mul(&inverses[i]).carry();
        let affine = Affine { x: tops[i].x.mul(&squared).fold(), y: tops[i].y.mul(&cubed).fold() };
        inverses[i] = odd_multiples(&affine, multiples);
    }
    invert_all(&mut inverses);
    let mut rows = vec![[0; 8]; PLACES * MULTIPLES];
    let mut packed = vec![[0; 8]; MULTIPLES * LANES];
    for (i, multiples) in multiples.chunks_exact(MULTIPLES).enumerate() {
        pack_by_lane(multiples, &inverses[i], &mut packed);
        for (j, row) in packed.iter().enumerate() {
            rows[(i * LANES + j % LANES) * MULTIPLES + j / LANES] = *row;
        }
    }
    Some(rows)
}

/// The questions of eight lanes, as [`super::Question`], of keys that have tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownQuestion<'a, L> {
    /// The tables of Q.
    pub(crate) keys: [&'a Comb; LANES],
    /// Up to and including the order.
    pub(crate) base_scalar: [L; 5],
    /// Up to and including the order.
    pub(crate) key_scalar: [L; 5],
    /// Below the order. The order more, where that is below p, is an answer too.
    pub(crate) abscissa: [L; 5],
}

/// Rows of tables for a group, and the lanes that subtract them.
#[derive(Clone, Copy)]
struct Picked<'a> {
    rows: [&'a Packed; LANES],
    digit: Digit,
}

/// A group's digits, and what they pick.
struct Walk<'a, L> {
    keys: [&'a Comb; LANES],
    key_digits: Digits<L, 256>,
    base_digits: Digits<L, 256>,
}

impl<'a, L: Lanes> Walk<'a, L> {
    #[inline(always)]
    fn new<C: Curve>(question: &KnownQuestion<'a, L>) -> Self {
        Self {
            keys: question.keys,
            key_digits: Digits::new::<C::Order>(&question.key_scalar),
            base_digits: Digits::new::<C::Order>(&question.base_scalar),
        }
    }

    /// The rows of a place, asked for from memory: those of 64 keys lie in the third cache.
    #[inline(always)]
    fn at(&self, place: usize, base: &'a Comb) -> [Picked<'a>; 2] {
        let digit = self.key_digits.at(place * WIDTH, WIDTH);
        let keys = &self.keys;
        let rows = std::array::from_fn(|lane| &keys[lane].place(place)[digit.indices[lane] as usize % MULTIPLES]);
        let of_key = Picked { rows, digit };
        let digit = self.base_digits.at(place * WIDTH, WIDTH);
        let of_base = Picked { rows: base.rows_for_all(place, &digit), digit };
        for row in of_key.rows.iter().chain(&of_base.rows) {
            L::prefetch(row);
        }
        [of_key, of_base]
    }
}

/// Answers to [`KnownQuestion`]s.
#[inline(always)]
pub(crate) fn answer_known<C: Curve, L: Lanes>(questions: &[KnownQuestion<'_, L>]) -> Vec<[Outcome; LANES]> {
    let base = C::base_comb();
    let mut outcomes = Vec::with_capacity(questions.len());
    for abreast in questions.chunks(ABREAST) {
        let sums = combine::<C, L>(abreast, base);
        for (question, sum) in abreast.iter().zip(&sums) {
            outcomes.push(judge(&question.abscissa, sum, !0));
        }
    }
    outcomes
}

/// The sums of up to [`ABREAST`] questions.
#[inline(always)]
fn combine<C: Curve, L: Lanes>(questions: &[KnownQuestion<'_, L>], base: &Comb) -> Vec<Point<C, L>> {
    let mut walks = Vec::with_capacity(ABREAST);
    let mut next = Vec::with_capacity(ABREAST);
    for question in questions {
        walks.push(Walk::new::<C>(question));
    }
    for walk in &walks {
        next.push(walk.at(0, base));
    }
    let mut sums = Vec::with_capacity(ABREAST);
    for place in 0..PLACES {
        let [mut of_keys, mut of_base]: [Terms<C, L>; 2] = [no_terms(), no_terms()];
        for (i, [key, base]) in next.iter().enumerate() {
            of_keys[i] = (unpack(key.rows), key.digit.negative);
            of_base[i] = (unpack(base.rows), base.digit.negative);
        }
        if place + 1 < PLACES {
            for (walk, next) in walks.iter().zip(&mut next) {
                *next = walk.at(place + 1, base);
            }
        }
        if place == 0 {
            for term in &of_keys[..questions.len()] {
                sums.push(start(term));
            }
        } else {
            add_all(&mut sums, &of_keys);
        }
        add_all(&mut sums, &of_base);
    }
    sums
}

/// The table of G.
pub(crate) fn make_base_comb<C: Curve>() -> Comb {
    // Not on the unit of whoever asks first: it is the same table.
    Comb::new::<C>(Unit::detect().unwrap_or(Unit::PORTABLE), C::BASE).expect("G is on the curve")
}

#[cfg(test)]
mod tests;
