//! Raw Ethereum transactions: hash, sender, authorities, verdict; and the trie root of a block's transactions.
//!
//! The rules, one transaction at a time:
//!
//! - Legacy lists, without a chain (v is 27 or 28) and with one (EIP-155: v is 35 + 2·chain + parity), and the
//!   envelopes of EIP-2718 with types 1 (EIP-2930), 2 (EIP-1559), 3 (EIP-4844) and 4 (EIP-7702).
//! - Any other type up to 0x7f is *unprocessed*: a later version may know it, so nothing is said about it.
//! - The encoding must be the only one: RLP with minimal integers and lengths, no bytes left over. A transaction
//!   that decodes but would be encoded otherwise is *malformed*, since its hash would name something else.
//! - EIP-4844 travels between nodes with its blobs. That form is *malformed* here, with a reason of its own: the
//!   blobs are in no block, in no signature and in no hash.
//! - Where the request names a chain, a transaction that names another is *invalid*. Legacy transactions without
//!   a chain are for every chain.
//! - 0 < r < n and 0 < s ≤ n/2 (EIP-2). Where the request allows high S, s < n suffices for legacy transactions
//!   without a chain: all others are younger than Homestead.
//! - Authorities of EIP-7702 are recovered with s ≤ n/2 always. One that cannot be recovered leaves the
//!   transaction valid, as the EIP says.
//!
//! Everything that is no matter of encoding, chain or signature (nonces, balances, gas, fees, the numbers of blobs
//! and authorizations, of which there must be at least one, the chain of an authorization) is left to the node.
//! Sources: the EIPs named above, and the Yellow Paper, appendices B and F.

use std::ops::Range;

use alloy_trie::root::ordered_trie_root_encoded;
use outrigger_types::{Column, EthereumWork, Output};

pub mod block;

pub(crate) mod lanes;

mod canonical;
mod transaction;

use transaction::{Judgement, Rules};

/// Why a transaction is not valid. The numbers are those of `TransactionReason` in the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// There is nothing to say: it is valid.
    #[default]
    None = 0,
    /// Not RLP, or not the fields of its type.
    Decoding = 1,
    /// A type that this version does not know.
    UnknownType = 2,
    /// EIP-4844 with its blobs: send the canonical form.
    PooledForm = 3,
    /// For another chain than the one that was asked for.
    ChainId = 4,
    /// r or s out of range, high S, or no key to recover.
    Signature = 5,
}

impl Reason {
    /// The name used in JSON and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Decoding => "decoding",
            Self::UnknownType => "unknown-type",
            Self::PooledForm => "pooled-form",
            Self::ChainId => "chain-id",
            Self::Signature => "signature",
        }
    }

    /// The reason of a byte of [`Output::reasons`].
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Decoding),
            2 => Some(Self::UnknownType),
            3 => Some(Self::PooledForm),
            4 => Some(Self::ChainId),
            5 => Some(Self::Signature),
            _ => None,
        }
    }
}

/// Bytes an item in [`Output::fixed`]: hash (32), sender (20), type (1).
const STRIDE: usize = 53;

/// Decodes, hashes and recovers the transactions of `range`, writing item `range.start + j` to place `j` of an
/// output that was allocated for exactly this range, all *unprocessed*.
///
/// Hash and type are given wherever the transaction decodes, valid or not; the sender and the authorities of an
/// EIP-7702 transaction only where it is valid.
///
/// # Panics
/// Where the range passes the end of the transactions, or the output is of another shape.
pub fn verify(work: &EthereumWork, range: Range<usize>, output: &mut Output) {
    let rules = Rules { chain_id: work.chain_id, allow_high_s: work.allow_high_s };
    let transactions = work.transactions.view().slice(range);
    for (place, raw) in transactions.iter().enumerate() {
        write(&transaction::judge(raw, rules), place, output);
    }
}

/// The root of the trie of these raw transactions in this order, as in a block's header: each under the RLP of
/// its index. No transactions give the root of the empty trie.
pub fn transactions_root(leaves: Column<'_>) -> [u8; 32] {
    let leaves: Vec<&[u8]> = leaves.iter().collect();
    ordered_trie_root_encoded(&leaves).0
}

fn write(judgement: &Judgement, place: usize, output: &mut Output) {
    output.verdicts[place] = judgement.verdict;
    output.reasons[place] = judgement.reason as u8;
    let fixed = &mut output.fixed[place * STRIDE..(place + 1) * STRIDE];
    fixed[..32].copy_from_slice(&judgement.hash);
    fixed[32..52].copy_from_slice(&judgement.sender);
    fixed[52] = judgement.transaction_type;
    for authority in &judgement.authorities {
        output.variable.push(u8::from(authority.is_some()));
        output.variable.extend_from_slice(&authority.unwrap_or_default());
    }
    // An authorization takes at least 27 bytes of a column below 4 GiB, and 21 here.
    output.variable_ends[place] = output.variable.len() as u32;
}

#[cfg(test)]
mod tests;
