//! `ethereum-precompile`, version 1: what Ethereum's ecrecover precompile (address 1) accepts.
//!
//! | part | bytes |
//! |---|---|
//! | key | the address (20), or the public key x‖y (64) or 04‖x‖y (65) |
//! | signature | r (32) ‖ s (32) ‖ v (1), v one of 0, 1, 27, 28 |
//! | digest | the hash (32); messages are not taken |
//!
//! **Valid**: 0 < r < n, 0 < s < n, and the key that r, s and v recover from the digest is the key given, or has
//! the address given. High s is valid: EIP-2 changed transactions and left the precompile as it was. The
//! `allow_high_s` option changes nothing.
//!
//! **Malformed** and **invalid** as in [`super::ethereum_transaction`], but for high s. The precompile itself takes
//! v as a 32-byte word that is 27 or 28, and answers nothing for all else; 0 and 1 are taken here as the same
//! parities, and the 31 bytes before v are the caller's to check.
//!
//! **Recovery** gives the public key x‖y (64) and the address (20) by the same rules. Where the precompile's answer
//! would be empty, the verdict is not valid.
//!
//! Sources: Ethereum's yellow paper, appendices E (ECREC) and F; EIP-2; SEC 1, section 4.1.6.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork};

use super::recoverable::{Variant, ethereum_recovery_id};
use super::{PIECE_ITEMS, gpu, items, known, lanes};
use crate::room::{RulesetRules, SignatureKernels, SignatureLanes};

/// The rules, as data.
pub const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::EthereumPrecompile,
    version: 1,
    summary: "recoverable ECDSA on secp256k1 as in Ethereum's ecrecover: r‖s‖v, any s below n, key or address",
    message_forms: FORMS,
    key_lengths: &[20, 64, 65],
    signature_lengths: &[65],
    piece_items: PIECE_ITEMS,
    verify,
    recover: Some(recover),
    verify_sets: None,
    gpu: Some(SignatureKernels {
        programs: gpu::PROGRAMS,
        verify: |session, work, output| gpu::verify_recoverable(session, work, output, &VARIANT),
        recover: Some(|session, work, output| gpu::recover(session, work, output, &VARIANT)),
    }),
    lanes: Some(SignatureLanes {
        piece_items: lanes::PIECE_ITEMS,
        verify: |unit, work, range, output| lanes::verify_recoverable(unit, work, range, output, &VARIANT),
        recover: Some(|unit, work, range, output| lanes::recover(unit, work, range, output, &VARIANT)),
        verify_sets: None,
        known: Some(&known::KEYS),
    }),
};

const FORMS: &[MessageForm] = &[MessageForm::Digest];

const VARIANT: Variant = Variant { recovery_id: ethereum_recovery_id, allow_high_s: true };

fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    items::verify(work, range, output, FORMS, |item| VARIANT.verify(&item));
}

fn recover(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    items::recover(work, range, output, FORMS, |item| VARIANT.recover(&item));
}
