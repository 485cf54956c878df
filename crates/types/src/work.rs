//! What can be asked of an engine, and what comes back. Plain columns: nothing here could not lie in shared
//! memory.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Column, ColumnBuf, Curve, HashAlgorithm, MerkleTree, ProofKey, Ruleset, Verdict};

/// The kind of a piece of work: what engines declare support for, and what batches never mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Verify signatures, one verdict an item.
    Verify(Ruleset),
    /// Recover public keys and addresses.
    Recover(Ruleset),
    /// Verify BLS sets, one verdict a set.
    VerifySets(Ruleset),
    /// Hash messages.
    Hash(HashAlgorithm),
    /// Build a Merkle tree.
    Merkle(MerkleTree, HashAlgorithm),
    /// Decode raw Ethereum transactions, hash them, recover their senders.
    EthereumTransactions,
    /// Verify Groth16 proofs, one verdict each.
    VerifyProofs(Curve),
}

impl Operation {
    /// The name of the kind, without its parameter: a metrics label.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Verify(_) => "verify",
            Self::Recover(_) => "recover",
            Self::VerifySets(_) => "verify_sets",
            Self::Hash(_) => "hash",
            Self::Merkle(..) => "merkle",
            Self::EthereumTransactions => "ethereum_transactions",
            Self::VerifyProofs(_) => "verify_proofs",
        }
    }

    /// The ruleset or algorithm: a metrics label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Verify(ruleset) | Self::Recover(ruleset) | Self::VerifySets(ruleset) => ruleset.name(),
            Self::Hash(algorithm) => algorithm.name(),
            Self::Merkle(tree, _) => tree.name(),
            Self::EthereumTransactions => Ruleset::EthereumTransaction.name(),
            Self::VerifyProofs(curve) => curve.name(),
        }
    }

    /// Whether one bad item could cost the others of its batch: such batches never mix tenants, since the
    /// engine may check them by a random linear combination and look closer only where that fails.
    pub const fn combines_items(self) -> bool {
        matches!(
            self,
            Self::Verify(Ruleset::Ed25519Zip215 | Ruleset::EthereumConsensus | Ruleset::BlsMinSig)
                | Self::VerifySets(_)
                | Self::VerifyProofs(_)
        )
    }

    /// Whether items of several requests may share a batch, and one request may be cut into pieces.
    pub const fn is_divisible(self) -> bool {
        !matches!(self, Self::Merkle(..))
    }
}

/// What the `messages` column of a signature request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageForm {
    /// The message; the ruleset says how it is hashed.
    Message,
    /// The digest that was signed, 32 bytes.
    Digest,
}

/// What a ruleset leaves open to the request; the same for all items of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureOptions {
    /// What the `messages` column holds. Rooms say which forms they take.
    pub message_form: MessageForm,
    /// `ethereum-transaction` only: accept high-S, for blocks before Homestead.
    pub allow_high_s: bool,
    /// SM2 only: the signer's identity; empty means the standard's default, 1234567812345678.
    pub identity: Bytes,
}

impl SignatureOptions {
    /// No options but the form of the message.
    pub const fn new(message_form: MessageForm) -> Self {
        Self { message_form, allow_high_s: false, identity: Bytes::new() }
    }
}

/// The keys of a signature request.
#[derive(Clone, Debug)]
pub enum Keys {
    /// One key an item. For recovery the column is empty.
    Inline(ColumnBuf),
    /// Indices into a key set that was registered before; all below its length.
    Indexed {
        /// The keys of the set.
        set: Arc<ColumnBuf>,
        /// The index of each item's key.
        indices: Vec<u32>,
    },
}

impl Keys {
    /// The key of item `i`; empty where there are none (recovery).
    #[inline]
    pub fn item(&self, i: usize) -> &[u8] {
        match self {
            Self::Inline(column) if column.is_empty() => &[],
            Self::Inline(column) => column.view().item(i),
            Self::Indexed { set, indices } => set.view().item(indices[i] as usize),
        }
    }

