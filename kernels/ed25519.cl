/* Ed25519 (RFC 8032): verification with SHA-512 of R, A and the message in the same kernel, one work-item a signature.
 *
 * ed25519_tables   fills the multiples of the base point that the others read; once a device. A work-item fills
 *                  ED25519_RUN rows: (ED25519_BASE_ROWS + ED25519_RUN - 1) / ED25519_RUN work-items in all.
 * ed25519_strict   the rule of the rulesets libra-ed25519 and solana-ed25519, verify_strict of ed25519-dalek: S < L,
 *                  neither A nor R of small order, [S]B - [k]A has the bytes of R. Cooperative: one inversion
 *                  serves ED25519_SHARE signatures of a group.
 * ed25519_zip215   the rule of ed25519-zip215: S < L, [8][S]B = [8]R + [8][k]A, one equation an item.
 * ed25519_comb     fills the comb of the base point that the next two read; ED25519_COMB_RUNS work-items a window.
 * ed25519_strict_in_parts, ed25519_zip215_in_parts
 *                  the same rules for few items: work-item i is part i modulo ED25519_PARTS of item i/ED25519_PARTS,
 *                  groups are of whole items, and no inversion is shared. See ed25519_in_parts.inc.
 * k is SHA-512(R, A, message) mod L over the bytes as they came. A and R are decoded alike: y is taken mod p, the sign
 * of x = 0 is ignored. Malformed: A or R is not the encoding of a point, whatever else is wrong. Invalid: both are, and
 * a rule or the equation fails.
 *
 * Arguments: `items`, columns, words of an item: A 0, R 8, S 16; `messages`, bytes, with `count` + 1 `offsets`;
 * `base_multiples`, ED25519_BASE_ROWS rows of ED25519_BASE_WORDS words; `results` as in tag.h, without output words.
 *
 * [S]B - [k]A: one chain of 252 doublings; k in 64 digits of 4 bits with multiples of -A in private memory (9 of 128
 * bytes, in Niels form with 2Z), S in 16 digits of 16 bits with affine multiples of B in GLOBAL memory (32,769 of 96
 * bytes). Digits have signs. The formulas are complete (-1 is a square and d is not), so no point is an exception,
 * those of small order included.
 *
 * Reference: Hisil, Wong, Carter, Dawson, "Twisted Edwards curves revisited", 2008 (addition, doubling, extended
 * coordinates). Ranges of coordinates: field25519.inc; X, Y, Z, T of a point are tight. Cost in field
 * multiplications (products and squares, counted in the host build): strict 2,800, of them 1,325 squares, its share
 * of the inversion included; ZIP 215 3,030, of them 1,530 squares. A strict one that is refused decodes R too, 270
 * more. The tables: 30 a row. In parts no more than 1,369 and 1,405 one after the other. */
#include "platform.h"
#include "tag.h"
#include "sha512.inc"
#include "field25519.inc"
#include "scalar25519.inc"

/* Multiples 0 to 2^15 of the base point. */
#define ED25519_BASE_ROWS 32769u
/* y - x, y + x, 2dxy. */
#define ED25519_BASE_WORDS 24u
/* Rows whose Z are inverted together. */
#define ED25519_RUN 32u
/* Multiples 0 to 8 of a key. */
#define ED25519_KEY_ROWS 9u
/* Y - X, Y + X, 2dT, 2Z. */
#define ED25519_KEY_WORDS 32u
/* Signatures of a group that share an inversion. */
#define ED25519_SHARE 4u

/* (X : Y : Z) with T = XY / Z; T is kept only where the next operation reads it. */
typedef struct {
    Fe25519 x, y, z, t;
} Ed25519Point;

typedef struct {
    Fe25519 x, y;
    u32 is_point;
} Ed25519Decoded;

