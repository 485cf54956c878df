/* Signatures on secp256k1 (SEC 2, section 2.4.1): ECDSA verified, keys and addresses recovered from it, Schnorr
 * signatures of BIP 340 verified. One work-item a signature.
 *
 * Numbers are eight little-endian words; `items` and `keys` are columns, so that word w of item i lies at w*count + i.
 * `tables` is what `secp256k1_tables` writes: 512 KiB, once a device; `base_comb` is what `secp256k1_base_comb` writes,
 * 256 KiB. `combs` are those of known signers, one after the other, by `secp256k1_signer_tables`; signatures of theirs
 * are verified with no doubling.
 *
 * A group of at most GROUP_MAX work-items shares its inversions. Work-items are items (of `secp256k1_signer_tables`,
 * windows of keys). Those past the end of the batch work on the last one, and write nothing.
 *
 * Results go by `write_result`. INVALID: r or s is 0 or not below n, or the equation does not hold. MALFORMED: the
 * key is no point. There is no case that is left to others.
 *
 * Products and squares modulo p or n of a signature, beside the inversions (77 and 256 modulo n, 15 and 255 modulo p)
 * that a group shares:
 *   verify     1,117 and 765, an inversion modulo n; where the key is compressed 14 and 254 more
 *   ... point  1,120 and 766, one of each
 *   recover    1,132 and 1,018, one of each
 *   schnorr    1,129 and 1,018, one modulo p
 *   by combs: verify 519 and 194, one modulo n; ... point 521 and 194, one of each; schnorr 518 and 194, one modulo p;
 *   in parts, of them one after the other no more than: verify 599 and 199; recover 615 and 453; by combs 109 and 38
 *
 * References: SEC 1, sections 4.1.4 and 4.1.6; BIP 340; for addresses the Ethereum Yellow Paper, appendix F. */
#include "dialect/tag.h"
#include "curves/secp256k1.inc"
#include "hashes/message.h"
#include "hashes/keccak256.inc"

/* What a word of an item says of R: which of four points it is. */
#define NONCE_Y_IS_ODD 1u
#define NONCE_IS_ABOVE_ORDER 2u
/* And of the key: that its y is to be found, and which of the two it is. */
#define KEY_IS_COMPRESSED 4u
#define KEY_Y_IS_ODD 8u

/* Output words of a recovery: the key's and the address's. */
#define RECOVERED_WORDS 21

/* The number of an item that begins with its word `word`. */
DEVICE_FN u256 item_number(GLOBAL const u32 *items, u32 word, u32 count, u32 item) {
    return u256_load(items + word * count, count, item);
}

DEVICE_FN u32 secp256k1_is_scalar(u256 a) { return !u256_is_zero(a) && u256_below(a, secp256k1_n_modulus()); }

/* Whether r + n is below p, that is, r below p - n. */
DEVICE_FN u32 secp256k1_can_be_above_order(u256 r) {
    u256 limit = {{0x2FC9BAEEu, 0x402DA172u, 0x50B75FC4u, 0x45512319u, 1u, 0, 0, 0}};
    return u256_below(r, limit);
}

DEVICE_FN u256 secp256k1_above_order(u256 r) {
    u256 order = secp256k1_n_modulus(), sum;
    (void)limbs_add_8(sum.w, r.w, order.w);
    return sum;
}

/* A point, G where there is none. */
typedef struct {
    affine_point point;
    u32 is_point;
} checked_point;

/* The point at x and y, which are below p and satisfy the equation. */
DEVICE_FN checked_point secp256k1_check(u256 x, u256 y) {
    checked_point checked;
    checked.point.x = x;
    checked.point.y = y;
    u256 modulus = secp256k1_p_modulus();
    checked.is_point = u256_below(x, modulus) & u256_below(y, modulus) & secp256k1_is_on_curve(checked.point);
    if (!checked.is_point) checked.point = secp256k1_base();
    return checked;
}

/* The point at x whose y is odd, or even: where x is below p, and x^3 + 7 a square. */
DEVICE_FN checked_point secp256k1_lift(u256 x, u32 y_is_odd) {
    u256 root = secp256k1_p_normal(secp256k1_p_root(secp256k1_right_side(x)));
    return secp256k1_check(x, (root.w[0] & 1u) == y_is_odd ? root : secp256k1_p_normal(secp256k1_p_negate(root)));
}

