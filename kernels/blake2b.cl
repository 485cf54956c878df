/* BLAKE2b-256 of many messages.
 *
 * bytes    the messages, one after the other, as message.h wants them
 * offsets  the start of each message in `bytes` and the end of the last; not read where `length` says it all
 * results  verdict (always VALID), tag and 8 words of digest for each message, as tag.h lays them out; the words
 *          little-endian, so that their bytes in order are the digest
 * count    messages
 * length   bytes of every message, or LENGTHS_VARY
 * nonce    of the batch
 *
 * Work-item i hashes message i; items beyond `count` do nothing. Reference: RFC 7693.
 * Cost: a block for every 128 bytes. */
#include "dialect/platform.h"
#include "dialect/tag.h"
#include "hashes/message.h"
#include "hashes/blake2b.inc"

KERNEL void blake2b_messages(const GLOBAL u8 *bytes, const GLOBAL u32 *offsets, GLOBAL u32 *results, u32 count,
                             u32 length, u32 nonce_low, u32 nonce_high) {
    u32 i = GLOBAL_ID();
    if (i >= count) {
        return;
    }
    u32 digest[8];
    struct message m = message_of_batch(offsets, length, i);
    blake2b_of_message(digest, bytes, m);
    write_result(results, count, i, nonce_low, nonce_high, VERDICT_VALID, digest, 8u);
}
