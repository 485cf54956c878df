//! Items of several requests as one piece of work. Lanes run eight items in the time of one, so single items of many
//! callers go together; copying some hundred bytes an item costs next to nothing beside a signature.

use std::ops::Range;
use std::sync::Arc;

use outrigger_types::{ColumnBuf, HashWork, Keys, SignatureWork, Work};

/// Whether items of both can stand in one piece of work: the same operation, the same options.
pub(super) fn alike(one: &Work, other: &Work) -> bool {
    match (one, other) {
        (Work::Verify(a), Work::Verify(b)) | (Work::Recover(a), Work::Recover(b)) => {
            a.ruleset == b.ruleset && a.options == b.options && have_like_keys(&a.keys, &b.keys)
        }
        (Work::Hash(a), Work::Hash(b)) => a.algorithm == b.algorithm,
        _ => false,
    }
}

/// Keys of one registered set stay numbers in it. Recovery has no keys: its column is empty, whatever the number of
/// signatures.
fn have_like_keys(one: &Keys, other: &Keys) -> bool {
    match (one, other) {
        (Keys::Inline(a), Keys::Inline(b)) => a.is_empty() == b.is_empty(),
        (Keys::Indexed { set: a, .. }, Keys::Indexed { set: b, .. }) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

/// The items of all parts, in order, as one piece of work. The parts are [`alike`].
///
/// # Panics
/// Where there are no parts, or they are of an operation whose work is not joined: the queue's fault.
pub(super) fn joined<'a>(parts: impl Iterator<Item = (&'a Work, Range<usize>)> + Clone) -> Work {
    let (first, _) = parts.clone().next().expect("a unit has parts");
    match first {
        Work::Verify(first) => Work::Verify(signatures(first, parts)),
        Work::Recover(first) => Work::Recover(signatures(first, parts)),
        Work::Hash(first) => {
            let messages = column(parts, |work, item| match work {
                Work::Hash(work) => work.messages.view().item(item),
                _ => unreachable!("only hash work is like hash work"),
            });
            Work::Hash(HashWork { algorithm: first.algorithm, messages })
        }
        Work::VerifySets(_) | Work::Merkle(_) | Work::EthereumTransactions(_) | Work::VerifyProofs(_) => {
            unreachable!("this work is like no other")
        }
    }
}

fn signatures<'a>(
    first: &SignatureWork,
    parts: impl Iterator<Item = (&'a Work, Range<usize>)> + Clone,
) -> SignatureWork {
    let keys = match &first.keys {
        Keys::Inline(keys) if keys.is_empty() => Keys::Inline(ColumnBuf::empty()),
        Keys::Inline(_) => Keys::Inline(column(parts.clone(), |work, item| signed(work).keys.item(item))),
        Keys::Indexed { set, .. } => {
            let indices = parts.clone().flat_map(|(work, range)| indices(work)[range].iter().copied());
            Keys::Indexed { set: set.clone(), indices: indices.collect() }
        }
    };
    SignatureWork {
        ruleset: first.ruleset,
        options: first.options.clone(),
        keys,
        signatures: column(parts.clone(), |work, item| signed(work).signature(item)),
        messages: column(parts, |work, item| signed(work).message(item)),
    }
}

fn indices(work: &Work) -> &[u32] {
    match &signed(work).keys {
        Keys::Indexed { indices, .. } => indices,
        Keys::Inline(_) => unreachable!("only keys of one set are alike"),
    }
}

fn signed(work: &Work) -> &SignatureWork {
    match work {
        Work::Verify(work) | Work::Recover(work) => work,
        _ => unreachable!("only signatures are like signatures"),
    }
}

fn column<'a>(
    parts: impl Iterator<Item = (&'a Work, Range<usize>)>,
    item: impl Fn(&'a Work, usize) -> &'a [u8] + Copy,
) -> ColumnBuf {
    let items: Vec<&[u8]> = parts.flat_map(|(work, range)| range.map(move |i| item(work, i))).collect();
    ColumnBuf::from_items(&items)
}

#[cfg(test)]
mod tests;
