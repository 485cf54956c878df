//! The rules of this room on the vector engine: the same verdicts as the CPU's functions, eight items at a time.

use std::ops::Range;

use outrigger_types::{Output, SignatureWork, Verdict};
use outrigger_vector::Unit;
use outrigger_vector::ed25519::{Signature, are_points, cofactor_equations, equations, has_small_order, is_reduced};
use sha2::{Digest, Sha512};

use super::parse::Parts;
use crate::room::SignatureLanes;

/// The vector engine's part in the strict rulesets.
pub(super) const STRICT: SignatureLanes =
    SignatureLanes { piece_items: PIECE_ITEMS, verify: verify_strict, recover: None, verify_sets: None };

/// The vector engine's part in ZIP 215.
pub(super) const ZIP215: SignatureLanes =
    SignatureLanes { piece_items: PIECE_ITEMS, verify: verify_zip215, recover: None, verify_sets: None };

/// Enough that the inversion which all items share costs little.
const PIECE_ITEMS: usize = 256;

/// The items whose lengths are right, and their places in the output. The others are malformed.
fn signatures<'a>(
    work: &'a SignatureWork,
    range: Range<usize>,
    output: &mut Output,
) -> (Vec<usize>, Vec<Signature<'a>>) {
    let mut places = Vec::with_capacity(range.len());
    let mut signatures = Vec::with_capacity(range.len());
    for (place, i) in range.enumerate() {
        let Some(parts) = Parts::of(work, i) else {
            output.verdicts[place] = Verdict::Malformed;
            continue;
        };
        places.push(place);
        signatures.push(signature_of(&parts));
    }
    (places, signatures)
}

/// As the CPU's verification by ZIP 215.
fn verify_zip215(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (places, signatures) = signatures(work, range, output);
    for (n, equation) in cofactor_equations(unit, &signatures).into_iter().enumerate() {
        output.verdicts[places[n]] = if equation.are_points {
            Verdict::from_equation(equation.holds && is_reduced(signatures[n].s))
        } else {
            Verdict::Malformed
        };
    }
}

/// As [`super::strict::verify`].
fn verify_strict(unit: Unit, work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (places, signatures) = signatures(work, range, output);
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

fn signature_of<'a>(parts: &Parts<'a>) -> Signature<'a> {
    let hash = Sha512::new().chain_update(parts.r()).chain_update(parts.key).chain_update(parts.message);
    Signature { key: parts.key, r: parts.r(), s: parts.s_bytes(), hash: hash.finalize().into() }
}
