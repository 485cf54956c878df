//! Ruleset `fisco-sm2`: the transaction and block signatures of FISCO BCOS with national cryptography.
//!
//! **Layout.** Key: 64 bytes, x‖y, or 65 with 0x04 before them. Signature: 64 bytes, r‖s, or 128 bytes, r‖s‖x‖y,
//! as the chain carries it. Digest: 32 bytes, the SM3 hash of the transaction or header.
//!
//! The chain signs **that hash as the message**, under the identity `1234567812345678`: e = SM3(Z ‖ digest), with
//! Z as in [`sm2-message`](super::sm2_message). So a signature over the same 32 bytes as e is not valid here.
//!
//! **Malformed**: another length of key, signature or digest, or another prefix; x or y of the key ≥ p; a point
//! off the curve, (0, 0) included; a request that names another identity, for the chain has one alone.
//!
//! **Invalid**: a key inside the signature that is not the key given; r or s not in 1..n; r + s ≡ 0 modulo n;
//! s·G + (r + s)·P at infinity; (e + x₁) mod n ≠ r. SM2 has no low-S rule.
//!
//! **Source**: FISCO BCOS 3, `bcos-crypto/signature/sm2` and `bcos-crypto/signature/fastsm2`; GB/T 32918.2-2016,
//! sections 5.5 and 7.1.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, SignatureWork, Verdict};

use super::engine::{self, Key};
use super::identity::{self, Identity};
use super::{each, refuse};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// Verifies the items of `range`.
pub fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let named: &[u8] = &work.options.identity;
    if work.options.message_form != MessageForm::Digest || !(named.is_empty() || named == identity::DEFAULT) {
        return refuse(output);
    }
    let Some(identity) = Identity::new(identity::DEFAULT) else { return refuse(output) };
    each(work, range, output, |key, signature, digest| judge(&identity, key, signature, digest));
}

fn judge(identity: &Identity, key: &[u8], signature: &[u8], digest: &[u8]) -> Verdict {
    let (Some(key), Some((signature, inner_key)), 32) = (Key::decode(key), signature.split_first_chunk(), digest.len())
    else {
        return Verdict::Malformed;
    };
    match inner_key.len() {
        0 => {}
        64 if inner_key == key.bytes() => {}
        64 => return Verdict::Invalid,
        _ => return Verdict::Malformed,
    }
    engine::verify(&key, &identity.digest(key.bytes(), digest), signature)
}
