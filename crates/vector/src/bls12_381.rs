//! BLS12-381, eight points at a time: its groups [`G1`] and [`G2`], for [`crate::msm`]; and sets of signatures from bytes to one product of Miller loops, all there is up to
//! the final exponentiation. In both arrangements: keys in G1 with signatures in G2 ([`combine_min_key`]), and keys in
//! G2 with signatures in G1 ([`combine_min_signature`]).
//!
//! | step | how |
//! |---|---|
//! | points from bytes | square roots by one power in the base field for G1 and two for G2 |
//! | subgroups | Scott's tests: two multiplications by the curve's parameter in G1, one in G2 |
//! | messages to points | SSWU with roots by one power (G1) or two (G2), the sum of both points before one isogeny |
//! | sums of keys | complete additions in pairs, level by level |
//! | coefficients | 129 random bits, in a form that both endomorphisms make short: 43 doublings and additions |
//! | what shares a point of G2 | is added up in G1 before the pairing |
//! | pairings | Miller loops, the squarings shared by all of a lane |
//!
//! **Exact verdicts.** Lanes decide nothing but that a set is *fine*: its keys and signature are finite and in their
//! subgroups, no keys that belong together add up to infinity, and no message met an exceptional case. All other sets
//! are for the caller to judge by other means, and take no part in the product. The fine ones hold together, up to a
//! probability below 2⁻¹²⁸, if the product says so; where it does not, who calls has to look at each.
//!
//! **Bytes.** 48 and 96 bytes of compressed points, 256 or 128 bytes of a message expanded as RFC 9380 says for G2 or
//! G1, 17 bytes of randomness.

use std::collections::HashMap;

use crate::lanes::{LANES, Lanes, Mask};
use crate::unit::{Unit, on_lanes};

mod base;
mod coefficient;
mod curve;
mod field;
mod g1;
mod g2;
mod groups;
mod hash_to_g1;
mod hash_to_g2;
mod pairing;
mod points;
mod quadratic;

pub use groups::{G1, G2};

use base::{Fp, GENERATOR_1, GENERATOR_2, Limbs};
use coefficient::{Coefficients, Summand};
use curve::Affine;
use field::Field;
use points::{Point, Points, add_up, are_finite, erase, filled, to_affine};
use quadratic::Fp2;

/// Sets to be checked together, with keys and messages of which each is read once, however many sets name it.
#[derive(Clone, Debug)]
pub struct Batch<'a, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize> {
    /// Compressed points.
    pub keys: Vec<&'a [u8; KEY]>,
    /// Messages, expanded.
    pub messages: Vec<[u8; EXPANDED]>,
    /// What is to be checked of them.
    pub sets: Vec<Set<'a, SIGNATURE>>,
}

/// Keys in G1, signatures in G2.
pub type MinKeyBatch<'a> = Batch<'a, 48, 96, 256>;

/// Keys in G2, signatures in G1.
pub type MinSignatureBatch<'a> = Batch<'a, 96, 48, 128>;

/// One equation: e(g, signature) = Π e(keyⱼ, messageⱼ), up to the order of arguments.
#[derive(Clone, Debug)]
pub struct Set<'a, const SIGNATURE: usize> {
    /// A compressed point.
    pub signature: &'a [u8; SIGNATURE],
    /// The factors of the right side; at least one.
    pub factors: Vec<Factor>,
    /// Fresh random bytes, of which 129 bits are used.
    pub randomness: [u8; 17],
}

/// Keys that are added up, and what they signed.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Places in the batch's keys; at least one.
    pub keys: Vec<usize>,
    /// A place in the batch's messages.
    pub message: usize,
}

/// A number x mod p as x·2^384 mod p in little-endian words, as blst keeps it.
pub type Words = [u64; 6];

/// What lanes know of sets.
#[derive(Clone, Debug)]
pub struct Combined<const W: usize> {
    /// Sets whose parts are all fine; only these are in the product.
    pub fine: Vec<bool>,
    /// The product; `None` where no set is fine, or a sum met an exceptional case.
    pub product: Option<Product<W>>,
}

