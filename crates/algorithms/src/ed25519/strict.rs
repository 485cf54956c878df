//! The strict rule, which Libra and Solana share: ed25519-dalek's `verify_strict`, item by item. A random linear
//! combination would accept what single checks refuse (torsion that cancels between items), so there is none.

use std::ops::Range;

use ed25519_dalek::{Signature, VerifyingKey};
use outrigger_types::{Output, SignatureWork, Verdict};

use super::parse::{Parts, decode_point};

/// About 1.5 ms of work: far above the cost of handing it to a thread.
pub(super) const PIECE_ITEMS: usize = 32;

/// The [`SignatureFn`](crate::SignatureFn) of the strict rulesets.
pub(super) fn verify(work: &SignatureWork, range: Range<usize>, output: &mut Output) {
    for (i, verdict) in range.zip(&mut output.verdicts) {
        *verdict = Parts::of(work, i).map_or(Verdict::Malformed, |parts| judge(&parts));
    }
}

fn judge(parts: &Parts<'_>) -> Verdict {
    let Ok(key) = VerifyingKey::from_bytes(parts.key) else {
        return Verdict::Malformed;
    };
    let signature = Signature::from_bytes(parts.signature);
    if parts.s().is_some() && key.verify_strict(parts.message, &signature).is_ok() {
        return Verdict::Valid;
    }
    // Only now does it matter whether R decodes, so valid signatures do not pay for the question.
    if decode_point(parts.r()).is_some() { Verdict::Invalid } else { Verdict::Malformed }
}
