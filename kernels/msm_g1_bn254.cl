/* Purpose: multi-scalar multiplication in G1 of BN254, from sorted digits (`msm_digits.cl`) to a point a window.
 *
 * Arguments: `points` are affine, `buckets`, `partial`, `plain` and `weighted` in extended coordinates, all in
 *   Montgomery's form and one after the other; for `entries`, `ends` and keys see `proving/sums.h`.
 * Order: accumulate; join until one work-item is left; weigh_buckets; weigh_segments until one segment a window is
 *   left, whose weighted sum is the window's.
 * Items: see `proving/sums.inc`.
 * Ranges: coordinates are below the modulus, in and out; 32 bytes each.
 * Cost: an entry 8 products and 2 squares of coordinates; a bucket two additions, of 12 and 2 each. */

#include "fields/bn254_q.inc"

#define POINT bn254_g1
#define COORDINATE bn254_q
#define COORDINATE_WORDS 8
#include "proving/sums.inc"

KERNEL void msm_g1_bn254_accumulate(GLOBAL const u32 *points, GLOBAL const u32 *entries, GLOBAL const u32 *ends,
                           GLOBAL u32 *buckets, GLOBAL u32 *keys, GLOBAL u32 *partial, u32 bucket_count, u32 items,
                           u32 least) {
    bn254_g1_accumulate(points, entries, ends, buckets, keys, partial, bucket_count, items, least);
}

KERNEL void msm_g1_bn254_join(GLOBAL const u32 *keys, GLOBAL const u32 *partial, GLOBAL u32 *buckets,
                     GLOBAL u32 *keys_out, GLOBAL u32 *partial_out, u32 count, u32 items, u32 run) {
    bn254_g1_join(keys, partial, buckets, keys_out, partial_out, count, items, run);
}

KERNEL void msm_g1_bn254_weigh_buckets(GLOBAL const u32 *buckets, GLOBAL const u32 *ends, GLOBAL u32 *plain,
                              GLOBAL u32 *weighted, u32 items, u32 segment) {
    bn254_g1_weigh_buckets(buckets, ends, plain, weighted, items, segment);
}

KERNEL void msm_g1_bn254_weigh_segments(GLOBAL const u32 *plain, GLOBAL const u32 *weighted, GLOBAL u32 *plain_out,
                               GLOBAL u32 *weighted_out, u32 items, u32 segment, u32 doublings) {
    bn254_g1_weigh_segments(plain, weighted, plain_out, weighted_out, items, segment, doublings);
}

KERNEL void msm_g1_bn254_copy(GLOBAL u32 *points, u32 from, u32 to, u32 count, u32 doublings) {
    bn254_g1_copy(points, from, to, count, doublings);
}
