/* Scalars in odd digits, for combs and windows over 256 bits. */
#ifndef OUTRIGGER_COMB_H
#define OUTRIGGER_COMB_H

#include "curves/points.h"
#include "fields/group.h"

/* A comb of a point P: for each window j of 8 bits the odd multiples (2i + 1)*2^(8j)*P, i below 128. A row of 8
 * words of 64 bits is a point, x and y; row 128j + i. 256 KiB. */
#define COMB_WIDTH 8
#define COMB_WINDOWS 32
#define COMB_MULTIPLES 128
#define COMB_WORDS (COMB_WINDOWS * COMB_MULTIPLES * 8)

/* Work-items that share a signature where there are fewer signatures than a device has lanes: each adds 8 of the 64
 * windows of two combs, and 3 additions join what they have. With 16 it would be 4 windows and 4 additions, which are
 * dearer: no gain. Without a comb of Q each multiplies by a word of its scalar. */
#define COMB_PARTS 8

/* LOCAL memory for a point a work-item. Word w of point k lies at w*GROUP_MAX + k. */
#define GROUP_POINT_WORDS (24 * GROUP_MAX)

DEVICE_FN void group_point_store(LOCAL_PTR u32 *points, u32 place, jacobian_point p) {
    UNROLL for (u32 i = 0; i < 8; i++) {
        points[i * GROUP_MAX + place] = p.x.w[i];
        points[(8 + i) * GROUP_MAX + place] = p.y.w[i];
        points[(16 + i) * GROUP_MAX + place] = p.z.w[i];
    }
}

DEVICE_FN jacobian_point group_point_load(LOCAL_PTR const u32 *points, u32 place) {
    jacobian_point p;
    UNROLL for (u32 i = 0; i < 8; i++) {
        p.x.w[i] = points[i * GROUP_MAX + place];
        p.y.w[i] = points[(8 + i) * GROUP_MAX + place];
        p.z.w[i] = points[(16 + i) * GROUP_MAX + place];
    }
    return p;
}

/* Windows of a point without a comb: 52 digits of 5 bits. */
#define WINDOW_WIDTH 5
#define WINDOW_MULTIPLES 16
#define WINDOW_BITS 260

/* An odd number k below 2^256 as (k - 1)/2, and whether its digits are to be negated.
 *
 * Written to base 2^w with m digits, digit t of (k - 1)/2 + 2^(w*m - 1) stands for the odd digit 2t - (2^w - 1) of k,
 * since the sum of the (2^w - 1)*2^(w*i) is 2^(w*m) - 1. No digit is 0. */
typedef struct {
    u32 w[8];
    u32 is_negated;
} odd_scalar;

/* The digit of `width` bits at a position, `length` being w*m. */
DEVICE_FN odd_digit odd_scalar_digit(const odd_scalar *scalar, u32 position, u32 width, u32 length) {
    u32 t = position < 256 ? bits_at(scalar->w, 8, position, width) : 0;
    if (position + width == length) t |= 1u << (width - 1);
    odd_digit digit = odd_digit_of(t, width);
    digit.is_negative ^= scalar->is_negated;
    return digit;
}

#endif
