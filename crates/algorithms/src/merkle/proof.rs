//! Checking inclusion proofs.

use outrigger_types::{HashAlgorithm, MerkleTree};

use super::{NODE_BYTES, Node, STEP_BYTES, enter, parent, takes};
use crate::registry::hash_rules;

/// The claim that a leaf is in a tree, with its proof.
#[derive(Clone, Copy, Debug)]
pub struct Inclusion<'a> {
    /// The shape of the tree.
    pub tree: MerkleTree,
    /// The hash of leaves and nodes.
    pub algorithm: HashAlgorithm,
    /// The root that is known.
    pub root: &'a [u8; 32],
    /// The leaf, as it was given to the tree.
    pub leaf: &'a [u8],
    /// The place of the leaf, from 0.
    pub index: usize,
    /// The number of leaves of the tree.
    pub count: usize,
    /// The leaf as it enters the tree (32 bytes), then for each step from the leaf to the root one byte (0: the
    /// sibling is on the left, 1: on the right) and the sibling (32 bytes).
    pub proof: &'a [u8],
}

/// Whether the proof shows that the leaf is at its place in the tree with this root.
///
/// The sides and the number of steps must be those that the place and the number of leaves make; so a proof holds
/// for one place only. The number must come from whoever vouches for the root: a path that has the same shape
/// under two numbers holds under both. In a `bitcoin` tree a sibling equals its node exactly where the tree repeats it: a proof
/// through a mutated tree does not hold. In a `poseidon` tree a sibling beyond the last leaf is a root of zeros.
/// `ethereum-trie` has no proofs, and none holds.
pub fn verify_proof(claim: &Inclusion<'_>) -> bool {
    let Some(rules) = hash_rules(claim.algorithm).filter(|_| takes(claim.tree, claim.algorithm)) else {
        return false;
    };
    let Some((leaf_hash, steps)) = claim.proof.split_first_chunk::<NODE_BYTES>() else { return false };
    let (steps, rest) = steps.as_chunks::<STEP_BYTES>();
    let entered = enter(claim.tree, rules, claim.leaf);
    if claim.index >= claim.count || !rest.is_empty() || entered.as_ref() != Some(leaf_hash) {
        return false;
    }
    let mut steps = steps.iter();
    let mut place = Place { index: claim.index, last: claim.count - 1 };
    let mut node = *leaf_hash;
    let mut zero = [0; NODE_BYTES];
    while place.last > 0 {
        if place.has_sibling(claim.tree) {
            let Some([side, sibling @ ..]) = steps.next() else { return false };
            if *side != place.side() || !place.allows(claim.tree, &node, sibling, &zero) {
                return false;
            }
            let (left, right) = if place.side() == 0 { (sibling, &node) } else { (&node, sibling) };
            node = parent(claim.tree, rules, left, right);
        }
        if claim.tree == MerkleTree::Poseidon {
            zero = parent(claim.tree, rules, &zero, &zero);
        }
        place = place.above();
    }
    steps.next().is_none() && node == *claim.root
}

/// Where a node stands in its level.
#[derive(Clone, Copy)]
struct Place {
    /// The node, from 0.
    index: usize,
    /// The last node of the level.
    last: usize,
}

impl Place {
    /// The node is the left one of a pair whose right one is not there.
    const fn is_lone(self) -> bool {
        self.index == self.last && self.index.is_multiple_of(2)
    }

    const fn has_sibling(self, tree: MerkleTree) -> bool {
        !self.is_lone() || matches!(tree, MerkleTree::Bitcoin | MerkleTree::Poseidon)
    }

    /// 0 where the sibling is on the left, 1 on the right.
    const fn side(self) -> u8 {
        self.index.is_multiple_of(2) as u8
    }

    /// Whether a sibling can stand beside the node.
    fn allows(self, tree: MerkleTree, node: &Node, sibling: &Node, zero: &Node) -> bool {
        match tree {
            MerkleTree::Bitcoin => (node == sibling) == self.is_lone(),
            // Siblings that are no elements would be malformed messages.
            MerkleTree::Poseidon if self.is_lone() => sibling == zero,
            MerkleTree::Poseidon | MerkleTree::LeanImt => crate::poseidon_bn254::element(sibling).is_some(),
            _ => true,
        }
    }

    const fn above(self) -> Self {
        Self { index: self.index / 2, last: self.last / 2 }
    }
}
