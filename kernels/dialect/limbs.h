/* Numbers of many words of 32 bits, the least first, and their carry chains.
 *
 * Two forms stand side by side. The portable one goes through u64. The other is made of chains of `limbs_add`,
 * `limbs_subtract` and `limbs_multiply_into`, which are PTX under CUDA: a chain keeps its carry in the flag, and two
 * neighbouring words take a product of 64 bits with one instruction. LIMBS_CHAINS chooses the chains; the host can
 * choose them too, with the portable bodies, so that all but the instructions themselves is judged there.
 *
 * Lengths are known where a function is called: loops are unrolled, and arrays stay in registers. */
#ifndef OUTRIGGER_LIMBS_H
#define OUTRIGGER_LIMBS_H

#include "platform.h"

#if defined(__CUDACC__)
#define LIMBS_CHAINS
#endif

/* 256 bits. */
typedef struct {
    u32 w[8];
} u256;

/* 512 bits. */
typedef struct {
    u32 w[16];
} u512;

#if defined(__CUDACC__)

/* r = a + b + carry, of one word; the carry. */
DEVICE_FN u32 limbs_add_1(u32 *r, u32 a, u32 b, u32 carry) {
    u32 sum, out;
    asm("add.cc.u32 %1, %4, 0xffffffff;\n\taddc.cc.u32 %0, %2, %3;\n\taddc.u32 %1, 0, 0;"
        : "=&r"(sum), "=&r"(out)
        : "r"(a), "r"(b), "r"(carry));
    *r = sum;
    return out;
}

/* r = a + b + carry, of four words; the carry. */
DEVICE_FN u32 limbs_add_4(u32 *r, const u32 *a, const u32 *b, u32 carry) {
    u32 s0, s1, s2, s3, out;
    asm("add.cc.u32 %4, %13, 0xffffffff;\n\t"
        "addc.cc.u32 %0, %5, %9;\n\taddc.cc.u32 %1, %6, %10;\n\taddc.cc.u32 %2, %7, %11;\n\t"
        "addc.cc.u32 %3, %8, %12;\n\taddc.u32 %4, 0, 0;"
        : "=&r"(s0), "=&r"(s1), "=&r"(s2), "=&r"(s3), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(carry));
    r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3;
    return out;
}

