/* Purpose: the digits of scalars, sorted by bucket: what multi-scalar multiplication begins with, on every curve.
 *
 * A scalar s below r counts as s, or as -(r - s) where that is shorter, and is cut into `windows` digits of `bits` bits
 * from -2^(bits-1) to 2^(bits-1); windows * bits is the length of r at least, so nothing is carried out. A digit that
 * is not 0 is an entry in the bucket of its magnitude, see `proving/sums.h`. Windows w, w + rows, w + 2 rows ... share
 * their buckets: of the points there is a copy for each of them, `stride` points after the one before, multiplied by
 * 2^(bits*rows).
 *
 * Arguments: `scalars` are plain numbers of 8 words, one after the other, below r; `wires` says for each point which of
 *   them it is multiplied by; `modulus` are the words of r; `places` has a word for each bucket.
 * Order: `places` wiped, count of every sum, scan (three launches), place of every sum: then `places` are the ends of buckets.
 * Items: work-item i has point i of the sum. Digits that many scalars share would make all of them wait for one word:
 *   so of each window a group counts the digits 1 and those of its first scalar in LOCAL memory first.
 * Ranges: digits as above; `places` and `entries` are numbers below 2^31.
 * Cost: no field multiplications. */

#include "dialect/memory.h"

/* Windows at most: of four bits each. */
#define WINDOWS_MAX 64
/* Work-items' words of a scan in LOCAL memory. */
#define SCAN_WORDS 16u
/* A digit that is not counted in LOCAL memory. */
#define NOT_SHARED 0xFFFFFFFFu

/* What is left of a scalar. */
typedef struct {
    u32 w[8];
    u32 is_negative, carry;
} scalar_rest;

/* A digit: its magnitude, and whether it is subtracted. */
typedef struct {
    u32 magnitude, is_negative;
} scalar_digit;

DEVICE_FN scalar_rest scalar_begin(GLOBAL const u32 *scalars, GLOBAL const u32 *modulus, u32 index) {
    scalar_rest rest;
    u32 other[8], borrow = 0;
    memory_load(rest.w, scalars + (u64)index * 8u, 8);
    UNROLL for (u32 i = 0; i < 8; i++) {
        u64 difference = (u64)modulus[i] - rest.w[i] - borrow;
        other[i] = (u32)difference;
        borrow = (u32)(difference >> 63);
    }
    borrow = 0;
    UNROLL for (u32 i = 0; i < 8; i++) borrow = (u32)(((u64)other[i] - rest.w[i] - borrow) >> 63);
    UNROLL for (u32 i = 0; i < 8; i++) rest.w[i] = borrow ? other[i] : rest.w[i];
    rest.is_negative = borrow;
    rest.carry = 0;
    return rest;
}

DEVICE_FN scalar_rest scalar_of_none(void) {
    scalar_rest rest;
    UNROLL for (u32 i = 0; i < 8; i++) rest.w[i] = 0;
    rest.is_negative = 0;
    rest.carry = 0;
    return rest;
}

/* The lowest digit, of 1 to 31 bits, which is taken away. */
DEVICE_FN scalar_digit scalar_next(scalar_rest *rest, u32 bits) {
    u32 value = (rest->w[0] & ((1u << bits) - 1u)) + rest->carry;
    UNROLL for (u32 i = 0; i < 7; i++) rest->w[i] = (rest->w[i] >> bits) | (rest->w[i + 1] << (32u - bits));
    rest->w[7] >>= bits;
    rest->carry = value > 1u << (bits - 1u);
    scalar_digit digit;
    digit.magnitude = rest->carry ? (1u << bits) - value : value;
    digit.is_negative = rest->carry ^ rest->is_negative;
    return digit;
}

/* Which LOCAL count a digit of a window belongs to: the first `windows` are those of ones. */
DEVICE_FN u32 shared_count_of(scalar_digit digit, u32 window, u32 windows, u32 first_magnitude) {
    if (digit.magnitude == 1u) return window;
    return digit.magnitude == first_magnitude ? windows + window : NOT_SHARED;
}

