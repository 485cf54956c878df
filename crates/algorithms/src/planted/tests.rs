use outrigger_types::{HashAlgorithm, MerkleTree, Operation, Ruleset};

use super::*;
use crate::registry;

/// The reference judges what was planted as it is meant.
#[test]
fn planted_items_get_their_verdicts() {
    use Plant::{Good, OtherMessage, Truncated};
    let plants = [Good, OtherMessage, Good, Truncated, Good, Good];
    for &ruleset in Ruleset::ALL {
        for operation in [Operation::Verify(ruleset), Operation::Recover(ruleset), Operation::VerifySets(ruleset)] {
            if !registry::supports(operation) {
                continue;
            }
            let work = work(operation, &plants).unwrap_or_else(|| panic!("nothing to plant for {ruleset}"));
            let output = registry::run(&work, 0..plants.len());
            for (i, plant) in plants.iter().enumerate() {
                if let Some(expected) = plant.verdict(operation) {
                    assert_eq!(output.verdicts[i], expected, "{operation:?}, item {i}");
                }
            }
        }
    }
}

#[test]
fn planted_transactions_and_leaves_are_what_they_should_be() {
    use Plant::{Good, OtherMessage, Truncated};
    let plants = [Good, Truncated, Good, OtherMessage, Good, Good, Good, Good, Good, Good];
    let transactions = work(Operation::EthereumTransactions, &plants).expect("transactions");
    let output = registry::run(&transactions, 0..plants.len());
    for (i, plant) in plants.iter().enumerate() {
        let expected = plant.verdict(Operation::EthereumTransactions).unwrap_or(output.verdicts[i]);
        assert_eq!(output.verdicts[i], expected, "transaction {i}");
    }
    for &tree in MerkleTree::ALL {
        for &algorithm in HashAlgorithm::ALL {
            let operation = Operation::Merkle(tree, algorithm);
            if registry::supports(operation) {
                let leaves = work(operation, &plants).expect("leaves");
                assert_eq!(registry::run(&leaves, 0..plants.len()).verdicts, [Verdict::Valid], "{operation:?}");
            }
        }
    }
}

#[test]
fn messages_of_every_hash_are_hashed() {
    for &algorithm in HashAlgorithm::ALL {
        for plants in [[Plant::Good; 20], [Plant::OtherMessage; 20]] {
            let work = work(Operation::Hash(algorithm), &plants).expect("messages");
            let output = registry::run(&work, 0..plants.len());
            assert!(output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid), "{algorithm}");
        }
    }
}