/* r = a + b, of eight words; the carry. */
DEVICE_FN u32 limbs_add_8(u32 *r, const u32 *a, const u32 *b) {
    u32 s0, s1, s2, s3, s4, s5, s6, s7, out;
    asm("add.cc.u32 %0, %9, %17;\n\taddc.cc.u32 %1, %10, %18;\n\taddc.cc.u32 %2, %11, %19;\n\t"
        "addc.cc.u32 %3, %12, %20;\n\taddc.cc.u32 %4, %13, %21;\n\taddc.cc.u32 %5, %14, %22;\n\t"
        "addc.cc.u32 %6, %15, %23;\n\taddc.cc.u32 %7, %16, %24;\n\taddc.u32 %8, 0, 0;"
        : "=&r"(s0), "=&r"(s1), "=&r"(s2), "=&r"(s3), "=&r"(s4), "=&r"(s5), "=&r"(s6), "=&r"(s7), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(b[0]),
          "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
    r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3, r[4] = s4, r[5] = s5, r[6] = s6, r[7] = s7;
    return out;
}

/* r = a - b - borrow, of one word; the borrow. */
DEVICE_FN u32 limbs_subtract_1(u32 *r, u32 a, u32 b, u32 borrow) {
    u32 difference, out;
    asm("sub.cc.u32 %1, 0, %4;\n\tsubc.cc.u32 %0, %2, %3;\n\tsubc.u32 %1, 0, 0;"
        : "=&r"(difference), "=&r"(out)
        : "r"(a), "r"(b), "r"(borrow));
    *r = difference;
    return out & 1u;
}

/* r = a - b - borrow, of four words; the borrow. */
DEVICE_FN u32 limbs_subtract_4(u32 *r, const u32 *a, const u32 *b, u32 borrow) {
    u32 s0, s1, s2, s3, out;
    asm("sub.cc.u32 %4, 0, %13;\n\t"
        "subc.cc.u32 %0, %5, %9;\n\tsubc.cc.u32 %1, %6, %10;\n\tsubc.cc.u32 %2, %7, %11;\n\t"
        "subc.cc.u32 %3, %8, %12;\n\tsubc.u32 %4, 0, 0;"
        : "=&r"(s0), "=&r"(s1), "=&r"(s2), "=&r"(s3), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(borrow));
    r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3;
    return out & 1u;
}

/* r = a - b, of eight words; the borrow. */
DEVICE_FN u32 limbs_subtract_8(u32 *r, const u32 *a, const u32 *b) {
    u32 s0, s1, s2, s3, s4, s5, s6, s7, out;
    asm("sub.cc.u32 %0, %9, %17;\n\tsubc.cc.u32 %1, %10, %18;\n\tsubc.cc.u32 %2, %11, %19;\n\t"
        "subc.cc.u32 %3, %12, %20;\n\tsubc.cc.u32 %4, %13, %21;\n\tsubc.cc.u32 %5, %14, %22;\n\t"
        "subc.cc.u32 %6, %15, %23;\n\tsubc.cc.u32 %7, %16, %24;\n\tsubc.u32 %8, 0, 0;"
        : "=&r"(s0), "=&r"(s1), "=&r"(s2), "=&r"(s3), "=&r"(s4), "=&r"(s5), "=&r"(s6), "=&r"(s7), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(b[0]),
          "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]), "r"(b[6]), "r"(b[7]));
    r[0] = s0, r[1] = s1, r[2] = s2, r[3] = s3, r[4] = s4, r[5] = s5, r[6] = s6, r[7] = s7;
    return out & 1u;
}

/* Adds a[0]*b, a[2]*b ... (`pairs` of them) to the pairs of words of `sum`, and the carry to the word after them, which
 * must have room for it. */
DEVICE_FN void limbs_multiply_into(u32 *sum, const u32 *a, u32 b, u32 pairs) {
    if (pairs == 4) {
        asm("mad.lo.cc.u32 %0, %9, %13, %0;\n\tmadc.hi.cc.u32 %1, %9, %13, %1;\n\t"
            "madc.lo.cc.u32 %2, %10, %13, %2;\n\tmadc.hi.cc.u32 %3, %10, %13, %3;\n\t"
            "madc.lo.cc.u32 %4, %11, %13, %4;\n\tmadc.hi.cc.u32 %5, %11, %13, %5;\n\t"
            "madc.lo.cc.u32 %6, %12, %13, %6;\n\tmadc.hi.cc.u32 %7, %12, %13, %7;\n\taddc.u32 %8, %8, 0;"
            : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]), "+r"(sum[5]), "+r"(sum[6]),
              "+r"(sum[7]), "+r"(sum[8])
            : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
    } else if (pairs == 3) {
        asm("mad.lo.cc.u32 %0, %7, %10, %0;\n\tmadc.hi.cc.u32 %1, %7, %10, %1;\n\t"
            "madc.lo.cc.u32 %2, %8, %10, %2;\n\tmadc.hi.cc.u32 %3, %8, %10, %3;\n\t"
            "madc.lo.cc.u32 %4, %9, %10, %4;\n\tmadc.hi.cc.u32 %5, %9, %10, %5;\n\taddc.u32 %6, %6, 0;"
            : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]), "+r"(sum[5]), "+r"(sum[6])
            : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(b));
    } else if (pairs == 2) {
        asm("mad.lo.cc.u32 %0, %5, %7, %0;\n\tmadc.hi.cc.u32 %1, %5, %7, %1;\n\t"
            "madc.lo.cc.u32 %2, %6, %7, %2;\n\tmadc.hi.cc.u32 %3, %6, %7, %3;\n\taddc.u32 %4, %4, 0;"
            : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4])
            : "r"(a[0]), "r"(a[2]), "r"(b));
    } else {
        asm("mad.lo.cc.u32 %0, %3, %4, %0;\n\tmadc.hi.cc.u32 %1, %3, %4, %1;\n\taddc.u32 %2, %2, 0;"
            : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2])
            : "r"(a[0]), "r"(b));
    }
}

