//! Ed25519 (RFC 8032): the arithmetic of its verifications, a signature a lane.
//!
//! What is here says what holds of points and scalars; which of it makes a signature valid is for the caller, since
//! chains differ in that. All of it is exact for all inputs: the formulas of addition are complete, so no lane meets
//! an exceptional case.
//!
//! Time depends on the data, which is public.

use self::decode::decode;
use self::equation::{Scalars, WaitingRoom, combination};
use self::field::{Element, words_of_bytes};
use self::point::{Affine, Point};
use self::table::{BaseMultiples, Multiples};
use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask};
use crate::unit::on_lanes;

mod decode;
mod equation;
mod field;
mod point;
mod scalar;
mod sum;
mod table;

pub use decode::has_small_order;
pub use scalar::is_reduced;
pub use sum::{Points, Term};

/// A signature, its parts as they came.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// A, the encoding of a point.
    pub key: &'a [u8; 32],
    /// R, the encoding of a point.
    pub r: &'a [u8; 32],
    /// S, little-endian.
    pub s: &'a [u8; 32],
    /// SHA-512(R‖A‖M), little-endian: k is this mod L.
    pub hash: &'a [u8; 64],
}

/// What holds of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equation {
    /// A is the encoding of a point, y taken mod p and the sign of x = 0 ignored.
    pub key_is_point: bool,
    /// R is the encoding, the canonical one, of \[S\]B − \[k\]A; false where A is no point. S must be below 2²⁵³;
    /// above, this says nothing.
    pub holds: bool,
}

/// A signature that fills the lanes of a group that is not full. Its S is 0, so it costs nothing that others do not.
const FILLER: Signature<'static> = Signature { key: &[0; 32], r: &[0; 32], s: &[0; 32], hash: &[0; 64] };

