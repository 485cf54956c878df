//! `fisco-secp256k1`, version 1: the signatures of FISCO BCOS 3 in its standard mode (not national cryptography).
//!
//! | part | bytes |
//! |---|---|
//! | key | the address (20), or the public key x‖y (64) or 04‖x‖y (65) |
//! | signature | r (32) ‖ s (32) ‖ v (1), v from 0 to 3 |
//! | digest | the transaction's or block's hash (32), Keccak-256 by default; messages are not taken |
//!
//! **Valid**: 0 < r < n, 0 < s < n, and the key that r, s and v recover from the digest is the key given, or has
//! the address given. Bit 0 of v is the parity of R's y; bit 1 says that R's x is r + n, which is possible only
//! where r < p − n (a chance of 2^−128 for an honest signer). There is no limit on high s.
//!
//! **Malformed**: a signature, key or digest of another length, v above 3, a 65-byte key that does not begin with
//! 04, a key with a coordinate ≥ p or off the curve. An address is never malformed. 27 and 28 are v only in the
//! chain's ecrecover precompile, for which there is [`super::ethereum_precompile`].
//!
//! **Invalid**: all else: r or s out of range, an r that is no point's x (v of 2 or 3 with r ≥ p − n too), another
//! signer.
//!
//! **Recovery** gives the public key x‖y (64) and the address (20), the last 20 bytes of the Keccak-256 of the key.
//!
//! Sources: FISCO BCOS 3, `bcos-crypto/signature/secp256k1/Secp256k1Crypto.cpp` (the node recovers the sender of each
//! transaction and compares) and `codec/SignatureDataWithV.h`; SEC 1, section 4.1.6.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, Ruleset, SignatureWork};

use super::recoverable::Variant;
use super::{PIECE_ITEMS, gpu, items, known, lanes};
use crate::room::{RulesetRules, SignatureKernels, SignatureLanes};

/// The rules, as data.
pub const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::FiscoSecp256k1,
    version: 1,
    summary: "recoverable ECDSA on secp256k1 as in FISCO BCOS: r‖s‖v with v 0 to 3, any s below n, key or address",
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

const VARIANT: Variant = Variant { recovery_id, allow_high_s: true };

fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    items::verify(work, range, output, FORMS, |item| VARIANT.verify(&item));
}

fn recover(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    items::recover(work, range, output, FORMS, |item| VARIANT.recover(&item));
}

fn recovery_id(v: u8) -> Option<u8> {
    (v <= 3).then_some(v)
}
