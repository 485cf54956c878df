use super::*;
use crate::bench::cpu;

#[test]
fn rounds_make_up_any_number_of_items() {
    for (pool, items) in [(7, 0), (7, 1), (7, 7), (7, 8), (7, 30), (1, 3)] {
        let ranges: Vec<_> = rounds(pool, items).collect();
        assert_eq!(ranges.iter().map(ExactSizeIterator::len).sum::<usize>(), items, "{pool} and {items}");
        assert!(ranges.iter().all(|range| range.end <= pool && !range.is_empty()));
    }
}

/// What a device is held to is what the CPU says of the batch as it is packed; and good batches are good.
#[test]
fn batches_come_with_the_answers_of_the_cpu() {
    let engine = cpu(1);
    for operation in [
        Operation::Verify(Ruleset::Fabric),
        Operation::Recover(Ruleset::EthereumTransaction),
        Operation::Hash(HashAlgorithm::PoseidonBn254),
        Operation::Merkle(MerkleTree::Rfc6962, HashAlgorithm::Sm3),
    ] {
        let mixed = Source::new(operation, Kind::Mixed, 40).expect("items");
        for items in [1, 33, 40] {
            let batch = mixed.batch(operation, items);
            let mut whole = Output::default();
            batch.parts.iter().for_each(|(work, range)| whole.append(registry::run(work, range.clone())));
            assert_eq!(mixed.expected(&batch, &engine).expect("an answer"), whole, "{operation:?} of {items}");
        }
        let good = Source::new(operation, Kind::Good, 10).expect("items");
        let batch = good.batch(operation, 10);
        assert!(batch.is_accepted(&good.expected(&batch, &engine).expect("an answer")), "{operation:?}");
    }
}

#[test]
fn mixed_signatures_are_good_and_bad_in_every_way() {
    let source = Source::new(Operation::Verify(Ruleset::LibraEd25519), Kind::Mixed, 64).expect("items");
    let Source::Pool { answers, .. } = source else { panic!("signatures come from a pool") };
    for verdict in [Verdict::Valid, Verdict::Invalid, Verdict::Malformed] {
        assert!(answers.verdicts.contains(&verdict), "{verdict:?} is missing");
    }
}

/// Every item of such a batch is good, marked, and by one of the few keys.
#[test]
fn known_signers_are_few_and_marked() {
    for ruleset in [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::Bip340] {
        let source = Source::new(Operation::Verify(ruleset), Kind::Known, 150).expect("items");
        let batch = source.batch(Operation::Verify(ruleset), 150);
        assert!(batch.is_accepted(&source.expected(&batch, &cpu(1)).expect("an answer")), "{ruleset}");
        assert!((0..150).all(|item| batch.marks.is_marked(item)), "{ruleset}");
        let Source::Pool { work, .. } = &source else { panic!("signatures come from a pool") };
        let Work::Verify(work) = &**work else { panic!("signatures to verify") };
        let keys: std::collections::BTreeSet<_> = (0..150).map(|item| work.keys.item(item)).collect();
        assert_eq!(keys.len(), KNOWN_KEYS, "{ruleset}");
    }
}