/// Whether \[S\]B = R + \[k\]A without the cofactor, as bytes of R, for each signature.
///
/// R is never decoded: \[S\]B − \[k\]A is encoded instead, which costs one inversion for all signatures together.
pub fn equations(unit: Unit, signatures: &[Signature<'_>]) -> Vec<Equation> {
    let mut results = on_lanes!(unit, L => equations_in::<L>(signatures));
    results.truncate(signatures.len());
    results
}

/// The signatures of a group, filled up.
fn group<'a>(signatures: &'a [Signature<'a>], number: usize) -> [&'a Signature<'a>; LANES] {
    std::array::from_fn(|lane| signatures.get(number * LANES + lane).unwrap_or(&FILLER))
}

#[inline(always)]
fn equations_in<L: Lanes>(signatures: &[Signature<'_>]) -> Vec<Equation> {
    let groups = signatures.len().div_ceil(LANES);
    let base = BaseMultiples::get();
    let mut multiples = Multiples::boxed();
    let mut waiting = WaitingRoom::<L>::with_capacity(groups);
    let mut are_points: Vec<Mask> = Vec::with_capacity(groups);
    for pair in (0..groups).step_by(2) {
        let both = [group(signatures, pair), group(signatures, pair + 1)];
        let keys = decode::<L, 2>(&both.map(|group| group.map(|signature| signature.key)));
        for (group, key) in both.iter().zip(keys) {
            let hashes = group.map(|signature| signature.hash);
            let scalars = Scalars::<L>::new(&group.map(|signature| signature.s), &hashes);
            multiples.fill(&Point::of_affine(key.x.negative(), key.y));
            waiting.push(&combination(&scalars, &multiples, base));
            are_points.push(key.is_point);
        }
    }
    waiting.close();
    let mut holds = are_points.clone();
    for (number, holds) in holds.iter_mut().enumerate().rev() {
        let Some((x, y)) = waiting.pop() else { break };
        let words = words_of_bytes::<L>(&group(signatures, number).map(|signature| signature.r));
        let signs = words[3].test(L::splat(1 << 63));
        *holds &= y.same_limbs(&Element::from_words(words)) & !(x.is_odd() ^ signs);
    }
    let lanes = are_points.iter().zip(&holds).flat_map(|(&key, &holds)| {
        (0..LANES).map(move |lane| Equation { key_is_point: key >> lane & 1 == 1, holds: holds >> lane & 1 == 1 })
    });
    lanes.collect()
}

/// What holds of a signature with the cofactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CofactorEquation {
    /// A and R are encodings of points, y taken mod p and the sign of x = 0 ignored.
    pub are_points: bool,
    /// \[8\]\[S\]B = \[8\]R + \[8\]\[k\]A; false where A or R is no point. S must be below 2²⁵³; above, this says
    /// nothing.
    pub holds: bool,
}

/// Whether \[8\]\[S\]B = \[8\]R + \[8\]\[k\]A, for each signature on its own.
pub fn cofactor_equations(unit: Unit, signatures: &[Signature<'_>]) -> Vec<CofactorEquation> {
    let mut results = on_lanes!(unit, L => cofactor_equations_in::<L>(signatures));
    results.truncate(signatures.len());
    results
}

#[inline(always)]
fn cofactor_equations_in<L: Lanes>(signatures: &[Signature<'_>]) -> Vec<CofactorEquation> {
    let base = BaseMultiples::get();
    let mut multiples = Multiples::boxed();
    let mut results = Vec::with_capacity(signatures.len().next_multiple_of(LANES));
    for number in 0..signatures.len().div_ceil(LANES) {
        let group = group(signatures, number);
        let encodings = [group.map(|signature| signature.key), group.map(|signature| signature.r)];
        let [key, r] = decode::<L, 2>(&encodings);
        let hashes = group.map(|signature| signature.hash);
        let scalars = Scalars::<L>::new(&group.map(|signature| signature.s), &hashes);
        multiples.fill(&Point::of_affine(key.x.negative(), key.y));
        let difference = combination(&scalars, &multiples, base).add_affine(&Affine::of(&r.x, &r.y), Mask::MAX);
        let are_points = key.is_point & r.is_point;
        let holds = are_points & difference.has_small_order();
        results.extend(
            (0..LANES).map(|lane| CofactorEquation {
                are_points: are_points >> lane & 1 == 1,
                holds: holds >> lane & 1 == 1,
            }),
        );
    }
    results
}

/// Decodes points: y taken mod p, the sign of x = 0 ignored.
pub fn decode_points(unit: Unit, encodings: &[&[u8; 32]]) -> Points {
    on_lanes!(unit, L => sum::decode_points::<L>(encodings))
}

/// Whether the sum of z·\[8\](\[S\]B − R − \[k\]A) over all terms is the identity. With fresh random coefficients z, a
/// term that is not the identity passes with probability 2⁻¹²⁸.
///
/// Of any number of terms; from some eighty on faster than each on its own.
pub fn sum_holds(unit: Unit, points: &Points, terms: &[Term<'_>]) -> bool {
    on_lanes!(unit, L => sum::sum_holds::<L>(points, terms))
}

/// Whether each encoding is of a point, y taken mod p and the sign of x = 0 ignored.
pub fn are_points(unit: Unit, encodings: &[&[u8; 32]]) -> Vec<bool> {
    on_lanes!(unit, L => are_points_in::<L>(encodings))
}

#[inline(always)]
fn are_points_in<L: Lanes>(encodings: &[&[u8; 32]]) -> Vec<bool> {
    let mut results = Vec::with_capacity(encodings.len().next_multiple_of(2 * LANES));
    for chunk in encodings.chunks(2 * LANES) {
        let of = |place: usize| *chunk.get(place).unwrap_or(&&[0; 32]);
        let groups = [0, LANES].map(|start| std::array::from_fn(|lane| of(start + lane)));
        for decoded in decode::<L, 2>(&groups) {
            results.extend((0..LANES).map(|lane| decoded.is_point >> lane & 1 == 1));
        }
    }
    results.truncate(encodings.len());
    results
}

#[cfg(test)]
mod tests;
