//! `bitcoin`, version 1: ECDSA signatures by Bitcoin's consensus rule since BIP 66.
//!
//! | part | bytes |
//! |---|---|
//! | key | 02 or 03 ‖ x (33), 04‖x‖y (65), or hybrid: 06 or 07 ‖ x‖y (65) |
//! | signature | DER, 8 to 72 bytes, **without** the sighash byte |
//! | digest | the signature hash (32); messages are not taken |
//!
//! **Valid**: 0 < r < n, 0 < s < n, and ECDSA's equation holds. High s is valid: low s is a rule of relay policy,
//! not of consensus. So are hybrid keys, whose prefix says the parity of y besides both coordinates (06 even, 07
//! odd).
//!
//! **Malformed**: a signature that is not strict DER by BIP 66 (one sequence of two integers, lengths in the short
//! form, nothing after them, no negative number, no needless zero in front, no empty integer); a key of another
//! length or prefix, with a coordinate ≥ p, off the curve, or hybrid with the wrong parity; a digest that is not 32
//! bytes.
//!
//! **Invalid**: the signature decodes, but r or s is zero or ≥ n (BIP 66 lets integers of more than 32 bytes pass as
//! long as the whole has its length), or the equation fails.
//!
//! **The empty signature** is malformed here. In a script it is allowed and makes OP_CHECKSIG give false instead of
//! ending the script; interpreters see to that before they come to verify anything.
//!
//! Sources: BIP 66; Bitcoin Core's `CPubKey::Verify`, which normalises s before libsecp256k1 sees it; SEC 1,
//! sections 2.3.4 and 4.1.4; ANSI X9.62 for hybrid keys.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork, Verdict};
use secp256k1::PublicKey;

use super::items::Item;
use super::{PIECE_ITEMS, gpu, items, known, lanes, parse, reference};
use crate::room::{RulesetRules, SignatureKernels, SignatureLanes};

/// The rules, as data.
pub const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::Bitcoin,
    version: 1,
    summary: "ECDSA on secp256k1 by Bitcoin's consensus: strict DER of BIP 66 without sighash byte, any s below n",
    message_forms: FORMS,
    key_lengths: &[33, 65],
    signature_lengths: &[],
    piece_items: PIECE_ITEMS,
    verify,
    recover: None,
    verify_sets: None,
    gpu: Some(SignatureKernels { programs: gpu::PROGRAMS, verify: gpu::verify_bitcoin, recover: None }),
    lanes: Some(SignatureLanes {
        piece_items: lanes::PIECE_ITEMS,
        verify: lanes::verify_bitcoin,
        recover: None,
        verify_sets: None,
        known: Some(&known::KEYS),
    }),
};

const FORMS: &[MessageForm] = &[MessageForm::Digest];

fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    items::verify(work, range, output, FORMS, |item| judge(&item));
}

/// The verdict of one item.
pub(super) fn judge(item: &Item<'_>) -> Verdict {
    verdict(item).unwrap_or(Verdict::Malformed)
}

/// `None` where the item is malformed.
fn verdict(item: &Item<'_>) -> Option<Verdict> {
    let digest = item.message.try_into().ok()?;
    let (r, s) = parse::strict_der(item.signature)?;
    let key = PublicKey::from_slice(item.key).ok()?;
    let (Some(r), Some(s)) = (parse::scalar(r), parse::scalar(s)) else { return Some(Verdict::Invalid) };
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(&r);
    compact[32..].copy_from_slice(&s);
    Some(Verdict::from_equation(reference::verify_ecdsa(digest, &compact, &key)))
}
