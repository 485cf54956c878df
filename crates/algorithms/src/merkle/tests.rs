use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use outrigger_types::{ColumnBuf, HashAlgorithm, MerkleTree, MerkleWork, Operation, Output, Verdict, Work};
use proptest::prelude::*;
use serde::Deserialize;

use super::{Inclusion, NODE_BYTES, Node, STEP_BYTES, takes, verify_proof};
use crate::hashing::judging::{bytes32, digest, pattern, units};
use crate::lanes;
use crate::poseidon_bn254::element_bytes;
use crate::registry::run;
use crate::sha256::{sha256, sha256d};

use HashAlgorithm::{Blake2b256, Keccak256, PoseidonBn254, Sha3_256, Sha256, Sha256d, Sm3};
use MerkleTree::{Binary, Bitcoin, EthereumTrie, LeanImt, Poseidon, Rfc6962};

mod gpu;

/// Trees with proofs, with a hash function that they take.
const PROVABLE: [(MerkleTree, HashAlgorithm); 7] = [
    (Binary, Sha256),
    (Binary, Sm3),
    (Binary, Blake2b256),
    (Rfc6962, Sha256),
    (Bitcoin, Sha256d),
    (Poseidon, PoseidonBn254),
    (LeanImt, PoseidonBn254),
];

/// Builds a tree on the CPU and, where they take it, in lanes, which must agree on all of it.
fn build<T: AsRef<[u8]>>(tree: MerkleTree, algorithm: HashAlgorithm, leaves: &[T], prove: Option<usize>) -> Output {
    let work = Work::Merkle(MerkleWork { tree, algorithm, leaves: ColumnBuf::from_items(leaves), prove });
    let output = run(&work, 0..leaves.len());
    if lanes::supports(work.operation()) {
        for unit in units() {
            let found = lanes::run(unit, &work, 0..leaves.len());
            assert_eq!(found, output, "{tree} of {} leaves in {} lanes", leaves.len(), unit.name());
        }
    }
    output
}

fn root<T: AsRef<[u8]>>(tree: MerkleTree, algorithm: HashAlgorithm, leaves: &[T]) -> Node {
    let output = build(tree, algorithm, leaves, None);
    assert_eq!(output.verdicts, [Verdict::Valid]);
    assert!(output.variable.is_empty());
    output.fixed.try_into().expect("a root")
}

/// Asserts a verdict that gives nothing away.
fn assert_refused<T: AsRef<[u8]>>(tree: MerkleTree, algorithm: HashAlgorithm, leaves: &[T], verdict: Verdict) {
    let output = build(tree, algorithm, leaves, None);
    assert_eq!((output.verdicts, output.fixed), (vec![verdict], vec![0; 32]), "{tree}");
}

/// Leaf i of the vectors over Poseidon: SHA-256 of "leaf i" mod r.
fn element_leaf(i: usize) -> Vec<u8> {
    element_bytes(Fr::from_be_bytes_mod_order(&sha256(format!("leaf {i}").as_bytes()))).to_vec()
}

/// Leaves that a tree takes, no two alike; of varying lengths where it may be.
fn leaves_of(tree: MerkleTree, count: usize) -> Vec<Vec<u8>> {
    let leaf = |i: usize| match tree {
        Poseidon | LeanImt => element_leaf(i),
        Bitcoin => sha256(&pattern(i)).to_vec(),
        _ => pattern(i),
    };
    (0..count).map(leaf).collect()
}

