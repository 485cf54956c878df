//! Blocks as nodes give them: the JSON of `eth_getBlockByNumber`, each transaction encoded anew.
//!
//! Nodes answer with the fields of transactions, not with their encodings. [`parse`] puts the encodings together
//! from the fields as they are given, so that hashes, senders and the root can be checked against what the node
//! claims; nothing is judged here, and a claim that does not hold shows in [`super::verify`].

use serde_json::Value;

mod encode;
mod error;
mod object;

pub use error::{BlockError, Problem};

use super::Reason;
use object::Object;

/// A block, as far as its transactions go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number; `None` for the pending block.
    pub number: Option<u64>,
    /// Its hash, as the node claims; `None` for the pending block.
    pub hash: Option<[u8; 32]>,
    /// The root of the trie of its transactions, as the node claims.
    pub transactions_root: [u8; 32],
    /// The chain that its first transaction with a chain names; `None` where none does.
    pub chain_id: Option<u64>,
    /// Its transactions, in order.
    pub transactions: Vec<BlockTransaction>,
}

/// A transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockTransaction {
    /// Its canonical encoding; `None` where its type is not known.
    pub raw: Option<Vec<u8>>,
    /// Its hash, as the node claims, where it does.
    pub claimed_hash: Option<[u8; 32]>,
    /// Its sender, as the node claims, where it does.
    pub claimed_from: Option<[u8; 20]>,
    /// Its type. Other chains have types of their own, past the 0x7f of EIP-2718 too.
    pub transaction_type: u64,
    /// Why there is no encoding: [`Reason::UnknownType`], or [`Reason::None`] where there is one.
    pub reason: Reason,
}

/// Reads the block of an answer to `eth_getBlockByNumber` or `eth_getBlockByHash` with full transactions: the
/// whole answer of JSON-RPC, or its `result` alone.
///
/// Taken as they come: `yParity` beside `v` or either alone, `input` or `data`, `gas` or `gasLimit`, no `to` for
/// creations, no access list, leading zeros in quantities, and whatever other fields there are.
///
/// # Errors
/// Where the text is not such an answer, where the node answered with an error or with no block, where the
/// transactions are hashes only, and where a field is missing or not of its kind; see [`BlockError`].
pub fn parse(json: &[u8]) -> Result<Block, BlockError> {
    let answer: Value = serde_json::from_slice(json).map_err(|error| BlockError::NotJson(error.to_string()))?;
    let block = Object::new(result_of(&answer)?, String::new())?;
    let transactions = block.array("transactions")?.ok_or_else(|| block.missing("transactions"))?;
    let mut chain_id = None;
    let transactions = transactions
        .iter()
        .enumerate()
        .map(|(i, transaction)| {
            if transaction.is_string() {
                return Err(BlockError::HashesOnly);
            }
            let transaction = Object::new(transaction, format!("transactions[{i}]"))?;
            let (transaction, chain) = read_transaction(&transaction)?;
            chain_id = chain_id.or(chain);
            Ok(transaction)
        })
        .collect::<Result<_, _>>()?;
    Ok(Block {
        number: block.small("number")?,
        hash: block.fixed("hash")?,
        transactions_root: block.fixed("transactionsRoot")?.ok_or_else(|| block.missing("transactionsRoot"))?,
        chain_id,
        transactions,
    })
}

/// Reads a JSON array of raw transactions: strings of hexadecimal digits, with 0x or without.
///
/// # Errors
/// Where the text is not an array, or an item not such a string; the error names its index.
pub fn parse_raw_list(json: &[u8]) -> Result<Vec<Vec<u8>>, BlockError> {
    let list: Value = serde_json::from_slice(json).map_err(|error| BlockError::NotJson(error.to_string()))?;
    let items = list.as_array().ok_or(BlockError::NotAList)?;
    items
        .iter()
        .enumerate()
        .map(|(i, item)| {
            object::hex(item).ok_or_else(|| BlockError::Field { path: format!("[{i}]"), problem: Problem::NotHex })
        })
        .collect()
}

/// The block inside an answer, which may be the block itself.
fn result_of(answer: &Value) -> Result<&Value, BlockError> {
    if answer.is_null() {
        return Err(BlockError::NotFound);
    }
    let fields = answer.as_object().ok_or(BlockError::NotABlock)?;
    if let Some(error) = fields.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str).map_or_else(|| error.to_string(), str::to_owned);
        return Err(BlockError::Node { code: error.get("code").and_then(Value::as_i64), message });
    }
    match fields.get("result") {
        Some(Value::Null) => Err(BlockError::NotFound),
        Some(result @ Value::Object(_)) => Ok(result),
        Some(_) => Err(BlockError::NotABlock),
        None if fields.contains_key("transactions") || fields.contains_key("transactionsRoot") => Ok(answer),
        None => Err(BlockError::NotABlock),
    }
}

/// The transaction, and the chain that it names.
fn read_transaction(transaction: &Object<'_>) -> Result<(BlockTransaction, Option<u64>), BlockError> {
    let transaction_type = match transaction.small("type")? {
        Some(transaction_type) => transaction_type,
        // Nodes that are older than types leave the field out; one that says fees or lists has types.
        None if ["accessList", "maxFeePerGas"].iter().any(|name| transaction.get(name).is_some()) => {
            return Err(transaction.missing("type"));
        }
        None => 0,
    };
    let encoding = encode::encode(transaction, transaction_type)?;
    let reason = if encoding.is_some() { Reason::None } else { Reason::UnknownType };
    let (raw, chain_id) = encoding.map_or((None, None), |encoding| (Some(encoding.raw), encoding.chain_id));
    let claimed_hash = transaction.fixed("hash")?;
    let claimed_from = transaction.fixed("from")?;
    Ok((BlockTransaction { raw, claimed_hash, claimed_from, transaction_type, reason }, chain_id))
}

#[cfg(test)]
mod tests;
