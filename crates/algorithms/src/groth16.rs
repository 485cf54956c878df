//! Groth16 proofs: one verdict each. The rules are those of [`outrigger_groth16::PreparedKey`].

use std::ops::Range;

use outrigger_groth16::PreparedKey;
use outrigger_groth16::verifier::keep_to_this_thread;
use outrigger_types::{Output, ProofWork, Verdict};

/// Verifies the proofs of `range` on this thread. With a key that is not usable (the service hands none on) all stay *unprocessed*.
pub(crate) fn verify(work: &ProofWork, range: Range<usize>, output: &mut Output) {
    keep_to_this_thread();
    let Some(Ok(key)) = work.key.prepared(PreparedKey::new) else { return };
    let proofs = work.proofs.view().slice(range.clone());
    let signals = work.public_signals.view().slice(range);
    let verdicts: Vec<Verdict> = key.verify_batch(proofs, signals);
    output.verdicts.copy_from_slice(&verdicts);
}

#[cfg(test)]
mod tests;