CONSTANT_TABLE u32 ED25519_D[8] = {
    0x135978A3u, 0x75EB4DCAu, 0x4141D8ABu, 0x00700A4Du, 0x7779E898u, 0x8CC74079u, 0x2B6FFE73u, 0x52036CEEu,
};
CONSTANT_TABLE u32 ED25519_2D[8] = {
    0x26B2F159u, 0xEBD69B94u, 0x8283B156u, 0x00E0149Au, 0xEEF3D130u, 0x198E80F2u, 0x56DFFCE7u, 0x2406D9DCu,
};
/* A root of -1. */
CONSTANT_TABLE u32 ED25519_ROOT_OF_MINUS_ONE[8] = {
    0x4A0EA0B0u, 0xC4EE1B27u, 0xAD2FE478u, 0x2F431806u, 0x3DFBD7A7u, 0x2B4D0099u, 0x4FC1DF0Bu, 0x2B832480u,
};
/* The base point. */
CONSTANT_TABLE u32 ED25519_BASE_X[8] = {
    0x8F25D51Au, 0xC9562D60u, 0x9525A7B2u, 0x692CC760u, 0xFDD6DC5Cu, 0xC0A4E231u, 0xCD6E53FEu, 0x216936D3u,
};
CONSTANT_TABLE u32 ED25519_BASE_Y[8] = {
    0x66666658u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u, 0x66666666u,
};
/* y of the points of order 8; the others have -y. */
CONSTANT_TABLE u32 ED25519_Y_OF_ORDER_8[8] = {
    0x8F95E826u, 0xB027B2C2u, 0x89F4C345u, 0xF098EFF2u, 0x05ACDFD5u, 0x3933C6D3u, 0x880238B1u, 0x05FC536Du,
};

DEVICE_FN Fe25519 ed25519_constant(CONSTANT_PTR const u32 *limbs) {
    Fe25519 result;
    UNROLL
    for (u32 i = 0; i < 8u; i++) {
        result.w[i] = limbs[i];
    }
    return result;
}

DEVICE_FN Ed25519Point ed25519_identity(void) {
    Ed25519Point result;
    result.x = fe25519_small(0);
    result.y = fe25519_small(1);
    result.z = fe25519_small(1);
    result.t = fe25519_small(0);
    return result;
}

/* 2P. 3 products and 4 squares, one product more with T. P's T is not read. */
DEVICE_FN Ed25519Point ed25519_double(Ed25519Point p, u32 with_t) {
    Fe25519 a = fe25519_square(p.x), b = fe25519_square(p.y), zz = fe25519_square(p.z);
    Fe25519 h = fe25519_add(a, b);
    Fe25519 e = fe25519_subtract(h, fe25519_square(fe25519_add(p.x, p.y)));
    Fe25519 g = fe25519_subtract(a, b);
    Fe25519 f = fe25519_add_loose(fe25519_add(zz, zz), g);
    p.x = fe25519_multiply(e, f);
    p.y = fe25519_multiply(g, h);
    p.z = fe25519_multiply(f, g);
    if (with_t) {
        p.t = fe25519_multiply(e, h);
    }
    return p;
}

/* The end of an addition, from the products of differences and of sums, from 2ZZ' - 2dTT' and from 2ZZ' + 2dTT'. */
DEVICE_FN Ed25519Point ed25519_sum(Fe25519 differences, Fe25519 sums, Fe25519 f, Fe25519 g, u32 with_t) {
    Fe25519 e = fe25519_subtract(sums, differences), h = fe25519_add(sums, differences);
    Ed25519Point p;
    p.x = fe25519_multiply(e, f);
    p.y = fe25519_multiply(g, h);
    p.z = fe25519_multiply(f, g);
    p.t = with_t ? fe25519_multiply(e, h) : fe25519_small(0);
    return p;
}

/* P plus an affine point of which y - x, y + x and 2dxy are given, or P minus it, if the first two are exchanged.
 * 6 products, one more with T. */
