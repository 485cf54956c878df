//! Ruleset `sm2-digest`: an SM2 signature over e itself.
//!
//! **Layout.** Key: 64 bytes, x‖y, or 65 with 0x04 before them. Signature: 64 bytes, r‖s. Digest: e, 32 bytes,
//! that is SM3(Z ‖ message), hashed by the caller. All big-endian.
//!
//! **Malformed**: another length of any of the three or another prefix (compressed keys are not taken); x or
//! y ≥ p; a point off the curve, (0, 0) included; a request that names an identity, for e already contains it.
//!
//! **Invalid**: r or s not in 1..n; r + s ≡ 0 modulo n; s·G + (r + s)·P at infinity; (e + x₁) mod n ≠ r.
//! e may be any 32 bytes, ≥ n too: it is reduced. SM2 has no low-S rule.
//!
//! **Source**: GB/T 32918.2-2016 (GM/T 0003.2-2012), section 7.1, from step B5 on; curve: GB/T 32918.5-2017.

use std::ops::Range;

use outrigger_types::{MessageForm, Output, SignatureWork, Verdict};

use super::engine::{self, Key};
use super::{each, refuse};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// Verifies the items of `range`.
pub fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    if work.options.message_form != MessageForm::Digest || !work.options.identity.is_empty() {
        return refuse(output);
    }
    each(work, range, output, judge);
}

fn judge(key: &[u8], signature: &[u8], digest: &[u8]) -> Verdict {
    match (Key::decode(key), signature.try_into(), digest.try_into()) {
        (Some(key), Ok(signature), Ok(e)) => engine::verify(&key, e, signature),
        _ => Verdict::Malformed,
    }
}
