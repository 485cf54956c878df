//! `ethereum-transaction`, version 1: the signatures of Ethereum's transactions.
//!
//! | part | bytes |
//! |---|---|
//! | key | the address (20), or the public key x‖y (64) or 04‖x‖y (65) |
//! | signature | r (32) ‖ s (32) ‖ v (1), v one of 0, 1, 27, 28 |
//! | digest | the transaction's signing hash (32); messages are not taken |
//!
//! **Valid**: 0 < r < n, 0 < s ≤ n/2, and the key that r, s and v recover from the digest is the key given, or has
//! the address given. v is 27 or 28, or the parity of R's y as 0 or 1; so R's x is r itself, never r + n. A
//! signature with the other v recovers another key, so it is invalid.
//!
//! **Malformed**: a signature, key or digest of another length, another v (the 35 + 2·chain id + parity of EIP-155
//! is the transaction's encoding, to be taken off before), a 65-byte key that does not begin with 04, a key with a
//! coordinate ≥ p or off the curve. An address is never malformed.
//!
//! **Invalid**: all else: r or s out of range, high s, an r that is no point's x, another signer.
//!
//! **Option**: `allow_high_s` lifts the limit on s to n − 1, for blocks before Homestead (mainnet 1,150,000).
//!
//! **Recovery** gives the public key x‖y (64) and the address (20) by the same rules.
//!
//! Sources: Ethereum's yellow paper, appendix F; EIP-2 (low s); EIP-155; SEC 1, section 4.1.6.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork};

use super::recoverable::{Variant, ethereum_recovery_id};
use super::{PIECE_ITEMS, gpu, items, known, lanes};
use crate::room::{RulesetRules, SignatureKernels, SignatureLanes};

/// The rules, as data.
pub const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::EthereumTransaction,
    version: 1,
    summary: "recoverable ECDSA on secp256k1 as in Ethereum's transactions: r‖s‖v, low s, key or address",
    message_forms: FORMS,
    key_lengths: &[20, 64, 65],
    signature_lengths: &[65],
    piece_items: PIECE_ITEMS,
    verify,
    recover: Some(recover),
    verify_sets: None,
    gpu: Some(SignatureKernels {
        programs: gpu::PROGRAMS,
        verify: |session, work, output| gpu::verify_recoverable(session, work, output, &variant(work)),
        recover: Some(|session, work, output| gpu::recover(session, work, output, &variant(work))),
    }),
    lanes: Some(SignatureLanes {
        piece_items: lanes::PIECE_ITEMS,
        verify: |unit, work, range, output| lanes::verify_recoverable(unit, work, range, output, &variant(work)),
        recover: Some(|unit, work, range, output| lanes::recover(unit, work, range, output, &variant(work))),
        verify_sets: None,
        known: Some(&known::KEYS),
    }),
};

const FORMS: &[MessageForm] = &[MessageForm::Digest];

fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let variant = variant(work);
    items::verify(work, range, output, FORMS, |item| variant.verify(&item));
}

fn recover(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let variant = variant(work);
    items::recover(work, range, output, FORMS, |item| variant.recover(&item));
}

fn variant(work: &SignatureWork) -> Variant {
    Variant { recovery_id: ethereum_recovery_id, allow_high_s: work.options.allow_high_s }
}
