/* What the work-items of a group share: a tree of numbers in LOCAL memory. */
#ifndef OUTRIGGER_GROUP_H
#define OUTRIGGER_GROUP_H

#include "dialect/limbs.h"

/* Words of LOCAL memory that a tree takes. Word w of node k lies at w*2*GROUP_MAX + k, so that neighbours read
 * different banks. */
#define GROUP_TREE_WORDS (16 * GROUP_MAX)

DEVICE_FN u256 group_tree_load(LOCAL_PTR const u32 *tree, u32 node) {
    u256 r;
    UNROLL for (u32 i = 0; i < 8; i++) r.w[i] = tree[i * (2 * GROUP_MAX) + node];
    return r;
}

DEVICE_FN void group_tree_store(LOCAL_PTR u32 *tree, u32 node, u256 a) {
    UNROLL for (u32 i = 0; i < 8; i++) tree[i * (2 * GROUP_MAX) + node] = a.w[i];
}

#endif
