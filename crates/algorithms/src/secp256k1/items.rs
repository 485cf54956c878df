//! From columns to items and back.

use std::ops::Range;

use outrigger_types::{MessageForm, Operation, Output, SignatureWork, Verdict};

/// The three byte strings of one item, as they came.
pub(super) struct Item<'a> {
    /// A public key or an address; empty for recovery.
    pub(super) key: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
    /// The message or digest.
    pub(super) message: &'a [u8],
}

/// Judges each item of `range`, where the work has one of `forms`.
pub(super) fn verify(
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
    forms: &[MessageForm],
    judge: impl Fn(Item<'_>) -> Verdict,
) {
    if !forms.contains(&work.options.message_form) {
        return;
    }
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    for (i, verdict) in range.zip(&mut output.verdicts) {
        *verdict = judge(Item { key: work.keys.item(i), signature: signatures.item(i), message: messages.item(i) });
    }
}

/// Recovers the key and address of each item of `range`, where the work has one of `forms`. `judge` gives both,
/// or the verdict that says why not.
pub(super) fn recover(
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
    forms: &[MessageForm],
    judge: impl Fn(Item<'_>) -> Result<([u8; 64], [u8; 20]), Verdict>,
) {
    if !forms.contains(&work.options.message_form) {
        return;
    }
    let stride = Operation::Recover(work.ruleset).output_shape().stride;
    let (signatures, messages) = (work.signatures.view(), work.messages.view());
    let places = output.verdicts.iter_mut().zip(output.fixed.chunks_exact_mut(stride));
    for (i, (verdict, fixed)) in range.zip(places) {
        match judge(Item { key: &[], signature: signatures.item(i), message: messages.item(i) }) {
            Ok((public_key, address)) => {
                fixed[..64].copy_from_slice(&public_key);
                fixed[64..].copy_from_slice(&address);
                *verdict = Verdict::Valid;
            }
            Err(refused) => *verdict = refused,
        }
    }
}
