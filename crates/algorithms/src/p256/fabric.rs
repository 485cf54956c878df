//! Ruleset `fabric`: the signatures of Hyperledger Fabric, creators and endorsers alike.
//!
//! **Layout.** Key: 65 bytes, 0x04‖x‖y. Signature: DER, usually 70 to 72 bytes. Message: any bytes, hashed with
//! SHA-256 here, or the digest of 32 bytes.
//!
//! **Malformed**: a key of another length or prefix, a coordinate ≥ p, a point off the curve; a digest of another
//! length; a signature that Go's `encoding/asn1` does not decode as `SEQUENCE { R INTEGER, S INTEGER }`. Go asks
//! for definite lengths in their shortest form, without leading zeros, and for minimal integers.
//!
//! **Accepted by Go, so accepted here**: bytes after the sequence, and further elements after S inside it.
//! Neither changes R or S, so a signature has many encodings; do not take its bytes for an identity.
//!
//! **Invalid**: R or S not in 1..n, negative integers and those longer than 32 bytes included; S above n/2
//! (high S: one of the two forms of each signature has to go, and Fabric refuses this one); the equation fails.
//!
//! **Source**: Fabric `bccsp/sw/ecdsa.go` (`verifyECDSA`), `bccsp/utils/ecdsa.go` (`UnmarshalECDSASignature`,
//! `IsLowS`); Go `encoding/asn1` (`parseTagAndLength`, `checkInteger`, `parseField`).

use aws_lc_rs::digest::{Digest, SHA256, digest};
use outrigger_types::{MessageForm, SignatureOptions, Verdict};

use super::{der, is_scalar, reference};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// n/2, rounded down: the largest S that is low.
pub(super) const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d,
    0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Judges one item.
pub fn verify(options: &SignatureOptions, key: &[u8], signature: &[u8], message: &[u8]) -> Verdict {
    let Some(integers) = der::parse(signature) else { return Verdict::Malformed };
    let Some(key) = reference::key(key) else { return Verdict::Malformed };
    let digest = match options.message_form {
        MessageForm::Message => digest(&SHA256, message),
        MessageForm::Digest => match Digest::import_less_safe(message, &SHA256) {
            Ok(digest) => digest,
            Err(_) => return Verdict::Malformed,
        },
    };
    match (integers.r, integers.s) {
        (Some(r), Some(s)) if is_scalar(&r) && is_scalar(&s) && s <= HALF_ORDER => {
            Verdict::from_equation(reference::holds(&key, &digest, &r, &s))
        }
        _ => Verdict::Invalid,
    }
}