/* The key of an item by its columns, x 0 and y 8, and what is said of it. */
DEVICE_FN checked_point secp256k1_key(GLOBAL const u32 *columns, u32 count, u32 item, u32 form) {
    u256 x = item_number(columns, 0, count, item);
    if (form & KEY_IS_COMPRESSED) return secp256k1_lift(x, (form & KEY_Y_IS_ODD) != 0);
    return secp256k1_check(x, item_number(columns, 8, count, item));
}

/* The affine points of a group by one inversion; something where a Z is 0. */
DEVICE_FN affine_point secp256k1_to_affine_in_group(LOCAL_PTR u32 *tree, jacobian_point p) {
    u256 z = u256_select(secp256k1_p_is_zero(p.z), u256_one(), p.z);
    u256 inverse = secp256k1_p_invert_in_group(tree, z);
    u256 square = secp256k1_p_square(inverse);
    affine_point r;
    r.x = secp256k1_p_normal(secp256k1_p_multiply(p.x, square));
    r.y = secp256k1_p_normal(secp256k1_p_multiply(p.y, secp256k1_p_multiply(inverse, square)));
    return r;
}

/* Writes the odd multiples (2i + 1)*G and lambda times them, i below 4096: x and y in 64 bytes, those of lambda*G
 * after all of G. Work-item i makes one of each. 22 additions and doublings. */
KERNEL_COOPERATIVE void secp256k1_tables(GLOBAL u64 *tables) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 entry = GLOBAL_ID() % SECP256K1_STATIC_MULTIPLES;
    affine_point generator = secp256k1_base();
    jacobian_point sum = secp256k1_infinity();
    for (u32 bit = SECP256K1_STATIC_WIDTH; bit > 0; bit--) {
        sum = secp256k1_twice(sum);
        if (((2 * entry + 1) >> (bit - 1)) & 1u) sum = secp256k1_add_affine(sum, generator);
    }
    affine_point multiple = secp256k1_to_affine_in_group(tree, sum);
    if (GLOBAL_ID() < SECP256K1_STATIC_MULTIPLES) {
        GLOBAL u64 *row = tables + entry * 8;
        u256_store_row(row, multiple.x);
        u256_store_row(row + 4, multiple.y);
        row += SECP256K1_STATIC_MULTIPLES * 8;
        u256_store_row(row, secp256k1_p_normal(secp256k1_p_multiply(multiple.x, secp256k1_beta())));
        u256_store_row(row + 4, multiple.y);
    }
}

/* Writes the comb of G. Work-item i makes window i; there are 32 at least. */
KERNEL_COOPERATIVE void secp256k1_base_comb(GLOBAL u64 *base_comb) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 window = GLOBAL_ID() % COMB_WINDOWS;
    secp256k1_make_comb_window(tree, secp256k1_base(), window, base_comb, GLOBAL_ID() < COMB_WINDOWS);
}

/* Writes the combs of keys, of G where a key is no point, and says which are (VALID, MALFORMED). Words of a key: x 0,
 * y 8, what is said of it 16, the number of its comb in `combs` 17. Work-item i makes window i modulo 32 of key i/32;
 * results are of keys. */
