//! Copies some items of a request into a request of their own.

use outrigger_types::{ColumnBuf, Keys, SignatureWork, Work};

/// The work of these items alone, in this order; `None` for operations whose items cannot be told apart.
pub(crate) fn gather(work: &Work, items: &[usize]) -> Option<Work> {
    match work {
        Work::Verify(work) => Some(Work::Verify(signatures(work, items))),
        Work::Recover(work) => Some(Work::Recover(signatures(work, items))),
        _ => None,
    }
}

fn signatures(work: &SignatureWork, items: &[usize]) -> SignatureWork {
    let keys = match &work.keys {
        Keys::Inline(keys) if keys.is_empty() => Keys::Inline(ColumnBuf::empty()),
        Keys::Inline(keys) => Keys::Inline(column(keys, items)),
        Keys::Indexed { set, indices } => {
            Keys::Indexed { set: set.clone(), indices: items.iter().map(|&item| indices[item]).collect() }
        }
    };
    SignatureWork {
        ruleset: work.ruleset,
        options: work.options.clone(),
        keys,
        signatures: column(&work.signatures, items),
        messages: column(&work.messages, items),
    }
}

fn column(column: &ColumnBuf, items: &[usize]) -> ColumnBuf {
    let view = column.view();
    let items: Vec<&[u8]> = items.iter().map(|&item| view.item(item)).collect();
    ColumnBuf::from_items(&items)
}
