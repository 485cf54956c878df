/* Words to and from GLOBAL memory, 16 bytes with one access. Addresses are multiples of 16; numbers of words, of 4. */
#ifndef OUTRIGGER_MEMORY_H
#define OUTRIGGER_MEMORY_H

#include "dialect/platform.h"

#if defined(__OPENCL_VERSION__)

DEVICE_FN void memory_load_4(u32 *words, GLOBAL const u32 *from) {
    uint4 four = *(GLOBAL const uint4 *)from;
    words[0] = four.x, words[1] = four.y, words[2] = four.z, words[3] = four.w;
}

DEVICE_FN void memory_store_4(GLOBAL u32 *to, const u32 *words) {
    *(GLOBAL uint4 *)to = (uint4)(words[0], words[1], words[2], words[3]);
}

#elif defined(__CUDACC__)

DEVICE_FN void memory_load_4(u32 *words, GLOBAL const u32 *from) {
    uint4 four = *(GLOBAL const uint4 *)from;
    words[0] = four.x, words[1] = four.y, words[2] = four.z, words[3] = four.w;
}

DEVICE_FN void memory_store_4(GLOBAL u32 *to, const u32 *words) {
    *(GLOBAL uint4 *)to = make_uint4(words[0], words[1], words[2], words[3]);
}

#else

#include <string.h>

DEVICE_FN void memory_load_4(u32 *words, GLOBAL const u32 *from) { memcpy(words, from, 16); }

DEVICE_FN void memory_store_4(GLOBAL u32 *to, const u32 *words) { memcpy(to, words, 16); }

#endif

DEVICE_FN void memory_load(u32 *words, GLOBAL const u32 *from, u32 count) {
    UNROLL for (u32 i = 0; i < count; i += 4) memory_load_4(words + i, from + i);
}

DEVICE_FN void memory_store(GLOBAL u32 *to, const u32 *words, u32 count) {
    UNROLL for (u32 i = 0; i < count; i += 4) memory_store_4(to + i, words + i);
}

#endif
