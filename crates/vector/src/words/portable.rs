//! Words as an array.

use std::array::from_fn;

use super::{WORDS, WordMask, Words};
use crate::lanes::Portable;

#[inline(always)]
fn join(words: [u32; WORDS]) -> Portable {
    Portable(from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32))
}

#[inline(always)]
fn split(lanes: Portable) -> [u32; WORDS] {
    from_fn(|i| (lanes.0[i / 2] >> (32 * (i % 2))) as u32)
}

impl Words for Portable {
    #[inline(never)]
    fn splat32(word: u32) -> Self {
        join([word; WORDS])
    }

    #[inline(never)]
    fn load32(words: &[u32; WORDS]) -> Self {
        join(*words)
    }

    #[inline(never)]
    fn to_array32(self) -> [u32; WORDS] {
        split(self)
    }

    #[inline(never)]
    fn add32(self, other: Self) -> Self {
        let (a, b) = (split(self), split(other));
        join(from_fn(|i| a[i].wrapping_add(b[i])))
    }

    #[inline(never)]
    fn rol32<const N: i32>(self) -> Self {
        join(split(self).map(|word| word.rotate_left(N as u32)))
    }

    #[inline(never)]
    fn shr32<const N: u32>(self) -> Self {
        join(split(self).map(|word| word >> N))
    }

    #[inline(never)]
    fn swap_bytes32(self) -> Self {
        join(split(self).map(u32::swap_bytes))
    }

    #[inline(never)]
    fn blend32(self, mask: WordMask, other: Self) -> Self {
        let (a, b) = (split(self), split(other));
        join(from_fn(|i| if mask >> i & 1 == 1 { b[i] } else { a[i] }))
    }

    #[inline(never)]
    fn transpose32(rows: [Self; WORDS]) -> [Self; WORDS] {
        let rows = rows.map(split);
        from_fn(|j| join(from_fn(|i| rows[i][j])))
    }
}
