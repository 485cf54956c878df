//! Why a block's JSON cannot be read.

use std::error::Error;
use std::fmt;

/// Why a block's JSON, or a list of raw transactions, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockError {
    /// The text is not JSON; what the parser says.
    NotJson(String),
    /// JSON, but no block.
    NotABlock,
    /// JSON, but no list.
    NotAList,
    /// The node does not have the block: its result is null.
    NotFound,
    /// The node answered with an error.
    Node {
        /// The code of JSON-RPC, where it gave one.
        code: Option<i64>,
        /// What it said.
        message: String,
    },
    /// The block has only the hashes of its transactions.
    HashesOnly,
    /// A field is missing or not of its kind.
    Field {
        /// Where it is, such as `transactions[3].gas`.
        path: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is not there, or null.
    Missing,
    /// It is not a string of an even number of hexadecimal digits.
    NotHex,
    /// It is not a quantity: a string of 0x and hexadecimal digits.
    NotQuantity,
    /// It is a quantity of more bits than its kind has.
    TooLarge {
        /// How many bits its kind has.
        bits: usize,
    },
    /// It has another number of bytes than its kind.
    WrongLength {
        /// How many bytes its kind has.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// It is not an object.
    NotAnObject,
    /// It is not an array.
    NotAnArray,
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(error) => write!(f, "not JSON: {error}"),
            Self::NotABlock => f.write_str(
                "not a block: give the node's answer to eth_getBlockByNumber(number, true), or the result in it",
            ),
            Self::NotAList => f.write_str("not a list: give a JSON array of raw transactions in hexadecimal"),
            Self::NotFound => f.write_str(
                "the node does not have this block (its result is null): ask for a block that it has, or ask another",
            ),
            Self::Node { code: Some(code), message } => write!(f, "the node answered with error {code}: {message}"),
            Self::Node { code: None, message } => write!(f, "the node answered with an error: {message}"),
            Self::HashesOnly => f.write_str(
                "the block has only the hashes of its transactions: ask the node for full transactions, \
                 eth_getBlockByNumber(number, true)",
            ),
            Self::Field { path, problem } => write!(f, "{path} {problem}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::NotHex => f.write_str("is not a string of an even number of hexadecimal digits"),
            Self::NotQuantity => f.write_str("is not a quantity, a string of 0x and hexadecimal digits"),
            Self::TooLarge { bits } => write!(f, "is larger than {bits} bits"),
            Self::WrongLength { expected, got } => write!(f, "has {got} bytes instead of {expected}"),
            Self::NotAnObject => f.write_str("is not an object"),
            Self::NotAnArray => f.write_str("is not an array"),
        }
    }
}

impl Error for BlockError {}
