//! The one alphabetical list of rooms, and the way from a piece of work to the function that does it.

use std::ops::Range;

use outrigger_types::{HashAlgorithm, Operation, Output, Ruleset, Work};

use crate::room::{Algorithm, HashRules, RulesetRules};
use crate::{
    blake2b, blake3, bls12_381, ed25519, ethereum, groth16, keccak, merkle, p256, poseidon_bn254, secp256k1, sha256,
    sm2, sm3,
};

/// Every algorithm, alphabetically by name.
pub static ALL: &[&Algorithm] = &[
    &blake2b::ROOM,
    &blake3::ROOM,
    &bls12_381::ROOM,
    &ed25519::ROOM,
    &keccak::ROOM,
    &p256::ROOM,
    &poseidon_bn254::ROOM,
    &secp256k1::ROOM,
    &sha256::ROOM,
    &sm2::ROOM,
    &sm3::ROOM,
];

/// The rules of a ruleset, where a room has it.
pub fn rules(ruleset: Ruleset) -> Option<&'static RulesetRules> {
    ALL.iter().flat_map(|room| room.rulesets).find(|rules| rules.ruleset == ruleset)
}

/// The rules of a hash function, where a room has it.
pub fn hash_rules(algorithm: HashAlgorithm) -> Option<&'static HashRules> {
    ALL.iter().flat_map(|room| room.hashes).find(|rules| rules.algorithm == algorithm)
}

/// The room of a ruleset.
pub fn room_of(ruleset: Ruleset) -> Option<&'static Algorithm> {
    ALL.iter().copied().find(|room| room.rulesets.iter().any(|rules| rules.ruleset == ruleset))
}

/// Whether the CPU can do this operation.
pub fn supports(operation: Operation) -> bool {
    match operation {
        Operation::Verify(ruleset) => rules(ruleset).is_some(),
        Operation::Recover(ruleset) => rules(ruleset).is_some_and(|rules| rules.recover.is_some()),
        Operation::VerifySets(ruleset) => rules(ruleset).is_some_and(|rules| rules.verify_sets.is_some()),
        Operation::Hash(algorithm) => hash_rules(algorithm).is_some(),
        Operation::Merkle(tree, algorithm) => merkle::takes(tree, algorithm),
        Operation::EthereumTransactions => rules(Ruleset::EthereumTransaction).is_some(),
        Operation::VerifyProofs(_) => true,
    }
}

/// How many items of an operation a thread takes at once.
pub fn piece_items(operation: Operation) -> usize {
    match operation {
        Operation::Verify(ruleset) | Operation::Recover(ruleset) => {
            rules(ruleset).map_or(32, |rules| rules.piece_items)
        }
        Operation::VerifySets(_) => 8,
        Operation::Hash(algorithm) => hash_rules(algorithm).map_or(256, |rules| rules.piece_items),
        Operation::Merkle(..) => usize::MAX,
        Operation::EthereumTransactions => 16,
        Operation::VerifyProofs(_) => 32,
    }
}

/// Carries out the items of `range` on this thread with the reference of the operation's room. The answer has
/// one item for each, *unprocessed* where the operation is not supported. A Merkle tree is one item, whatever
/// the range.
pub fn run(work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let count = if operation.is_divisible() { range.len() } else { 1 };
    let mut output = Output::unprocessed(operation, count);
    match work {
        Work::Verify(work) => {
            if let Some(rules) = rules(work.ruleset) {
                (rules.verify)(work, range, &mut output);
            }
        }
        Work::Recover(work) => {
            if let Some(recover) = rules(work.ruleset).and_then(|rules| rules.recover) {
                recover(work, range, &mut output);
            }
        }
        Work::VerifySets(work) => {
            if let Some(verify_sets) = rules(work.ruleset).and_then(|rules| rules.verify_sets) {
                verify_sets(work, range, &mut output);
            }
        }
        Work::Hash(work) => {
            if let Some(rules) = hash_rules(work.algorithm) {
                (rules.hash)(work, range, &mut output);
            }
        }
        Work::Merkle(work) => merkle::build(work, &mut output),
        Work::EthereumTransactions(work) => ethereum::verify(work, range, &mut output),
        Work::VerifyProofs(work) => groth16::verify(work, range, &mut output),
    }
    output
}
