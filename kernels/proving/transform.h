/* Number-theoretic transforms: where the elements of a tile lie, and which butterflies a step has.
 *
 * A transform of n = 2^log_size values has log_size levels. Level h joins values 2^h apart. Downwards, from the top level
 * to level 0, values in natural order become coefficients in bit-reversed order; upwards, coefficients in bit-reversed
 * order become values in natural order. So nothing is reordered between the two.
 *
 * A pass carries out `levels` levels from level `low` on. Its tiles are 2^levels rows, 2^low apart, of 2^columns neighbours:
 * a group copies its tile into LOCAL memory, goes through the levels, two in a step, and copies it back. Element e of a
 * tile is column e mod 2^columns of row e / 2^columns. */
#ifndef OUTRIGGER_TRANSFORM_H
#define OUTRIGGER_TRANSFORM_H

#include "dialect/platform.h"

/* Elements of a tile at most: 32 KiB of LOCAL memory. */
#define TRANSFORM_TILE 1024u

/* What a pass does: bits of `mode`. Down comes before up. */
#define TRANSFORM_DOWN 1u
#define TRANSFORM_UP 2u
/* Polynomial c is taken from the product of a and b. */
#define TRANSFORM_LOAD_PRODUCT 4u
/* Instead of C, the plain scalars of A*B - C are written, over A. */
#define TRANSFORM_STORE_QUOTIENT 8u

/* What the reordering does: bits of `mode`. The output of a transform downwards is read as that of the other direction,
 * which gives the same values in the order n - i. */
#define TRANSFORM_MIRROR 1u
/* Divides by n. */
#define TRANSFORM_DIVIDE 2u
/* Divides coefficient i by w^i, w being the shift of the coset. */
#define TRANSFORM_UNSHIFT 4u

/* The tile of a group. */
struct transform_tile {
    u32 low, levels, columns;
    /* Which of the transforms of the batch. */
    u32 polynomial;
    /* Where in it the tile begins. */
    u32 start;
};

/* Polynomials take turns, so that groups which run at once use the same roots. */
DEVICE_FN struct transform_tile transform_tile_of(u32 group, u32 first, u32 count, u32 low, u32 levels, u32 columns) {
    struct transform_tile t;
    u32 number = group / count;
    u32 beside = low - columns;
    t.low = low;
    t.levels = levels;
    t.columns = columns;
    t.polynomial = first + group % count;
    t.start = ((number >> beside) << (low + levels)) + ((number & ((1u << beside) - 1u)) << columns);
    return t;
}

DEVICE_FN u32 transform_elements(struct transform_tile t) { return 1u << (t.levels + t.columns); }

/* Where in its transform element e of a tile is. */
DEVICE_FN u32 transform_position(struct transform_tile t, u32 e) {
    return t.start + ((e >> t.columns) << t.low) + (e & ((1u << t.columns) - 1u));
}

/* Where in LOCAL memory each word of element e is: the lowest five bits are mixed with the two above them, so that 32
 * neighbouring work-items meet 32 banks in steps at every distance but one. */
DEVICE_FN u32 transform_place(u32 e) { return e ^ (13u * ((e >> 5) & 1u)) ^ (13u * ((e >> 5) & 2u)); }

/* Steps of one direction. Where the levels are odd in number, the topmost is a step of its own. */
DEVICE_FN u32 transform_steps(u32 levels) { return (levels + 1u) >> 1; }

/* One step: two levels, `lower` and the one above it, or with `is_single` the one. */
struct transform_step {
    u32 is_up, lower, is_single;
};

/* Step number `step` of a pass, downward steps first. */
DEVICE_FN struct transform_step transform_step_of(struct transform_tile t, u32 mode, u32 step) {
    struct transform_step s;
    u32 steps = transform_steps(t.levels);
    u32 down = (mode & TRANSFORM_DOWN) ? steps : 0u;
    s.is_up = step >= down;
    s.lower = t.low + 2u * (s.is_up ? step - down : steps - 1u - step);
    s.is_single = s.lower + 1u == t.low + t.levels;
    return s;
}

/* i with a bit put in at `place`: 0. */
DEVICE_FN u32 transform_spread(u32 i, u32 place) { return ((i >> place) << (place + 1u)) | (i & ((1u << place) - 1u)); }

/* The lowest `bits` bits of i, which has no more, in the other order. */
DEVICE_FN u32 transform_reverse_bits(u32 i, u32 bits) {
    i = ((i >> 1) & 0x55555555u) | ((i & 0x55555555u) << 1);
    i = ((i >> 2) & 0x33333333u) | ((i & 0x33333333u) << 2);
    i = ((i >> 4) & 0x0F0F0F0Fu) | ((i & 0x0F0F0F0Fu) << 4);
    i = swap_bytes_32(i);
    return bits == 0 ? 0u : i >> (32u - bits);
}

#endif
