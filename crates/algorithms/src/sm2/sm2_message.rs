//! Ruleset `sm2-message`: an SM2 signature over a message, with the signer's identity.
//!
//! **Layout.** Key: 64 bytes, x‖y, or 65 with 0x04 before them. Signature: 64 bytes, r‖s. Message: any bytes.
//! Identity: one for the request, up to 8,191 bytes; left empty it is `1234567812345678`, the standard's default.
//!
//! e = SM3(Z ‖ message), Z = SM3(ENTL ‖ identity ‖ a ‖ b ‖ x_G ‖ y_G ‖ x ‖ y), ENTL being the bits of the
//! identity in 16 bits. An identity of no bytes at all, which some stacks sign with, cannot be asked for here:
//! hash it yourself and use `sm2-digest`.
//!
//! **Malformed**: another length of key or signature or another prefix (compressed keys are not taken); x or
//! y ≥ p; a point off the curve, (0, 0) included; a longer identity.
//!
//! **Invalid**: r or s not in 1..n; r + s ≡ 0 modulo n; s·G + (r + s)·P at infinity; (e + x₁) mod n ≠ r.
//! SM2 has no low-S rule.
//!
//! **Source**: GB/T 32918.2-2016 (GM/T 0003.2-2012), sections 5.5 and 7.1; curve and default identity:
//! GB/T 32918.5-2017 and GM/T 0009-2012.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, SignatureWork, Verdict};

use super::engine::{self, Key};
use super::identity::Identity;
use super::{each, refuse};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// Verifies the items of `range`.
pub fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    let (MessageForm::Message, Some(identity)) = (work.options.message_form, Identity::new(&work.options.identity))
    else {
        return refuse(output);
    };
    each(work, range, output, |key, signature, message| judge(&identity, key, signature, message));
}

fn judge(identity: &Identity, key: &[u8], signature: &[u8], message: &[u8]) -> Verdict {
    match (Key::decode(key), signature.try_into()) {
        (Some(key), Ok(signature)) => engine::verify(&key, &identity.digest(key.bytes(), message), signature),
        _ => Verdict::Malformed,
    }
}
