//! The vector engine's way from a piece of work to the function of its room, as [`crate::registry`] is the CPU's.

use std::ops::Range;

use outrigger_types::{Operation, Output, Work};

use crate::registry::{hash_rules, rules};
use crate::room::{HashLanes, SignatureLanes};
use crate::{Unit, ethereum, merkle};

mod trial;

pub use outrigger_vector::lanes::LANES;
pub use trial::{Sample, crossover, trial};

/// Whether the vector engine can do this operation.
pub fn supports(operation: Operation) -> bool {
    match operation {
        Operation::Verify(ruleset) => rules(ruleset).is_some_and(|rules| rules.lanes.is_some()),
        Operation::Recover(ruleset) => signature_lanes(ruleset).is_some_and(|lanes| lanes.recover.is_some()),
        Operation::VerifySets(ruleset) => signature_lanes(ruleset).is_some_and(|lanes| lanes.verify_sets.is_some()),
        Operation::Hash(algorithm) => hash_lanes(algorithm).is_some(),
        Operation::Merkle(tree, algorithm) => merkle::takes_in_lanes(tree, algorithm),
        Operation::EthereumTransactions => true,
        Operation::VerifyProofs(_) => false,
    }
}

/// How many items of an operation a thread takes at once.
pub fn piece_items(operation: Operation) -> usize {
    match operation {
        Operation::Verify(ruleset) | Operation::Recover(ruleset) | Operation::VerifySets(ruleset) => {
            signature_lanes(ruleset).map_or(64, |lanes| lanes.piece_items)
        }
        Operation::Hash(algorithm) => hash_lanes(algorithm).map_or(256, |lanes| lanes.piece_items),
        Operation::Merkle(..) => usize::MAX,
        Operation::EthereumTransactions => ethereum::lanes::PIECE_ITEMS,
        Operation::VerifyProofs(_) => 32,
    }
}

/// As [`crate::run`], on a unit of lanes.
pub fn run(unit: Unit, work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let count = if operation.is_divisible() { range.len() } else { 1 };
    let mut output = Output::unprocessed(operation, count);
    match work {
        Work::Verify(work) => {
            if let Some(lanes) = signature_lanes(work.ruleset) {
                (lanes.verify)(unit, work, range, &mut output);
            }
        }
        Work::Recover(work) => {
            if let Some(recover) = signature_lanes(work.ruleset).and_then(|lanes| lanes.recover) {
                recover(unit, work, range, &mut output);
            }
        }
        Work::VerifySets(work) => {
            if let Some(verify_sets) = signature_lanes(work.ruleset).and_then(|lanes| lanes.verify_sets) {
                verify_sets(unit, work, range, &mut output);
            }
        }
        Work::Hash(work) => {
            if let Some(lanes) = hash_lanes(work.algorithm) {
                (lanes.hash)(unit, work, range, &mut output);
            }
        }
        Work::Merkle(work) => merkle::build_in_lanes(unit, work, &mut output),
        Work::EthereumTransactions(work) => ethereum::lanes::verify(unit, work, range, &mut output),
        Work::VerifyProofs(_) => {}
    }
    output
}

fn signature_lanes(ruleset: outrigger_types::Ruleset) -> Option<&'static SignatureLanes> {
    rules(ruleset)?.lanes.as_ref()
}

fn hash_lanes(algorithm: outrigger_types::HashAlgorithm) -> Option<&'static HashLanes> {
    hash_rules(algorithm)?.lanes.as_ref()
}
