//! Sixteen 32-bit words in the register that holds eight of 64 bits, for hashes that are built of such words.
//!
//! Bitwise operations are those of [`Lanes`], which do not care how wide a word is. Word 2i is the low half of
//! the 64-bit word i.

use crate::lanes::Lanes;

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

/// How many words there are.
pub const WORDS: usize = 16;

/// One bit a word, word 0 in the lowest.
pub type WordMask = u16;

/// Sixteen unsigned 32-bit words. Arithmetic wraps.
pub trait Words: Lanes {
    /// The same word sixteen times.
    fn splat32(word: u32) -> Self;
    /// Words from memory.
    fn load32(words: &[u32; WORDS]) -> Self;
    /// The words as an array.
    fn to_array32(self) -> [u32; WORDS];
    /// `self + other`.
    fn add32(self, other: Self) -> Self;
    /// Rotate left by `N` < 32.
    fn rol32<const N: i32>(self) -> Self;
    /// Shift right by `N` < 32, zeros from above.
    fn shr32<const N: u32>(self) -> Self;
    /// Bytes in reverse order within each word.
    fn swap_bytes32(self) -> Self;
    /// `other` where the mask has a bit, else `self`.
    fn blend32(self, mask: WordMask, other: Self) -> Self;
    /// `self` where the mask has a bit, else 0.
    #[inline(always)]
    fn keep32(self, mask: WordMask) -> Self {
        Self::zero().blend32(mask, self)
    }
    /// Turns sixteen rows into columns: word j of row i becomes word i of row j.
    fn transpose32(rows: [Self; WORDS]) -> [Self; WORDS];
}

#[cfg(test)]
mod tests;
