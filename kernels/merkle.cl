/* Merkle trees over functions of bytes: from leaves to the root, several levels a launch.
 *
 * merkle_leaves_<function>   leaves, as they enter the tree: the trees `binary` and `rfc6962`, which hash them
 *
 *   bytes      the leaves, one after the other, as message.h wants them
 *   offsets    the start of each leaf in `bytes` and the end of the last; not read where `length` says it all
 *   nodes      the level of the leaves: columns of `count` words, see merkle.h
 *   count      leaves, 1 to 2^28
 *   length     bytes of every leaf, or LENGTHS_VARY
 *   tree       which one, by its number on the wire
 *   variant    SHA-256: 1 for the digest of the digest; Keccak: the padding; else 0
 *   Work-item i hashes leaf i; items beyond `count` do nothing.
 *
 * merkle_nodes_<function>    from a level up; the launch whose nodes are one group's gives the root
 *
 *   below      the level to climb from: columns of `count` words, or the leaves themselves, 32 bytes each, where
 *              `level` is 0 and the tree takes them as they are
 *   above      the level that is reached: columns of as many words as there are groups; not written at the root
 *   path       8 words and 8 for each level of the tree: what a proof of leaf `proved` has, see below; not written
 *              where nothing is proved
 *   results    at the root alone: verdict, tag and 8 words of root, one item as tag.h lays it out; zeros where the
 *              verdict is not VALID
 *   count      nodes of the level below, 1 to 2^28
 *   level      levels below that one
 *   height     levels to climb at most: 2^height nodes a group, no more than 8 GROUP_MAX
 *   tree, variant   as above
 *   proved     the place of the leaf to prove, or MERKLE_PROVES_NONE
 *   nonce      of the batch
 *   Group g climbs from nodes 2^height g on; groups beyond the last node do nothing. LOCAL: 8 GROUP_MAX nodes.
 *
 * The path: 8 words for the leaf as it enters the tree, then 8 for each level, which hold the node that its ancestor on
 * that level is paired with. Levels on which it is alone, and unpaired, are not written.
 *
 * The tree of Bitcoin is INVALID where two equal nodes are a pair of their own. Reference: the room `merkle`. Cost: two
 * blocks a parent for SHA-256 and SM3, one for Keccak and BLAKE2b. */
#include "dialect/platform.h"
#include "dialect/tag.h"
#include "hashes/message.h"
#include "hashes/merkle.h"
#include "hashes/sha256.inc"
#include "hashes/keccak256.inc"
#include "hashes/sm3.inc"
#include "hashes/blake2b.inc"

/* SHA-256. */

DEVICE_FN void sha256_twice(u32 *digest, u32 is_twice) {
    if (is_twice) {
        u32 once[8];
        UNROLL
        for (u32 w = 0; w < 8u; w++) {
            once[w] = digest[w];
        }
        sha256_of_words(digest, once, 8u, 0, 0);
    }
}

DEVICE_FN void sha256_parent(u32 *parent, const u32 *pair, struct merkle_climb climb) {
    u32 lead = climb.tree == MERKLE_RFC6962;
    sha256_of_words(parent, pair, 16u, lead, RFC6962_NODE);
    sha256_twice(parent, climb.variant);
}

#define MERKLE(name) sha256_##name
#define MERKLE_PARENT sha256_parent
#define MERKLE_IS_MALFORMED(node) 0
#include "hashes/merkle.inc"

KERNEL void merkle_leaves_sha256(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, GLOBAL u32 *nodes,
                                 u32 count, u32 length, u32 tree, u32 variant) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 node[8];
    struct message m = merkle_leaf(offsets, length, tree, i);
    sha256_of_message(node, bytes, m);
    sha256_twice(node, variant);
    merkle_store(node, nodes, count, i);
}

KERNEL_COOPERATIVE void merkle_nodes_sha256(const GLOBAL u32 *below, GLOBAL u32 *above, GLOBAL u32 *path,
                                            GLOBAL u32 *results, u32 count, u32 level, u32 height, u32 tree,
                                            u32 variant, u32 proved, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 nodes[8 * MERKLE_LOCAL_NODES];
    LOCAL u32 marks[GROUP_MAX];
    struct merkle_climb climb;
    MERKLE_CLIMB(climb, below, below, variant);
    sha256_climb(nodes, marks, climb);
}

