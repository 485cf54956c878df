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
use self::point::Point;
use self::table::{BaseMultiples, Multiples};
use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask};
use crate::unit::on_lanes;

mod decode;
mod equation;
mod field;
mod point;
mod scalar;
mod table;

pub use decode::has_small_order;
pub use scalar::is_reduced;

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
    pub hash: [u8; 64],
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
const FILLER: Signature<'static> = Signature { key: &[0; 32], r: &[0; 32], s: &[0; 32], hash: [0; 64] };

/// Whether \[S\]B = R + \[k\]A without the cofactor, as bytes of R, for each signature.
///
/// R is never decoded: \[S\]B − \[k\]A is encoded instead, which costs one inversion for all signatures together.
pub fn equations(unit: Unit, signatures: &[Signature<'_>]) -> Vec<Equation> {
    let mut results = Vec::with_capacity(signatures.len().next_multiple_of(2 * LANES));
    on_lanes!(unit, L => equations_in_lanes::<L>(signatures, &mut results));
    results.truncate(signatures.len());
    results
}

/// The signatures of a group, filled up.
fn group<'a>(signatures: &'a [Signature<'a>], number: usize) -> [&'a Signature<'a>; LANES] {
    std::array::from_fn(|lane| signatures.get(number * LANES + lane).unwrap_or(&FILLER))
}

#[inline(always)]
fn equations_in_lanes<L: Lanes>(signatures: &[Signature<'_>], results: &mut Vec<Equation>) {
    let groups = signatures.len().div_ceil(LANES);
    let base = BaseMultiples::get();
    let mut multiples = Multiples::boxed();
    let mut waiting = WaitingRoom::<L>::with_capacity(groups);
    let mut are_points: Vec<Mask> = Vec::with_capacity(groups);
    for pair in (0..groups).step_by(2) {
        let both = [group(signatures, pair), group(signatures, pair + 1)];
        let keys = decode::<L, 2>(&both.map(|group| group.map(|signature| signature.key)));
        for (group, key) in both.iter().zip(keys) {
            let scalars =
                Scalars::<L>::new(&group.map(|signature| signature.s), &group.map(|signature| &signature.hash));
            multiples.fill(&Point::of_affine(key.x.negative(), key.y));
            waiting.push(&combination(&scalars, &multiples, base));
            are_points.push(key.is_point);
        }
    }
    let mut holds = vec![0; are_points.len()];
    waiting.drain(|number, x, y| {
        let words = words_of_bytes::<L>(&group(signatures, number).map(|signature| signature.r));
        let signs = words[3].test(L::splat(1 << 63));
        holds[number] = y.same_limbs(&Element::from_words(words)) & !(x.is_odd() ^ signs);
    });
    for (is_point, holds) in are_points.into_iter().zip(holds) {
        results.extend((0..LANES).map(|lane| {
            let key_is_point = is_point >> lane & 1 == 1;
            Equation { key_is_point, holds: key_is_point && holds >> lane & 1 == 1 }
        }));
    }
}

/// Whether each encoding is of a point, y taken mod p and the sign of x = 0 ignored.
pub fn are_points(unit: Unit, encodings: &[&[u8; 32]]) -> Vec<bool> {
    let mut results = Vec::with_capacity(encodings.len().next_multiple_of(2 * LANES));
    on_lanes!(unit, L => are_points_in_lanes::<L>(encodings, &mut results));
    results.truncate(encodings.len());
    results
}

#[inline(always)]
fn are_points_in_lanes<L: Lanes>(encodings: &[&[u8; 32]], results: &mut Vec<bool>) {
    for chunk in encodings.chunks(2 * LANES) {
        let of = |place: usize| *chunk.get(place).unwrap_or(&&[0; 32]);
        let groups = [0, LANES].map(|start| std::array::from_fn(|lane| of(start + lane)));
        for decoded in decode::<L, 2>(&groups) {
            results.extend((0..LANES).map(|lane| decoded.is_point >> lane & 1 == 1));
        }
    }
}

#[cfg(test)]
mod tests;
