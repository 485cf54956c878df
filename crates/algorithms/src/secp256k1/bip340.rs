//! `bip340`, version 1: the Schnorr signatures of BIP 340, as in Bitcoin's Taproot.
//!
//! | part | bytes |
//! |---|---|
//! | key | x (32) of the point with even y |
//! | signature | x of R (32) ‖ s (32) |
//! | message | any length; as a digest exactly 32 bytes |
//!
//! Both forms of message are taken, and go the same way: the bytes enter BIP 340's tagged challenge hash as they
//! are. A Taproot signature hash is a digest.
//!
//! **Valid**: the verification algorithm of BIP 340 holds: s < n, R = s·G − e·P is not the point at infinity, its y
//! is even and its x is the one given.
//!
//! **Malformed**: a key or signature of another length; a digest that is not 32 bytes; a key ≥ p or that is no
//! point's x; an x of R that is ≥ p.
//!
//! **Invalid**: s ≥ n, or the equation fails. An x of R below p that is no point's x is invalid, not malformed: the
//! algorithm never decodes R, it compares. s = 0 is in range.
//!
//! Signatures are judged one by one, never by a random combination of several.
//!
//! Source: BIP 340, with its amendment of 2023 on messages of any length.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork, Verdict};
use secp256k1::XOnlyPublicKey;

use super::items::Item;
use super::{PIECE_ITEMS, gpu, items, known, lanes, parse, reference};
use crate::room::{RulesetRules, SignatureKernels, SignatureLanes};

/// The rules, as data.
pub const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::Bip340,
    version: 1,
    summary: "Schnorr signatures on secp256k1 by BIP 340, over messages of any length",
    message_forms: FORMS,
    key_lengths: &[32],
    signature_lengths: &[64],
    piece_items: PIECE_ITEMS,
    verify,
    recover: None,
    verify_sets: None,
    gpu: Some(SignatureKernels { programs: gpu::PROGRAMS, verify: gpu::verify_bip340, recover: None }),
    lanes: Some(SignatureLanes {
        piece_items: lanes::PIECE_ITEMS,
        verify: lanes::verify_bip340,
        recover: None,
        verify_sets: None,
        known: Some(&known::KEYS),
    }),
};

const FORMS: &[MessageForm] = &[MessageForm::Message, MessageForm::Digest];

fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let form = work.options.message_form;
    items::verify(work, range, output, FORMS, |item| judge(&item, form));
}

/// The verdict of one item.
pub(super) fn judge(item: &Item<'_>, form: MessageForm) -> Verdict {
    verdict(item, form).unwrap_or(Verdict::Malformed)
}

/// `None` where the item is malformed.
fn verdict(item: &Item<'_>, form: MessageForm) -> Option<Verdict> {
    if form == MessageForm::Digest && item.message.len() != 32 {
        return None;
    }
    let signature: &[u8; 64] = item.signature.try_into().ok()?;
    let (r, _) = parse::halves(signature);
    if !parse::is_field_element(r) {
        return None;
    }
    let key = XOnlyPublicKey::from_byte_array(item.key.try_into().ok()?).ok()?;
    // The library refuses s ≥ n.
    Some(Verdict::from_equation(reference::verify_schnorr(item.message, signature, &key)))
}
