//! circom's and snarkjs's formats, read with suspicion: every length is held against the size of the file before
//! anything is allocated for it, and nothing panics on any input.

pub mod calldata;
pub mod encoding;
pub mod json;
pub mod primes;
pub mod r1cs;
pub mod sections;
pub mod wtns;
pub mod zkey;

#[cfg(test)]
pub(crate) mod vectors;

use std::fmt;

/// Why a file or a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    /// What it should be: `.zkey`, `.wtns`, `proof.json` and so on.
    pub format: &'static str,
    /// What is wrong, where, and what to do.
    pub message: String,
}

impl FormatError {
    /// An error of this format.
    pub fn new(format: &'static str, message: impl Into<String>) -> Self {
        Self { format, message: message.into() }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a good {}: {}", self.format, self.message)
    }
}

impl std::error::Error for FormatError {}
