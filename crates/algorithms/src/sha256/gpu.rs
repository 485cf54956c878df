//! SHA-256 in kernels: `kernels/sha256.cl`, and `kernels/merkle.cl` for trees.

use outrigger_types::HashAlgorithm;

use crate::hashing;
use crate::merkle::{self, gpu::NodeKernels};
use crate::room::HashKernels;

/// SHA-256 of each message.
pub(super) const ONCE: HashKernels = HashKernels {
    programs: &["merkle", "sha256"],
    hash: |session, work, output| hashing::gpu::hash(session, "sha256", "sha256_messages", Some(0), work, output),
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Sha256),
    tree: |session, work, output| merkle::gpu::build(session, &NodeKernels::of_bytes("sha256", 0), work, output),
};

/// SHA-256 of the SHA-256 of each message.
pub(super) const TWICE: HashKernels = HashKernels {
    programs: &["merkle", "sha256"],
    hash: |session, work, output| hashing::gpu::hash(session, "sha256", "sha256_messages", Some(1), work, output),
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Sha256d),
    tree: |session, work, output| merkle::gpu::build(session, &NodeKernels::of_bytes("sha256", 1), work, output),
};
