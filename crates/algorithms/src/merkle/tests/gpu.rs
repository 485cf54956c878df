//! Trees in kernels, compiled for the host, against the CPU's: verdict, root and proof.

use super::*;
use crate::gpu;
use crate::gpu::on_host::run_in_whole_groups as in_kernels;

/// Every tree, and every hash function that has kernels.
const TREES: [(MerkleTree, HashAlgorithm); 11] = [
    (Binary, Sha256),
    (Binary, Sha256d),
    (Binary, Sha3_256),
    (Binary, Blake2b256),
    (Rfc6962, Sha256),
    (Rfc6962, Keccak256),
    (Rfc6962, Sm3),
    (Rfc6962, Blake2b256),
    (Bitcoin, Sha256d),
    (Poseidon, PoseidonBn254),
    (LeanImt, PoseidonBn254),
];

/// Builds a tree in kernels, which must agree with the CPU on all of it.
fn agree<T: AsRef<[u8]>>(tree: MerkleTree, algorithm: HashAlgorithm, leaves: &[T], prove: Option<usize>) -> Verdict {
    let work = Work::Merkle(MerkleWork { tree, algorithm, leaves: ColumnBuf::from_items(leaves), prove });
    let expected = run(&work, 0..leaves.len());
    let found = in_kernels(&work);
    assert_eq!(found, expected, "{tree} over {algorithm}, {} leaves, leaf {prove:?} proved", leaves.len());
    found.verdicts[0]
}

/// A group of the host climbs from 64 nodes: below, at and above that, and with lone nodes on many levels or none.
#[test]
fn roots_and_proofs() {
    for (tree, algorithm) in TREES {
        for count in [1, 2, 3, 4, 5, 7, 11, 16, 63, 64, 65, 67, 97] {
            let leaves = leaves_of(tree, count);
            for prove in [None, Some(0), Some(count / 2), Some(count - 1)] {
                assert_eq!(agree(tree, algorithm, &leaves, prove), Verdict::Valid);
            }
        }
    }
}

/// Three launches up to the root.
#[test]
fn large_trees() {
    for (tree, algorithm, count) in
        [(Binary, Sm3, 5000), (Rfc6962, Sha256, 4097), (Bitcoin, Sha256d, 4353), (LeanImt, PoseidonBn254, 257)]
    {
        let leaves = leaves_of(tree, count);
        assert_eq!(agree(tree, algorithm, &leaves, Some(count - 2)), Verdict::Valid);
    }
}

/// Leaves of one length, which the kernels read without offsets.
#[test]
fn leaves_of_one_length() {
    for length in [0, 1, 32, 33, 64] {
        let leaves: Vec<Vec<u8>> = (0..70_u8).map(|i| vec![i; length]).collect();
        for (tree, algorithm) in [(Binary, Keccak256), (Rfc6962, Sha256d), (Rfc6962, Sha3_256), (Binary, Blake2b256)] {
            agree(tree, algorithm, &leaves, None);
        }
    }
}

/// CVE-2012-2459 on every level, in the first group and in the last.
#[test]
fn mutated_bitcoin_trees() {
    for count in [1, 3, 6, 12, 24, 48, 65, 96, 130] {
        let leaves = leaves_of(Bitcoin, count);
        let width = count & count.wrapping_neg();
        let mut repeated = leaves.clone();
        repeated.extend_from_slice(&leaves[count - width..]);
        assert_eq!(agree(Bitcoin, Sha256d, &repeated, Some(0)), Verdict::Invalid, "{count} leaves");
        let mut first = leaves;
        first.insert(0, first[0].clone());
        assert_eq!(agree(Bitcoin, Sha256d, &first, None), Verdict::Invalid, "{count} leaves");
    }
    let [a, b] = [sha256(b"a"), sha256(b"b")];
    assert_eq!(agree(Bitcoin, Sha256d, &[b, a, a], None), Verdict::Valid);
    assert_eq!(agree(Bitcoin, Sha256d, &[a, b, a], None), Verdict::Valid);
}

#[test]
fn malformed_leaves_and_proofs() {
    for tree in [Poseidon, LeanImt] {
        for count in [1, 2, 65] {
            for at in [0, count - 1] {
                let mut leaves = leaves_of(tree, count);
                leaves[at] = vec![0xff; 32];
                assert_eq!(agree(tree, PoseidonBn254, &leaves, Some(0)), Verdict::Malformed);
                leaves[at] = Fr::MODULUS.to_bytes_be();
                assert_eq!(agree(tree, PoseidonBn254, &leaves, None), Verdict::Malformed);
                leaves[at] = vec![1; 31];
                assert_eq!(agree(tree, PoseidonBn254, &leaves, None), Verdict::Malformed);
            }
        }
    }
    assert_eq!(agree(Bitcoin, Sha256d, &[vec![1; 33], vec![2; 31]], None), Verdict::Malformed);
    for (tree, algorithm) in TREES {
        let expected = if tree == Rfc6962 { Verdict::Valid } else { Verdict::Malformed };
        assert_eq!(agree::<&[u8]>(tree, algorithm, &[], None), expected);
        assert_eq!(agree(tree, algorithm, &leaves_of(tree, 5), Some(5)), Verdict::Malformed);
    }
}

/// Which trees kernels take: those whose hash function has kernels, and no trie.
#[test]
fn trees_in_kernels() {
    for &tree in MerkleTree::ALL {
        for &algorithm in HashAlgorithm::ALL {
            let has_kernels = gpu::supports(Operation::Hash(algorithm));
            let expected = takes(tree, algorithm) && tree != EthereumTrie && has_kernels;
            assert_eq!(gpu::supports(Operation::Merkle(tree, algorithm)), expected, "{tree} with {algorithm}");
        }
    }
    assert!(gpu::supports(Operation::Merkle(LeanImt, PoseidonBn254)));
}
