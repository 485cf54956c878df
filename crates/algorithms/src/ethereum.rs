//! Raw Ethereum transactions: hash, sender, authorities, verdict.

use std::ops::Range;

use alloy_trie::root::ordered_trie_root_encoded;
use outrigger_types::{Column, EthereumWork, Output};

/// Decodes, hashes and recovers the transactions of `range`.
pub fn verify(_work: &EthereumWork, _range: Range<usize>, _output: &mut Output) {}

/// The root of the ordered trie over `leaves`, keyed by the RLP of their indices: for the canonical encodings of a
/// block's transactions, its transactions root.
pub fn transactions_root(leaves: Column<'_>) -> [u8; 32] {
    let leaves: Vec<_> = leaves.iter().collect();
    ordered_trie_root_encoded(&leaves).0
}
