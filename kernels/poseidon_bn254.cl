/* Poseidon over the scalar field of BN254, as circomlib has it, of many messages of 1 to 16 elements.
 *
 * bytes      the messages, one after the other, as message.h wants them; elements of 32 big-endian bytes
 * offsets    the start of each message in `bytes` and the end of the last; not read where `length` says it all
 * constants  40 words of contents, then the constants of widths 2 to 17: word 2t is where those of width t begin (in
 *            words, 0 where they are not there), word 2t + 1 its partial rounds; see hashes/poseidon_bn254.inc
 * results    verdict, tag and 8 words of digest for each message, as tag.h lays them out; the words little-endian, so
 *            that their bytes in order are the digest. MALFORMED with a digest of zeros where a message has not 1 to 16
 *            elements or one of them is not below r; UNPROCESSED where the constants of its width are not there
 * count      messages
 * length     bytes of every message, or LENGTHS_VARY
 * nonce      of the batch
 *
 * Work-item i hashes message i; items beyond `count` do nothing. `poseidon_bn254_messages` takes any messages;
 * `poseidon_bn254_pairs` takes messages of two elements alone (64 i is the start of message i), and keeps all of its
 * state in registers. Reference: hashes/poseidon_bn254.inc. Cost: 594 products and 436 reductions for two elements. */
#include "dialect/platform.h"
#include "dialect/tag.h"
#include "hashes/message.h"
#include "hashes/bn254_scalar.inc"
#include "hashes/poseidon_pair.inc"

#define POSEIDON(name) any_##name
#define POSEIDON_STATE 17
#define POSEIDON_UNROLL
#include "hashes/poseidon_bn254.inc"

/* The elements of a message as numbers, from the second element of the state on; 0 where one is not below r. */
DEVICE_FN u32 load_elements(u32 *state, const GLOBAL u8 *bytes, struct message m) {
    u32 are_reduced = 1;
    for (u32 i = 0; i < m.length / 32u; i++) {
        u32 words[8];
        message_words(words, 8u, bytes, m, 8u * i, 0);
        are_reduced &= scalar_bytes_are_reduced(words);
        scalar_turn(state + 8u * (i + 1u), words);
    }
    return are_reduced;
}

/* The verdict over a message of any form, and its digest or zeros. */
DEVICE_FN u32 hash_message(u32 *digest, const GLOBAL u8 *bytes, struct message m, const GLOBAL u32 *constants) {
    u32 state[8 * 17];
    u32 hash[8];
    u32 width = m.length / 32u + 1u;
    UNROLL
    for (u32 w = 0; w < 8u; w++) {
        digest[w] = 0;
    }
    if (width < 2u || width > 17u || m.length % 32u != 0) {
        return VERDICT_MALFORMED;
    }
    if (!load_elements(state, bytes, m)) {
        return VERDICT_MALFORMED;
    }
    u32 place = constants[2u * width];
    if (place == 0) {
        return VERDICT_UNPROCESSED;
    }
    any_hash(hash, state, width, constants[2u * width + 1u], constants + place);
    scalar_turn(digest, hash);
    return VERDICT_VALID;
}

KERNEL void poseidon_bn254_messages(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, const GLOBAL u32 *constants,
                                    GLOBAL u32 *results, u32 count, u32 length, u32 nonce_low, u32 nonce_high) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 digest[8];
    u32 verdict = hash_message(digest, bytes, message_of_batch(offsets, length, i), constants);
    write_result(results, count, i, nonce_low, nonce_high, verdict, digest, 8u);
}

KERNEL void poseidon_bn254_pairs(const GLOBAL u8 *bytes, const GLOBAL u32 *constants, GLOBAL u32 *results, u32 count,
                                 u32 nonce_low, u32 nonce_high) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    const GLOBAL u32 *words = (const GLOBAL u32 *)bytes + 16u * i;
    u32 pair[16];
    u32 digest[8];
    UNROLL
    for (u32 w = 0; w < 16u; w++) {
        pair[w] = words[w];
    }
    u32 are_reduced = scalar_bytes_are_reduced(pair) & scalar_bytes_are_reduced(pair + 8);
    if (are_reduced) {
        poseidon_of_pair(digest, pair, constants);
    } else {
        UNROLL
        for (u32 w = 0; w < 8u; w++) {
            digest[w] = 0;
        }
    }
    u32 verdict = are_reduced ? VERDICT_VALID : VERDICT_MALFORMED;
    write_result(results, count, i, nonce_low, nonce_high, verdict, digest, 8u);
}
