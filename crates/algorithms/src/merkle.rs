//! Merkle trees: roots and inclusion proofs.
//!
//! Every tree here is built level by level: the nodes of a level are hashed in pairs, left to right, and the trees
//! differ in three things only.
//!
//! | tree | a leaf enters as | two nodes become | a lone node at the end of a level |
//! |---|---|---|---|
//! | `binary` | H(leaf) | H(l ‖ r) | passes up as it is |
//! | `rfc6962` | H(0x00 ‖ leaf) | H(0x01 ‖ l ‖ r) | passes up as it is |
//! | `bitcoin` | itself: a digest of 32 bytes | SHA-256d(l ‖ r) | is paired with itself |
//! | `poseidon` | itself: an element < r | Poseidon(l, r) | is paired with the root of a tree of zeros |
//! | `lean-imt` | itself: an element < r | Poseidon(l, r) | passes up as it is |
//!
//! Passing a lone node up is the same as splitting the leaves at the largest power of two below their number, as
//! RFC 6962 defines its tree (section 2.1); pairing with trees of zeros is the same as filling up the leaves with
//! zeros to a power of two. One leaf alone is the root.
//!
//! **Hash functions.** `binary` and `rfc6962` take any function of bytes (RFC 6962 itself means SHA-256), `bitcoin`
//! SHA-256d, `poseidon` and `lean-imt` Poseidon over BN254, `ethereum-trie` Keccak-256. See [`takes`].
//!
//! **Second preimages.** `binary` does not tell leaves from nodes: where leaves may have 64 bytes, whoever chooses
//! them can pass off two nodes as a leaf. `rfc6962` is made against that. The two trees over Poseidon have no
//! length in them: [1, 2, 3] and [1, 2, 3, 0] share a `poseidon` root by definition.
//!
//! **Bitcoin's duplicate trap** (CVE-2012-2459). Since an odd level repeats its last node, [a, b, c] and
//! [a, b, c, c] have one root, and a block could be spoiled by repeating transactions without changing its header.
//! As Bitcoin Core does (`ComputeMerkleRoot`, `mutated`), a tree in which two equal nodes stand side by side as a
//! pair, at any level, other than by that repetition, is *invalid*; its root is not given. Only the first of such
//! lists counts.
//!
//! **No leaves.** `rfc6962` has the hash of nothing as root, `ethereum-trie` Keccak-256 of the RLP of the empty
//! string, 56e81f17…b421. The others define no root, and the verdict is *malformed*: Bitcoin Core's function returns
//! zeros, which no block has, and Semaphore's tree has no root before its first leaf.
//!
//! **Malformed** is also a leaf of the wrong form (`bitcoin`: not 32 bytes; Poseidon: not 32 bytes below r;
//! `ethereum-trie`: no bytes at all, which for a trie means that nothing is there), a leaf to prove that is not
//! there, and any proof of an `ethereum-trie`.
//!
//! **Proofs** list the siblings from the leaf to the root, each with its side; a level at which the node passes up
//! has none. [`verify_proof`] checks them, position and number of leaves included.
//!
//! **Lanes.** A level is a batch of messages of one length, so trees whose hash function has lanes are built in lanes:
//! see the module `hasher`, the only place that knows. All else of a tree is the same code.

use outrigger_types::{ColumnBuf, HashAlgorithm, MerkleTree, MerkleWork, Output, Verdict};
use outrigger_vector::Unit;

use crate::ethereum;
use crate::registry::hash_rules;
use crate::room::HashRules;

use hasher::Hasher;
use levels::Levels;

pub(crate) mod gpu;
mod hasher;
mod levels;
mod proof;

pub use proof::{Inclusion, verify_proof};

/// A node, a leaf as it enters the tree, or the root.
pub(crate) type Node = [u8; NODE_BYTES];

/// Bytes of a node.
const NODE_BYTES: usize = 32;

/// Bytes of a step of a proof: the side of the sibling, and the sibling.
const STEP_BYTES: usize = 1 + NODE_BYTES;

/// The prefix of leaves in RFC 6962.
const LEAF_PREFIX: u8 = 0x00;

/// The prefix of inner nodes in RFC 6962.
const NODE_PREFIX: u8 = 0x01;

/// Whether a tree can be built with a hash function.
pub fn takes(tree: MerkleTree, algorithm: HashAlgorithm) -> bool {
    match tree {
        MerkleTree::Binary | MerkleTree::Rfc6962 => algorithm != HashAlgorithm::PoseidonBn254,
        MerkleTree::Bitcoin => algorithm == HashAlgorithm::Sha256d,
        MerkleTree::Poseidon | MerkleTree::LeanImt => algorithm == HashAlgorithm::PoseidonBn254,
        MerkleTree::EthereumTrie => algorithm == HashAlgorithm::Keccak256,
    }
}

/// Builds the tree and writes its root (and proof, where one is asked for) as the one item of `output`: *valid*
/// with the root, *malformed* or *invalid* with zeros as the module says, *unprocessed* where the tree does not
/// take the hash function.
pub fn build(work: &MerkleWork, output: &mut Output) {
    build_with(work, output, Hasher::reference);
}

