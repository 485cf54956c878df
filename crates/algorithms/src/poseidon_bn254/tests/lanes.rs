//! The lanes, on both units, and the kernels give what the room's reference gives, item by item.

use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, MerkleTree, MerkleWork, Output, Verdict, Work};

use super::{element_bytes, modulus_bytes, random_elements};
use crate::Unit;
use crate::gpu::on_host::run_in_whole_groups as in_kernels;
use crate::registry::run;

fn units() -> Vec<Unit> {
    if Unit::detect().is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so Poseidon was not checked on it");
    }
    [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten().collect()
}

/// Runs the messages in lanes, in kernels and on the CPU, which must agree.
fn agree(items: &[Vec<u8>]) -> Output {
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::PoseidonBn254, messages: ColumnBuf::from_items(items) });
    let by_cpu = run(&work, 0..items.len());
    for unit in units() {
        let in_lanes = crate::lanes::run(unit, &work, 0..items.len());
        assert_eq!(in_lanes.verdicts, by_cpu.verdicts, "{}", unit.name());
        assert_eq!(in_lanes.fixed, by_cpu.fixed, "{}", unit.name());
    }
    assert_eq!(in_kernels(&work), by_cpu, "kernels");
    by_cpu
}

fn message(count: usize, seed: u64) -> Vec<u8> {
    random_elements(count, seed).into_iter().flat_map(element_bytes).collect()
}

#[test]
fn all_arities() {
    let items: Vec<_> = (1..=16).flat_map(|count| (0..2).map(move |seed| message(count, seed))).collect();
    assert!(agree(&items).verdicts.iter().all(|&verdict| verdict == Verdict::Valid));
}

#[test]
fn batches_of_all_lengths() {
    for count in 0..=34 {
        let items: Vec<_> = (0..count).map(|seed| message(2, seed)).collect();
        agree(&items);
    }
}

/// 0, 1, r − 1, and numbers at the borders of limbs, in all places of a pair.
#[test]
fn numbers_that_random_ones_never_are() {
    let mut below = modulus_bytes();
    below[31] -= 1;
    let mut edges = vec![[0; 32], below];
    for bit in [0, 51, 52, 103, 104, 155, 156, 207, 208, 252] {
        let mut power = [0; 32];
        power[31 - bit / 8] = 1 << (bit % 8);
        let mut ones = [0_u8; 32];
        for low in 0..bit {
            ones[31 - low / 8] |= 1 << (low % 8);
        }
        edges.extend([power, ones]);
    }
    let pairs: Vec<Vec<u8>> =
        edges.iter().flat_map(|left| edges.iter().map(move |right| [&left[..], &right[..]].concat())).collect();
    assert!(agree(&pairs).verdicts.iter().all(|&verdict| verdict == Verdict::Valid));
}

#[test]
fn a_bad_message_in_every_lane() {
    let bad = [
        Vec::new(),
        vec![0; 63],
        vec![0; 17 * 32],
        [&message(1, 1)[..], &modulus_bytes()].concat(),
        [&modulus_bytes()[..], &message(1, 1)].concat(),
        vec![0xff; 64],
        modulus_bytes().to_vec(),
    ];
    for bad in bad {
        for at in 0..17 {
            let mut items: Vec<_> = (0..17).map(|seed| message(2, seed)).collect();
            items[at].clone_from(&bad);
            items[(at + 5) % 17].clone_from(&bad);
            let output = agree(&items);
            assert_eq!(output.verdicts.iter().filter(|&&verdict| verdict == Verdict::Malformed).count(), 2);
        }
    }
}

/// Trees, whose levels are batches of pairs: roots and proofs of the reference, and a leaf that is not below r anywhere.
#[test]
fn trees() {
    let leaves: Vec<[u8; 32]> = random_elements(21, 3).into_iter().map(element_bytes).collect();
    let tree = |tree, leaves: &[[u8; 32]], prove| {
        let algorithm = HashAlgorithm::PoseidonBn254;
        let work = Work::Merkle(MerkleWork { tree, algorithm, leaves: ColumnBuf::from_items(leaves), prove });
        let by_cpu = run(&work, 0..leaves.len());
        for unit in units() {
            let in_lanes = crate::lanes::run(unit, &work, 0..leaves.len());
            assert_eq!(in_lanes, by_cpu, "{tree} of {} leaves, {}", leaves.len(), unit.name());
        }
        by_cpu.verdicts[0]
    };
    for kind in [MerkleTree::Poseidon, MerkleTree::LeanImt] {
        for count in [1, 2, 3, 16, 17, 21] {
            assert_eq!(tree(kind, &leaves[..count], Some(count / 2)), Verdict::Valid);
        }
        for place in 0..leaves.len() {
            let mut bad = leaves.clone();
            bad[place] = modulus_bytes();
            assert_eq!(tree(kind, &bad, None), Verdict::Malformed);
        }
    }
}
