//! BLAKE2b in kernels: `kernels/blake2b.cl`, and `kernels/merkle.cl` for trees.

use outrigger_types::HashAlgorithm;

use crate::hashing;
use crate::merkle::{self, gpu::NodeKernels};
use crate::room::HashKernels;

/// BLAKE2b-256 of each message.
pub(super) const BLAKE2B_256: HashKernels = HashKernels {
    programs: &["merkle", "blake2b"],
    hash: |session, work, output| hashing::gpu::hash(session, "blake2b", "blake2b_messages", None, work, output),
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Blake2b256),
    tree: |session, work, output| merkle::gpu::build(session, &NodeKernels::of_bytes("blake2b", 0), work, output),
};
