/* Messages in GLOBAL buffers of bytes, read by words.
 *
 * A buffer of bytes starts at a multiple of 4 and its length is one too, so that whole words of it can be read; what
 * lies between the last message and the end of the buffer does not matter. Buffers and messages are at most 2^32 - 256
 * bytes long. Words of a message are little-endian: byte
 * 4w is the lowest of word w, in private memory as well. Functions of big-endian words swap them themselves.
 *
 * Reference: none is needed. Cost: 1 to 2 loads and up to 12 operations a word, 3 inside of long messages. */
#ifndef OUTRIGGER_MESSAGE_H
#define OUTRIGGER_MESSAGE_H

#include "platform.h"

/* In place of the one length of all messages: each has its own, by offsets. */
#define LENGTHS_VARY 0xFFFFFFFFu

/* A message: `lead` bytes (0 or 1) of value `lead_byte`, then `length` bytes of the buffer from byte `start` on. */
struct message {
    u32 start;
    u32 length;
    u32 lead;
    u32 lead_byte;
};

/* Message i of a batch: all of one length and without gaps, or by the offset of each and of the end of the last. */
DEVICE_FN struct message message_of_batch(const GLOBAL u32 *offsets, u32 length, u32 i) {
    struct message m;
    m.lead = 0;
    m.lead_byte = 0;
    if (length == LENGTHS_VARY) {
        m.start = offsets[i];
        m.length = offsets[i + 1u] - m.start;
    } else {
        m.start = i * length;
        m.length = length;
    }
    return m;
}

/* Four bytes from byte `at` of the buffer on, of which the first `wanted` (1 to 4) are sure to be there. */
DEVICE_FN u32 bytes_at(const GLOBAL u8 *bytes, u32 at, u32 wanted) {
    const GLOBAL u32 *words = (const GLOBAL u32 *)bytes;
    u32 skipped = at & 3u;
    u32 word = words[at >> 2] >> (8u * skipped);
    if (skipped + wanted > 4u) {
        word |= words[(at >> 2) + 1u] << (32u - 8u * skipped);
    }
    return word;
}

/* Word w of a message, after which comes the byte `mark`, then zeros. */
DEVICE_FN u32 message_word(const GLOBAL u8 *bytes, struct message m, u32 w, u32 mark) {
    u32 at = 4u * w;
    u32 total = m.lead + m.length;
    if (at >= total) {
        return at == total ? mark : 0u;
    }
    u32 left = total - at;
    u32 here = left < 4u ? left : 4u;
    u32 word;
    if (w == 0 && m.lead != 0) {
        word = m.lead_byte;
        if (here > 1u) {
            word |= bytes_at(bytes, m.start, here - 1u) << 8;
        }
    } else {
        word = bytes_at(bytes, m.start + at - m.lead, here);
    }
    if (here < 4u) {
        word = (word & ((1u << (8u * here)) - 1u)) | (mark << (8u * here));
    }
    return word;
}

/* Words first ... first + count - 1 of a message, as `message_word` gives them; `count` is a literal. */
DEVICE_FN void message_words(u32 *block, u32 count, const GLOBAL u8 *bytes, struct message m, u32 first, u32 mark) {
    const GLOBAL u32 *words = (const GLOBAL u32 *)bytes;
    if (4u * (first + count) > m.lead + m.length || (first == 0 && m.lead != 0)) {
        UNROLL
        for (u32 j = 0; j < count; j++) {
            block[j] = message_word(bytes, m, first + j, mark);
        }
        return;
    }
    u32 at = m.start + 4u * first - m.lead;
    u32 skipped = 8u * (at & 3u);
    u32 from = at >> 2;
    if (skipped == 0) {
        UNROLL
        for (u32 j = 0; j < count; j++) {
            block[j] = words[from + j];
        }
    } else {
        u32 low = words[from];
        UNROLL
        for (u32 j = 0; j < count; j++) {
            u32 high = words[from + j + 1u];
            block[j] = (low >> skipped) | (high << (32u - skipped));
            low = high;
        }
    }
}

#endif