/* Adds the squares of eight words to sixteen words; what they hold is small enough for it. */
DEVICE_FN void limbs_add_squares(u32 *sum, const u32 *a) {
    asm("mad.lo.cc.u32 %0, %16, %16, %0;\n\tmadc.hi.cc.u32 %1, %16, %16, %1;\n\t"
        "madc.lo.cc.u32 %2, %17, %17, %2;\n\tmadc.hi.cc.u32 %3, %17, %17, %3;\n\t"
        "madc.lo.cc.u32 %4, %18, %18, %4;\n\tmadc.hi.cc.u32 %5, %18, %18, %5;\n\t"
        "madc.lo.cc.u32 %6, %19, %19, %6;\n\tmadc.hi.cc.u32 %7, %19, %19, %7;\n\t"
        "madc.lo.cc.u32 %8, %20, %20, %8;\n\tmadc.hi.cc.u32 %9, %20, %20, %9;\n\t"
        "madc.lo.cc.u32 %10, %21, %21, %10;\n\tmadc.hi.cc.u32 %11, %21, %21, %11;\n\t"
        "madc.lo.cc.u32 %12, %22, %22, %12;\n\tmadc.hi.cc.u32 %13, %22, %22, %13;\n\t"
        "madc.lo.cc.u32 %14, %23, %23, %14;\n\tmadc.hi.u32 %15, %23, %23, %15;"
        : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]), "+r"(sum[5]), "+r"(sum[6]),
          "+r"(sum[7]), "+r"(sum[8]), "+r"(sum[9]), "+r"(sum[10]), "+r"(sum[11]), "+r"(sum[12]), "+r"(sum[13]),
          "+r"(sum[14]), "+r"(sum[15])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]));
}

#else

DEVICE_FN u32 limbs_add_1(u32 *r, u32 a, u32 b, u32 carry) {
    u64 sum = (u64)a + b + carry;
    *r = (u32)sum;
    return (u32)(sum >> 32);
}

DEVICE_FN u32 limbs_add_4(u32 *r, const u32 *a, const u32 *b, u32 carry) {
    UNROLL for (u32 i = 0; i < 4; i++) carry = limbs_add_1(&r[i], a[i], b[i], carry);
    return carry;
}

DEVICE_FN u32 limbs_add_8(u32 *r, const u32 *a, const u32 *b) {
    u32 carry = 0;
    UNROLL for (u32 i = 0; i < 8; i++) carry = limbs_add_1(&r[i], a[i], b[i], carry);
    return carry;
}

DEVICE_FN u32 limbs_subtract_1(u32 *r, u32 a, u32 b, u32 borrow) {
    u64 difference = (u64)a - b - borrow;
    *r = (u32)difference;
    return (u32)(difference >> 63);
}

DEVICE_FN u32 limbs_subtract_4(u32 *r, const u32 *a, const u32 *b, u32 borrow) {
    UNROLL for (u32 i = 0; i < 4; i++) borrow = limbs_subtract_1(&r[i], a[i], b[i], borrow);
    return borrow;
}

DEVICE_FN u32 limbs_subtract_8(u32 *r, const u32 *a, const u32 *b) {
    u32 borrow = 0;
    UNROLL for (u32 i = 0; i < 8; i++) borrow = limbs_subtract_1(&r[i], a[i], b[i], borrow);
    return borrow;
}

DEVICE_FN void limbs_multiply_into(u32 *sum, const u32 *a, u32 b, u32 pairs) {
    u32 carry = 0;
    UNROLL for (u32 i = 0; i < pairs; i++) {
        u64 low = (u64)a[2 * i] * b + sum[2 * i] + carry;
        u64 high = (low >> 32) + sum[2 * i + 1];
        sum[2 * i] = (u32)low;
        sum[2 * i + 1] = (u32)high;
        carry = (u32)(high >> 32);
    }
    sum[2 * pairs] += carry;
}

DEVICE_FN void limbs_add_squares(u32 *sum, const u32 *a) {
    u64 carry = 0;
    UNROLL for (u32 i = 0; i < 8; i++) {
        carry += (u64)a[i] * a[i];
        u64 low = (carry & 0xFFFFFFFFu) + sum[2 * i];
        u64 high = (carry >> 32) + sum[2 * i + 1] + (low >> 32);
        sum[2 * i] = (u32)low;
        sum[2 * i + 1] = (u32)high;
        carry = high >> 32;
    }
}

#endif