DEVICE_FN Ed25519Point ed25519_add_affine(Ed25519Point p, Fe25519 minus, Fe25519 plus, Fe25519 product,
                                          u32 is_negative, u32 with_t) {
    Fe25519 c = fe25519_multiply(p.t, product), d = fe25519_add(p.z, p.z);
    Fe25519 f = fe25519_subtract(d, c), g = fe25519_add_loose(d, c);
    return ed25519_sum(fe25519_multiply(fe25519_subtract(p.y, p.x), minus),
                       fe25519_multiply(fe25519_add(p.y, p.x), plus), u256_select(is_negative, g, f),
                       u256_select(is_negative, f, g), with_t);
}

/* The number of a digit's row, from the digit plus half a digit. */
DEVICE_FN u32 ed25519_magnitude(u32 raised, u32 middle) { return raised < middle ? middle - raised : raised - middle; }

/* P plus the multiple of the base point that a raised digit of 16 bits names, without T. */
DEVICE_FN Ed25519Point ed25519_add_base(Ed25519Point p, GLOBAL const u32 *base_multiples, u32 raised) {
    u32 is_negative = raised < 0x8000u;
    u32 row = ed25519_magnitude(raised, 0x8000u) * ED25519_BASE_WORDS, swap = is_negative * 8u;
    Fe25519 minus, plus, product;
    UNROLL
    for (u32 i = 0; i < 8u; i++) {
        minus.w[i] = base_multiples[row + swap + i];
        plus.w[i] = base_multiples[row + 8u - swap + i];
        product.w[i] = base_multiples[row + 16u + i];
    }
    return ed25519_add_affine(p, minus, plus, product, is_negative, 0);
}

/* P plus the multiple that a raised digit of 4 bits names. 7 products, one more with T. */
DEVICE_FN Ed25519Point ed25519_add_key(Ed25519Point p, const u32 *multiples, u32 raised, u32 with_t) {
    u32 is_negative = raised < 8u;
    u32 row = ed25519_magnitude(raised, 8u) * ED25519_KEY_WORDS, swap = is_negative * 8u;
    Fe25519 minus, plus, product, two_z;
    UNROLL
    for (u32 i = 0; i < 8u; i++) {
        minus.w[i] = multiples[row + swap + i];
        plus.w[i] = multiples[row + 8u - swap + i];
        product.w[i] = multiples[row + 16u + i];
        two_z.w[i] = multiples[row + 24u + i];
    }
    Fe25519 c = fe25519_multiply(p.t, product), d = fe25519_multiply(p.z, two_z);
    Fe25519 f = fe25519_subtract(d, c), g = fe25519_add(d, c);
    return ed25519_sum(fe25519_multiply(fe25519_subtract(p.y, p.x), minus),
                       fe25519_multiply(fe25519_add(p.y, p.x), plus), u256_select(is_negative, g, f),
                       u256_select(is_negative, f, g), with_t);
}

/* Writes a point as a row. */
DEVICE_FN void ed25519_store_multiple(u32 *multiples, u32 row, Ed25519Point p) {
    Fe25519 minus = fe25519_subtract(p.y, p.x), plus = fe25519_add(p.y, p.x);
    Fe25519 product = fe25519_multiply(p.t, ed25519_constant(ED25519_2D)), two_z = fe25519_add(p.z, p.z);
    UNROLL
    for (u32 i = 0; i < 8u; i++) {
        multiples[row * ED25519_KEY_WORDS + i] = minus.w[i];
        multiples[row * ED25519_KEY_WORDS + 8u + i] = plus.w[i];
        multiples[row * ED25519_KEY_WORDS + 16u + i] = product.w[i];
        multiples[row * ED25519_KEY_WORDS + 24u + i] = two_z.w[i];
    }
}

/* Fills the rows of multiples of an affine point P: 0, P, 2P, ... */
DEVICE_FN void ed25519_fill_key_multiples(u32 *multiples, Fe25519 x, Fe25519 y) {
    Fe25519 minus = fe25519_subtract(y, x), plus = fe25519_add(y, x);
    Fe25519 product = fe25519_multiply(fe25519_multiply(x, y), ed25519_constant(ED25519_2D));
    Ed25519Point p = ed25519_identity();
    for (u32 row = 0; row < ED25519_KEY_ROWS; row++) {
        if (row > 0u) {
            p = ed25519_add_affine(p, minus, plus, product, 0, 1);
        }
        ed25519_store_multiple(multiples, row, p);
    }
}

