//! Ranges of work to requests.

use std::ops::Range;

use outrigger_proto::v1;
use outrigger_types::{
    Backend, ColumnBuf, Curve, EthereumWork, HashWork, Keys, LayoutBuf, MerkleWork, MessageForm, Priority, ProofWork,
    Ruleset, SetMode, SetWork, SignatureWork,
};

use super::split::MESSAGE_BYTES_USED;

/// What every request says beside its items, as numbers of the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) priority: i32,
    pub(crate) backend: i32,
}

impl Wire {
    pub(crate) const fn new(priority: Priority, backend: Option<Backend>) -> Self {
        let priority = match priority {
            Priority::Bulk => v1::Priority::Bulk,
            Priority::Mempool => v1::Priority::Mempool,
            Priority::Block => v1::Priority::Block,
            Priority::Consensus => v1::Priority::Consensus,
        };
        let backend = match backend {
            None => v1::Backend::Unspecified,
            Some(Backend::Cpu) => v1::Backend::Cpu,
            Some(Backend::Vector) => v1::Backend::Vector,
            Some(Backend::Opencl) => v1::Backend::Opencl,
            Some(Backend::Cuda) => v1::Backend::Cuda,
        };
        Self { priority: priority as i32, backend: backend as i32 }
    }
}

/// The name of the registered key set that indices point into; `None` sends keys inline.
pub(crate) type KeySetName<'a> = Option<&'a str>;

/// The items of a range, their bytes shared with the column's.
pub(crate) fn column(column: &ColumnBuf, range: Range<usize>) -> v1::Column {
    match column.layout() {
        LayoutBuf::Stride(stride) => {
            v1::Column { data: column.bytes().slice(range.start * stride..range.end * stride), lengths: Vec::new() }
        }
        LayoutBuf::Ends(ends) => {
            let begin = if range.start == 0 { 0 } else { ends[range.start - 1] };
            let end = if range.is_empty() { begin } else { ends[range.end - 1] };
            let mut before = begin;
            let lengths = ends[range].iter().map(|end| end - std::mem::replace(&mut before, *end)).collect();
            v1::Column { data: column.bytes().slice(begin as usize..end as usize), lengths }
        }
    }
}

/// As [`column`], where items must have a length in `fits` (empty: any). A sidecar refuses a request whose column says
/// that all items have another length; a column that says each length gets its verdict, *malformed*. An engine in this
/// process would give that verdict too, whatever the company of the item, so such a column says its lengths.
fn fitting(items: &ColumnBuf, range: Range<usize>, fits: &[usize]) -> v1::Column {
    let mut wire = column(items, range.clone());
    if let Some(stride) = items.stride().filter(|stride| !fits.is_empty() && !fits.contains(stride)) {
        wire.lengths = vec![stride as u32; range.len()];
    }
    wire
}

fn key_lengths(ruleset: Ruleset) -> &'static [usize] {
    outrigger_algorithms::rules(ruleset).map_or(&[], |rules| rules.key_lengths)
}

fn signature_lengths(ruleset: Ruleset) -> &'static [usize] {
    outrigger_algorithms::rules(ruleset).map_or(&[], |rules| rules.signature_lengths)
}

const fn message_lengths(form: MessageForm) -> &'static [usize] {
    match form {
        MessageForm::Message => &[],
        MessageForm::Digest => &[32],
    }
}

/// The keys of a range: indices where a set is registered, else the keys themselves.
enum WireKeys {
    Inline(v1::Column),
    Indexed(v1::KeyIndices),
}

fn keys(keys: &Keys, range: Range<usize>, key_set: KeySetName<'_>, fits: &[usize]) -> WireKeys {
    match (keys, key_set) {
        (Keys::Inline(keys), _) => WireKeys::Inline(fitting(keys, range, fits)),
        (Keys::Indexed { indices, .. }, Some(name)) => {
            WireKeys::Indexed(v1::KeyIndices { key_set: name.to_owned(), indices: indices[range].to_vec() })
        }
        (Keys::Indexed { .. }, None) => {
            let items: Vec<&[u8]> = range.map(|i| keys.item(i)).collect();
            WireKeys::Inline(fitting(&ColumnBuf::from_items(&items), 0..items.len(), fits))
        }
    }
}

const fn message_form(form: MessageForm) -> i32 {
    match form {
        MessageForm::Message => v1::MessageForm::Message as i32,
        MessageForm::Digest => v1::MessageForm::Digest as i32,
    }
}

pub(crate) fn verify_request(
    work: &SignatureWork,
    range: Range<usize>,
    key_set: KeySetName<'_>,
    wire: Wire,
) -> v1::VerifyBatchRequest {
    use v1::verify_batch_request::Keys as Oneof;
    v1::VerifyBatchRequest {
        ruleset: work.ruleset.number(),
        ruleset_version: 0,
        count: range.len() as u32,
        keys: Some(match keys(&work.keys, range.clone(), key_set, key_lengths(work.ruleset)) {
            WireKeys::Inline(column) => Oneof::PublicKeys(column),
            WireKeys::Indexed(indices) => Oneof::KeyIndices(indices),
        }),
        signatures: Some(fitting(&work.signatures, range.clone(), signature_lengths(work.ruleset))),
        messages: Some(fitting(&work.messages, range, message_lengths(work.options.message_form))),
        message_form: message_form(work.options.message_form),
        priority: wire.priority,
        allow_high_s: work.options.allow_high_s,
        identity: work.options.identity.clone(),
        backend: wire.backend,
    }
}