    /// The bytes of the keys that travel with the request.
    pub fn byte_len(&self) -> usize {
        match self {
            Self::Inline(column) => column.bytes().len(),
            Self::Indexed { indices, .. } => indices.len() * 4,
        }
    }
}

/// Signatures to verify, or to recover keys from.
#[derive(Clone, Debug)]
pub struct SignatureWork {
    /// What counts as valid.
    pub ruleset: Ruleset,
    /// What the ruleset leaves open.
    pub options: SignatureOptions,
    /// Public keys (or addresses, where the ruleset says so).
    pub keys: Keys,
    /// Signatures.
    pub signatures: ColumnBuf,
    /// Messages or digests.
    pub messages: ColumnBuf,
}

/// How the keys and messages of a BLS set belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetMode {
    /// One key, one message.
    Single,
    /// A message for each key (`AggregateVerify` of the IETF draft).
    Aggregate,
    /// One message for all keys (`FastAggregateVerify` of the IETF draft): an empty set is invalid.
    FastAggregate,
    /// As `FastAggregate`, but no keys with the signature at infinity is valid
    /// (`eth_fast_aggregate_verify` of Ethereum's consensus specification).
    EthereumFastAggregate,
}

/// BLS sets: one signature each, over one or many keys and messages.
#[derive(Clone, Debug)]
pub struct SetWork {
    /// What counts as valid: a BLS ruleset.
    pub ruleset: Ruleset,
    /// How keys and messages belong together, for all sets.
    pub mode: SetMode,
    /// One signature a set.
    pub signatures: ColumnBuf,
    /// The keys of all sets, one after the other, or indices into a key set.
    pub keys: Keys,
    /// Where the keys of each set end.
    pub key_ends: Vec<u32>,
    /// The messages of all sets, one after the other.
    pub messages: ColumnBuf,
    /// Where the messages of each set end.
    pub message_ends: Vec<u32>,
}

/// Messages to hash.
#[derive(Clone, Debug)]
pub struct HashWork {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The messages.
    pub messages: ColumnBuf,
}

/// A Merkle tree to build.
#[derive(Clone, Debug)]
pub struct MerkleWork {
    /// The shape of the tree.
    pub tree: MerkleTree,
    /// The hash of leaves and nodes.
    pub algorithm: HashAlgorithm,
    /// The leaves, in order.
    pub leaves: ColumnBuf,
    /// Prove that this leaf is in the tree.
    pub prove: Option<usize>,
}

/// Raw Ethereum transactions.
#[derive(Clone, Debug)]
pub struct EthereumWork {
    /// The canonical encodings (EIP-2718 envelopes or legacy RLP lists).
    pub transactions: ColumnBuf,
    /// The chain that they must be for, where given.
    pub chain_id: Option<u64>,
    /// Accept high-S, for blocks before Homestead.
    pub allow_high_s: bool,
}

/// Groth16 proofs of one circuit to verify.
#[derive(Clone, Debug)]
pub struct ProofWork {
    /// The verifying key.
    pub key: Arc<ProofKey>,
    /// One proof an item: A ‖ B ‖ C, uncompressed affine, coordinates big-endian, those of G2 as (c1, c0).
    pub proofs: ColumnBuf,
    /// The public signals of each proof, 32 bytes big-endian each.
    pub public_signals: ColumnBuf,
}

/// About the size of a transfer with a little data: see [`Work::units`].
const TRANSACTION_UNIT_BYTES: usize = 256;

/// A piece of work, owned columns and all. Cheap to clone: the bytes are shared.
#[derive(Clone, Debug)]
pub enum Work {
    /// Verify signatures.
    Verify(SignatureWork),
    /// Recover public keys and addresses.
    Recover(SignatureWork),
    /// Verify BLS sets.
    VerifySets(SetWork),
    /// Hash messages.
    Hash(HashWork),
    /// Build a Merkle tree.
    Merkle(MerkleWork),
    /// Decode, hash and recover raw Ethereum transactions.
    EthereumTransactions(EthereumWork),
    /// Verify Groth16 proofs.
    VerifyProofs(ProofWork),
}