/// Both sides of the equation, in eight parts each.
#[derive(Clone, Debug)]
pub struct Product<const W: usize> {
    /// Factors of Π f(cⱼ·keyⱼ, messageⱼ), Miller loops before the final exponentiation: elements of the field of p¹²
    /// over towers i² = −1, v³ = 1 + i, w² = v, lowest first.
    pub pairings: [[Words; 12]; LANES],
    /// Summands of Σ cⱼ·signatureⱼ + 2^45·g: x and y, in G2 the real part first. g is the standard generator.
    pub signatures: [[Words; W]; LANES],
}

/// Combines sets with keys in G1 into one product.
pub fn combine_min_key(unit: Unit, batch: &MinKeyBatch<'_>) -> Combined<4> {
    on_lanes!(unit, L => min_key::<L>(batch))
}

/// Combines sets with keys in G2 into one product.
pub fn combine_min_signature(unit: Unit, batch: &MinSignatureBatch<'_>) -> Combined<2> {
    on_lanes!(unit, L => min_signature::<L>(batch))
}

#[inline(never)]
fn min_key<L: Lanes>(batch: &MinKeyBatch<'_>) -> Combined<4> {
    let keys = g1::read::<L>(&batch.keys);
    let messages = hash_to_g2::hash::<L>(&batch.messages);
    let signatures = g2::read::<L>(&batch.signatures());
    let (sums, terms) = batch.sums_of_keys();
    let keys = added_up::<L, Fp<L>>(&keys, &sums);
    let terms = terms.map(|(set, sum, message)| Term { set, left: sum, right: message }).collect();
    let mut equation = Equation { terms, coefficients: batch.randomness(), fine: signatures.fine.clone() };
    let pairings = equation.pairings::<L>(&keys, &messages);
    let [x0, x1, y0, y1] = GENERATOR_2.map(|limbs| Fp::<L>::constant(&limbs));
    let start = Affine { x: Fp2 { c0: x0, c1: x1 }, y: Fp2 { c0: y0, c1: y1 } };
    let points = to_affine::<L, Fp2<L>>(&signatures.points.iter().collect::<Vec<_>>());
    let powers = points.iter().map(g2::powers).collect();
    let sum = equation.sum_of_signatures(&start, powers);
    let sum = sum.map(|Affine { x, y }| by_lanes([x.c0, x.c1, y.c0, y.c1].map(|part| base::to_words(&part))));
    equation.combined(pairings, sum)
}

#[inline(never)]
fn min_signature<L: Lanes>(batch: &MinSignatureBatch<'_>) -> Combined<2> {
    let keys = g2::read::<L>(&batch.keys);
    let messages = hash_to_g1::hash::<L>(&batch.messages);
    let signatures = g1::read::<L>(&batch.signatures());
    let (sums, terms) = batch.sums_of_keys();
    let keys = added_up::<L, Fp2<L>>(&keys, &sums);
    let terms = terms.map(|(set, sum, message)| Term { set, left: message, right: sum }).collect();
    let mut equation = Equation { terms, coefficients: batch.randomness(), fine: signatures.fine.clone() };
    let pairings = equation.pairings::<L>(&messages, &keys);
    let [x, y] = GENERATOR_1.map(|limbs| Fp::<L>::constant(&limbs));
    let [points, images] = with_images::<L>(&signatures, 0..batch.sets.len());
    let powers = points.iter().zip(&images).map(|(point, image)| g1::powers(point, image)).collect();
    let sum = equation.sum_of_signatures(&Affine { x, y }, powers);
    let sum = sum.map(|Affine { x, y }| by_lanes([x, y].map(|part| base::to_words(&part))));
    equation.combined(pairings, sum)
}

