/* What the kernels of multi-scalar multiplication share, whatever the group.
 *
 * A batch of sums is one list of entries, sorted by bucket. An entry is a point's number times two, and 1 more where
 * the point is subtracted. Buckets are numbered through all sums and windows; `ends` holds, for each of them, the place in
 * the list behind its last entry, so a bucket without entries ends where the one before it does. */
#ifndef OUTRIGGER_SUMS_H
#define OUTRIGGER_SUMS_H

#include "dialect/platform.h"

/* The key of a partial sum that is not there. */
#define NO_BUCKET 0xFFFFFFFFu

/* The place of a bucket's first entry. */
DEVICE_FN u32 bucket_start(GLOBAL const u32 *ends, u32 bucket) { return bucket == 0 ? 0u : ends[bucket - 1]; }

/* The bucket, from `low` on, that holds the entry at `place`; there is one below `high`. */
DEVICE_FN u32 bucket_of(GLOBAL const u32 *ends, u32 low, u32 high, u32 place) {
    while (low < high) {
        u32 middle = low + (high - low) / 2u;
        if (ends[middle] > place) {
            high = middle;
        } else {
            low = middle + 1u;
        }
    }
    return low;
}

#endif