/// The recursion of RFC 6962, section 2.1, and of the plain binary tree without prefixes.
fn split_root(algorithm: HashAlgorithm, prefixes: Option<[u8; 2]>, leaves: &[Vec<u8>]) -> Node {
    let hash = |i: usize, parts: &[&[u8]]| {
        let prefix = prefixes.map_or(Vec::new(), |prefixes| vec![prefixes[i]]);
        digest(algorithm, &[&prefix, &parts.concat()[..]].concat())
    };
    if let [leaf] = leaves {
        return hash(0, &[leaf]);
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    hash(1, &[&split_root(algorithm, prefixes, left), &split_root(algorithm, prefixes, right)])
}

/// Bitcoin's tree as its wiki tells it.
fn bitcoin_root(leaves: &[Vec<u8>]) -> Node {
    if let [root] = leaves {
        return root.as_slice().try_into().expect("32 bytes");
    }
    let above = leaves.chunks(2).map(|pair| sha256d(&[&pair[0][..], pair.last().expect("a node")].concat()).to_vec());
    bitcoin_root(&above.collect::<Vec<_>>())
}

#[test]
fn certificate_transparency_roots() {
    #[derive(Deserialize)]
    struct Vectors {
        leaves: Vec<String>,
        roots: Vec<String>,
    }
    let vectors: Vectors = serde_json::from_str(include_str!("../../vectors/merkle/rfc6962.json")).expect("vectors");
    let leaves: Vec<_> = vectors.leaves.iter().map(|leaf| hex::decode(leaf).expect("hex")).collect();
    assert_eq!((leaves.len(), vectors.roots.len()), (8, 9));
    for (count, expected) in vectors.roots.iter().enumerate() {
        assert_eq!(root(Rfc6962, Sha256, &leaves[..count]), bytes32(expected), "{count} leaves");
    }
}

#[test]
fn bitcoin_block_100000() {
    #[derive(Deserialize)]
    struct Block {
        txids: Vec<String>,
        root: String,
    }
    let block: Block =
        serde_json::from_str(include_str!("../../vectors/merkle/bitcoin_block_100000.json")).expect("a block");
    let reversed = |text: &str| {
        let mut bytes = bytes32(text);
        bytes.reverse();
        bytes
    };
    let leaves: Vec<_> = block.txids.iter().map(|txid| reversed(txid)).collect();
    assert_eq!(root(Bitcoin, Sha256d, &leaves), reversed(&block.root));
}

#[test]
fn roots_by_other_libraries() {
    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        leaves: usize,
        root: String,
    }
    for (tree, json) in [
        (LeanImt, include_str!("../../vectors/merkle/lean_imt.json")),
        (Poseidon, include_str!("../../vectors/merkle/poseidon.json")),
    ] {
        let vectors: Vectors = serde_json::from_str(json).expect("vectors");
        assert_eq!(vectors.cases.len(), 33);
        for case in vectors.cases {
            let leaves = leaves_of(tree, case.leaves);
            assert_eq!(root(tree, PoseidonBn254, &leaves), bytes32(&case.root), "{tree}, {} leaves", case.leaves);
        }
    }
}

#[test]
fn roots_by_recursion() {
    for count in (1..=70).chain([127, 128, 129, 1000]) {
        for algorithm in [Sha256, Keccak256, Sm3, Blake2b256] {
            let leaves = leaves_of(Binary, count);
            assert_eq!(root(Binary, algorithm, &leaves), split_root(algorithm, None, &leaves), "{count} leaves");
            let expected = split_root(algorithm, Some([0, 1]), &leaves);
            assert_eq!(root(Rfc6962, algorithm, &leaves), expected, "{count} leaves");
        }
        let leaves = leaves_of(Bitcoin, count);
        assert_eq!(root(Bitcoin, Sha256d, &leaves), bitcoin_root(&leaves), "{count} leaves");
    }
}

#[test]
fn every_proof_of_every_leaf() {
    for (tree, algorithm) in PROVABLE {
        for count in 1..=33 {
            let leaves = leaves_of(tree, count);
            let expected = root(tree, algorithm, &leaves);
            for index in 0..count {
                let output = build(tree, algorithm, &leaves, Some(index));
                assert_eq!(output.verdicts, [Verdict::Valid]);
                assert_eq!(output.fixed, expected);
                let proof = output.variable_item(0);
                assert_eq!(proof.len(), output.variable.len());
                let claim = Inclusion { tree, algorithm, root: &expected, leaf: &leaves[index], index, count, proof };
                assert!(verify_proof(&claim), "{tree}, leaf {index} of {count}");
                check_false_claims(claim, &leaves);
            }
        }
    }
}

