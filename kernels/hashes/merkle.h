/* What the kernels of Merkle trees share, whatever their hash function.
 *
 * Words of nodes are those of message.h. A level in GLOBAL memory is nine columns: eight words, and a mark, which is
 * the verdict over the subtree if that is not to be VALID, else 0. Leaves that enter as they are lie one after the
 * other in their bytes instead, and have no marks. */
#ifndef OUTRIGGER_MERKLE_H
#define OUTRIGGER_MERKLE_H

#include "message.h"
#include "tag.h"

/* Nodes that a group has room for: half of those that a subtree stands on. */
#define MERKLE_LOCAL_NODES (4 * GROUP_MAX)

/* Trees, as on the wire. */
#define MERKLE_BINARY 1u
#define MERKLE_RFC6962 2u
#define MERKLE_BITCOIN 3u
#define MERKLE_POSEIDON 4u
#define MERKLE_LEAN_IMT 5u

#define RFC6962_LEAF 0u
#define RFC6962_NODE 1u

/* In place of the leaf to prove: none. */
#define MERKLE_PROVES_NONE 0xFFFFFFFFu

/* What a launch climbs: the arguments of its kernel, as merkle.cl describes them. */
struct merkle_climb {
    const GLOBAL u32 *below;
    GLOBAL u32 *above;
    GLOBAL u32 *path;
    const GLOBAL u32 *constants;
    const GLOBAL u32 *zeros;
    u32 count;
    u32 level;
    u32 height;
    u32 tree;
    u32 variant;
    u32 proved;
    GLOBAL u32 *results;
    u32 nonce_low;
    u32 nonce_high;
};

/* The arguments of a kernel as one thing; only Poseidon has constants and roots of zeros. */
#define MERKLE_CLIMB(climb, its_constants, its_zeros, its_variant) \
    climb.below = below;                                           \
    climb.above = above;                                           \
    climb.path = path;                                             \
    climb.constants = its_constants;                               \
    climb.zeros = its_zeros;                                       \
    climb.count = count;                                           \
    climb.level = level;                                           \
    climb.height = height;                                         \
    climb.tree = tree;                                             \
    climb.variant = its_variant;                                   \
    climb.proved = proved;                                         \
    climb.results = results;                                       \
    climb.nonce_low = nonce_low;                                   \
    climb.nonce_high = nonce_high;

/* Whether leaves enter the tree as they are. */
DEVICE_FN u32 merkle_takes_leaves_as_they_are(u32 tree) {
    return tree == MERKLE_BITCOIN || tree == MERKLE_POSEIDON || tree == MERKLE_LEAN_IMT;
}

/* Leaf i of a tree that hashes its leaves. */
DEVICE_FN struct message merkle_leaf(const GLOBAL u32 *offsets, u32 length, u32 tree, u32 i) {
    struct message m = message_of_batch(offsets, length, i);
    m.lead = tree == MERKLE_RFC6962;
    m.lead_byte = RFC6962_LEAF;
    return m;
}

/* Writes node i of the level of leaves. */
DEVICE_FN void merkle_store(const u32 *node, GLOBAL u32 *nodes, u32 count, u32 i) {
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        nodes[w * count + i] = node[w];
    }
    nodes[8u * count + i] = 0;
}

/* Node i of the level that a launch stands on. */
DEVICE_FN void merkle_load(u32 *node, struct merkle_climb climb, u32 is_raw, u32 i) {
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        node[w] = climb.below[is_raw ? 8u * i + w : w * climb.count + i];
    }
}

DEVICE_FN u32 merkle_are_equal(const u32 *pair) {
    u32 difference = 0;
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        difference |= pair[w] ^ pair[8u + w];
    }
    return difference == 0;
}

/* The partner of a lone node, where the tree gives it one. */
DEVICE_FN u32 merkle_partner(u32 *pair, struct merkle_climb climb, u32 level) {
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        pair[8u + w] = climb.tree == MERKLE_POSEIDON ? climb.zeros[8u * level + w] : pair[w];
    }
    return climb.tree == MERKLE_BITCOIN || climb.tree == MERKLE_POSEIDON;
}

/* Writes what a proof has of a pair: the leaf itself at place 0, the partner at level l at place l + 1. */
DEVICE_FN void merkle_note(const u32 *pair, struct merkle_climb climb, u32 level, u32 i, u32 is_paired) {
    if (climb.proved == MERKLE_PROVES_NONE || i != climb.proved >> level >> 1) {
        return;
    }
    u32 is_right = (climb.proved >> level) & 1u;
    for (u32 w = 0; w < 8u; w++) {
        if (level == 0) {
            climb.path[w] = is_right ? pair[8u + w] : pair[w];
        }
        if (is_paired) {
            climb.path[8u * (level + 1u) + w] = is_right ? pair[w] : pair[8u + w];
        }
    }
}

/* The top of a group's subtree: a node of the level above, or the result where it is the root. */
DEVICE_FN void merkle_end(const u32 *top, u32 mark, struct merkle_climb climb, u32 groups, u32 group) {
    if (groups > 1u) {
        for (u32 w = 0; w < 8u; w++) {
            climb.above[w * groups + group] = top[w];
        }
        climb.above[8u * groups + group] = mark;
        return;
    }
    u32 root[8];
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        root[w] = mark != 0 ? 0u : top[w];
    }
    write_result(climb.results, 1u, 0, climb.nonce_low, climb.nonce_high, mark != 0 ? mark : VERDICT_VALID, root, 8u);
}

#endif