/* [S]B + [k]P, without T, where the rows are multiples of P. S below 2^255, k below L. */
DEVICE_FN Ed25519Point ed25519_combination(Scalar25519 s, GLOBAL const u32 *base_multiples, Scalar25519 k,
                                           const u32 *key_multiples) {
    Scalar25519 s_raised = scalar25519_plus_halves(s, 0x80008000u);
    Scalar25519 k_raised = scalar25519_plus_halves(k, 0x88888888u);
    Ed25519Point sum = ed25519_identity();
    for (u32 window = 64; window > 0u;) {
        window--;
        if (window < 63u) {
            for (u32 i = 0; i < 4u; i++) {
                sum = ed25519_double(sum, i == 3u);
            }
        }
        u32 has_base = (window & 3u) == 0u;
        u32 digit = (k_raised.w[window >> 3] >> ((window & 7u) * 4u)) & 15u;
        sum = ed25519_add_key(sum, key_multiples, digit, has_base);
        if (has_base) {
            digit = (s_raised.w[window >> 3] >> ((window & 4u) * 4u)) & 0xFFFFu;
            sum = ed25519_add_base(sum, base_multiples, digit);
        }
    }
    return sum;
}

/* y of an encoding, below 2^255. */
DEVICE_FN Fe25519 ed25519_y_of(Fe25519 encoding) {
    encoding.w[7] &= 0x7FFFFFFFu;
    return encoding;
}

/* The point of an encoding; where there is none, (0, 1). x and y are tight.
 * With u = y^2 - 1 and v = dy^2 + 1, u v^3 (u v^7)^((p - 5) / 8) is a root of u / v, or of -u / v, or there is none. */
DEVICE_CALL Ed25519Decoded ed25519_decode(Fe25519 encoding) {
    Fe25519 one = fe25519_small(1), y = ed25519_y_of(encoding);
    Fe25519 yy = fe25519_square(y);
    Fe25519 u = fe25519_subtract(yy, one);
    Fe25519 v = fe25519_add(fe25519_multiply(yy, ed25519_constant(ED25519_D)), one);
    Fe25519 v3 = fe25519_multiply(fe25519_square(v), v);
    Fe25519 uv3 = fe25519_multiply(u, v3);
    Fe25519 root = fe25519_multiply(uv3, fe25519_root_power(fe25519_multiply(fe25519_multiply(v3, v), uv3)));
    Fe25519 vxx = fe25519_multiply(fe25519_square(root), v);
    u32 is_root = fe25519_is_zero(fe25519_subtract(u, vxx));
    u32 is_root_of_minus = fe25519_is_zero(fe25519_add_loose(u, vxx));
    Fe25519 x = fe25519_multiply(root, is_root ? one : ed25519_constant(ED25519_ROOT_OF_MINUS_ONE));
    x = fe25519_canonical(x);
    Fe25519 negative = fe25519_canonical(fe25519_negative(x));
    x = u256_select((x.w[0] & 1u) == encoding.w[7] >> 31, x, negative);
    Ed25519Decoded result;
    result.is_point = is_root | is_root_of_minus;
    result.x = u256_select(result.is_point, x, fe25519_small(0));
    result.y = u256_select(result.is_point, y, one);
    return result;
}

/* Whether the point P of an encoding, if it is one, has [8]P = 0: y mod p tells. */
DEVICE_FN u32 ed25519_has_small_order(Fe25519 encoding) {
    Fe25519 y = fe25519_canonical(ed25519_y_of(encoding));
    Fe25519 minus_y = fe25519_canonical(fe25519_negative(y));
    Fe25519 one = fe25519_small(1), order_8 = ed25519_constant(ED25519_Y_OF_ORDER_8);
    return u256_equal(y, fe25519_small(0)) | u256_equal(y, one) | u256_equal(minus_y, one) |
           u256_equal(y, order_8) | u256_equal(minus_y, order_8);
}

