//! Raw Ethereum transactions: hash, sender, authorities, verdict.

use std::ops::Range;

use outrigger_types::{EthereumWork, Output};

/// Decodes, hashes and recovers the transactions of `range`.
pub fn verify(_work: &EthereumWork, _range: Range<usize>, _output: &mut Output) {}