/// The check of RFC 9162, section 2.1.3.2, which finds the sides by itself.
fn holds_by_rfc9162(leaf: &[u8], index: usize, count: usize, siblings: &[&[u8]], root: Node) -> bool {
    let (mut place, mut last) = (index, count - 1);
    let mut node = sha256(&[&[0], leaf].concat());
    for sibling in siblings {
        if last == 0 {
            return false;
        }
        if place % 2 == 1 || place == last {
            node = sha256(&[&[1], *sibling, &node[..]].concat());
            while place % 2 == 0 && place != 0 {
                (place, last) = (place / 2, last / 2);
            }
        } else {
            node = sha256(&[&[1], &node[..], *sibling].concat());
        }
        (place, last) = (place / 2, last / 2);
    }
    last == 0 && node == root
}

#[test]
fn proofs_by_the_check_of_rfc9162() {
    for count in (1..=33).chain([64, 65, 100]) {
        let leaves = leaves_of(Rfc6962, count);
        let expected = root(Rfc6962, Sha256, &leaves);
        for index in 0..count {
            let proof = build(Rfc6962, Sha256, &leaves, Some(index)).variable;
            let siblings: Vec<_> = proof[NODE_BYTES..].chunks(STEP_BYTES).map(|step| &step[1..]).collect();
            assert!(holds_by_rfc9162(&leaves[index], index, count, &siblings, expected), "leaf {index} of {count}");
        }
    }
}

/// One thing changed at a time, none may hold.
fn check_false_claims(claim: Inclusion<'_>, leaves: &[Vec<u8>]) {
    let name = format!("{}, leaf {} of {}", claim.tree, claim.index, claim.count);
    for index in 0..=claim.count {
        assert_eq!(verify_proof(&Inclusion { index, ..claim }), index == claim.index, "{name}, claimed at {index}");
    }
    let other = &leaves[(claim.index + 1) % claim.count];
    assert_eq!(verify_proof(&Inclusion { leaf: other, ..claim }), claim.count == 1, "{name}, another leaf");
    assert!(!verify_proof(&Inclusion { leaf: b"no such leaf", ..claim }), "{name}, a strange leaf");
    assert!(!verify_proof(&Inclusion { count: 0, ..claim }), "{name}, no leaves");
    let mut root = *claim.root;
    root[31] ^= 1;
    assert!(!verify_proof(&Inclusion { root: &root, ..claim }), "{name}, another root");
    for changed in (0..claim.proof.len()).step_by(11).chain((NODE_BYTES..claim.proof.len()).step_by(STEP_BYTES)) {
        let mut proof = claim.proof.to_vec();
        proof[changed] ^= 1;
        assert!(!verify_proof(&Inclusion { proof: &proof, ..claim }), "{name}, byte {changed} changed");
    }
    let short = &claim.proof[..claim.proof.len().saturating_sub(STEP_BYTES)];
    let long = [claim.proof, &[1; STEP_BYTES]].concat();
    let ragged = [claim.proof, &[0]].concat();
    for proof in [&[], short, &long, &ragged, &claim.proof[1..]] {
        assert!(!verify_proof(&Inclusion { proof, ..claim }), "{name}, {} bytes of proof", proof.len());
    }
}

