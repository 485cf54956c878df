//! The rules of this room on the vector engine: the same verdicts as the CPU's functions, eight items at a time.

use std::ops::Range;

use outrigger_types::{Output, SignatureWork, Verdict};
use outrigger_vector::Unit;
use outrigger_vector::ed25519::{
    CofactorEquation, Signature, Term, are_points, cofactor_equations, decode_points, equations, has_small_order,
    is_reduced, sum_holds,
};
use outrigger_vector::messages::Alone;
use outrigger_vector::sha512;
use sha2::{Digest, Sha512};

use super::distinct::{Distinct, Secret};
use super::parse::Parts;
use crate::room::SignatureLanes;

/// The vector engine's part in the strict rulesets.
pub(super) const STRICT: SignatureLanes =
    SignatureLanes { piece_items: PIECE_ITEMS, verify: verify_strict, recover: None, verify_sets: None, known: None };

/// The vector engine's part in ZIP 215.
pub(super) const ZIP215: SignatureLanes =
    SignatureLanes { piece_items: SUM_ITEMS, verify: verify_zip215, recover: None, verify_sets: None, known: None };

/// Enough that the inversion which all items share costs little.
const PIECE_ITEMS: usize = 256;
/// The items of one sum. One takes 1.2 µs of 1,024, 1.6 µs of 256, 2.2 µs of 128 and 3.3 µs alone.
const SUM_ITEMS: usize = 1_024;
/// From here on one sum is faster than one equation for each.
const SUM_ITEMS_MIN: usize = 80;

/// A block of all lanes takes as long as so many by the library.
const WORTH: usize = 3;

/// The items whose lengths are right, and their places in the output. The others are malformed.
fn parts<'a>(work: &'a SignatureWork, range: Range<usize>, output: &mut Output) -> (Vec<usize>, Vec<Parts<'a>>) {
    let mut places = Vec::with_capacity(range.len());
    let mut items = Vec::with_capacity(range.len());
    for (place, i) in range.enumerate() {
        match Parts::of(work, i) {
            Some(parts) => {
                places.push(place);
                items.push(parts);
            }
            None => output.verdicts[place] = Verdict::Malformed,
        }
    }
    (places, items)
}

/// SHA-512(R‖A‖M) of each.
fn hashes(unit: Unit, items: &[Parts<'_>]) -> Vec<[u8; 64]> {
    let mut hashes = vec![[0; 64]; items.len()];
    let alone = Alone { digest: sha512, worth: WORTH };
    let message = |i: usize| [items[i].r().as_slice(), items[i].key, items[i].message];
    sha512::many(unit, Some(alone), message, &mut hashes);
    hashes
}

fn signatures<'a>(items: &[Parts<'a>], hashes: &'a [[u8; 64]]) -> Vec<Signature<'a>> {
    let signature =
        |(parts, hash): (&Parts<'a>, _)| Signature { key: parts.key, r: parts.r(), s: parts.s_bytes(), hash };
    items.iter().zip(hashes).map(signature).collect()
}

fn sha512(parts: [&[u8]; 3]) -> [u8; 64] {
    parts.into_iter().fold(Sha512::new(), Digest::chain_update).finalize().into()
}

/// As the CPU's verification by ZIP 215: one sum for many items, each alone where they are few or where the sum fails.
fn verify_zip215(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (places, items) = parts(work, range, output);
    let hashes = hashes(unit, &items);
    let signatures = signatures(&items, &hashes);
    for (places, signatures) in places.chunks(SUM_ITEMS).zip(signatures.chunks(SUM_ITEMS)) {
        let verdicts = (signatures.len() >= SUM_ITEMS_MIN).then(|| verdicts_of_sum(unit, signatures)).flatten();
        let verdicts = verdicts.unwrap_or_else(|| verdicts_one_by_one(unit, signatures));
        for (place, verdict) in places.iter().zip(verdicts) {
            output.verdicts[*place] = verdict;
        }
    }
}

fn verdicts_one_by_one(unit: Unit, signatures: &[Signature<'_>]) -> Vec<Verdict> {
    let equations = cofactor_equations(unit, signatures);
    let verdict = |(equation, signature): (&CofactorEquation, &Signature<'_>)| {
        if equation.are_points {
            Verdict::from_equation(equation.holds && is_reduced(signature.s))
        } else {
            Verdict::Malformed
        }
    };
    equations.iter().zip(signatures).map(verdict).collect()
}

/// The verdicts, where all items whose points decode and whose S < L pass in one sum; `None` where they do not, or
/// where the operating system gives no randomness.
fn verdicts_of_sum(unit: Unit, signatures: &[Signature<'_>]) -> Option<Vec<Verdict>> {
    let (secret, coefficients) = fresh_randomness(signatures.len())?;
    let mut distinct = Distinct::with_capacity(signatures.len(), &secret);
    let keys: Vec<_> = signatures.iter().map(|signature| distinct.number(signature.key)).collect();
    let mut encodings = distinct.into_keys();
    let nonces = encodings.len();
    encodings.extend(signatures.iter().map(|signature| signature.r));
    let points = decode_points(unit, &encodings);
    let mut terms = Vec::with_capacity(signatures.len());
    let mut verdicts = Vec::with_capacity(signatures.len());
    for (n, (signature, coefficient)) in signatures.iter().zip(coefficients).enumerate() {
        let (key, r) = (keys[n], nonces + n);
        verdicts.push(if !points.is_point(key) || !points.is_point(r) {
            Verdict::Malformed
        } else if !is_reduced(signature.s) {
            Verdict::Invalid
        } else {
            terms.push(Term { key, r, s: signature.s, hash: signature.hash, coefficient });
            Verdict::Valid
        });
    }
    sum_holds(unit, &points, &terms).then_some(verdicts)
}

/// A secret for hashing keys, and coefficients of 128 bits: from a seed of the operating system's generator, by BLAKE3
/// keyed with it in counter mode; `None` where that generator fails.
fn fresh_randomness(count: usize) -> Option<(Secret, Vec<[u8; 16]>)> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok()?;
    let mut stream = blake3::Hasher::new_keyed(&seed).finalize_xof();
    let mut secret = Secret::default();
    stream.fill(secret.as_flattened_mut());
    let mut coefficients = vec![[0; 16]; count];
    stream.fill(coefficients.as_flattened_mut());
    Some((secret, coefficients))
}

/// As [`super::strict::verify`].
fn verify_strict(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (places, items) = parts(work, range, output);
    let hashes = hashes(unit, &items);
    let signatures = signatures(&items, &hashes);
    let mut in_doubt = Vec::new();
    for (n, (equation, signature)) in equations(unit, &signatures).iter().zip(&signatures).enumerate() {
        output.verdicts[places[n]] = if !equation.key_is_point {
            Verdict::Malformed
        } else if equation.holds && is_strict(signature) {
            Verdict::Valid
        } else {
            in_doubt.push(n);
            Verdict::Invalid
        };
    }
    // Only where something else is wrong does it matter whether R decodes.
    let encodings: Vec<_> = in_doubt.iter().map(|&n| signatures[n].r).collect();
    for (n, is_point) in in_doubt.into_iter().zip(are_points(unit, &encodings)) {
        if !is_point {
            output.verdicts[places[n]] = Verdict::Malformed;
        }
    }
}

/// What the strict rules ask beside the equation, which makes R the encoding of a point.
fn is_strict(signature: &Signature<'_>) -> bool {
    is_reduced(signature.s) && !has_small_order(signature.key) && !has_small_order(signature.r)
}
