/* Integers of fixed size, under one name in all three languages. `long`, `size_t` and `__int128` are not used. */
#ifndef OUTRIGGER_INT_H
#define OUTRIGGER_INT_H

#if defined(__OPENCL_VERSION__)
typedef uchar u8;
typedef ushort u16;
typedef uint u32;
typedef ulong u64;
#elif defined(__CUDACC__)
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#else
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

/* An array of negative length where a size is not what it should be. */
typedef char u8_has_one_byte[sizeof(u8) == 1 ? 1 : -1];
typedef char u16_has_two_bytes[sizeof(u16) == 2 ? 1 : -1];
typedef char u32_has_four_bytes[sizeof(u32) == 4 ? 1 : -1];
typedef char u64_has_eight_bytes[sizeof(u64) == 8 ? 1 : -1];

DEVICE_FN u32 rotate_left_32(u32 x, u32 by) { return (x << by) | (x >> (32u - by)); }
DEVICE_FN u64 rotate_left_64(u64 x, u32 by) { return (x << by) | (x >> (64u - by)); }

/* The bytes of a word in the other order. */
DEVICE_FN u32 swap_bytes_32(u32 x) {
    return (x >> 24) | ((x >> 8) & 0xFF00u) | ((x << 8) & 0xFF0000u) | (x << 24);
}

#endif
