//! How a hash room walks a batch of messages.

use std::ops::Range;

use outrigger_types::{HashWork, Output, Verdict};

/// Bytes of every digest.
pub(crate) const DIGEST_BYTES: usize = 32;

/// Hashes the messages of `range` one after the other, for functions that take any bytes. Generic, so that the
/// library's one-shot function is inlined into the loop.
pub(crate) fn each(work: &HashWork, range: Range<usize>, output: &mut Output, digest: impl Fn(&[u8]) -> [u8; 32]) {
    let messages = work.messages.view().slice(range);
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    for (message, place) in messages.iter().zip(places) {
        *place = digest(message);
    }
    output.verdicts.fill(Verdict::Valid);
}

#[cfg(test)]
pub(crate) mod judging;