impl Work {
    /// What kind of work it is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Verify(work) => Operation::Verify(work.ruleset),
            Self::Recover(work) => Operation::Recover(work.ruleset),
            Self::VerifySets(work) => Operation::VerifySets(work.ruleset),
            Self::Hash(work) => Operation::Hash(work.algorithm),
            Self::Merkle(work) => Operation::Merkle(work.tree, work.algorithm),
            Self::EthereumTransactions(_) => Operation::EthereumTransactions,
            Self::VerifyProofs(work) => Operation::VerifyProofs(work.key.curve),
        }
    }

    /// The number of items: the length of the answer (but for a Merkle tree, whose answer is one item).
    pub const fn items(&self) -> usize {
        match self {
            Self::Verify(work) | Self::Recover(work) => work.signatures.len(),
            Self::VerifySets(work) => work.signatures.len(),
            Self::Hash(work) => work.messages.len(),
            Self::Merkle(work) => work.leaves.len(),
            Self::EthereumTransactions(work) => work.transactions.len(),
            Self::VerifyProofs(work) => work.proofs.len(),
        }
    }

    /// What limits and quotas count: items, but for work in which one item can be as long as many. A BLS set counts
    /// as its keys, each of which is checked; a transaction as one for each 256 bytes, since EIP-7702 puts any
    /// number of recoveries into one; a proof as itself and its public signals, each of which is a multiplication of
    /// a point.
    pub fn units(&self) -> usize {
        let items = self.items();
        match self {
            Self::VerifySets(work) => items.max(work.key_ends.last().map_or(0, |end| *end as usize)),
            Self::EthereumTransactions(_) => items.max(self.bytes() / TRANSACTION_UNIT_BYTES),
            Self::VerifyProofs(work) => items + work.public_signals.bytes().len() / 32,
            Self::Verify(_) | Self::Recover(_) | Self::Hash(_) | Self::Merkle(_) => items,
        }
    }

    /// The bytes that travel with the request.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Verify(work) | Self::Recover(work) => {
                work.keys.byte_len() + work.signatures.bytes().len() + work.messages.bytes().len()
            }
            Self::VerifySets(work) => {
                work.keys.byte_len()
                    + work.signatures.bytes().len()
                    + work.messages.bytes().len()
                    + 4 * (work.key_ends.len() + work.message_ends.len())
            }
            Self::Hash(work) => work.messages.bytes().len(),
            Self::Merkle(work) => work.leaves.bytes().len(),
            Self::EthereumTransactions(work) => work.transactions.bytes().len(),
            Self::VerifyProofs(work) => {
                work.key.bytes.len() + work.proofs.bytes().len() + work.public_signals.bytes().len()
            }
        }
    }
}

/// The shape of an operation's answer: how many bytes an item has in [`Output::fixed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputShape {
    /// Bytes an item in `fixed`.
    pub stride: usize,
    /// Whether `variable` is used.
    pub has_variable: bool,
    /// Whether `reasons` is used.
    pub has_reasons: bool,
}

impl Operation {
    /// What the answer of this operation holds, an item:
    ///
    /// | operation | `fixed` | `variable` | `reasons` |
    /// |---|---|---|---|
    /// | verify, verify sets, verify proofs | – | – | – |
    /// | recover | public key x‖y (64), address (20); zeros unless valid | – | – |
    /// | hash | digest (32); zeros where malformed | – | – |
    /// | Merkle (one item) | root (32) | with a proof: the leaf hash (32), then for each step 1 byte (0: the sibling is on the left, 1: on the right) and the sibling (32) | – |
    /// | Ethereum transactions | hash (32), sender (20), type (1); zeros where not known | for each authorization 1 byte (0: none, 1: recovered) and the authority (20) | why not valid |
    pub const fn output_shape(self) -> OutputShape {
        match self {
            Self::Verify(_) | Self::VerifySets(_) | Self::VerifyProofs(_) => {
                OutputShape { stride: 0, has_variable: false, has_reasons: false }
            }
            Self::Recover(_) => OutputShape { stride: 84, has_variable: false, has_reasons: false },
            Self::Hash(_) => OutputShape { stride: 32, has_variable: false, has_reasons: false },
            Self::Merkle(..) => OutputShape { stride: 32, has_variable: true, has_reasons: false },
            Self::EthereumTransactions => OutputShape { stride: 53, has_variable: true, has_reasons: true },
        }
    }
}