impl<'a, const KEY: usize, const SIGNATURE: usize, const EXPANDED: usize> Batch<'a, KEY, SIGNATURE, EXPANDED> {
    fn signatures(&self) -> Vec<&'a [u8; SIGNATURE]> {
        self.sets.iter().map(|set| set.signature).collect()
    }

    fn randomness(&self) -> Vec<[u8; 17]> {
        self.sets.iter().map(|set| set.randomness).collect()
    }

    /// The different sums of keys, and for each factor its set, the place of its sum, and its message.
    fn sums_of_keys(&self) -> (Vec<&[usize]>, impl Iterator<Item = (usize, usize, usize)>) {
        let (mut sums, mut terms) = (Vec::new(), Vec::new());
        let mut places = HashMap::new();
        for (i, set) in self.sets.iter().enumerate() {
            for Factor { keys, message } in &set.factors {
                let sum = *places.entry(keys.as_slice()).or_insert_with(|| {
                    sums.push(keys.as_slice());
                    sums.len() - 1
                });
                terms.push((i, sum, *message));
            }
        }
        (sums, terms.into_iter())
    }
}

/// Sums of points, each of points at some places. A sum is fine where its points are and it is not infinity.
fn added_up<L: Lanes, F: Field<L>>(single: &Points<F::Row>, sums: &[&[usize]]) -> Points<F::Row> {
    let mut runs = Vec::with_capacity(sums.len());
    let mut places = Vec::new();
    for sum in sums {
        let start = places.len();
        places.extend_from_slice(sum);
        runs.push(start..places.len());
    }
    let [points, images] = [&single.points, &single.images].map(|single| {
        if single.is_empty() {
            return Vec::new();
        }
        let mut points: Vec<Point<F::Row>> = places.iter().map(|&place| single[place]).collect();
        add_up::<L, F>(&mut points, &runs);
        runs.iter().map(|run| points[run.start]).collect()
    });
    let mut fine = are_finite::<L, F>(&points);
    for (fine, sum) in fine.iter_mut().zip(sums) {
        *fine &= sum.iter().all(|&place| single.fine[place]);
    }
    Points { points, images, fine }
}

/// A pairing that belongs to a set: places of its set, of a point of G1 and of one of G2.
struct Term {
    set: usize,
    left: usize,
    right: usize,
}

/// What both arrangements have in common.
struct Equation {
    terms: Vec<Term>,
    /// Randomness of sets.
    coefficients: Vec<[u8; 17]>,
    /// Sets that are fine so far.
    fine: Vec<bool>,
}

impl Equation {
    /// The product of the pairings of all sets that are fine, of which it learns here.
    fn pairings<L: Lanes>(&mut self, left: &Points<Limbs>, right: &Points<[Limbs; 2]>) -> [[Words; 12]; LANES] {
        // What has the same point of G2 stands together.
        self.terms.sort_by_key(|term| term.right);
        let mut multiples = self.multiples::<L>(left);
        for (term, multiple_fine) in self.terms.iter().zip(&multiples.fine) {
            self.fine[term.set] &= left.fine[term.left] & right.fine[term.right] & multiple_fine;
        }
        for (term, multiple) in self.terms.iter().zip(&mut multiples.points) {
            if !self.fine[term.set] {
                erase::<L, Fp<L>>(multiple);
            }
        }
        let mut runs = Vec::new();
        for run in self.terms.chunk_by(|a, b| a.right == b.right) {
            let start = runs.last().map_or(0, |last: &std::ops::Range<usize>| last.end);
            runs.push(start..start + run.len());
        }
        add_up::<L, Fp<L>>(&mut multiples.points, &runs);
        let sums: Vec<_> = runs.iter().map(|run| multiples.points[run.start]).collect();
        let right: Vec<_> = runs.iter().map(|run| &right.points[self.terms[run.start].right]).collect();
        let active = are_finite::<L, Fp<L>>(&sums);
        let left = to_affine::<L, Fp<L>>(&sums.iter().collect::<Vec<_>>());
        let right = to_affine::<L, Fp2<L>>(&right);
        let mut pairs = Vec::with_capacity(left.len());
        for ((left, right), active) in left.into_iter().zip(right).zip(active.chunks(LANES)) {
            pairs.push(pairing::Pair::new(left, right, mask(active)));
        }
        let value = pairing::miller_loops(&mut pairs);
        let [a, b] = value.map(|part| part.map(|part| [part.c0, part.c1].map(|part| base::to_words(&part))));
        by_lanes([a, b].as_flattened().as_flattened().try_into().expect("twelve parts"))
    }