/* Where the parts of an item begin. */
#define PART_A 0u
#define PART_R 8u
#define PART_S 16u

/* Eight words of an item. */
DEVICE_FN u256 ed25519_part(GLOBAL const u32 *items, u32 part, u32 count, u32 index) {
    return u256_load(items + part * count, count, index);
}

/* k = SHA-512(R, A, message) mod L. */
DEVICE_FN Scalar25519 ed25519_challenge(Fe25519 r, Fe25519 a, GLOBAL const u8 *message, u32 length) {
    u32 prefix[16], hash[16];
    UNROLL
    for (u32 i = 0; i < 8u; i++) {
        prefix[i] = r.w[i];
        prefix[8u + i] = a.w[i];
    }
    sha512_of_prefixed(hash, prefix, message, length);
    return scalar25519_reduce(hash);
}

/* Writes `rows` rows, ED25519_RUN at most, of the multiples of an affine point P from number `first` on, which is below
 * 2^16. */
DEVICE_FN void ed25519_fill_rows(GLOBAL u32 *base_multiples, Fe25519 x, Fe25519 y, u32 first, u32 rows) {
    Fe25519 minus = fe25519_subtract(y, x), plus = fe25519_add(y, x), two_d = ed25519_constant(ED25519_2D);
    Fe25519 product = fe25519_multiply(fe25519_multiply(x, y), two_d);
    Ed25519Point p = ed25519_identity();
    for (u32 bit = 16; bit > 0u;) {
        bit--;
        p = ed25519_double(p, 1);
        if ((first >> bit) & 1u) {
            p = ed25519_add_affine(p, minus, plus, product, 0, 1);
        }
    }
    /* X, Y and Z wait in the rows for the inverse of all Z, the products of the Z before each in `before`. */
    u32 before[ED25519_RUN * 8u];
    Fe25519 all = fe25519_small(1);
    for (u32 n = 0; n < rows; n++) {
        if (n > 0u) {
            p = ed25519_add_affine(p, minus, plus, product, 0, 1);
        }
        for (u32 i = 0; i < 8u; i++) {
            base_multiples[n * ED25519_BASE_WORDS + i] = p.x.w[i];
            base_multiples[n * ED25519_BASE_WORDS + 8u + i] = p.y.w[i];
            base_multiples[n * ED25519_BASE_WORDS + 16u + i] = p.z.w[i];
            before[n * 8u + i] = all.w[i];
        }
        all = fe25519_multiply(all, p.z);
    }
    Fe25519 inverse = fe25519_inverse(all);
    for (u32 n = rows; n > 0u;) {
        n--;
        Fe25519 others;
        for (u32 i = 0; i < 8u; i++) {
            x.w[i] = base_multiples[n * ED25519_BASE_WORDS + i];
            y.w[i] = base_multiples[n * ED25519_BASE_WORDS + 8u + i];
            p.z.w[i] = base_multiples[n * ED25519_BASE_WORDS + 16u + i];
            others.w[i] = before[n * 8u + i];
        }
        others = fe25519_multiply(inverse, others);
        inverse = fe25519_multiply(inverse, p.z);
        x = fe25519_multiply(x, others);
        y = fe25519_multiply(y, others);
        minus = fe25519_canonical(fe25519_subtract(y, x));
        plus = fe25519_canonical(fe25519_add(y, x));
        product = fe25519_canonical(fe25519_multiply(fe25519_multiply(x, y), two_d));
        for (u32 i = 0; i < 8u; i++) {
            base_multiples[n * ED25519_BASE_WORDS + i] = minus.w[i];
            base_multiples[n * ED25519_BASE_WORDS + 8u + i] = plus.w[i];
            base_multiples[n * ED25519_BASE_WORDS + 16u + i] = product.w[i];
        }
    }
}