/// CVE-2012-2459: lists that Bitcoin's tree cannot tell from shorter ones.
#[test]
fn mutated_bitcoin_trees() {
    for count in 1..=33 {
        let leaves = leaves_of(Bitcoin, count);
        let expected = root(Bitcoin, Sha256d, &leaves);
        // Each way of repeating the tail by hand that the tree would have made by itself.
        let mut repeated = leaves.clone();
        let mut width = 1;
        while repeated.len() > width {
            if (repeated.len() / width) % 2 == 1 {
                let tail = repeated[repeated.len() - width..].to_vec();
                repeated.extend(tail);
                assert_eq!(bitcoin_root(&repeated), expected, "the trap is there: {count} leaves");
                assert_refused(Bitcoin, Sha256d, &repeated, Verdict::Invalid);
            }
            width *= 2;
        }
    }
    // Equal leaves that are not a pair are no trap.
    let [a, b] = [sha256(b"a"), sha256(b"b")];
    root(Bitcoin, Sha256d, &[b, a, a]);
    root(Bitcoin, Sha256d, &[a, b, a]);
    assert_refused(Bitcoin, Sha256d, &[a, a], Verdict::Invalid);
    assert_refused(Bitcoin, Sha256d, &[a, a, b], Verdict::Invalid);
    assert_refused(Bitcoin, Sha256d, &[a, b, a, b], Verdict::Invalid);
}

/// The path of a leaf that was repeated by hand does not hold, though its hashes lead to the root.
#[test]
fn proof_through_a_mutated_bitcoin_tree() {
    let leaves = leaves_of(Bitcoin, 3);
    let expected = root(Bitcoin, Sha256d, &leaves);
    let proof = build(Bitcoin, Sha256d, &leaves, Some(2)).variable;
    let claim = Inclusion {
        tree: Bitcoin,
        algorithm: Sha256d,
        root: &expected,
        leaf: &leaves[2],
        index: 2,
        count: 3,
        proof: &proof,
    };
    assert!(verify_proof(&claim));
    assert!(!verify_proof(&Inclusion { count: 4, ..claim }));
    let mut other_side = proof.clone();
    other_side[NODE_BYTES] = 0;
    assert!(!verify_proof(&Inclusion { count: 4, index: 3, proof: &other_side, ..claim }));
}

