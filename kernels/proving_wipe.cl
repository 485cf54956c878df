/* Purpose: overwrites memory of a device that held a secret, before it is given back or used for something else.
 *
 * Arguments: `words`, of which 4 * `rows` are set to 0.
 * Items: work-item i has row i, the row as many further as there are work-items, and so on.
 * Cost: none but the memory's. */
#include "dialect/memory.h"

KERNEL void proving_wipe(GLOBAL u32 *words, u32 rows, u32 items) {
    u32 zeros[4] = {0, 0, 0, 0};
    for (u64 i = GLOBAL_ID(); i < rows; i += items) memory_store_4(words + 4u * i, zeros);
}
