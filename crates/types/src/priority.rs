//! Priority classes.

use std::fmt;
use std::str::FromStr;

/// How urgent a request is. Higher classes go first; waiting work ages upward, so that none starves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Priority {
    /// Catch-up and other background work.
    Bulk = 0,
    /// Admission of transactions to the pool.
    Mempool = 1,
    /// Validation of a block.
    Block = 2,
    /// Votes and other messages that a round of consensus waits for.
    Consensus = 3,
}

impl Priority {
    /// All classes, least urgent first.
    pub const ALL: [Self; 4] = [Self::Bulk, Self::Mempool, Self::Block, Self::Consensus];

    /// The name used in configuration, metrics and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Mempool => "mempool",
            Self::Block => "block",
            Self::Consensus => "consensus",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Priority {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.name() == name)
            .ok_or_else(|| format!("unknown priority {name:?}; one of consensus, block, mempool, bulk"))
    }
}
