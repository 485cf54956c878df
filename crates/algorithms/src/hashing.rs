//! How a hash room walks a batch of messages.

use std::ops::Range;

use outrigger_types::{Column, HashWork, Output, Verdict};

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

/// Hashes the messages of `range` with a function that takes many at once, for functions that take any bytes.
pub(crate) fn together<'a>(
    work: &'a HashWork,
    range: Range<usize>,
    output: &mut Output,
    many: impl FnOnce(Column<'a>, &mut [[u8; DIGEST_BYTES]]),
) {
    let messages = work.messages.view().slice(range);
    let (places, _) = output.fixed.as_chunks_mut::<DIGEST_BYTES>();
    many(messages, &mut places[..messages.len()]);
    output.verdicts.fill(Verdict::Valid);
}

pub(crate) mod gpu;
#[cfg(test)]
pub(crate) mod judging;