/* As `limbs_multiply_into`, of rows that end before the carry: gives it back. */
DEVICE_FN u32 limbs_multiply_add(u32 *sum, const u32 *a, u32 b, u32 pairs) {
    u32 row[9];
    UNROLL for (u32 i = 0; i < 2 * pairs; i++) row[i] = sum[i];
    row[2 * pairs] = 0;
    limbs_multiply_into(row, a, b, pairs);
    UNROLL for (u32 i = 0; i < 2 * pairs; i++) sum[i] = row[i];
    return row[2 * pairs];
}

/* r = a + b, of n words; the carry. */
DEVICE_FN u32 limbs_add(u32 *r, const u32 *a, const u32 *b, u32 n) {
    u32 carry = 0;
    UNROLL for (u32 i = 0; i < n / 4; i++) carry = limbs_add_4(r + 4 * i, a + 4 * i, b + 4 * i, carry);
    UNROLL for (u32 i = n / 4 * 4; i < n; i++) carry = limbs_add_1(&r[i], a[i], b[i], carry);
    return carry;
}

/* r = a - b, of n words; the borrow. */
DEVICE_FN u32 limbs_subtract(u32 *r, const u32 *a, const u32 *b, u32 n) {
    u32 borrow = 0;
    UNROLL for (u32 i = 0; i < n / 4; i++) borrow = limbs_subtract_4(r + 4 * i, a + 4 * i, b + 4 * i, borrow);
    UNROLL for (u32 i = n / 4 * 4; i < n; i++) borrow = limbs_subtract_1(&r[i], a[i], b[i], borrow);
    return borrow;
}

/* The product of n and m words, n + m of them, word by word: for what is done once a signature. */
DEVICE_FN void limbs_multiply(u32 *r, const u32 *a, u32 n, const u32 *b, u32 m) {
    for (u32 i = 0; i < n + m; i++) r[i] = 0;
    for (u32 i = 0; i < n; i++) {
        u64 carry = 0;
        for (u32 j = 0; j < m; j++) {
            carry += (u64)a[i] * b[j] + r[i + j];
            r[i + j] = (u32)carry;
            carry >>= 32;
        }
        r[i + m] = (u32)carry;
    }
}

#if defined(LIMBS_CHAINS)

/* The words of a product at `pair`. */
DEVICE_FN void limbs_set_pair(u32 *pair, u32 a, u32 b) {
    u64 product = (u64)a * b;
    pair[0] = (u32)product;
    pair[1] = (u32)(product >> 32);
}

/* a*b. Products at even places are gathered in one row of words, those at odd places in another that begins one word
 * later: so each row takes 64-bit products at its own pairs of words, in chains of four. The first of them begin the
 * rows. */
DEVICE_FN u512 limbs_product(u256 a, u256 b) {
    u32 even[18], odd[16];
    UNROLL for (u32 i = 0; i < 8; i += 2) {
        limbs_set_pair(even + i, a.w[i], b.w[0]);
        limbs_set_pair(odd + i, a.w[i + 1], b.w[0]);
    }
    UNROLL for (u32 i = 8; i < 18; i++) even[i] = 0;
    UNROLL for (u32 i = 8; i < 16; i++) odd[i] = 0;
    UNROLL for (u32 i = 0; i < 8; i += 2) {
        if (i > 0) {
            limbs_multiply_into(even + i, a.w, b.w[i], 4);
            limbs_multiply_into(odd + i, a.w + 1, b.w[i], 4);
        }
        limbs_multiply_into(odd + i, a.w, b.w[i + 1], 4);
        limbs_multiply_into(even + i + 2, a.w + 1, b.w[i + 1], 4);
    }
    u512 r;
    r.w[0] = even[0];
    (void)limbs_add(r.w + 1, even + 1, odd, 15);
    return r;
}

