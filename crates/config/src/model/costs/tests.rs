use outrigger_types::{Backend, Curve, HashAlgorithm, MerkleTree, Operation, Ruleset, SchedulerOptions};

use super::{CostGuess, kinds, named, operations};
use crate::SchedulerTuning;

fn guess(backend: Backend, operation: &'static str, label: Option<&'static str>, item_ns: f64) -> CostGuess {
    CostGuess { backend, operation, label, fixed_us: 0.0, item_ns, byte_ns: 0.0 }
}

#[test]
fn the_guess_with_the_label_comes_before_that_of_the_kind() {
    let default = SchedulerOptions::default();
    let tuning = SchedulerTuning {
        batch: default.batch,
        aging: default.aging,
        cache_entries: default.cache_entries,
        consensus_reserve_percent: default.consensus_reserve_percent,
        costs: vec![
            guess(Backend::Cuda, "verify", None, 1.0),
            guess(Backend::Cuda, "verify", Some("fabric"), 2.0),
            guess(Backend::Opencl, "hash", Some("sm3"), 3.0),
        ],
    };
    let found = |backend, operation| tuning.guess(backend, operation).map(|guess| guess.item_ns);
    assert_eq!(found(Backend::Cuda, Operation::Verify(Ruleset::Fabric)), Some(2.0));
    assert_eq!(found(Backend::Cuda, Operation::Verify(Ruleset::FiscoSm2)), Some(1.0));
    assert_eq!(found(Backend::Opencl, Operation::Verify(Ruleset::Fabric)), None);
    assert_eq!(found(Backend::Cuda, Operation::Recover(Ruleset::Fabric)), None);
    assert_eq!(found(Backend::Opencl, Operation::Hash(HashAlgorithm::Sm3)), Some(3.0));
    assert_eq!(found(Backend::Opencl, Operation::Hash(HashAlgorithm::Sha256)), None);
}

/// A kind that is added must be named here, and be among those that a configuration can name.
#[test]
fn every_kind_of_operation_can_be_named() {
    let all = [
        Operation::Verify(Ruleset::Fabric),
        Operation::Recover(Ruleset::Fabric),
        Operation::VerifySets(Ruleset::EthereumConsensus),
        Operation::Hash(HashAlgorithm::Sm3),
        Operation::Merkle(MerkleTree::ALL[0], HashAlgorithm::Sm3),
        Operation::EthereumTransactions,
        Operation::VerifyProofs(Curve::Bn254),
    ];
    for operation in all {
        match operation {
            Operation::Verify(_)
            | Operation::Recover(_)
            | Operation::VerifySets(_)
            | Operation::Hash(_)
            | Operation::Merkle(..)
            | Operation::EthereumTransactions
            | Operation::VerifyProofs(_) => {}
        }
        let (kind, label) = (operation.kind(), operation.label());
        assert_eq!(named(kind, Some(label)), Ok((kind, Some(label))));
        assert_eq!(named(kind, None), Ok((kind, None)));
        assert!(kinds().contains(&kind));
    }
    assert_eq!(kinds().len(), all.len());
    assert!(operations().count() > 3 * Ruleset::ALL.len());
}
