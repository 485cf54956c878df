//! Items whose verdicts are known, good and bad: what an engine must answer rightly before it answers anyone.
//!
//! The signed ones are of `vectors/planted.txt`, which a test of the whole house makes anew and compares. Bad ones
//! are good ones with another message, or with a signature that is too short.

use std::sync::LazyLock;

use outrigger_types::{
    ColumnBuf, EthereumWork, HashAlgorithm, HashWork, Keys, MerkleWork, MessageForm, Operation, Ruleset, SetMode,
    SetWork, SignatureOptions, SignatureWork, Verdict, Work,
};

use crate::registry::rules;

/// The file, a line an item: ruleset, key, signature and message (or digest), in hexadecimal.
const SIGNED: &str = include_str!("../vectors/planted.txt");

/// The raw transactions of the room's tests.
const TRANSACTIONS: &str = include_str!("../vectors/ethereum/transactions.json");

static ITEMS: LazyLock<Vec<Item>> = LazyLock::new(|| SIGNED.lines().filter_map(Item::read).collect());

/// A good signature.
struct Item {
    ruleset: Ruleset,
    key: Vec<u8>,
    signature: Vec<u8>,
    message: Vec<u8>,
}

impl Item {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let ruleset = words.next()?.parse().ok()?;
        let [key, signature, message] = [words.next()?, words.next()?, words.next()?].map(bytes_of);
        Some(Self { ruleset, key: key?, signature: signature?, message: message? })
    }
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hexadecimal.chars().map(|digit| Some(digit.to_digit(16)? as u8)).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// How an item was planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// As it was signed.
    Good,
    /// With another message: the equation fails, or another key is recovered.
    OtherMessage,
    /// Too short: malformed.
    Truncated,
}

impl Plant {
    /// The verdict that an item must get; `None` where recovery gives another key or none.
    pub const fn verdict(self, operation: Operation) -> Option<Verdict> {
        match (self, operation) {
            // Any bytes can be hashed.
            (_, Operation::Hash(_) | Operation::Merkle(..)) | (Self::Good, _) => Some(Verdict::Valid),
            (Self::OtherMessage, Operation::Recover(_) | Operation::EthereumTransactions) => None,
            (Self::OtherMessage, _) => Some(Verdict::Invalid),
            (Self::Truncated, _) => Some(Verdict::Malformed),
        }
    }
}

/// So many plants, every other one good, the rest by turns of both bad kinds.
pub fn mixed(count: usize) -> Vec<Plant> {
    const TURN: [Plant; 4] = [Plant::Good, Plant::OtherMessage, Plant::Good, Plant::Truncated];
    TURN.into_iter().cycle().take(count).collect()
}

/// Work of an operation with one item for each plant; `None` where nothing can be planted for it.
pub fn work(operation: Operation, plants: &[Plant]) -> Option<Work> {
    match operation {
        Operation::Verify(ruleset) => Some(Work::Verify(signatures(ruleset, plants, true)?)),
        Operation::Recover(ruleset) => Some(Work::Recover(signatures(ruleset, plants, false)?)),
        Operation::VerifySets(ruleset) => Some(Work::VerifySets(sets(ruleset, plants)?)),
        Operation::Hash(algorithm) => Some(Work::Hash(HashWork { algorithm, messages: messages(algorithm, plants) })),
        Operation::Merkle(tree, algorithm) => {
            let leaves = ColumnBuf::from_items(&leaves(plants.len()));
            Some(Work::Merkle(MerkleWork { tree, algorithm, leaves, prove: None }))
        }
        Operation::EthereumTransactions => Some(Work::EthereumTransactions(transactions(plants))),
        Operation::VerifyProofs(_) => None,
    }
}

/// Leaves that are digests and field elements alike: 32 bytes below every modulus.
fn leaves(count: usize) -> Vec<[u8; 32]> {
    (0..count).map(|i| std::array::from_fn(|at| if at == 0 { 0 } else { (i * 31 + at * 7) as u8 })).collect()
}