/// Whether lanes can build a tree: those that hash by levels, with a hash function that has lanes.
pub(crate) fn takes_in_lanes(tree: MerkleTree, algorithm: HashAlgorithm) -> bool {
    takes(tree, algorithm)
        && tree != MerkleTree::EthereumTrie
        && hash_rules(algorithm).is_some_and(|rules| rules.lanes.is_some())
}

/// As [`build`], each level hashed on a unit of lanes.
pub(crate) fn build_in_lanes(unit: Unit, work: &MerkleWork, output: &mut Output) {
    if takes_in_lanes(work.tree, work.algorithm) {
        build_with(work, output, |rules| Hasher::in_lanes(rules, unit));
    }
}

fn build_with(work: &MerkleWork, output: &mut Output, hasher: impl Fn(&'static HashRules) -> Hasher) {
    if !takes(work.tree, work.algorithm) {
        return;
    }
    match root_and_proof(work, hasher) {
        Ok((root, proof)) => {
            output.verdicts[0] = Verdict::Valid;
            output.fixed.copy_from_slice(&root);
            output.variable_ends[0] = u32::try_from(proof.len()).expect("a path has as many steps as a number bits");
            output.variable = proof;
        }
        Err(verdict) => output.verdicts[0] = verdict,
    }
}

/// The root, and the proof as [`Output::variable`] has it, empty where none is asked for; or the verdict that
/// explains why there is none.
fn root_and_proof(
    work: &MerkleWork,
    hasher: impl Fn(&'static HashRules) -> Hasher,
) -> Result<(Node, Vec<u8>), Verdict> {
    if work.prove.is_some_and(|index| index >= work.leaves.len()) {
        return Err(Verdict::Malformed);
    }
    if work.tree == MerkleTree::EthereumTrie {
        return match work.prove {
            None if work.leaves.view().iter().any(<[u8]>::is_empty) => Err(Verdict::Malformed),
            None => Ok((ethereum::transactions_root(work.leaves.view()), Vec::new())),
            Some(_) => Err(Verdict::Malformed),
        };
    }
    let rules = hash_rules(work.algorithm).ok_or(Verdict::Unprocessed)?;
    if work.leaves.is_empty() {
        return match work.tree {
            MerkleTree::Rfc6962 => Ok((digest(rules, b""), Vec::new())),
            _ => Err(Verdict::Malformed),
        };
    }
    let hasher = hasher(rules);
    let leaves = enter_all(work.tree, hasher, &work.leaves).ok_or(Verdict::Malformed)?;
    let mut levels = Levels::new(work.tree, hasher, leaves);
    let mut proof = Vec::new();
    let mut index = work.prove;
    if let Some(index) = index {
        proof.extend_from_slice(levels.node(index));
    }
    while !levels.is_root() {
        levels.even_out()?;
        if let Some(index) = &mut index {
            if let Some(sibling) = levels.sibling(*index) {
                proof.push(u8::from(*index % 2 == 0));
                proof.extend_from_slice(sibling);
            }
            *index /= 2;
        }
        levels.ascend();
    }
    Ok((*levels.node(0), proof))
}

/// All leaves as they enter the tree, one after the other; `None` where one is malformed.
fn enter_all(tree: MerkleTree, hasher: Hasher, leaves: &ColumnBuf) -> Option<Vec<u8>> {
    match tree {
        MerkleTree::Binary => return Some(hasher.hash(leaves.clone())),
        MerkleTree::Rfc6962 => return Some(hasher.hash_prefixed(LEAF_PREFIX, leaves.view())),
        _ => {}
    }
    let mut nodes = Vec::with_capacity(leaves.len() * NODE_BYTES);
    for leaf in leaves.view().iter() {
        nodes.extend_from_slice(&enter(tree, hasher.rules(), leaf)?);
    }
    Some(nodes)
}

/// One leaf as it enters the tree; `None` where it is malformed.
fn enter(tree: MerkleTree, rules: &HashRules, leaf: &[u8]) -> Option<Node> {
    match tree {
        MerkleTree::Binary => Some(digest(rules, leaf)),
        MerkleTree::Rfc6962 => Some(digest(rules, &[&[LEAF_PREFIX], leaf].concat())),
        MerkleTree::Bitcoin => leaf.try_into().ok(),
        MerkleTree::Poseidon | MerkleTree::LeanImt => {
            let leaf = leaf.try_into().ok()?;
            crate::poseidon_bn254::element(leaf).map(|_| *leaf)
        }
        MerkleTree::EthereumTrie => None,
    }
}

/// The parent of two nodes.
fn parent(tree: MerkleTree, rules: &HashRules, left: &Node, right: &Node) -> Node {
    let mut bytes = [NODE_PREFIX; 1 + 2 * NODE_BYTES];
    bytes[1..=NODE_BYTES].copy_from_slice(left);
    bytes[1 + NODE_BYTES..].copy_from_slice(right);
    digest(rules, if tree == MerkleTree::Rfc6962 { &bytes } else { &bytes[1..] })
}

/// The digest of bytes that are no malformed message: any at all, or nodes of a tree over Poseidon, which are
/// elements below r.
fn digest(rules: &HashRules, bytes: &[u8]) -> Node {
    (rules.digest)(bytes).expect("nodes are well-formed messages")
}

#[cfg(test)]
mod tests;