KERNEL void ed25519_tables(GLOBAL u32 *base_multiples) {
    u32 first = GLOBAL_ID() * ED25519_RUN;
    if (first >= ED25519_BASE_ROWS) {
        return;
    }
    u32 rows = ED25519_BASE_ROWS - first < ED25519_RUN ? ED25519_BASE_ROWS - first : ED25519_RUN;
    ed25519_fill_rows(base_multiples + first * ED25519_BASE_WORDS, ed25519_constant(ED25519_BASE_X),
                      ed25519_constant(ED25519_BASE_Y), first, rows);
}

/* What the strict rule says of an item, of [S]B - [k]A and the inverse of its Z. */
DEVICE_FN u32 ed25519_strict_verdict(GLOBAL const u32 *items, u32 count, u32 index, u32 key_is_point,
                                     Ed25519Point sum, Fe25519 inverse) {
    Fe25519 a = ed25519_part(items, PART_A, count, index), r = ed25519_part(items, PART_R, count, index);
    Fe25519 encoding = fe25519_canonical(fe25519_multiply(sum.y, inverse));
    encoding.w[7] |= fe25519_canonical(fe25519_multiply(sum.x, inverse)).w[0] << 31;
    u32 is_valid = scalar25519_is_reduced(ed25519_part(items, PART_S, count, index)) & u256_equal(encoding, r) &
                   !ed25519_has_small_order(a) & !ed25519_has_small_order(r);
    if (!key_is_point) {
        return VERDICT_MALFORMED;
    }
    if (is_valid) {
        return VERDICT_VALID;
    }
    /* Only now does it matter whether R is the encoding of a point. */
    return ed25519_decode(r).is_point ? VERDICT_INVALID : VERDICT_MALFORMED;
}

KERNEL_COOPERATIVE void ed25519_strict(GLOBAL const u32 *items, GLOBAL const u8 *messages, GLOBAL const u32 *offsets,
                                       GLOBAL const u32 *base_multiples, GLOBAL u32 *results, u32 count,
                                       u32 nonce_low, u32 nonce_high) {
    /* Z of each work-item, then its inverse: limb i of item n at i * GROUP_MAX + n. */
    LOCAL u32 shared_z[8 * GROUP_MAX];
    u32 index = GLOBAL_ID(), place = LOCAL_ID(), size = LOCAL_SIZE();
    Ed25519Point sum = ed25519_identity();
    u32 key_is_point = 0;
    if (index < count) {
        Fe25519 a = ed25519_part(items, PART_A, count, index), r = ed25519_part(items, PART_R, count, index);
        Scalar25519 k = ed25519_challenge(r, a, messages + offsets[index], offsets[index + 1u] - offsets[index]);
        Ed25519Decoded key = ed25519_decode(a);
        key_is_point = key.is_point;
        u32 key_multiples[ED25519_KEY_ROWS * ED25519_KEY_WORDS];
        ed25519_fill_key_multiples(key_multiples, fe25519_canonical(fe25519_negative(key.x)), key.y);
        sum = ed25519_combination(ed25519_part(items, PART_S, count, index), base_multiples, k, key_multiples);
    }
    for (u32 i = 0; i < 8u; i++) {
        shared_z[i * GROUP_MAX + place] = sum.z.w[i];
    }
    BARRIER_LOCAL();
    u32 stride = (size + ED25519_SHARE - 1u) / ED25519_SHARE;
    if (place < stride) {
        /* The items place + n * stride. Z of a point of the curve is never 0. */
        u32 before[ED25519_SHARE * 8u];
        Fe25519 all = fe25519_small(1), z;
        for (u32 n = place; n < size; n += stride) {
            for (u32 i = 0; i < 8u; i++) {
                before[n / stride * 8u + i] = all.w[i];
                z.w[i] = shared_z[i * GROUP_MAX + n];
            }
            all = fe25519_multiply(all, z);
        }
        Fe25519 inverse = fe25519_inverse(all);
        for (u32 n = place + (size - 1u - place) / stride * stride + stride; n >= stride + place;) {
            n -= stride;
            Fe25519 others;
            for (u32 i = 0; i < 8u; i++) {
                others.w[i] = before[n / stride * 8u + i];
                z.w[i] = shared_z[i * GROUP_MAX + n];
            }
            others = fe25519_multiply(inverse, others);
            inverse = fe25519_multiply(inverse, z);
            for (u32 i = 0; i < 8u; i++) {
                shared_z[i * GROUP_MAX + n] = others.w[i];
            }
        }
    }
    BARRIER_LOCAL();
    if (index < count) {
        Fe25519 inverse;
        for (u32 i = 0; i < 8u; i++) {
            inverse.w[i] = shared_z[i * GROUP_MAX + place];
        }
        u32 verdict = ed25519_strict_verdict(items, count, index, key_is_point, sum, inverse);
        u32 none[1] = {0};
        write_result(results, count, index, nonce_low, nonce_high, verdict, none, 0);
    }
}