#[test]
fn no_leaves() {
    let none: [&[u8]; 0] = [];
    assert_eq!(root(Rfc6962, Sha256, &none), sha256(b""));
    let empty_trie = bytes32("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    assert_eq!(root(EthereumTrie, Keccak256, &none), empty_trie);
    for (tree, algorithm) in [(Binary, Sha256), (Bitcoin, Sha256d), (Poseidon, PoseidonBn254), (LeanImt, PoseidonBn254)]
    {
        assert_refused(tree, algorithm, &none, Verdict::Malformed);
    }
}

#[test]
fn malformed_leaves() {
    let good = vec![1; 32];
    for (tree, algorithm) in [(Bitcoin, Sha256d), (Poseidon, PoseidonBn254), (LeanImt, PoseidonBn254)] {
        for bad in [vec![], vec![2; 31], vec![2; 33]] {
            for leaves in [vec![good.clone(), bad.clone()], vec![bad.clone(), good.clone()], vec![bad.clone()]] {
                assert_refused(tree, algorithm, &leaves, Verdict::Malformed);
            }
        }
    }
    // To put no bytes under a key of a trie is to delete it, so there is no such list of transactions.
    for leaves in [vec![vec![]], vec![good.clone(), vec![]], vec![vec![], good.clone()]] {
        assert_refused(EthereumTrie, Keccak256, &leaves, Verdict::Malformed);
    }
    for tree in [Poseidon, LeanImt] {
        assert_refused(tree, PoseidonBn254, &[good.clone(), vec![0xff; 32]], Verdict::Malformed);
    }
}

#[test]
fn proofs_that_cannot_be() {
    for (tree, algorithm) in PROVABLE {
        let leaves = leaves_of(tree, 5);
        for index in [5, usize::MAX] {
            assert_eq!(build(tree, algorithm, &leaves, Some(index)).verdicts, [Verdict::Malformed]);
        }
        assert_eq!(build(tree, algorithm, &leaves[..0], Some(0)).verdicts, [Verdict::Malformed]);
    }
    assert_eq!(build(EthereumTrie, Keccak256, &[b"leaf"], Some(0)).verdicts, [Verdict::Malformed]);
    let root = root(EthereumTrie, Keccak256, &[b"leaf"]);
    let proof = digest(Keccak256, b"leaf");
    let (tree, algorithm) = (EthereumTrie, Keccak256);
    assert!(!verify_proof(&Inclusion {
        tree,
        algorithm,
        root: &root,
        leaf: b"leaf",
        index: 0,
        count: 1,
        proof: &proof
    }));
}

/// What is not taken stays unprocessed, and no proof holds under it.
#[test]
fn hash_functions_of_each_tree() {
    for &tree in MerkleTree::ALL {
        for &algorithm in HashAlgorithm::ALL {
            let expected = match tree {
                Binary | Rfc6962 => algorithm != PoseidonBn254,
                Bitcoin => algorithm == Sha256d,
                Poseidon | LeanImt => algorithm == PoseidonBn254,
                EthereumTrie => algorithm == Keccak256,
            };
            assert_eq!(takes(tree, algorithm), expected, "{tree} with {algorithm}");
            let verdict = if expected { Verdict::Valid } else { Verdict::Unprocessed };
            let leaf = [1; 32];
            let output = build(tree, algorithm, &[leaf], None);
            assert_eq!(output.verdicts, [verdict], "{tree} with {algorithm}");
            if !expected {
                let claim = Inclusion { tree, algorithm, root: &leaf, leaf: &leaf, index: 0, count: 1, proof: &leaf };
                assert!(!verify_proof(&claim), "{tree} with {algorithm}");
            }
        }
    }
}

/// Which trees lanes take: those whose hash function has lanes, and no trie.
#[test]
fn trees_in_lanes() {
    for &tree in MerkleTree::ALL {
        for &algorithm in HashAlgorithm::ALL {
            let has_lanes = lanes::supports(Operation::Hash(algorithm));
            let expected = takes(tree, algorithm) && tree != EthereumTrie && has_lanes;
            assert_eq!(lanes::supports(Operation::Merkle(tree, algorithm)), expected, "{tree} with {algorithm}");
            if !expected {
                for unit in units() {
                    let leaves = ColumnBuf::from_items(&[[1; 32]]);
                    let work = Work::Merkle(MerkleWork { tree, algorithm, leaves, prove: None });
                    assert_eq!(lanes::run(unit, &work, 0..1).verdicts, [Verdict::Unprocessed]);
                }
            }
        }
    }
    assert!(lanes::supports(Operation::Merkle(Bitcoin, Sha256d)));
}

proptest! {
    /// A proof is a stranger's bytes: whatever they are, the check says no and nothing worse.
    #[test]
    fn strange_proofs(
        leaf in proptest::collection::vec(any::<u8>(), 0..40),
        steps in proptest::collection::vec(any::<(bool, [u8; 32])>(), 0..6),
        index in 0_usize..20,
        count in 0_usize..20,
        root in any::<[u8; 32]>(),
    ) {
        for (tree, algorithm) in PROVABLE {
            // The leaf hash is right where there is one, so that the steps are looked at.
            let entered: Node = match tree {
                Binary => digest(algorithm, &leaf),
                Rfc6962 => digest(algorithm, &[&[0], &leaf[..]].concat()),
                // Below r as well.
                _ => std::array::from_fn(|i| sha256(&leaf)[i] & if i == 0 { 0x1f } else { 0xff }),
            };
            let leaf = if matches!(tree, Binary | Rfc6962) { &leaf[..] } else { &entered[..] };
            let mut proof = entered.to_vec();
            for (side, sibling) in &steps {
                proof.push(u8::from(*side));
                proof.extend_from_slice(sibling);
            }
            let holds = verify_proof(&Inclusion { tree, algorithm, root: &root, leaf, index, count, proof: &proof });
            prop_assert!(!holds);
        }
    }
}
