/* Purpose: what a backend is tested with, and what a worker runs to see that its device lives: a kernel without
 * barriers, one with, and one that only multiplies.
 *
 * Arguments: columns of `count` words; see each kernel.
 * Items: work-item i has item i; in a cooperative kernel a group has `LOCAL_SIZE()` neighbouring items.
 * Ranges: words are any 32 bits; sums and products are modulo 2^32.
 * Cost: no field multiplications. */
#include "platform.h"

/* out[i] = in[i] * factor + i */
KERNEL void probe_scale(GLOBAL const u32 *in, GLOBAL u32 *out, u32 factor, u32 count) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    out[i] = in[i] * factor + i;
}

/* The same on words of 64 bits and bytes: out[i] = in[i] + bytes[i] */
KERNEL void probe_widen(GLOBAL const u64 *in, GLOBAL const u8 *bytes, GLOBAL u64 *out, u32 count) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    out[i] = in[i] + bytes[i];
}

/* sums[g] = the sum of the items of group g, by a tree in LOCAL memory; groups of any size. */
KERNEL_COOPERATIVE void probe_sum(GLOBAL const u32 *in, GLOBAL u32 *sums, u32 count) {
    LOCAL u32 part[GROUP_MAX];
    u32 i = GLOBAL_ID(), place = LOCAL_ID(), size = LOCAL_SIZE();
    part[place] = i < count ? in[i] : 0u;
    BARRIER_LOCAL();
    while (size > 1u) {
        u32 middle = (size + 1u) >> 1;
        if (place + middle < size) {
            part[place] += part[place + middle];
        }
        BARRIER_LOCAL();
        size = middle;
    }
    if (place == 0u) {
        sums[GROUP_ID()] = part[0];
    }
}

/* out[i] = the end of a chain of `rounds` dependent multiplications and additions from in[i]: time without memory. */
KERNEL void probe_chain(GLOBAL const u32 *in, GLOBAL u32 *out, u32 rounds, u32 count) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 x = in[i];
    for (u32 round = 0; round < rounds; round++) {
        x = x * 0x915F77F5u + 0x2545F491u;
    }
    out[i] = x;
}