/* What ZIP 215 says of an item, of [S]B - [k]A - R. */
DEVICE_FN u32 ed25519_zip215_verdict(GLOBAL const u32 *items, u32 count, u32 index, u32 are_points,
                                     Ed25519Point sum) {
    for (u32 i = 0; i < 3u; i++) {
        sum = ed25519_double(sum, 0);
    }
    u32 holds = fe25519_is_zero(sum.x) & fe25519_is_zero(fe25519_subtract(sum.y, sum.z));
    if (!are_points) {
        return VERDICT_MALFORMED;
    }
    holds &= scalar25519_is_reduced(ed25519_part(items, PART_S, count, index));
    return holds ? VERDICT_VALID : VERDICT_INVALID;
}

KERNEL void ed25519_zip215(GLOBAL const u32 *items, GLOBAL const u8 *messages, GLOBAL const u32 *offsets,
                           GLOBAL const u32 *base_multiples, GLOBAL u32 *results, u32 count, u32 nonce_low,
                           u32 nonce_high) {
    u32 index = GLOBAL_ID();
    if (index >= count) {
        return;
    }
    Fe25519 a = ed25519_part(items, PART_A, count, index), r = ed25519_part(items, PART_R, count, index);
    Scalar25519 k = ed25519_challenge(r, a, messages + offsets[index], offsets[index + 1u] - offsets[index]);
    /* The rows of -A, and -R as one more, which so takes no registers until it is added. */
    u32 multiples[(ED25519_KEY_ROWS + 1u) * ED25519_KEY_WORDS];
    Ed25519Decoded nonce = ed25519_decode(r);
    Ed25519Point p;
    p.x = fe25519_canonical(fe25519_negative(nonce.x));
    p.y = nonce.y;
    p.z = fe25519_small(1);
    p.t = fe25519_multiply(p.x, p.y);
    ed25519_store_multiple(multiples, ED25519_KEY_ROWS, p);
    Ed25519Decoded key = ed25519_decode(a);
    ed25519_fill_key_multiples(multiples, fe25519_canonical(fe25519_negative(key.x)), key.y);
    Scalar25519 s = ed25519_part(items, PART_S, count, index);
    Ed25519Point sum = ed25519_combination(s, base_multiples, k, multiples);
    /* (XZ : YZ : ZZ) has T = XY. */
    sum.t = fe25519_multiply(sum.x, sum.y);
    sum.x = fe25519_multiply(sum.x, sum.z);
    sum.y = fe25519_multiply(sum.y, sum.z);
    sum.z = fe25519_square(sum.z);
    sum = ed25519_add_key(sum, multiples, 8u + ED25519_KEY_ROWS, 0);
    u32 verdict = ed25519_zip215_verdict(items, count, index, key.is_point && nonce.is_point, sum);
    u32 none[1] = {0};
    write_result(results, count, index, nonce_low, nonce_high, verdict, none, 0);
}

#include "curves/ed25519_in_parts.inc"