    /// Left points of all terms times the coefficients of their sets.
    fn multiples<L: Lanes>(&self, left: &Points<Limbs>) -> Points<Limbs> {
        let [points, images] = with_images::<L>(left, self.terms.iter().map(|term| term.left));
        let mut multiples = Points::with_capacity(self.terms.len());
        for ((terms, point), image) in self.terms.chunks(LANES).zip(&points).zip(&images) {
            let coefficients: Vec<_> = terms.iter().map(|term| &self.coefficients[term.set]).collect();
            let coefficients = Coefficients::from_bytes(&filled(&coefficients));
            multiples.push(terms.len(), &coefficient::multiply(&g1::powers(point, image), &coefficients), !0);
        }
        multiples.fine = are_finite::<L, Fp<L>>(&multiples.points);
        multiples
    }

    /// Lane by lane, the sum of the signatures of all sets that are fine times their coefficients, from their powers;
    /// `None` where it met an exceptional case.
    fn sum_of_signatures<L: Lanes, F: Field<L>>(
        &self,
        start: &Affine<F>,
        powers: Vec<[Affine<F>; 4]>,
    ) -> Option<Affine<F>> {
        let mut summands = Vec::with_capacity(powers.len());
        for ((powers, randomness), fine) in
            powers.into_iter().zip(self.coefficients.chunks(LANES)).zip(self.fine.chunks(LANES))
        {
            let coefficients = Coefficients::from_bytes(&filled(&randomness.iter().collect::<Vec<_>>()));
            summands.push(Summand { powers, coefficients, active: mask(fine) });
        }
        let sums = points::store(&coefficient::combine::<L, F>(start, &summands));
        let all_finite = are_finite::<L, F>(&sums).iter().all(|finite| *finite);
        if all_finite { to_affine::<L, F>(&sums.each_ref()).pop() } else { None }
    }

    fn combined<const W: usize>(
        self,
        pairings: [[Words; 12]; LANES],
        signatures: Option<[[Words; W]; LANES]>,
    ) -> Combined<W> {
        let any = self.fine.contains(&true);
        let product = signatures.filter(|_| any).map(|signatures| Product { pairings, signatures });
        Combined { fine: self.fine, product }
    }
}

/// Points of G1 at some places, and their images, each by x and y.
fn with_images<L: Lanes>(points: &Points<Limbs>, places: impl Iterator<Item = usize>) -> [Vec<Affine<Fp<L>>>; 2] {
    let places: Vec<usize> = places.collect();
    // The last group is filled up, so that images begin in a group of their own.
    let mut both = Vec::with_capacity(2 * places.len().next_multiple_of(LANES));
    for points in [&points.points, &points.images] {
        for places in places.chunks(LANES) {
            both.extend(filled(places).map(|place| &points[place]));
        }
    }
    let mut points = to_affine::<L, Fp<L>>(&both);
    let images = points.split_off(points.len() / 2);
    [points, images]
}

/// The lanes of a group that are fine.
fn mask(fine: &[bool]) -> Mask {
    fine.iter().enumerate().fold(0, |mask, (lane, fine)| mask | Mask::from(*fine) << lane)
}

fn by_lanes<const N: usize>(parts: [[Words; LANES]; N]) -> [[Words; N]; LANES] {
    std::array::from_fn(|lane| parts.map(|part| part[lane]))
}
