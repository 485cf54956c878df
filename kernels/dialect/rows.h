/* Carry chains for products that are divided by R on the way: rows of pairs of words, four pairs or six.
 *
 * A row is 2*pairs words; a[0]*b, a[2]*b ... are added to its pairs. `above` is the word after a row, in which there is
 * room for its carry. The portable bodies beside PTX judge on the host all that goes through these functions.
 *
 * Cost: a multiplication of words for each word of a row, and at most one addition. */
#ifndef OUTRIGGER_ROWS_H
#define OUTRIGGER_ROWS_H

#include "dialect/limbs.h"

#if defined(__CUDACC__)

/* r = a + b, of twelve words; the carry. */
DEVICE_FN u32 limbs_add_12(u32 *r, const u32 *a, const u32 *b) {
    u32 s[12], out;
    asm("add.cc.u32 %0, %13, %25;\n\taddc.cc.u32 %1, %14, %26;\n\taddc.cc.u32 %2, %15, %27;\n\t"
        "addc.cc.u32 %3, %16, %28;\n\taddc.cc.u32 %4, %17, %29;\n\taddc.cc.u32 %5, %18, %30;\n\t"
        "addc.cc.u32 %6, %19, %31;\n\taddc.cc.u32 %7, %20, %32;\n\taddc.cc.u32 %8, %21, %33;\n\t"
        "addc.cc.u32 %9, %22, %34;\n\taddc.cc.u32 %10, %23, %35;\n\taddc.cc.u32 %11, %24, %36;\n\t"
        "addc.u32 %12, 0, 0;"
        : "=&r"(s[0]), "=&r"(s[1]), "=&r"(s[2]), "=&r"(s[3]), "=&r"(s[4]), "=&r"(s[5]), "=&r"(s[6]), "=&r"(s[7]),
          "=&r"(s[8]), "=&r"(s[9]), "=&r"(s[10]), "=&r"(s[11]), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(a[8]),
          "r"(a[9]), "r"(a[10]), "r"(a[11]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]),
          "r"(b[6]), "r"(b[7]), "r"(b[8]), "r"(b[9]), "r"(b[10]), "r"(b[11]));
    UNROLL for (u32 i = 0; i < 12; i++) r[i] = s[i];
    return out;
}