/// Raw transactions of public chains; a bad one has another s, which may still recover some sender.
fn transactions(plants: &[Plant]) -> EthereumWork {
    let raw: Vec<Vec<u8>> =
        TRANSACTIONS.split("\"raw\": \"").skip(1).filter_map(|rest| bytes_of(rest.split('"').next()?)).collect();
    let planted = plants.iter().zip(raw.iter().cycle()).map(|(plant, good)| {
        let mut bytes = good.clone();
        match plant {
            Plant::Good => {}
            Plant::OtherMessage => *bytes.last_mut().expect("a transaction has bytes") ^= 1,
            Plant::Truncated => drop(bytes.pop()),
        }
        bytes
    });
    let transactions = ColumnBuf::from_items(&planted.collect::<Vec<_>>());
    EthereumWork { transactions, chain_id: None, allow_high_s: false }
}

/// The columns of signed items: keys, signatures, messages.
fn columns(ruleset: Ruleset, plants: &[Plant]) -> Option<[ColumnBuf; 3]> {
    let items: Vec<&Item> = ITEMS.iter().filter(|item| item.ruleset == ruleset).collect();
    if items.is_empty() {
        return None;
    }
    let planted = plants.iter().zip(items.iter().cycle());
    let keys: Vec<&[u8]> = planted.clone().map(|(_, item)| &item.key[..]).collect();
    let signatures: Vec<&[u8]> = planted
        .clone()
        .map(|(plant, item)| &item.signature[..item.signature.len() - usize::from(*plant == Plant::Truncated)])
        .collect();
    let messages: Vec<Vec<u8>> = planted
        .map(|(plant, item)| {
            let mut message = item.message.clone();
            message[0] ^= u8::from(*plant == Plant::OtherMessage);
            message
        })
        .collect();
    Some([ColumnBuf::from_items(&keys), ColumnBuf::from_items(&signatures), ColumnBuf::from_items(&messages)])
}

fn signatures(ruleset: Ruleset, plants: &[Plant], with_keys: bool) -> Option<SignatureWork> {
    let [keys, signatures, messages] = columns(ruleset, plants)?;
    let keys = Keys::Inline(if with_keys { keys } else { ColumnBuf::empty() });
    Some(SignatureWork { ruleset, options: SignatureOptions::new(form(ruleset)?), keys, signatures, messages })
}

/// The form of the messages in the file: the message where the ruleset takes one.
fn form(ruleset: Ruleset) -> Option<MessageForm> {
    let forms = rules(ruleset)?.message_forms;
    Some(if forms.contains(&MessageForm::Message) { MessageForm::Message } else { MessageForm::Digest })
}

/// Sets of one key and one message.
fn sets(ruleset: Ruleset, plants: &[Plant]) -> Option<SetWork> {
    let [keys, signatures, messages] = columns(ruleset, plants)?;
    let ends: Vec<u32> = (1..=plants.len() as u32).collect();
    let keys = Keys::Inline(keys);
    Some(SetWork {
        ruleset,
        mode: SetMode::Single,
        signatures,
        keys,
        key_ends: ends.clone(),
        messages,
        message_ends: ends,
    })
}

/// Messages of 64 bytes where all are good; else of lengths around the block sizes of all hash functions. Poseidon
/// takes elements of 32 bytes.
fn messages(algorithm: HashAlgorithm, plants: &[Plant]) -> ColumnBuf {
    const LENGTHS: [usize; 16] = [64, 0, 1, 31, 32, 55, 56, 63, 111, 112, 127, 128, 135, 136, 137, 300];
    let is_even = plants.iter().all(|plant| *plant == Plant::Good);
    let length = |i: usize| match algorithm {
        HashAlgorithm::PoseidonBn254 => 64,
        _ if is_even => 64,
        _ => LENGTHS[i % LENGTHS.len()],
    };
    // Below the modulus, whose first byte is 0x30.
    let byte = |i: usize, at: usize| if at.is_multiple_of(32) { (i % 16) as u8 } else { (i * 31 + at * 7) as u8 };
    let items: Vec<Vec<u8>> = (0..plants.len()).map(|i| (0..length(i)).map(|at| byte(i, at)).collect()).collect();
    ColumnBuf::from_items(&items)
}

#[cfg(test)]
mod tests;