/* The bucket of a magnitude, which is not 0. */
DEVICE_FN u32 bucket_of_digit(u32 first_bucket, u32 window, u32 rows, u32 bits, u32 magnitude) {
    return first_bucket + ((window % rows) << (bits - 1u)) + magnitude - 1u;
}

/* Adds 1 to the word of each entry's bucket. */
KERNEL_COOPERATIVE void msm_count(GLOBAL const u32 *scalars, GLOBAL const u32 *wires, GLOBAL const u32 *modulus,
                                  GLOBAL u32 *places, u32 first_scalar, u32 first_point, u32 count, u32 first_bucket,
                                  u32 bits, u32 windows, u32 rows) {
    LOCAL u32 magnitudes[WINDOWS_MAX];
    LOCAL u32 counts[2 * WINDOWS_MAX];
    u32 i = GLOBAL_ID(), place = LOCAL_ID();
    scalar_rest scalar = scalar_of_none();
    if (i < count) scalar = scalar_begin(scalars, modulus, first_scalar + wires[first_point + i]);
    for (u32 slot = place; slot < 2u * windows; slot += LOCAL_SIZE()) counts[slot] = 0;
    if (place == 0) {
        scalar_rest first = scalar;
        for (u32 window = 0; window < windows; window++) magnitudes[window] = scalar_next(&first, bits).magnitude;
    }
    BARRIER_LOCAL();
    for (u32 window = 0; window < windows; window++) {
        scalar_digit digit = scalar_next(&scalar, bits);
        if (digit.magnitude != 0) {
            u32 slot = shared_count_of(digit, window, windows, magnitudes[window]);
            if (slot == NOT_SHARED) {
                u32 bucket = bucket_of_digit(first_bucket, window, rows, bits, digit.magnitude);
                (void)ATOMIC_ADD_GLOBAL(&places[bucket], 1u);
            } else {
                (void)ATOMIC_ADD_LOCAL(&counts[slot], 1u);
            }
        }
    }
    BARRIER_LOCAL();
    for (u32 slot = place; slot < 2u * windows; slot += LOCAL_SIZE()) {
        u32 window = slot < windows ? slot : slot - windows;
        u32 magnitude = slot < windows ? 1u : magnitudes[window];
        if (counts[slot] != 0) {
            u32 bucket = bucket_of_digit(first_bucket, window, rows, bits, magnitude);
            (void)ATOMIC_ADD_GLOBAL(&places[bucket], counts[slot]);
        }
    }
}