/* r = a - b, of twelve words; the borrow. */
DEVICE_FN u32 limbs_subtract_12(u32 *r, const u32 *a, const u32 *b) {
    u32 s[12], out;
    asm("sub.cc.u32 %0, %13, %25;\n\tsubc.cc.u32 %1, %14, %26;\n\tsubc.cc.u32 %2, %15, %27;\n\t"
        "subc.cc.u32 %3, %16, %28;\n\tsubc.cc.u32 %4, %17, %29;\n\tsubc.cc.u32 %5, %18, %30;\n\t"
        "subc.cc.u32 %6, %19, %31;\n\tsubc.cc.u32 %7, %20, %32;\n\tsubc.cc.u32 %8, %21, %33;\n\t"
        "subc.cc.u32 %9, %22, %34;\n\tsubc.cc.u32 %10, %23, %35;\n\tsubc.cc.u32 %11, %24, %36;\n\t"
        "subc.u32 %12, 0, 0;"
        : "=&r"(s[0]), "=&r"(s[1]), "=&r"(s[2]), "=&r"(s[3]), "=&r"(s[4]), "=&r"(s[5]), "=&r"(s[6]), "=&r"(s[7]),
          "=&r"(s[8]), "=&r"(s[9]), "=&r"(s[10]), "=&r"(s[11]), "=&r"(out)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(a[4]), "r"(a[5]), "r"(a[6]), "r"(a[7]), "r"(a[8]),
          "r"(a[9]), "r"(a[10]), "r"(a[11]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(b[4]), "r"(b[5]),
          "r"(b[6]), "r"(b[7]), "r"(b[8]), "r"(b[9]), "r"(b[10]), "r"(b[11]));
    UNROLL for (u32 i = 0; i < 12; i++) r[i] = s[i];
    return out & 1u;
}

DEVICE_FN void limbs_row_add_4(u32 *row, const u32 *a, u32 b) {
    asm("mad.lo.cc.u32 %0, %8, %12, %0;\n\tmadc.hi.cc.u32 %1, %8, %12, %1;\n\tmadc.lo.cc.u32 %2, %9, %12, %2;\n\t"
        "madc.hi.cc.u32 %3, %9, %12, %3;\n\tmadc.lo.cc.u32 %4, %10, %12, %4;\n\t"
        "madc.hi.cc.u32 %5, %10, %12, %5;\n\tmadc.lo.cc.u32 %6, %11, %12, %6;\n\tmadc.hi.u32 %7, %11, %12, %7;"
        : "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]), "+r"(row[6]),
          "+r"(row[7])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

DEVICE_FN void limbs_row_add_6(u32 *row, const u32 *a, u32 b) {
    asm("mad.lo.cc.u32 %0, %12, %18, %0;\n\tmadc.hi.cc.u32 %1, %12, %18, %1;\n\t"
        "madc.lo.cc.u32 %2, %13, %18, %2;\n\tmadc.hi.cc.u32 %3, %13, %18, %3;\n\t"
        "madc.lo.cc.u32 %4, %14, %18, %4;\n\tmadc.hi.cc.u32 %5, %14, %18, %5;\n\t"
        "madc.lo.cc.u32 %6, %15, %18, %6;\n\tmadc.hi.cc.u32 %7, %15, %18, %7;\n\t"
        "madc.lo.cc.u32 %8, %16, %18, %8;\n\tmadc.hi.cc.u32 %9, %16, %18, %9;\n\t"
        "madc.lo.cc.u32 %10, %17, %18, %10;\n\tmadc.hi.u32 %11, %17, %18, %11;"
        : "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]), "+r"(row[6]),
          "+r"(row[7]), "+r"(row[8]), "+r"(row[9]), "+r"(row[10]), "+r"(row[11])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(a[8]), "r"(a[10]), "r"(b));
}

DEVICE_FN void limbs_row_add_carry_4(u32 *row, u32 *above, const u32 *a, u32 b) {
    asm("mad.lo.cc.u32 %0, %9, %13, %0;\n\tmadc.hi.cc.u32 %1, %9, %13, %1;\n\tmadc.lo.cc.u32 %2, %10, %13, %2;\n\t"
        "madc.hi.cc.u32 %3, %10, %13, %3;\n\tmadc.lo.cc.u32 %4, %11, %13, %4;\n\t"
        "madc.hi.cc.u32 %5, %11, %13, %5;\n\tmadc.lo.cc.u32 %6, %12, %13, %6;\n\t"
        "madc.hi.cc.u32 %7, %12, %13, %7;\n\taddc.u32 %8, %8, 0;"
        : "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]), "+r"(row[6]),
          "+r"(row[7]), "+r"(*above)
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b));
}

DEVICE_FN void limbs_row_add_carry_6(u32 *row, u32 *above, const u32 *a, u32 b) {
    asm("mad.lo.cc.u32 %0, %13, %19, %0;\n\tmadc.hi.cc.u32 %1, %13, %19, %1;\n\t"
        "madc.lo.cc.u32 %2, %14, %19, %2;\n\tmadc.hi.cc.u32 %3, %14, %19, %3;\n\t"
        "madc.lo.cc.u32 %4, %15, %19, %4;\n\tmadc.hi.cc.u32 %5, %15, %19, %5;\n\t"
        "madc.lo.cc.u32 %6, %16, %19, %6;\n\tmadc.hi.cc.u32 %7, %16, %19, %7;\n\t"
        "madc.lo.cc.u32 %8, %17, %19, %8;\n\tmadc.hi.cc.u32 %9, %17, %19, %9;\n\t"
        "madc.lo.cc.u32 %10, %18, %19, %10;\n\tmadc.hi.cc.u32 %11, %18, %19, %11;\n\taddc.u32 %12, %12, 0;"
        : "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]), "+r"(row[6]),
          "+r"(row[7]), "+r"(row[8]), "+r"(row[9]), "+r"(row[10]), "+r"(row[11]), "+r"(*above)
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(a[8]), "r"(a[10]), "r"(b));
}

DEVICE_FN void limbs_row_add_after_4(u32 *low, u32 addend, u32 *row, const u32 *a, u32 b) {
    asm("add.cc.u32 %0, %0, %14;\n\tmadc.lo.cc.u32 %1, %9, %13, %1;\n\tmadc.hi.cc.u32 %2, %9, %13, %2;\n\t"
        "madc.lo.cc.u32 %3, %10, %13, %3;\n\tmadc.hi.cc.u32 %4, %10, %13, %4;\n\t"
        "madc.lo.cc.u32 %5, %11, %13, %5;\n\tmadc.hi.cc.u32 %6, %11, %13, %6;\n\t"
        "madc.lo.cc.u32 %7, %12, %13, %7;\n\tmadc.hi.u32 %8, %12, %13, %8;"
        : "+r"(*low), "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]),
          "+r"(row[6]), "+r"(row[7])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(b), "r"(addend));
}

DEVICE_FN void limbs_row_add_after_6(u32 *low, u32 addend, u32 *row, const u32 *a, u32 b) {
    asm("add.cc.u32 %0, %0, %20;\n\tmadc.lo.cc.u32 %1, %13, %19, %1;\n\tmadc.hi.cc.u32 %2, %13, %19, %2;\n\t"
        "madc.lo.cc.u32 %3, %14, %19, %3;\n\tmadc.hi.cc.u32 %4, %14, %19, %4;\n\t"
        "madc.lo.cc.u32 %5, %15, %19, %5;\n\tmadc.hi.cc.u32 %6, %15, %19, %6;\n\t"
        "madc.lo.cc.u32 %7, %16, %19, %7;\n\tmadc.hi.cc.u32 %8, %16, %19, %8;\n\t"
        "madc.lo.cc.u32 %9, %17, %19, %9;\n\tmadc.hi.cc.u32 %10, %17, %19, %10;\n\t"
        "madc.lo.cc.u32 %11, %18, %19, %11;\n\tmadc.hi.u32 %12, %18, %19, %12;"
        : "+r"(*low), "+r"(row[0]), "+r"(row[1]), "+r"(row[2]), "+r"(row[3]), "+r"(row[4]), "+r"(row[5]),
          "+r"(row[6]), "+r"(row[7]), "+r"(row[8]), "+r"(row[9]), "+r"(row[10]), "+r"(row[11])
        : "r"(a[0]), "r"(a[2]), "r"(a[4]), "r"(a[6]), "r"(a[8]), "r"(a[10]), "r"(b), "r"(addend));
}

#else

DEVICE_FN u32 limbs_add_12(u32 *r, const u32 *a, const u32 *b) {
    u32 carry = limbs_add_8(r, a, b);
    return limbs_add_4(r + 8, a + 8, b + 8, carry);
}

DEVICE_FN u32 limbs_subtract_12(u32 *r, const u32 *a, const u32 *b) {
    u32 borrow = limbs_subtract_8(r, a, b);
    return limbs_subtract_4(r + 8, a + 8, b + 8, borrow);
}

/* The row with `carry` and the products added; the carry. */
DEVICE_FN u32 limbs_row_chain(u32 *row, const u32 *a, u32 b, u32 pairs, u32 carry) {
    UNROLL for (u32 i = 0; i < pairs; i++) {
        u64 low = (u64)a[2 * i] * b + row[2 * i] + carry;
        u64 high = (low >> 32) + row[2 * i + 1];
        row[2 * i] = (u32)low;
        row[2 * i + 1] = (u32)high;
        carry = (u32)(high >> 32);
    }
    return carry;
}

DEVICE_FN void limbs_row_add_4(u32 *row, const u32 *a, u32 b) { (void)limbs_row_chain(row, a, b, 4, 0); }

DEVICE_FN void limbs_row_add_6(u32 *row, const u32 *a, u32 b) { (void)limbs_row_chain(row, a, b, 6, 0); }

DEVICE_FN void limbs_row_add_carry_4(u32 *row, u32 *above, const u32 *a, u32 b) {
    *above += limbs_row_chain(row, a, b, 4, 0);
}

DEVICE_FN void limbs_row_add_carry_6(u32 *row, u32 *above, const u32 *a, u32 b) {
    *above += limbs_row_chain(row, a, b, 6, 0);
}

DEVICE_FN void limbs_row_add_after_4(u32 *low, u32 addend, u32 *row, const u32 *a, u32 b) {
    u32 carry = limbs_add_1(low, *low, addend, 0);
    (void)limbs_row_chain(row, a, b, 4, carry);
}

DEVICE_FN void limbs_row_add_after_6(u32 *low, u32 addend, u32 *row, const u32 *a, u32 b) {
    u32 carry = limbs_add_1(low, *low, addend, 0);
    (void)limbs_row_chain(row, a, b, 6, carry);
}

#endif

/* Adds the products to the row; nothing is carried out of it. */
DEVICE_FN void limbs_row_add(u32 *row, const u32 *a, u32 b, u32 pairs) {
    if (pairs == 4) {
        limbs_row_add_4(row, a, b);
    } else {
        limbs_row_add_6(row, a, b);
    }
}

/* Adds the products to the row, and its carry to `above`. */
DEVICE_FN void limbs_row_add_carry(u32 *row, u32 *above, const u32 *a, u32 b, u32 pairs) {
    if (pairs == 4) {
        limbs_row_add_carry_4(row, above, a, b);
    } else {
        limbs_row_add_carry_6(row, above, a, b);
    }
}

/* Adds `addend` to `low`, the word before the row, and to the row the carry and the products; nothing is carried out of
 * it. */
DEVICE_FN void limbs_row_add_after(u32 *low, u32 addend, u32 *row, const u32 *a, u32 b, u32 pairs) {
    if (pairs == 4) {
        limbs_row_add_after_4(low, addend, row, a, b);
    } else {
        limbs_row_add_after_6(low, addend, row, a, b);
    }
}

#endif
