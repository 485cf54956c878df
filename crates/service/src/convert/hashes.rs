//! Hashing and Merkle trees.

use outrigger_proto::v1;
use outrigger_types::{Backend, Call, HashAlgorithm, HashWork, MerkleTree, Priority, Rejection, Work};

use super::{Ask, Context, Violations, column};

/// The tree that a stream of chunks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TreeHeader {
    pub(crate) tree: MerkleTree,
    pub(crate) algorithm: HashAlgorithm,
    pub(crate) priority: Priority,
    pub(crate) backend: Option<Backend>,
}

impl Context<'_> {
    /// `HashBatch`.
    pub(crate) fn hash(&self, request: v1::HashBatchRequest) -> Result<Ask, Rejection> {
        let (priority, backend) = self.terms(Call::Hash, request.priority, request.backend)?;
        let algorithm = HashAlgorithm::from_number(request.algorithm);
        let Some(algorithm) = algorithm.filter(|algorithm| self.vocabulary.hash_rules(*algorithm).is_some()) else {
            return Err(unknown_algorithm(request.algorithm));
        };
        let count = self.count(request.count)?;
        let mut violations = Violations::default();
        match violations.take(column("messages", request.messages, count, &[])) {
            Some(messages) => Ok(Ask { work: Work::Hash(HashWork { algorithm, messages }), priority, backend }),
            None => Err(violations.reject()),
        }
    }

    /// The header of `MerkleRoot` and `MerkleProof`.
    pub(crate) fn tree(&self, header: v1::MerkleTreeHeader) -> Result<TreeHeader, Rejection> {
        let (priority, backend) = self.terms(Call::Hash, header.priority, header.backend)?;
        let Some(tree) = MerkleTree::from_number(header.tree) else {
            return Err(Rejection::field("header.tree", format!("{} is no tree; see GetCapabilities", header.tree)));
        };
        let algorithm = self.tree_algorithm(tree, header.algorithm)?;
        Ok(TreeHeader { tree, algorithm, priority, backend })
    }

    fn tree_algorithm(&self, tree: MerkleTree, number: i32) -> Result<HashAlgorithm, Rejection> {
        let takes = |algorithm: &HashAlgorithm| (self.vocabulary.takes)(tree, *algorithm);
        if number == 0 {
            let mut fitting = HashAlgorithm::ALL.iter().copied().filter(takes);
            return match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err(Rejection::field("header.tree", format!("{tree} is not built by this sidecar"))),
                (Some(_), Some(_)) => {
                    Err(Rejection::field("header.algorithm", format!("{tree} takes several algorithms; say which")))
                }
            };
        }
        let Some(algorithm) = HashAlgorithm::from_number(number) else { return Err(unknown_algorithm(number)) };
        if takes(&algorithm) {
            return Ok(algorithm);
        }
        Err(Rejection::field("header.algorithm", format!("{tree} cannot be built with {algorithm}")))
    }
}

fn unknown_algorithm(number: i32) -> Rejection {
    Rejection::field("algorithm", format!("{number} is no hash algorithm of this sidecar; see GetCapabilities"))
}
