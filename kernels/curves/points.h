/* Points, for all curves. */
#ifndef OUTRIGGER_POINTS_H
#define OUTRIGGER_POINTS_H

#include "dialect/limbs.h"

/* A point by its coordinates. */
typedef struct {
    u256 x, y;
} affine_point;

/* The point (X/Z^2, Y/Z^3); with Z = 0 the point at infinity. */
typedef struct {
    u256 x, y, z;
} jacobian_point;

/* Digit `index` of `width` bits, at most 32, of a number in words. */
DEVICE_FN u32 bits_at(const u32 *words, u32 word_count, u32 position, u32 width) {
    u32 word = position / 32, shift = position % 32;
    u64 pair = words[word];
    if (word + 1 < word_count) pair |= (u64)words[word + 1] << 32;
    return (u32)(pair >> shift) & (u32)(((u64)1 << width) - 1);
}

/* An odd digit of a number that is a sum of odd digits. */
typedef struct {
    u32 index;       /* (|digit| - 1)/2 */
    u32 is_negative;
} odd_digit;

/* The odd digit 2t - (2^width - 1) that t stands for. */
DEVICE_FN odd_digit odd_digit_of(u32 t, u32 width) {
    u32 middle = 1u << (width - 1);
    odd_digit digit;
    digit.is_negative = t < middle;
    digit.index = digit.is_negative ? middle - 1 - t : t - middle;
    return digit;
}

#endif
