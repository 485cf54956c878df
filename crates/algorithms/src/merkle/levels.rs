//! The levels of a tree, one at a time.

use outrigger_types::{ColumnBuf, HashWork, MerkleTree, Operation, Output, Verdict};

use super::{NODE_BYTES, Node, parent};
use crate::room::HashRules;

/// One level of a tree, replaced by the one above until it is the root.
///
/// Nodes lie one after the other, so a level is already the column of 64-byte messages whose digests are the next
/// level, and the room's batch function hashes it as one batch without a copy.
pub(super) struct Levels<'a> {
    tree: MerkleTree,
    rules: &'a HashRules,
    nodes: Vec<u8>,
    /// For trees that fill up with zeros: the root of a tree of zeros as high as this level.
    zero: Node,
}

impl<'a> Levels<'a> {
    /// The level of the leaves: at least one, as they enter the tree.
    pub(super) fn new(tree: MerkleTree, rules: &'a HashRules, leaves: Vec<u8>) -> Self {
        debug_assert!(!leaves.is_empty() && leaves.len().is_multiple_of(NODE_BYTES));
        Self { tree, rules, nodes: leaves, zero: [0; NODE_BYTES] }
    }

    /// Whether one node is left.
    pub(super) fn is_root(&self) -> bool {
        self.nodes.len() == NODE_BYTES
    }

    /// A node of this level.
    pub(super) fn node(&self, index: usize) -> &Node {
        &self.all()[index]
    }

    /// The node beside another; `None` where that one is alone.
    pub(super) fn sibling(&self, index: usize) -> Option<&Node> {
        self.all().get(index ^ 1)
    }

    /// Gives a lone last node its partner, where the tree gives it one.
    ///
    /// # Errors
    /// *Invalid* where the level shows Bitcoin's duplicate trap, judged before the repetition that the tree itself
    /// makes.
    pub(super) fn even_out(&mut self) -> Result<(), Verdict> {
        if self.tree == MerkleTree::Bitcoin && self.all().as_chunks::<2>().0.iter().any(|[left, right]| left == right) {
            return Err(Verdict::Invalid);
        }
        if self.all().len().is_multiple_of(2) {
            return Ok(());
        }
        match self.tree {
            MerkleTree::Bitcoin => self.nodes.extend_from_within(self.nodes.len() - NODE_BYTES..),
            MerkleTree::Poseidon => self.nodes.extend_from_slice(&self.zero),
            _ => {}
        }
        Ok(())
    }

    /// Replaces the level by the one above it; a lone last node passes up.
    pub(super) fn ascend(&mut self) {
        let pairs = self.all().len() / 2;
        let lone = self.all()[2 * pairs..].as_flattened().to_vec();
        let mut above = if self.tree == MerkleTree::Rfc6962 {
            self.hash_prefixed_pairs()
        } else {
            let mut nodes = std::mem::take(&mut self.nodes);
            nodes.truncate(2 * pairs * NODE_BYTES);
            let messages = ColumnBuf::with_count(nodes.into(), pairs).expect("whole pairs of nodes");
            hash_column(self.rules, messages)
        };
        above.extend_from_slice(&lone);
        self.nodes = above;
        if self.tree == MerkleTree::Poseidon {
            self.zero = parent(self.tree, self.rules, &self.zero, &self.zero);
        }
    }

    fn hash_prefixed_pairs(&self) -> Vec<u8> {
        let (pairs, _) = self.all().as_chunks::<2>();
        let mut above = Vec::with_capacity((pairs.len() + 1) * NODE_BYTES);
        for [left, right] in pairs {
            above.extend_from_slice(&parent(self.tree, self.rules, left, right));
        }
        above
    }

    fn all(&self) -> &[Node] {
        self.nodes.as_chunks().0
    }
}

/// The digests of a column of well-formed messages, one after the other.
pub(super) fn hash_column(rules: &HashRules, messages: ColumnBuf) -> Vec<u8> {
    let count = messages.len();
    let mut output = Output::unprocessed(Operation::Hash(rules.algorithm), count);
    (rules.hash)(&HashWork { algorithm: rules.algorithm, messages }, 0..count, &mut output);
    debug_assert!(output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid));
    output.fixed
}
