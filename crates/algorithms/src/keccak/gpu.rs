//! Keccak in kernels: `kernels/keccak256.cl`, and `kernels/merkle.cl` for trees.

use outrigger_types::HashAlgorithm;

use crate::hashing;
use crate::merkle::{self, gpu::NodeKernels};
use crate::room::HashKernels;

/// The byte after the message, by which the two functions differ.
const KECCAK_PADDING: u32 = 0x01;
const SHA3_PADDING: u32 = 0x06;

/// Keccak-256 of each message.
pub(super) const KECCAK256: HashKernels = HashKernels {
    programs: &["merkle", "keccak256"],
    hash: |session, work, output| {
        hashing::gpu::hash(session, "keccak256", "keccak256_messages", Some(KECCAK_PADDING), work, output)
    },
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Keccak256),
    tree: |session, work, output| {
        merkle::gpu::build(session, &NodeKernels::of_bytes("keccak256", KECCAK_PADDING), work, output)
    },
};

/// SHA3-256 of each message.
pub(super) const SHA3_256: HashKernels = HashKernels {
    programs: &["merkle", "keccak256"],
    hash: |session, work, output| {
        hashing::gpu::hash(session, "keccak256", "keccak256_messages", Some(SHA3_PADDING), work, output)
    },
    takes_tree: |tree| merkle::gpu::takes(tree, HashAlgorithm::Sha3_256),
    tree: |session, work, output| {
        merkle::gpu::build(session, &NodeKernels::of_bytes("keccak256", SHA3_PADDING), work, output)
    },
};