pub(crate) fn recover_request(work: &SignatureWork, range: Range<usize>, wire: Wire) -> v1::RecoverBatchRequest {
    v1::RecoverBatchRequest {
        ruleset: work.ruleset.number(),
        ruleset_version: 0,
        count: range.len() as u32,
        signatures: Some(fitting(&work.signatures, range.clone(), signature_lengths(work.ruleset))),
        digests: Some(fitting(&work.messages, range, message_lengths(MessageForm::Digest))),
        priority: wire.priority,
        allow_high_s: work.options.allow_high_s,
        want_public_keys: true,
        want_addresses: true,
        backend: wire.backend,
    }
}

pub(crate) fn sets_request(
    work: &SetWork,
    range: Range<usize>,
    key_set: KeySetName<'_>,
    wire: Wire,
) -> v1::VerifySetsRequest {
    use v1::verify_sets_request::Keys as Oneof;
    let mode = match work.mode {
        SetMode::Single => v1::SetMode::Single,
        SetMode::Aggregate => v1::SetMode::Aggregate,
        SetMode::FastAggregate => v1::SetMode::FastAggregate,
        SetMode::EthereumFastAggregate => v1::SetMode::EthereumFastAggregate,
    };
    let key_range = whole_range(range.clone(), |i| work.key_range(i));
    let message_range = whole_range(range.clone(), |i| work.message_range(i));
    let messages_per_set = match work.mode {
        SetMode::Aggregate => range.clone().map(|i| work.message_range(i).len() as u32).collect(),
        _ => Vec::new(),
    };
    v1::VerifySetsRequest {
        ruleset: work.ruleset.number(),
        ruleset_version: 0,
        mode: mode as i32,
        count: range.len() as u32,
        signatures: Some(fitting(&work.signatures, range.clone(), signature_lengths(work.ruleset))),
        keys: Some(match keys(&work.keys, key_range, key_set, key_lengths(work.ruleset)) {
            WireKeys::Inline(column) => Oneof::PublicKeys(column),
            WireKeys::Indexed(indices) => Oneof::KeyIndices(indices),
        }),
        keys_per_set: range.map(|i| work.key_range(i).len() as u32).collect(),
        messages: Some(column(&work.messages, message_range)),
        messages_per_set,
        priority: wire.priority,
        backend: wire.backend,
    }
}

/// From where the first item's range begins to where the last one's ends.
fn whole_range(range: Range<usize>, of: impl Fn(usize) -> Range<usize>) -> Range<usize> {
    if range.is_empty() { 0..0 } else { of(range.start).start..of(range.end - 1).end }
}

pub(crate) fn hash_request(work: &HashWork, range: Range<usize>, wire: Wire) -> v1::HashBatchRequest {
    v1::HashBatchRequest {
        algorithm: work.algorithm.number(),
        count: range.len() as u32,
        messages: Some(column(&work.messages, range)),
        priority: wire.priority,
        backend: wire.backend,
    }
}

pub(crate) fn ethereum_request(
    work: &EthereumWork,
    range: Range<usize>,
    wire: Wire,
) -> v1::VerifyEthereumTransactionsRequest {
    v1::VerifyEthereumTransactionsRequest {
        count: range.len() as u32,
        transactions: Some(column(&work.transactions, range)),
        chain_id: work.chain_id.unwrap_or(0),
        allow_high_s: work.allow_high_s,
        priority: wire.priority,
        backend: wire.backend,
        want_transactions_root: false,
    }
}

pub(crate) fn put_key_set_request(ruleset: Ruleset, keys: &ColumnBuf) -> v1::PutKeySetRequest {
    v1::PutKeySetRequest {
        ruleset: ruleset.number(),
        count: keys.len() as u32,
        public_keys: Some(fitting(keys, 0..keys.len(), key_lengths(ruleset))),
    }
}

pub(crate) fn tree_header(work: &MerkleWork, wire: Wire) -> v1::MerkleTreeHeader {
    v1::MerkleTreeHeader {
        tree: work.tree.number(),
        algorithm: work.algorithm.number(),
        priority: wire.priority,
        backend: wire.backend,
    }
}

/// The leaves in chunks of at most a quarter of a message, so that the sidecar can begin before the last arrives.
pub(crate) fn leaf_chunks(leaves: &ColumnBuf) -> impl Iterator<Item = v1::LeafChunk> + '_ {
    const CHUNK_BYTES: usize = MESSAGE_BYTES_USED / 4;
    let view = leaves.view();
    let mut next = 0;
    std::iter::from_fn(move || {
        if next >= leaves.len() {
            return None;
        }
        let start = next;
        let mut bytes = 0;
        while next < leaves.len() {
            let item = view.item(next).len() + super::split::LENGTH_BYTES;
            if next > start && bytes + item > CHUNK_BYTES {
                break;
            }
            bytes += item;
            next += 1;
        }
        Some(v1::LeafChunk { count: (next - start) as u32, leaves: Some(column(leaves, start..next)) })
    })
}

pub(crate) fn proofs_request(work: &ProofWork, range: Range<usize>, wire: Wire) -> v1::VerifyProofBatchRequest {
    let key = &work.key;
    let signals = key.public_signals().unwrap_or_default();
    v1::VerifyProofBatchRequest {
        circuit: String::new(),
        verifying_key: Some(v1::VerifyingKey { curve: curve(key.curve), points: key.bytes.clone() }),
        count: range.len() as u32,
        proofs: Some(fitting(&work.proofs, range.clone(), &[key.curve.proof_bytes()])),
        public_signals: Some(fitting(&work.public_signals, range, &[32 * signals])),
        priority: wire.priority,
        backend: wire.backend,
    }
}

/// A curve as a number of the wire.
pub(crate) const fn curve(curve: Curve) -> i32 {
    match curve {
        Curve::Bn254 => v1::Curve::Bn254 as i32,
        Curve::Bls12_381 => v1::Curve::Bls12381 as i32,
    }
}