/// The answer to a range of items. Allocated for an operation by its caller, filled by an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// One verdict an item. For hashes, valid means hashed.
    pub verdicts: Vec<Verdict>,
    /// Bytes of fixed stride an item; see [`Operation::output_shape`].
    pub fixed: Vec<u8>,
    /// Bytes of varying length, one item after the other.
    pub variable: Vec<u8>,
    /// Where each item of `variable` ends; empty where the operation has none.
    pub variable_ends: Vec<u32>,
    /// A code an item that says why it is not valid, 0 where there is nothing to say; empty where the operation
    /// has none. The room that makes them names them.
    pub reasons: Vec<u8>,
}

impl Output {
    /// An answer of `count` items, all *unprocessed*.
    pub fn unprocessed(operation: Operation, count: usize) -> Self {
        let shape = operation.output_shape();
        Self {
            verdicts: vec![Verdict::Unprocessed; count],
            fixed: vec![0; shape.stride * count],
            variable: Vec::new(),
            variable_ends: if shape.has_variable { vec![0; count] } else { Vec::new() },
            reasons: if shape.has_reasons { vec![0; count] } else { Vec::new() },
        }
    }

    /// The variable bytes of item `i`.
    pub fn variable_item(&self, i: usize) -> &[u8] {
        let begin = if i == 0 { 0 } else { self.variable_ends[i - 1] as usize };
        &self.variable[begin..self.variable_ends[i] as usize]
    }

    /// Puts `other` behind these items.
    pub fn append(&mut self, mut other: Self) {
        let base = self.variable.len() as u32;
        self.verdicts.append(&mut other.verdicts);
        self.fixed.append(&mut other.fixed);
        self.variable.append(&mut other.variable);
        self.variable_ends.extend(other.variable_ends.iter().map(|end| end + base));
        self.reasons.append(&mut other.reasons);
    }

    /// The items in `range`, copied.
    pub fn slice(&self, operation: Operation, range: Range<usize>) -> Self {
        let stride = operation.output_shape().stride;
        let mut part = Self {
            verdicts: self.verdicts[range.clone()].to_vec(),
            fixed: self.fixed[range.start * stride..range.end * stride].to_vec(),
            ..Self::default()
        };
        if !self.variable_ends.is_empty() {
            let begin = if range.start == 0 { 0 } else { self.variable_ends[range.start - 1] };
            let end = if range.is_empty() { begin } else { self.variable_ends[range.end - 1] };
            part.variable = self.variable[begin as usize..end as usize].to_vec();
            part.variable_ends = self.variable_ends[range.clone()].iter().map(|end| end - begin).collect();
        }
        if !self.reasons.is_empty() {
            part.reasons = self.reasons[range].to_vec();
        }
        part
    }
}

impl SignatureWork {
    /// The signatures as a view.
    pub fn signature(&self, i: usize) -> &[u8] {
        self.signatures.view().item(i)
    }

    /// The message or digest of item `i`.
    pub fn message(&self, i: usize) -> &[u8] {
        self.messages.view().item(i)
    }
}

impl SetWork {
    /// The key numbers of set `i`.
    pub fn key_range(&self, i: usize) -> Range<usize> {
        range_of(&self.key_ends, i)
    }

    /// The message numbers of set `i`.
    pub fn message_range(&self, i: usize) -> Range<usize> {
        range_of(&self.message_ends, i)
    }

    /// The messages of set `i`.
    pub fn messages_of(&self, i: usize) -> Column<'_> {
        self.messages.view().slice(self.message_range(i))
    }
}

fn range_of(ends: &[u32], i: usize) -> Range<usize> {
    let begin = if i == 0 { 0 } else { ends[i - 1] as usize };
    begin..ends[i] as usize
}

#[cfg(test)]
mod tests;