KERNEL_COOPERATIVE void secp256k1_signer_tables(GLOBAL const u32 *keys, GLOBAL u64 *combs, GLOBAL u32 *results,
                                                u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID() / COMB_WINDOWS, window = GLOBAL_ID() % COMB_WINDOWS;
    u32 item = index < count ? index : count - 1;
    checked_point key = secp256k1_key(keys, count, item, keys[16 * count + item]);
    combs += (u64)keys[17 * count + item] * COMB_WORDS;
    secp256k1_make_comb_window(tree, key.point, window, combs, index < count);
    if (index < count && window == 0) {
        u32 verdict = key.is_point ? VERDICT_VALID : VERDICT_MALFORMED;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* What verification finds of an item. */
typedef struct {
    jacobian_point sum;
    u256 r;
    u32 is_point, is_in_range;
} ecdsa_equation;

/* The scalars of an item: of the digest at word 0, r 8, s 16. */
typedef struct {
    u256 u1, u2, r;
    u32 is_in_range;
} ecdsa_scalars;

/* Every work-item of the group calls it at the same time. */
DEVICE_FN ecdsa_scalars secp256k1_scalars(LOCAL_PTR u32 *tree, GLOBAL const u32 *items, u32 count, u32 item) {
    ecdsa_scalars scalars;
    scalars.r = item_number(items, 8, count, item);
    u256 s = item_number(items, 16, count, item);
    scalars.is_in_range = secp256k1_is_scalar(scalars.r) && secp256k1_is_scalar(s);
    u256 inverse = secp256k1_n_invert_in_group(tree, secp256k1_n_enter(scalars.is_in_range ? s : u256_one()));
    scalars.u1 = secp256k1_n_normal(secp256k1_n_multiply(item_number(items, 0, count, item), inverse));
    scalars.u2 = secp256k1_n_normal(secp256k1_n_multiply(scalars.r, inverse));
    return scalars;
}

DEVICE_FN ecdsa_equation secp256k1_found(ecdsa_scalars scalars, jacobian_point sum, u32 is_point) {
    ecdsa_equation found;
    found.sum = sum;
    found.r = scalars.r;
    found.is_point = is_point;
    found.is_in_range = scalars.is_in_range;
    return found;
}

/* u1*G + u2*Q of an item, whose key's x is at word 24, y 32, and what is said of the key 40. Every work-item of the
 * group calls it at the same time. */
DEVICE_FN ecdsa_equation secp256k1_equation(LOCAL_PTR u32 *tree, GLOBAL const u64 *tables, GLOBAL const u32 *items,
                                            u32 count, u32 item) {
    checked_point key = secp256k1_key(items + 24 * count, count, item, items[40 * count + item]);
    ecdsa_scalars scalars = secp256k1_scalars(tree, items, count, item);
    jacobian_point sum = secp256k1_multiply_both(tables, scalars.u1, scalars.u2, key.point);
    return secp256k1_found(scalars, sum, key.is_point);
}

/* The same by the combs of G and Q, the number of Q's being at word 41; x and y are not read. */
DEVICE_FN ecdsa_equation secp256k1_equation_known(LOCAL_PTR u32 *tree, GLOBAL const u64 *base_comb,
                                                  GLOBAL const u64 *combs, GLOBAL const u32 *items, u32 count,
                                                  u32 item) {
    ecdsa_scalars scalars = secp256k1_scalars(tree, items, count, item);
    combs += (u64)items[41 * count + item] * COMB_WORDS;
    return secp256k1_found(scalars, secp256k1_two_combs(base_comb, scalars.u1, combs, scalars.u2), 1);
}

/* As `secp256k1_equation`, by the work-items of an item together, of which part 0 has the sum. `tree` is of
 * GROUP_POINT_WORDS. */
DEVICE_FN ecdsa_equation secp256k1_equation_in_parts(LOCAL_PTR u32 *tree, u32 part, GLOBAL const u64 *base_comb,
                                                     GLOBAL const u32 *items, u32 count, u32 item) {
    checked_point key = secp256k1_key(items + 24 * count, count, item, items[40 * count + item]);
    ecdsa_scalars scalars = secp256k1_scalars(tree, items, count, item);
    jacobian_point sum =
        secp256k1_two_products_in_parts(tree, part, base_comb, scalars.u1, key.point, scalars.u2);
    return secp256k1_found(scalars, sum, key.is_point);
}

/* As `secp256k1_equation_known`, likewise. */
DEVICE_FN ecdsa_equation secp256k1_equation_known_in_parts(LOCAL_PTR u32 *tree, u32 part, GLOBAL const u64 *base_comb,
                                                     GLOBAL const u64 *combs, GLOBAL const u32 *items, u32 count,
                                                     u32 item) {
    ecdsa_scalars scalars = secp256k1_scalars(tree, items, count, item);
    combs += (u64)items[41 * count + item] * COMB_WORDS;
    jacobian_point sum =
        secp256k1_two_combs_in_parts(tree, part, base_comb, scalars.u1, combs, scalars.u2);
    return secp256k1_found(scalars, sum, 1);
}

DEVICE_FN u32 secp256k1_verdict(ecdsa_equation found, u32 holds) {
    if (!found.is_point) return VERDICT_MALFORMED;
    return found.is_in_range && holds && !secp256k1_p_is_zero(found.sum.z) ? VERDICT_VALID : VERDICT_INVALID;
}

/* Whether the x of the sum is r modulo n. */
DEVICE_FN u32 secp256k1_is_nonce_any(ecdsa_equation found) {
    return secp256k1_has_x(found.sum, found.r) ||
           (secp256k1_can_be_above_order(found.r) && secp256k1_has_x(found.sum, secp256k1_above_order(found.r)));
}

/* Whether the sum is that of the points with x = r modulo n which `form` names. Every work-item of the group calls it
 * at the same time. */
DEVICE_FN u32 secp256k1_is_nonce_point(LOCAL_PTR u32 *tree, ecdsa_equation found, u32 form) {
    affine_point point = secp256k1_to_affine_in_group(tree, found.sum);
    u32 is_above = (form & NONCE_IS_ABOVE_ORDER) != 0;
    u256 x = is_above ? secp256k1_above_order(found.r) : found.r;
    return (!is_above || secp256k1_can_be_above_order(found.r)) && u256_equal(point.x, x) &&
           (point.y.w[0] & 1u) == (form & NONCE_Y_IS_ODD);
}

/* Verifies ECDSA: the x of R is r modulo n. Words of an item: digest (any number below 2^256) 0, r 8, s 16, the key's x
 * 24 and y 32, and what is said of the key 40. The y of a compressed key is not read. */
KERNEL_COOPERATIVE void secp256k1_verify(GLOBAL const u64 *tables, GLOBAL const u32 *items, GLOBAL u32 *results,
                                         u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    ecdsa_equation found = secp256k1_equation(tree, tables, items, count, item);
    u32 holds = secp256k1_is_nonce_any(found);
    if (index < count) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* Verifies ECDSA where R is one of two points, as in recoverable signatures. Words of an item as above; word 40 says
 * which, too. */
KERNEL_COOPERATIVE void secp256k1_verify_point(GLOBAL const u64 *tables, GLOBAL const u32 *items, GLOBAL u32 *results,
                                               u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    u32 form = items[40 * count + item];
    ecdsa_equation found = secp256k1_equation(tree, tables, items, count, item);
    u32 holds = secp256k1_is_nonce_point(tree, found, form);
    if (index < count) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* As `secp256k1_verify`, for few items: work-item i is part i modulo COMB_PARTS of item i/COMB_PARTS. Groups are of
 * whole items. */
KERNEL_COOPERATIVE void secp256k1_verify_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items,
                                                  GLOBAL u32 *results, u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    ecdsa_equation found = secp256k1_equation_in_parts(tree, part, base_comb, items, count, item);
    if (index < count && part == 0) {
        u32 verdict = secp256k1_verdict(found, secp256k1_is_nonce_any(found));
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* As `secp256k1_verify_point`, in parts. */
KERNEL_COOPERATIVE void secp256k1_verify_point_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items,
                                                        GLOBAL u32 *results, u32 count, u32 nonce_low,
                                                        u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    u32 form = items[40 * count + item];
    ecdsa_equation found = secp256k1_equation_in_parts(tree, part, base_comb, items, count, item);
    u32 holds = secp256k1_is_nonce_point(tree, found, form);
    if (index < count && part == 0) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* Verifies ECDSA as `secp256k1_verify`, by combs. */
KERNEL_COOPERATIVE void secp256k1_verify_known(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                               GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                               u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    ecdsa_equation found = secp256k1_equation_known(tree, base_comb, combs, items, count, item);
    u32 holds = secp256k1_is_nonce_any(found);
    if (index < count) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* Verifies ECDSA as `secp256k1_verify_point`, by combs. */
KERNEL_COOPERATIVE void secp256k1_verify_point_known(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                     GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                     u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    u32 form = items[40 * count + item];
    ecdsa_equation found = secp256k1_equation_known(tree, base_comb, combs, items, count, item);
    u32 holds = secp256k1_is_nonce_point(tree, found, form);
    if (index < count) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* As `secp256k1_verify_known`, in parts as `secp256k1_verify_in_parts` is. */
KERNEL_COOPERATIVE void secp256k1_verify_known_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                        GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                        u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    ecdsa_equation found = secp256k1_equation_known_in_parts(tree, part, base_comb, combs, items, count, item);
    if (index < count && part == 0) {
        u32 verdict = secp256k1_verdict(found, secp256k1_is_nonce_any(found));
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* As `secp256k1_verify_point_known`, in parts. */
KERNEL_COOPERATIVE void secp256k1_verify_point_known_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                              GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                              u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    u32 form = items[40 * count + item];
    ecdsa_equation found = secp256k1_equation_known_in_parts(tree, part, base_comb, combs, items, count, item);
    u32 holds = secp256k1_is_nonce_point(tree, found, form);
    if (index < count && part == 0) {
        u32 verdict = secp256k1_verdict(found, holds);
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* What recovery asks of an item: which point is u1*G + u2*R? */
typedef struct {
    u256 u1, u2;
    affine_point nonce;
    u32 is_possible;
} recovery;

/* Words of an item: digest (any number below 2^256) 0, r 8, s 16, and what is said of R 24, the point being taken for
 * granted. Every work-item of the group calls it at the same time. */
DEVICE_FN recovery secp256k1_recovery(LOCAL_PTR u32 *tree, GLOBAL const u32 *items, u32 count, u32 item) {
    recovery asked;
    u256 r = item_number(items, 8, count, item), s = item_number(items, 16, count, item);
    u32 nonce = items[24 * count + item];
    u32 is_in_range = secp256k1_is_scalar(r) && secp256k1_is_scalar(s);
    u256 x = r;
    if (nonce & NONCE_IS_ABOVE_ORDER) {
        is_in_range = is_in_range && secp256k1_can_be_above_order(r);
        x = secp256k1_above_order(r);
    }
    checked_point lifted = secp256k1_lift(x, nonce & NONCE_Y_IS_ODD);
    u256 inverse = secp256k1_n_invert_in_group(tree, secp256k1_n_enter(is_in_range ? r : u256_one()));
    u256 digest = secp256k1_n_negate(item_number(items, 0, count, item));
    asked.u1 = secp256k1_n_normal(secp256k1_n_multiply(digest, inverse));
    asked.u2 = secp256k1_n_normal(secp256k1_n_multiply(s, inverse));
    asked.nonce = lifted.point;
    asked.is_possible = is_in_range && lifted.is_point;
    return asked;
}

/* Makes the output words of the key that was found, and its address; says whether there is one. Every work-item of the
 * group calls it at the same time. */
DEVICE_FN u32 secp256k1_recovered(LOCAL_PTR u32 *tree, jacobian_point sum, u32 is_possible, u32 *words) {
    affine_point key = secp256k1_to_affine_in_group(tree, sum);
    u32 is_found = is_possible && !secp256k1_p_is_zero(sum.z);
    u32 hash[8];
    UNROLL for (u32 i = 0; i < 8; i++) {
        words[i] = swap_bytes_32(key.x.w[7 - i]);
        words[8 + i] = swap_bytes_32(key.y.w[7 - i]);
    }
    keccak256_of_words(hash, words, 16, 0, 0, KECCAK_PADDING);
    UNROLL for (u32 i = 0; i < 5; i++) words[16 + i] = hash[3 + i];
    UNROLL for (u32 i = 0; i < RECOVERED_WORDS; i++) words[i] = is_found ? words[i] : 0;
    return is_found;
}

/* Recovers keys. Words of an item as in `secp256k1_recovery`.
 *
 * Output words of a VALID item: the key x || y in 16 and its address in 5, whose bytes in order are the big-endian
 * numbers and the address. Of others they are 0. */
KERNEL_COOPERATIVE void secp256k1_recover(GLOBAL const u64 *tables, GLOBAL const u32 *items, GLOBAL u32 *results,
                                          u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    recovery asked = secp256k1_recovery(tree, items, count, item);
    jacobian_point sum = secp256k1_multiply_both(tables, asked.u1, asked.u2, asked.nonce);
    u32 words[RECOVERED_WORDS];
    u32 is_found = secp256k1_recovered(tree, sum, asked.is_possible, words);
    if (index < count) {
        u32 verdict = is_found ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, words, RECOVERED_WORDS);
    }
}

/* As `secp256k1_recover`, in parts as `secp256k1_verify_in_parts` is. */
KERNEL_COOPERATIVE void secp256k1_recover_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items,
                                                   GLOBAL u32 *results, u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    recovery asked = secp256k1_recovery(tree, items, count, item);
    jacobian_point sum = secp256k1_two_products_in_parts(tree, part, base_comb, asked.u1, asked.nonce, asked.u2);
    u32 words[RECOVERED_WORDS];
    u32 is_found = secp256k1_recovered(tree, sum, asked.is_possible, words);
    if (index < count && part == 0) {
        u32 verdict = is_found ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, words, RECOVERED_WORDS);
    }
}

/* What verification asks of a Schnorr signature: has s*G - e*Q the x r, and an even y? */
typedef struct {
    u256 r, s, opposite;
    u32 is_in_range;
} schnorr_question;

/* Words of an item: the challenge e, hashed already (any number below 2^256) 0, r 8, s 16, the key's x 24. */
DEVICE_FN schnorr_question secp256k1_schnorr_ask(GLOBAL const u32 *items, u32 count, u32 item) {
    schnorr_question question;
    question.r = item_number(items, 8, count, item);
    question.s = item_number(items, 16, count, item);
    question.is_in_range =
        u256_below(question.r, secp256k1_p_modulus()) & u256_below(question.s, secp256k1_n_modulus());
    /* Digits are those of numbers up to n. */
    if (!question.is_in_range) question.s = u256_one();
    question.opposite = secp256k1_n_normal(secp256k1_n_negate(item_number(items, 0, count, item)));
    return question;
}

/* Every work-item of the group calls it at the same time. */
DEVICE_FN u32 secp256k1_schnorr_holds(LOCAL_PTR u32 *tree, schnorr_question question, jacobian_point sum) {
    affine_point found = secp256k1_to_affine_in_group(tree, sum);
    return question.is_in_range && !secp256k1_p_is_zero(sum.z) && u256_equal(found.x, question.r) &&
           (found.y.w[0] & 1u) == 0;
}

/* Verifies Schnorr signatures. INVALID too: r is not below p, s is not below n. MALFORMED: x is no point's. */
KERNEL_COOPERATIVE void secp256k1_verify_schnorr(GLOBAL const u64 *tables, GLOBAL const u32 *items, GLOBAL u32 *results,
                                                 u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    checked_point key = secp256k1_lift(item_number(items, 24, count, item), 0);
    schnorr_question question = secp256k1_schnorr_ask(items, count, item);
    jacobian_point sum = secp256k1_multiply_both(tables, question.s, question.opposite, key.point);
    u32 holds = secp256k1_schnorr_holds(tree, question, sum);
    if (index < count) {
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* As `secp256k1_verify_schnorr`, in parts as `secp256k1_verify_in_parts` is. */
KERNEL_COOPERATIVE void secp256k1_verify_schnorr_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items,
                                                          GLOBAL u32 *results, u32 count, u32 nonce_low,
                                                          u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    checked_point key = secp256k1_lift(item_number(items, 24, count, item), 0);
    schnorr_question question = secp256k1_schnorr_ask(items, count, item);
    jacobian_point sum =
        secp256k1_two_products_in_parts(tree, part, base_comb, question.s, key.point, question.opposite);
    u32 holds = secp256k1_schnorr_holds(tree, question, sum);
    if (index < count && part == 0) {
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* Verifies Schnorr signatures as `secp256k1_verify_schnorr`, by combs of their keys, the even ones. Words as there, and
 * the number of the signer's comb 32; x is not read. */
KERNEL_COOPERATIVE void secp256k1_verify_schnorr_known(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                       GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                       u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    schnorr_question question = secp256k1_schnorr_ask(items, count, item);
    combs += (u64)items[32 * count + item] * COMB_WORDS;
    jacobian_point sum = secp256k1_two_combs(base_comb, question.s, combs, question.opposite);
    u32 holds = secp256k1_schnorr_holds(tree, question, sum);
    if (index < count) {
        u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* As `secp256k1_verify_schnorr_known`, in parts as `secp256k1_verify_known_in_parts` is. */
KERNEL_COOPERATIVE void secp256k1_verify_schnorr_known_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                                GLOBAL const u32 *items, GLOBAL u32 *results,
                                                                u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    schnorr_question question = secp256k1_schnorr_ask(items, count, item);
    combs += (u64)items[32 * count + item] * COMB_WORDS;
    jacobian_point sum =
        secp256k1_two_combs_in_parts(tree, part, base_comb, question.s, combs, question.opposite);
    u32 holds = secp256k1_schnorr_holds(tree, question, sum);
    if (index < count && part == 0) {
        u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}