/* a^2. The products of different words, once each, in two rows as above; their double; and the squares. */
DEVICE_FN u512 limbs_square(u256 a) {
    u32 even[18], odd[16];
    UNROLL for (u32 i = 0; i < 8; i += 2) {
        limbs_set_pair(odd + i, a.w[i + 1], a.w[0]);
        if (i > 0) limbs_set_pair(even + i, a.w[i], a.w[0]);
    }
    even[0] = 0, even[1] = 0;
    UNROLL for (u32 i = 8; i < 18; i++) even[i] = 0;
    UNROLL for (u32 i = 8; i < 16; i++) odd[i] = 0;
    UNROLL for (u32 i = 1; i < 7; i++) {
        u32 odds = (8 - i) / 2, evens = (7 - i) / 2;
        limbs_multiply_into(odd + 2 * i, a.w + i + 1, a.w[i], odds);
        if (evens > 0) limbs_multiply_into(even + 2 * i + 2, a.w + i + 2, a.w[i], evens);
    }
    u512 r;
    r.w[0] = 0;
    (void)limbs_add(r.w + 1, even + 1, odd, 15);
    UNROLL for (u32 i = 15; i > 0; i--) r.w[i] = (r.w[i] << 1) | (r.w[i - 1] >> 31);
    limbs_add_squares(r.w, a.w);
    return r;
}

#else

DEVICE_FN u512 limbs_product(u256 a, u256 b) {
    u512 r;
    UNROLL for (u32 j = 0; j < 8; j++) r.w[j] = 0;
    UNROLL for (u32 i = 0; i < 8; i++) {
        u64 carry = 0;
        UNROLL for (u32 j = 0; j < 8; j++) {
            carry += (u64)a.w[i] * b.w[j] + r.w[i + j];
            r.w[i + j] = (u32)carry;
            carry >>= 32;
        }
        r.w[i + 8] = (u32)carry;
    }
    return r;
}

DEVICE_FN u512 limbs_square(u256 a) {
    u512 r;
    UNROLL for (u32 j = 0; j < 16; j++) r.w[j] = 0;
    UNROLL for (u32 i = 0; i < 7; i++) {
        u64 carry = 0;
        UNROLL for (u32 j = i + 1; j < 8; j++) {
            carry += (u64)a.w[i] * a.w[j] + r.w[i + j];
            r.w[i + j] = (u32)carry;
            carry >>= 32;
        }
        r.w[i + 8] = (u32)carry;
    }
    UNROLL for (u32 i = 15; i > 0; i--) r.w[i] = (r.w[i] << 1) | (r.w[i - 1] >> 31);
    limbs_add_squares(r.w, a.w);
    return r;
}

#endif

DEVICE_FN u256 u256_zero(void) {
    u256 r;
    UNROLL for (u32 i = 0; i < 8; i++) r.w[i] = 0;
    return r;
}

DEVICE_FN u256 u256_one(void) {
    u256 r = u256_zero();
    r.w[0] = 1;
    return r;
}

DEVICE_FN u32 u256_is_zero(u256 a) {
    return (a.w[0] | a.w[1] | a.w[2] | a.w[3] | a.w[4] | a.w[5] | a.w[6] | a.w[7]) == 0;
}

DEVICE_FN u32 u256_equal(u256 a, u256 b) {
    u32 difference = 0;
    UNROLL for (u32 i = 0; i < 8; i++) difference |= a.w[i] ^ b.w[i];
    return difference == 0;
}

/* a < b. */
DEVICE_FN u32 u256_below(u256 a, u256 b) {
    u256 difference;
    return limbs_subtract_8(difference.w, a.w, b.w);
}

/* `yes` where the choice is 1, `no` where it is 0. */
DEVICE_FN u256 u256_select(u32 choice, u256 yes, u256 no) {
    u256 r;
    UNROLL for (u32 i = 0; i < 8; i++) r.w[i] = choice ? yes.w[i] : no.w[i];
    return r;
}

/* Number `index` of a column of numbers of 256 bits. */
DEVICE_FN u256 u256_load(GLOBAL const u32 *column, u32 count, u32 index) {
    u256 r;
    UNROLL for (u32 i = 0; i < 8; i++) r.w[i] = column[i * count + index];
    return r;
}

/* A row of four words of 64 bits. */
DEVICE_FN u256 u256_load_row(GLOBAL const u64 *row) {
    u256 r;
    UNROLL for (u32 i = 0; i < 4; i++) {
        u64 word = row[i];
        r.w[2 * i] = (u32)word;
        r.w[2 * i + 1] = (u32)(word >> 32);
    }
    return r;
}

DEVICE_FN void u256_store_row(GLOBAL u64 *row, u256 a) {
    UNROLL for (u32 i = 0; i < 4; i++) row[i] = (u64)a.w[2 * i] | ((u64)a.w[2 * i + 1] << 32);
}

#endif
