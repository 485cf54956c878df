use outrigger_types::{HashAlgorithm, MerkleTree, Ruleset};

use super::*;
use crate::lanes::supports;

fn operations() -> impl Iterator<Item = Operation> {
    let signatures = Ruleset::ALL
        .iter()
        .flat_map(|&ruleset| [Operation::Verify(ruleset), Operation::Recover(ruleset), Operation::VerifySets(ruleset)]);
    let hashes = HashAlgorithm::ALL.iter().map(|&algorithm| Operation::Hash(algorithm));
    let trees = MerkleTree::ALL
        .iter()
        .flat_map(|&tree| HashAlgorithm::ALL.iter().map(move |&algorithm| Operation::Merkle(tree, algorithm)));
    signatures.chain(hashes).chain(trees).chain([Operation::EthereumTransactions])
}

#[test]
fn the_crossover_is_where_a_group_costs_as_much_as_its_items() {
    let sample = |backend, items, us| Sample { backend, items, bytes: 0, compute: Duration::from_micros(us) };
    let cores = [sample(Backend::Cpu, 1, 30), sample(Backend::Cpu, 8, 160)];
    for (group_us, many_us, expected) in
        [(10, 70, Some(1)), (90, 500, Some(5)), (161, 900, Some(64)), (400, 2_000, None)]
    {
        let lanes = [sample(Backend::Vector, 8, group_us), sample(Backend::Vector, 64, many_us)];
        assert_eq!(crossover(&[cores, lanes].concat()), expected, "{group_us} us a group");
    }
    assert_eq!(crossover(&cores), None);
}

/// Every declared operation, on plain words and on this processor.
#[test]
fn all_lanes_pass_their_trial() {
    let detected = Unit::detect();
    if detected.is_none() {
        println!("NOT RUN on AVX-512: this processor has none");
    }
    for unit in [Unit::PORTABLE].into_iter().chain(detected) {
        for operation in operations().filter(|&operation| supports(operation)) {
            let samples = trial(unit, operation).unwrap_or_else(|wrong| panic!("{operation:?}: {wrong}"));
            for backend in [Backend::Cpu, Backend::Vector] {
                let mut known = samples.iter().filter(|sample| sample.backend == backend);
                assert!(known.all(|sample| !sample.compute.is_zero()), "{operation:?}");
            }
        }
    }
}

#[test]
fn what_has_no_lanes_fails_its_trial() {
    for operation in operations().filter(|&operation| !supports(operation)) {
        assert!(trial(Unit::PORTABLE, operation).is_err(), "{operation:?} answered without lanes");
    }
}
