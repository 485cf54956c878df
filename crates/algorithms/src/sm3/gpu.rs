//! SM3 in kernels: `kernels/sm3.cl`, and `kernels/merkle.cl` for trees.

use outrigger_types::HashAlgorithm;

use crate::hashing;
use crate::merkle::{self, gpu::NodeKernels};
use crate::room::HashKernels;

/// SM3 of each message.
pub(super) const SM3: HashKernels = HashKernels {
    programs: &["merkle", "sm3"],
    hash: |session, work, output| hashing::gpu::hash(session, "sm3", "sm3_messages", None, work, output),
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Sm3),
    tree: |session, work, output| merkle::gpu::build(session, &NodeKernels::of_bytes("sm3", 0), work, output),
};
