//! The levels of a tree, one at a time.

use outrigger_types::{ColumnBuf, MerkleTree, Verdict};

use super::hasher::Hasher;
use super::{NODE_BYTES, NODE_PREFIX, Node, parent};

/// One level of a tree, replaced by the one above until it is the root.
///
/// Nodes lie one after the other, so a level is already the column of 64-byte messages whose digests are the next
/// level, and the room's batch function hashes it as one batch without a copy.
pub(super) struct Levels {
    tree: MerkleTree,
    hasher: Hasher,
    nodes: Vec<u8>,
    /// For trees that fill up with zeros: the root of a tree of zeros as high as this level.
    zero: Node,
}

impl Levels {
    /// The level of the leaves: at least one, as they enter the tree.
    pub(super) fn new(tree: MerkleTree, hasher: Hasher, leaves: Vec<u8>) -> Self {
        debug_assert!(!leaves.is_empty() && leaves.len().is_multiple_of(NODE_BYTES));
        Self { tree, hasher, nodes: leaves, zero: [0; NODE_BYTES] }
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
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.truncate(2 * pairs * NODE_BYTES);
        let messages = ColumnBuf::with_count(nodes.into(), pairs).expect("whole pairs of nodes");
        let mut above = match self.tree {
            MerkleTree::Rfc6962 => self.hasher.hash_prefixed(NODE_PREFIX, messages.view()),
            _ => self.hasher.hash(messages),
        };
        above.extend_from_slice(&lone);
        self.nodes = above;
        if self.tree == MerkleTree::Poseidon {
            self.zero = parent(self.tree, self.hasher.rules(), &self.zero, &self.zero);
        }
    }

    fn all(&self) -> &[Node] {
        self.nodes.as_chunks().0
    }
}
