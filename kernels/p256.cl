/* ECDSA on P-256 (FIPS 186-5), verified: of digests, or of messages, whose SHA-256 is made here. One work-item a
 * signature; high S is valid.
 *
 * Numbers are eight little-endian words; `items` and `keys` are columns, so that word w of item i lies at w*count + i.
 * `base_comb` is what `p256_tables` writes: 256 KiB, once a device. `combs` are those of known signers, one after the
 * other, by `p256_signer_tables`; signatures of theirs are verified with no doubling.
 *
 * A group of at most GROUP_MAX work-items shares its inversions. Work-items are items (of `p256_signer_tables`, windows
 * of keys). Those past the end of the batch work on the last one, and write nothing.
 *
 * Results go by `write_result`. INVALID: r or s is 0 or not below n, or the equation does not hold. MALFORMED: the key
 * is no point. There is no case that is left to others.
 *
 * Products and squares modulo p or n of a signature: 1,832 and 1,322, in parts no more than 982 and 187 one after the
 * other; with a comb 520 and 194, in parts 108 and 38. Beside the inversions that a group shares: one modulo n (71 and
 * 256) and, but for combs, one modulo p (48 and 256).
 *
 * Reference: FIPS 186-5, section 6.4.2. */
#include "dialect/tag.h"
#include "curves/p256.inc"
#include "hashes/message.h"
#include "hashes/sha256.inc"

/* The number of an item that begins with its word `word`. */
DEVICE_FN u256 item_number(GLOBAL const u32 *items, u32 word, u32 count, u32 item) {
    return u256_load(items + word * count, count, item);
}

DEVICE_FN u32 p256_is_scalar(u256 a) { return !u256_is_zero(a) && u256_below(a, p256_n_modulus()); }

/* Writes the comb of G. Work-item i makes window i; there are 32 at least. */
KERNEL_COOPERATIVE void p256_tables(GLOBAL u64 *base_comb) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    p256_make_comb_window(tree, p256_base(), GLOBAL_ID() % COMB_WINDOWS, base_comb, GLOBAL_ID() < COMB_WINDOWS);
}

/* Writes the combs of keys, of G where a key is no point, and says which are (VALID, MALFORMED). Words of a key: x 0,
 * y 8, the number of its comb in `combs` 16. Work-item i makes window i modulo 32 of key i/32; results are of keys. */
KERNEL_COOPERATIVE void p256_signer_tables(GLOBAL const u32 *keys, GLOBAL u64 *combs, GLOBAL u32 *results, u32 count,
                                           u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID() / COMB_WINDOWS, window = GLOBAL_ID() % COMB_WINDOWS;
    u32 item = index < count ? index : count - 1;
    p256_key key = p256_decode(item_number(keys, 0, count, item), item_number(keys, 8, count, item));
    combs += (u64)keys[16 * count + item] * COMB_WORDS;
    p256_make_comb_window(tree, key.point, window, combs, index < count);
    if (index < count && window == 0) {
        u32 verdict = key.is_point ? VERDICT_VALID : VERDICT_MALFORMED;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* Makes the digests of items whose messages are given, by SHA-256: words 32 to 39, as below. Messages are laid out as
 * `message.h` has them. */
KERNEL void p256_hash_messages(GLOBAL const u8 *bytes, GLOBAL const u32 *offsets, u32 length, GLOBAL u32 *items,
                               u32 count) {
    u32 item = GLOBAL_ID();
    if (item >= count) return;
    u32 words[8];
    sha256_of_message(words, bytes, message_of_batch(offsets, length, item));
    UNROLL for (u32 i = 0; i < 8; i++) items[(39 - i) * count + item] = swap_bytes_32(words[i]);
}

/* What verification asks of an item: has u1*G + u2*Q the x r modulo n? */
typedef struct {
    u256 r, u1, u2;
    u32 is_in_range;
} p256_question;

/* Every work-item of the group calls it at the same time. */
DEVICE_FN p256_question p256_ask(LOCAL_PTR u32 *tree, GLOBAL const u32 *items, u32 count, u32 item) {
    p256_question question;
    question.r = item_number(items, 0, count, item);
    u256 s = item_number(items, 8, count, item);
    question.is_in_range = p256_is_scalar(question.r) && p256_is_scalar(s);
    u256 inverse = p256_n_invert_in_group(tree, p256_n_enter(question.is_in_range ? s : u256_one()));
    question.u1 = p256_n_normal(p256_n_multiply(item_number(items, 32, count, item), inverse));
    question.u2 = p256_n_normal(p256_n_multiply(question.r, inverse));
    return question;
}

/* Verifies. Words of an item: r 0, s 8, the key's x 16 and y 24, the digest (any number below 2^256) 32. */
KERNEL_COOPERATIVE void p256_verify(GLOBAL const u64 *base_comb, GLOBAL const u32 *items, GLOBAL u32 *results,
                                    u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    p256_key key = p256_decode(item_number(items, 16, count, item), item_number(items, 24, count, item));
    p256_question question = p256_ask(tree, items, count, item);
    jacobian_point sum = p256_two_products(tree, base_comb, question.u1, key.point, question.u2);
    if (index < count) {
        u32 holds = question.is_in_range && p256_has_x_modulo_order(sum, question.r);
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* The same, for few items: work-item i is part i modulo COMB_PARTS of item i/COMB_PARTS. Groups are of whole items. */
KERNEL_COOPERATIVE void p256_verify_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items, GLOBAL u32 *results,
                                             u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    p256_key key = p256_decode(item_number(items, 16, count, item), item_number(items, 24, count, item));
    p256_question question = p256_ask(tree, items, count, item);
    jacobian_point sum = p256_two_products_in_parts(tree, part, base_comb, question.u1, key.point, question.u2);
    if (index < count && part == 0) {
        u32 holds = question.is_in_range && p256_has_x_modulo_order(sum, question.r);
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* Verifies signatures of known signers. Words of an item as above, and the number of the signer's comb in `combs` 40; x
 * and y are not read. */
KERNEL_COOPERATIVE void p256_verify_known(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                          GLOBAL const u32 *items, GLOBAL u32 *results, u32 count, u32 nonce_low,
                                          u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    p256_question question = p256_ask(tree, items, count, item);
    combs += (u64)items[40 * count + item] * COMB_WORDS;
    jacobian_point sum = p256_two_combs(base_comb, question.u1, combs, question.u2);
    if (index < count) {
        u32 holds = question.is_in_range && p256_has_x_modulo_order(sum, question.r);
        u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* As `p256_verify_known`, in parts as `p256_verify_in_parts` is. */
KERNEL_COOPERATIVE void p256_verify_known_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                   GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                   u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    p256_question question = p256_ask(tree, items, count, item);
    combs += (u64)items[40 * count + item] * COMB_WORDS;
    jacobian_point sum = p256_two_combs_in_parts(tree, part, base_comb, question.u1, combs, question.u2);
    if (index < count && part == 0) {
        u32 holds = question.is_in_range && p256_has_x_modulo_order(sum, question.r);
        u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}