/* Writes the comb of the base point. Work-item i makes run i modulo ED25519_COMB_RUNS of window i/ED25519_COMB_RUNS. */
KERNEL void ed25519_comb(GLOBAL u32 *base_comb) {
    u32 window = GLOBAL_ID() / ED25519_COMB_RUNS, first = GLOBAL_ID() % ED25519_COMB_RUNS * ED25519_RUN;
    if (window >= ED25519_COMB_WINDOWS) {
        return;
    }
    u32 rows = ED25519_COMB_ROWS - first < ED25519_RUN ? ED25519_COMB_ROWS - first : ED25519_RUN;
    Ed25519Point p = ed25519_identity();
    p.x = ed25519_constant(ED25519_BASE_X);
    p.y = ed25519_constant(ED25519_BASE_Y);
    for (u32 i = 0; i < ED25519_COMB_WIDTH * window; i++) {
        p = ed25519_double(p, 0);
    }
    Fe25519 inverse = fe25519_inverse(p.z);
    ed25519_fill_rows(base_comb + (ED25519_COMB_ROWS * window + first) * ED25519_BASE_WORDS,
                      fe25519_multiply(p.x, inverse), fe25519_multiply(p.y, inverse), first, rows);
}

KERNEL_COOPERATIVE void ed25519_strict_in_parts(GLOBAL const u32 *items, GLOBAL const u8 *messages,
                                                GLOBAL const u32 *offsets, GLOBAL const u32 *base_comb,
                                                GLOBAL u32 *results, u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 points[ED25519_GROUP_WORDS];
    u32 index = GLOBAL_ID() / ED25519_PARTS, part = GLOBAL_ID() % ED25519_PARTS;
    u32 item = index < count ? index : count - 1;
    Fe25519 a = ed25519_part(items, PART_A, count, item), r = ed25519_part(items, PART_R, count, item);
    Scalar25519 k = ed25519_challenge(r, a, messages + offsets[item], offsets[item + 1u] - offsets[item]);
    Ed25519Decoded key = ed25519_decode(a);
    Ed25519Point sum = ed25519_combination_in_parts(points, part, ed25519_part(items, PART_S, count, item), base_comb,
                                                    k, ed25519_opposite(key));
    if (index < count && part == 0u) {
        /* Z of a point of the curve is never 0. */
        u32 verdict = ed25519_strict_verdict(items, count, index, key.is_point, sum, fe25519_inverse(sum.z));
        u32 none[1] = {0};
        write_result(results, count, index, nonce_low, nonce_high, verdict, none, 0);
    }
}

KERNEL_COOPERATIVE void ed25519_zip215_in_parts(GLOBAL const u32 *items, GLOBAL const u8 *messages,
                                                GLOBAL const u32 *offsets, GLOBAL const u32 *base_comb,
                                                GLOBAL u32 *results, u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 points[ED25519_GROUP_WORDS];
    u32 index = GLOBAL_ID() / ED25519_PARTS, part = GLOBAL_ID() % ED25519_PARTS;
    u32 item = index < count ? index : count - 1;
    Fe25519 a = ed25519_part(items, PART_A, count, item), r = ed25519_part(items, PART_R, count, item);
    Scalar25519 k = ed25519_challenge(r, a, messages + offsets[item], offsets[item + 1u] - offsets[item]);
    Ed25519Decoded key = ed25519_decode(a), nonce = ed25519_decode(r);
    Ed25519Point sum = ed25519_combination_in_parts(points, part, ed25519_part(items, PART_S, count, item), base_comb,
                                                    k, ed25519_opposite(key));
    if (index < count && part == 0u) {
        u32 row[ED25519_KEY_WORDS];
        ed25519_store_multiple(row, 0, ed25519_opposite(nonce));
        sum = ed25519_add_key(sum, row, 8u, 0);
        u32 verdict = ed25519_zip215_verdict(items, count, index, key.is_point && nonce.is_point, sum);
        u32 none[1] = {0};
        write_result(results, count, index, nonce_low, nonce_high, verdict, none, 0);
    }
}
