/* SM2 signatures (GB/T 32918.2), verified: of digests, or of messages, whose Z and SM3 are made here. One work-item a
 * signature.
 *
 * Numbers are eight little-endian words; `items` and `keys` are columns, so that word w of item i lies at w*count + i.
 * `base_comb` is what `sm2_tables` writes: 256 KiB, once a device. `combs` are those of known signers, one after the
 * other, by `sm2_signer_tables`; signatures of theirs are verified with no doubling.
 *
 * A group of at most GROUP_MAX work-items shares its inversion. Work-items are items (of `sm2_signer_tables`, windows
 * of keys). Those past the end of the batch work on the last one, and write nothing.
 *
 * Results go by `write_result`. INVALID: r or s is 0 or not below n, r + s is n, or the equation does not hold.
 * MALFORMED: the key is no point. There is no case that is left to others.
 *
 * Products and squares modulo p of a signature: 1,829 and 1,322, beside the inversion that a group shares (71 and 256);
 * in parts no more than 979 and 187 one after the other, and no inversion; with a comb 517 and 194, in parts 105 and
 * 38.
 *
 * Reference: GB/T 32918.2, section 7; for Z section 5.5. */
#include "dialect/tag.h"
#include "curves/sm2.inc"
#include "hashes/message.h"
#include "hashes/sm3.inc"

/* The number of an item that begins with its word `word`. */
DEVICE_FN u256 item_number(GLOBAL const u32 *items, u32 word, u32 count, u32 item) {
    return u256_load(items + word * count, count, item);
}

DEVICE_FN u32 sm2_is_scalar(u256 a) { return !u256_is_zero(a) && u256_below(a, sm2_n_modulus()); }

/* Writes the comb of G. Work-item i makes window i; there are 32 at least. */
KERNEL_COOPERATIVE void sm2_tables(GLOBAL u64 *base_comb) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    sm2_make_comb_window(tree, sm2_base(), GLOBAL_ID() % COMB_WINDOWS, base_comb, GLOBAL_ID() < COMB_WINDOWS);
}

/* Writes the combs of keys, of G where a key is no point, and says which are (VALID, MALFORMED). Words of a key: x 0,
 * y 8, the number of its comb in `combs` 16. Work-item i makes window i modulo 32 of key i/32; results are of keys. */
KERNEL_COOPERATIVE void sm2_signer_tables(GLOBAL const u32 *keys, GLOBAL u64 *combs, GLOBAL u32 *results, u32 count,
                                          u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID() / COMB_WINDOWS, window = GLOBAL_ID() % COMB_WINDOWS;
    u32 item = index < count ? index : count - 1;
    sm2_key key = sm2_decode(item_number(keys, 0, count, item), item_number(keys, 8, count, item));
    combs += (u64)keys[16 * count + item] * COMB_WORDS;
    sm2_make_comb_window(tree, key.point, window, combs, index < count);
    if (index < count && window == 0) {
        u32 verdict = key.is_point ? VERDICT_VALID : VERDICT_MALFORMED;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &verdict, 0);
    }
}

/* A number as its big-endian bytes, in words of which the lowest byte is the first. */
DEVICE_FN void big_endian_words(u32 *words, u256 number) {
    UNROLL for (u32 i = 0; i < 8; i++) words[i] = swap_bytes_32(number.w[7 - i]);
}

/* Makes the digests of items whose messages are given, words 32 to 39 as below: e = SM3(Z || message), Z =
 * SM3(identity || x || y), where `identity` is all that comes before the key: the length and the bytes of the
 * signer's identity, a, b and G. Messages are laid out as `message.h` has them. */
KERNEL void sm2_hash_messages(GLOBAL const u8 *identity, u32 identity_length, GLOBAL const u8 *bytes,
                              GLOBAL const u32 *offsets, u32 length, GLOBAL u32 *items, u32 count) {
    u32 item = GLOBAL_ID();
    if (item >= count) return;
    u32 words[8];
    struct sm3_parts parts;
    struct message prefix = {0, identity_length, 0, 0};
    sm3_parts_start(&parts);
    sm3_parts_append_message(&parts, identity, prefix);
    big_endian_words(words, item_number(items, 16, count, item));
    sm3_parts_append_words(&parts, words, 8);
    big_endian_words(words, item_number(items, 24, count, item));
    sm3_parts_append_words(&parts, words, 8);
    sm3_parts_end(words, &parts);
    sm3_parts_start(&parts);
    sm3_parts_append_words(&parts, words, 8);
    sm3_parts_append_message(&parts, bytes, message_of_batch(offsets, length, item));
    sm3_parts_end(words, &parts);
    UNROLL for (u32 i = 0; i < 8; i++) items[(39 - i) * count + item] = swap_bytes_32(words[i]);
}