/* Writes each entry at the place of its bucket, which goes on by one. */
KERNEL_COOPERATIVE void msm_place(GLOBAL const u32 *scalars, GLOBAL const u32 *wires, GLOBAL const u32 *modulus,
                                  GLOBAL u32 *places, GLOBAL u32 *entries, u32 first_scalar, u32 first_point, u32 count,
                                  u32 first_bucket, u32 bits, u32 windows, u32 rows, u32 stride) {
    LOCAL u32 magnitudes[WINDOWS_MAX];
    LOCAL u32 counts[2 * WINDOWS_MAX];
    u32 i = GLOBAL_ID(), place = LOCAL_ID();
    scalar_rest whole = scalar_of_none();
    if (i < count) whole = scalar_begin(scalars, modulus, first_scalar + wires[first_point + i]);
    for (u32 slot = place; slot < 2u * windows; slot += LOCAL_SIZE()) counts[slot] = 0;
    if (place == 0) {
        scalar_rest first = whole;
        for (u32 window = 0; window < windows; window++) magnitudes[window] = scalar_next(&first, bits).magnitude;
    }
    BARRIER_LOCAL();
    scalar_rest scalar = whole;
    for (u32 window = 0; window < windows; window++) {
        scalar_digit digit = scalar_next(&scalar, bits);
        if (digit.magnitude != 0) {
            u32 slot = shared_count_of(digit, window, windows, magnitudes[window]);
            if (slot == NOT_SHARED) {
                u32 bucket = bucket_of_digit(first_bucket, window, rows, bits, digit.magnitude);
                u32 point = first_point + i + window / rows * stride;
                entries[ATOMIC_ADD_GLOBAL(&places[bucket], 1u)] = 2u * point + digit.is_negative;
            } else {
                (void)ATOMIC_ADD_LOCAL(&counts[slot], 1u);
            }
        }
    }
    BARRIER_LOCAL();
    for (u32 slot = place; slot < 2u * windows; slot += LOCAL_SIZE()) {
        u32 window = slot < windows ? slot : slot - windows;
        u32 magnitude = slot < windows ? 1u : magnitudes[window];
        if (counts[slot] != 0) {
            u32 bucket = bucket_of_digit(first_bucket, window, rows, bits, magnitude);
            counts[slot] = ATOMIC_ADD_GLOBAL(&places[bucket], counts[slot]);
        }
    }
    BARRIER_LOCAL();
    for (u32 window = 0; window < windows; window++) {
        scalar_digit digit = scalar_next(&whole, bits);
        u32 slot = shared_count_of(digit, window, windows, magnitudes[window]);
        if (digit.magnitude != 0 && slot != NOT_SHARED) {
            u32 point = first_point + i + window / rows * stride;
            entries[ATOMIC_ADD_LOCAL(&counts[slot], 1u)] = 2u * point + digit.is_negative;
        }
    }
}

/* totals[g] = the sum of the words of group g, which are `run` of the `count`. */
KERNEL_COOPERATIVE void msm_totals(GLOBAL const u32 *words, GLOBAL u32 *totals, u32 count, u32 run) {
    LOCAL u32 total[1];
    u32 place = LOCAL_ID(), first = GROUP_ID() * run;
    u32 last = first >= count ? first : count - first < run ? count : first + run;
    if (place == 0) total[0] = 0;
    BARRIER_LOCAL();
    u32 sum = 0;
    for (u32 i = first + place; i < last; i += LOCAL_SIZE()) sum += words[i];
    if (sum != 0) (void)ATOMIC_ADD_LOCAL(&total[0], sum);
    BARRIER_LOCAL();
    if (place == 0) totals[GROUP_ID()] = total[0];
}

/* Each word becomes the sum of those before it in its group's run, and starts[g]. A group takes SCAN_WORDS words a
 * work-item at a time, whose sums are added up in steps of 1, 2, 4 ... work-items. */
KERNEL_COOPERATIVE void msm_scan(GLOBAL u32 *words, GLOBAL const u32 *starts, u32 count, u32 run) {
    LOCAL u32 sums[2][GROUP_MAX];
    u32 place = LOCAL_ID(), size = LOCAL_SIZE(), first = GROUP_ID() * run;
    u32 last = first >= count ? first : count - first < run ? count : first + run;
    u32 before = starts[GROUP_ID()];
    for (u32 tile = first; tile < last; tile += SCAN_WORDS * size) {
        u32 at = tile + SCAN_WORDS * place, own[SCAN_WORDS], sum = 0, row = 0;
        UNROLL for (u32 i = 0; i < SCAN_WORDS; i++) {
            own[i] = at + i < last ? words[at + i] : 0u;
            sum += own[i];
        }
        sums[0][place] = sum;
        BARRIER_LOCAL();
        for (u32 step = 1; step < size; step <<= 1) {
            sums[row ^ 1u][place] = sums[row][place] + (place >= step ? sums[row][place - step] : 0u);
            row ^= 1u;
            BARRIER_LOCAL();
        }
        u32 start = before + sums[row][place] - sum;
        before += sums[row][size - 1u];
        UNROLL for (u32 i = 0; i < SCAN_WORDS; i++) {
            if (at + i < last) words[at + i] = start;
            start += own[i];
        }
        BARRIER_LOCAL();
    }
}
