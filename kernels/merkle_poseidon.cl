/* Merkle trees over Poseidon: `poseidon` and `lean-imt`, whose leaves enter as they are.
 *
 * merkle_nodes_poseidon   as merkle_nodes_<function> of merkle.cl, without a variant, and with
 *
 *   constants  those of poseidon_bn254.cl, at least of width 3
 *   zeros      8 words for each level: roots of trees of zeros, of a single 0 first; at least as many as the tree has
 *              levels
 *
 * A tree is MALFORMED where a leaf is not below r. Reference: the room `merkle`. Cost: one hash of two elements a
 * parent. */
#include "dialect/platform.h"
#include "dialect/tag.h"
#include "hashes/message.h"
#include "hashes/merkle.h"
#include "hashes/bn254_scalar.inc"
#include "hashes/poseidon_pair.inc"

#define MERKLE(name) poseidon_##name
#define MERKLE_PARENT(parent, pair, climb) poseidon_of_pair(parent, pair, climb.constants)
#define MERKLE_IS_MALFORMED(node) (!scalar_bytes_are_reduced(node))
#include "hashes/merkle.inc"

KERNEL_COOPERATIVE void merkle_nodes_poseidon(const GLOBAL u32 *below, GLOBAL u32 *above, GLOBAL u32 *path,
                                              const GLOBAL u32 *constants, const GLOBAL u32 *zeros,
                                              GLOBAL u32 *results, u32 count, u32 level, u32 height, u32 tree,
                                              u32 proved, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 nodes[8 * MERKLE_LOCAL_NODES];
    LOCAL u32 marks[GROUP_MAX];
    struct merkle_climb climb;
    MERKLE_CLIMB(climb, constants, zeros, 0);
    poseidon_climb(nodes, marks, climb);
}