/* Keccak-256 and SHA3-256. */

DEVICE_FN void keccak256_parent(u32 *parent, const u32 *pair, struct merkle_climb climb) {
    u32 lead = climb.tree == MERKLE_RFC6962;
    keccak256_of_words(parent, pair, 16u, lead, RFC6962_NODE, climb.variant);
}

#define MERKLE(name) keccak256_##name
#define MERKLE_PARENT keccak256_parent
#define MERKLE_IS_MALFORMED(node) 0
#include "hashes/merkle.inc"

KERNEL void merkle_leaves_keccak256(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, GLOBAL u32 *nodes,
                                    u32 count, u32 length, u32 tree, u32 variant) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 node[8];
    struct message m = merkle_leaf(offsets, length, tree, i);
    keccak256_of_message(node, bytes, m, variant);
    merkle_store(node, nodes, count, i);
}

KERNEL_COOPERATIVE void merkle_nodes_keccak256(const GLOBAL u32 *below, GLOBAL u32 *above, GLOBAL u32 *path,
                                               GLOBAL u32 *results, u32 count, u32 level, u32 height, u32 tree,
                                               u32 variant, u32 proved, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 nodes[8 * MERKLE_LOCAL_NODES];
    LOCAL u32 marks[GROUP_MAX];
    struct merkle_climb climb;
    MERKLE_CLIMB(climb, below, below, variant);
    keccak256_climb(nodes, marks, climb);
}

/* SM3. */

DEVICE_FN void sm3_parent(u32 *parent, const u32 *pair, struct merkle_climb climb) {
    u32 lead = climb.tree == MERKLE_RFC6962;
    sm3_of_words(parent, pair, 16u, lead, RFC6962_NODE);
}

#define MERKLE(name) sm3_##name
#define MERKLE_PARENT sm3_parent
#define MERKLE_IS_MALFORMED(node) 0
#include "hashes/merkle.inc"

KERNEL void merkle_leaves_sm3(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, GLOBAL u32 *nodes,
                              u32 count, u32 length, u32 tree, u32 variant) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 node[8];
    struct message m = merkle_leaf(offsets, length, tree, i);
    (void)variant;
    sm3_of_message(node, bytes, m);
    merkle_store(node, nodes, count, i);
}

KERNEL_COOPERATIVE void merkle_nodes_sm3(const GLOBAL u32 *below, GLOBAL u32 *above, GLOBAL u32 *path,
                                         GLOBAL u32 *results, u32 count, u32 level, u32 height, u32 tree, u32 variant,
                                         u32 proved, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 nodes[8 * MERKLE_LOCAL_NODES];
    LOCAL u32 marks[GROUP_MAX];
    struct merkle_climb climb;
    MERKLE_CLIMB(climb, below, below, variant);
    sm3_climb(nodes, marks, climb);
}

/* BLAKE2b. */

DEVICE_FN void blake2b_parent(u32 *parent, const u32 *pair, struct merkle_climb climb) {
    u32 lead = climb.tree == MERKLE_RFC6962;
    blake2b_of_words(parent, pair, 16u, lead, RFC6962_NODE);
}

#define MERKLE(name) blake2b_##name
#define MERKLE_PARENT blake2b_parent
#define MERKLE_IS_MALFORMED(node) 0
#include "hashes/merkle.inc"

KERNEL void merkle_leaves_blake2b(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, GLOBAL u32 *nodes,
                                  u32 count, u32 length, u32 tree, u32 variant) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 node[8];
    struct message m = merkle_leaf(offsets, length, tree, i);
    (void)variant;
    blake2b_of_message(node, bytes, m);
    merkle_store(node, nodes, count, i);
}

KERNEL_COOPERATIVE void merkle_nodes_blake2b(const GLOBAL u32 *below, GLOBAL u32 *above, GLOBAL u32 *path,
                                             GLOBAL u32 *results, u32 count, u32 level, u32 height, u32 tree,
                                             u32 variant, u32 proved, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 nodes[8 * MERKLE_LOCAL_NODES];
    LOCAL u32 marks[GROUP_MAX];
    struct merkle_climb climb;
    MERKLE_CLIMB(climb, below, below, variant);
    blake2b_climb(nodes, marks, climb);
}