/* What verification asks of an item: has s*G + t*Q the x r - e modulo n, t being r + s? */
typedef struct {
    u256 s, t, x;
    u32 is_in_range;
} sm2_question;

DEVICE_FN sm2_question sm2_ask(GLOBAL const u32 *items, u32 count, u32 item) {
    sm2_question question;
    u256 r = item_number(items, 0, count, item);
    question.s = item_number(items, 8, count, item);
    question.t = sm2_n_normal(sm2_n_add(r, question.s));
    question.x = sm2_n_normal(sm2_n_subtract(r, item_number(items, 32, count, item)));
    question.is_in_range = sm2_is_scalar(r) && sm2_is_scalar(question.s) && !u256_is_zero(question.t);
    /* Digits are those of numbers up to n. */
    if (!question.is_in_range) question.s = u256_one();
    return question;
}

/* Verifies. Words of an item: r 0, s 8, the key's x 16 and y 24, the digest e (any number below 2^256) 32. */
KERNEL_COOPERATIVE void sm2_verify(GLOBAL const u64 *base_comb, GLOBAL const u32 *items, GLOBAL u32 *results,
                                   u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 tree[GROUP_TREE_WORDS];
    u32 index = GLOBAL_ID();
    u32 item = index < count ? index : count - 1;
    sm2_key key = sm2_decode(item_number(items, 16, count, item), item_number(items, 24, count, item));
    sm2_question question = sm2_ask(items, count, item);
    jacobian_point sum = sm2_two_products(tree, base_comb, question.s, key.point, question.t);
    if (index < count) {
        u32 holds = question.is_in_range && sm2_has_x_modulo_order(sum, question.x);
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* The same, for few items: work-item i is part i modulo COMB_PARTS of item i/COMB_PARTS. Groups are of whole items. */
KERNEL_COOPERATIVE void sm2_verify_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u32 *items, GLOBAL u32 *results,
                                            u32 count, u32 nonce_low, u32 nonce_high) {
    LOCAL u32 points[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    sm2_key key = sm2_decode(item_number(items, 16, count, item), item_number(items, 24, count, item));
    sm2_question question = sm2_ask(items, count, item);
    jacobian_point sum = sm2_two_products_in_parts(points, part, base_comb, question.s, key.point, question.t);
    if (index < count && part == 0) {
        u32 holds = question.is_in_range && sm2_has_x_modulo_order(sum, question.x);
        u32 verdict = !key.is_point ? VERDICT_MALFORMED : holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}

/* Verifies signatures of known signers. Words of an item as above, and the number of the signer's comb in `combs` 40; x
 * and y are not read. */
KERNEL void sm2_verify_known(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs, GLOBAL const u32 *items,
                             GLOBAL u32 *results, u32 count, u32 nonce_low, u32 nonce_high) {
    u32 item = GLOBAL_ID();
    if (item >= count) return;
    sm2_question question = sm2_ask(items, count, item);
    combs += (u64)items[40 * count + item] * COMB_WORDS;
    jacobian_point sum = sm2_two_combs(base_comb, question.s, combs, question.t);
    u32 holds = question.is_in_range && sm2_has_x_modulo_order(sum, question.x);
    u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
    write_result(results, count, item, nonce_low, nonce_high, verdict, &holds, 0);
}

/* As `sm2_verify_known`, in parts as `sm2_verify_in_parts` is. */
KERNEL_COOPERATIVE void sm2_verify_known_in_parts(GLOBAL const u64 *base_comb, GLOBAL const u64 *combs,
                                                  GLOBAL const u32 *items, GLOBAL u32 *results, u32 count,
                                                  u32 nonce_low, u32 nonce_high) {
    LOCAL u32 points[GROUP_POINT_WORDS];
    u32 index = GLOBAL_ID() / COMB_PARTS, part = GLOBAL_ID() % COMB_PARTS;
    u32 item = index < count ? index : count - 1;
    sm2_question question = sm2_ask(items, count, item);
    combs += (u64)items[40 * count + item] * COMB_WORDS;
    jacobian_point sum = sm2_two_combs_in_parts(points, part, base_comb, question.s, combs, question.t);
    if (index < count && part == 0) {
        u32 holds = question.is_in_range && sm2_has_x_modulo_order(sum, question.x);
        u32 verdict = holds ? VERDICT_VALID : VERDICT_INVALID;
        write_result(results, count, index, nonce_low, nonce_high, verdict, &holds, 0);
    }
}
