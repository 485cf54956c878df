//! Ruleset `ethereum-p256verify`: the precompile P256VERIFY of EIP-7951 (and of RIP-7212, which it corrects).
//!
//! **Layout.** Key: 64 bytes, x‖y. Signature: 64 bytes, r‖s. Digest: 32 bytes; it may be ≥ n. In the precompile's
//! input of 160 bytes they come as digest, r, s, x, y, all big-endian.
//!
//! **Malformed**: another length of any of the three; x or y ≥ p; a point off the curve, and so (0, 0), which
//! stands for infinity.
//!
//! **Invalid**: r or s not in 1..n; the computed point R is at infinity; its x is not r modulo n. The comparison
//! is modulo n: x may be r + n where that is below p. High S is valid.
//!
//! The precompile knows only *1* and *nothing*: both malformed and invalid are *nothing* there.
//!
//! **Source**: EIP-7951, "Precompile behaviour".

use aws_lc_rs::digest::{Digest, SHA256};
use outrigger_types::{MessageForm, SignatureOptions, Verdict};

use super::{is_scalar, reference};

/// The version of these rules.
pub const VERSION: u32 = 1;

/// Judges one item.
pub fn verify(options: &SignatureOptions, key: &[u8], signature: &[u8], digest: &[u8]) -> Verdict {
    let (MessageForm::Digest, Some((r, s))) = (options.message_form, halves(signature)) else {
        return Verdict::Malformed;
    };
    let Ok(digest) = Digest::import_less_safe(digest, &SHA256) else { return Verdict::Malformed };
    let Some(key) = sec1(key).and_then(|key| reference::key(&key)) else { return Verdict::Malformed };
    Verdict::from_equation(is_scalar(r) && is_scalar(s) && reference::holds(&key, &digest, r, s))
}

/// The two numbers of a signature of 64 bytes.
pub(super) fn halves(signature: &[u8]) -> Option<(&[u8; 32], &[u8; 32])> {
    let (r, s) = signature.split_first_chunk()?;
    Some((r, s.try_into().ok()?))
}

/// A key of 64 bytes with SEC 1's prefix.
fn sec1(key: &[u8]) -> Option<[u8; 65]> {
    let coordinates: &[u8; 64] = key.try_into().ok()?;
    let mut sec1 = [0x04; 65];
    sec1[1..].copy_from_slice(coordinates);
    Some(sec1)
}
