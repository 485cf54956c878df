/* The tag of a result: 32 bits over the batch's nonce, the item's index, its verdict and its output words, computed in
 * the kernel and checked by the parent for every item.
 *
 * Each step maps the state one to one for a given word, and the word one to one for a given state (xor, multiplication
 * by an odd number, xor with a shift of itself), so damage within any one word, the tag itself included, is always seen;
 * anything else is missed with a chance of 2^-32. Multiplier and shifts: the finaliser of MurmurHash3 (A. Appleby). */
#ifndef OUTRIGGER_TAG_H
#define OUTRIGGER_TAG_H

#include "platform.h"

/* Verdicts, as on the wire. 0 says that nothing looked at the item. */
#define VERDICT_UNPROCESSED 0u
#define VERDICT_VALID 1u
#define VERDICT_INVALID 2u
#define VERDICT_MALFORMED 3u

DEVICE_FN u32 tag_step(u32 state, u32 word) {
    state ^= word;
    state *= 0x85EBCA6Bu;
    state ^= state >> 13;
    state *= 0xC2B2AE35u;
    state ^= state >> 16;
    return state;
}

/* The state after nonce, index and verdict; the output words follow in order, each by `tag_step`. */
DEVICE_FN u32 tag_start(u32 nonce_low, u32 nonce_high, u32 index, u32 verdict) {
    return tag_step(tag_step(tag_step(tag_step(0x6F757472u, nonce_low), nonce_high), index), verdict);
}

/* Writes item `index` of a batch of `count`: the verdict at column 0, the tag at column 1, output word w at column
 * 2 + w. Columns are `count` words long, so that neighbouring work-items write neighbouring words. */
DEVICE_FN void write_result(GLOBAL u32 *results, u32 count, u32 index, u32 nonce_low, u32 nonce_high, u32 verdict,
                            const u32 *words, u32 word_count) {
    u32 tag = tag_start(nonce_low, nonce_high, index, verdict);
    for (u32 w = 0; w < word_count; w++) {
        results[(2u + w) * count + index] = words[w];
        tag = tag_step(tag, words[w]);
    }
    results[index] = verdict;
    results[count + index] = tag;
}

#endif
