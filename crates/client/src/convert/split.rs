//! How work that is larger than one message becomes several calls.

use std::ops::Range;

use outrigger_types::{Keys, LayoutBuf, Work, limits};

use crate::ClientError;

/// Bytes of items that a message may carry: the limit less room for the identity and the other fields.
pub(crate) const MESSAGE_BYTES_USED: usize = limits::MESSAGE_BYTES_MAX - 32 * 1024;
/// The most that one length or index takes on the wire.
pub(crate) const LENGTH_BYTES: usize = 5;

/// Ranges of items, each for one call, in order. A Merkle tree is one range whatever its size: it goes in chunks.
///
/// # Errors
/// [`ClientError::TooLarge`] where one item alone does not fit a message.
pub(crate) fn split(work: &Work) -> Result<Vec<Range<usize>>, ClientError> {
    let items = work.items();
    if !work.operation().is_divisible() || fits_whole(work) {
        return Ok(std::iter::once(0..items).collect());
    }
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for i in 0..items {
        let item = wire_bytes(work, i);
        if item > MESSAGE_BYTES_USED {
            return Err(ClientError::TooLarge(format!(
                "item {i} takes {item} bytes and a message holds {MESSAGE_BYTES_USED}"
            )));
        }
        if bytes + item > MESSAGE_BYTES_USED || i - start == limits::ITEMS_MAX {
            ranges.push(start..i);
            start = i;
            bytes = 0;
        }
        bytes += item;
    }
    ranges.push(start..items);
    Ok(ranges)
}

fn fits_whole(work: &Work) -> bool {
    // Three columns an item at most, each perhaps with a length.
    work.items() <= limits::ITEMS_MAX
        && work.bytes() + key_bytes_unshared(work) + 3 * LENGTH_BYTES * work.items() <= MESSAGE_BYTES_USED
}

/// Keys that an indexed request would carry were its set not registered: the worst case.
fn key_bytes_unshared(work: &Work) -> usize {
    let (Work::Verify(outrigger_types::SignatureWork { keys, .. })
    | Work::VerifySets(outrigger_types::SetWork { keys, .. })) = work
    else {
        return 0;
    };
    match keys {
        Keys::Inline(_) => 0,
        Keys::Indexed { set, indices } => match set.layout() {
            LayoutBuf::Stride(stride) => (stride + LENGTH_BYTES) * indices.len(),
            LayoutBuf::Ends(_) => indices.iter().map(|i| set.view().item(*i as usize).len() + LENGTH_BYTES).sum(),
        },
    }
}

/// The most that item `i` takes in a message.
fn wire_bytes(work: &Work, i: usize) -> usize {
    match work {
        Work::Verify(work) | Work::Recover(work) => {
            work.keys.item(i).len() + work.signature(i).len() + work.message(i).len() + 3 * LENGTH_BYTES
        }
        Work::VerifySets(work) => {
            let keys: usize = work.key_range(i).map(|key| work.keys.item(key).len() + LENGTH_BYTES).sum();
            let messages: usize = work.messages_of(i).iter().map(|message| message.len() + LENGTH_BYTES).sum();
            work.signatures.view().item(i).len() + keys + messages + 3 * LENGTH_BYTES
        }
        Work::Hash(work) => work.messages.view().item(i).len() + LENGTH_BYTES,
        Work::EthereumTransactions(work) => work.transactions.view().item(i).len() + LENGTH_BYTES,
        Work::Merkle(work) => work.leaves.view().item(i).len() + LENGTH_BYTES,
        Work::VerifyProofs(work) => {
            work.proofs.view().item(i).len() + work.public_signals.view().item(i).len() + 2 * LENGTH_BYTES
        }
    }
}
