//! Lanes as an array of plain words.
//!
//! Operations are calls, not inlined: whole algorithms of hundreds of operations on eight words each would grow to
//! functions that take minutes to compile, and this implementation is for correctness.

use std::array::from_fn;

use super::{LANES, Lanes, Mask, ROW_BYTES};

/// Eight words in memory.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Portable(pub(crate) [u64; LANES]);

const LOW_52: u64 = (1 << 52) - 1;

impl Portable {
    #[inline(always)]
    fn each(self, f: impl Fn(u64) -> u64) -> Self {
        Self(self.0.map(f))
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    fn compare(self, other: Self, f: impl Fn(u64, u64) -> bool) -> Mask {
        (0..LANES).fold(0, |mask, i| mask | (Mask::from(f(self.0[i], other.0[i])) << i))
    }
}

#[inline(always)]
fn product(a: u64, b: u64) -> u128 {
    u128::from(a & LOW_52) * u128::from(b & LOW_52)
}

impl Lanes for Portable {
    const IN_MEMORY: bool = true;

    #[inline(always)]
    fn enter<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self([word; LANES])
    }

    #[inline(always)]
    fn load(words: &[u64; LANES]) -> Self {
        Self(*words)
    }

    #[inline(always)]
    fn store(self, words: &mut [u64; LANES]) {
        *words = self.0;
    }

    #[inline(never)]
    fn add(self, other: Self) -> Self {
        self.with(other, u64::wrapping_add)
    }

    #[inline(never)]
    fn sub(self, other: Self) -> Self {
        self.with(other, u64::wrapping_sub)
    }

    #[inline(never)]
    fn and(self, other: Self) -> Self {
        self.with(other, |a, b| a & b)
    }

    #[inline(never)]
    fn not_and(self, other: Self) -> Self {
        self.with(other, |a, b| !a & b)
    }

    #[inline(never)]
    fn or(self, other: Self) -> Self {
        self.with(other, |a, b| a | b)
    }

    #[inline(never)]
    fn xor(self, other: Self) -> Self {
        self.with(other, |a, b| a ^ b)
    }

    #[inline(never)]
    fn ternary<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        Self(from_fn(|i| {
            let (a, b, c) = (self.0[i], b.0[i], c.0[i]);
            (0..8).filter(|row| TABLE >> row & 1 == 1).fold(0, |word, row| {
                let side = |bits: u64, at: i32| if row >> at & 1 == 1 { bits } else { !bits };
                word | (side(a, 2) & side(b, 1) & side(c, 0))
            })
        }))
    }

    #[inline(never)]
    fn shl<const N: u32>(self) -> Self {
        self.each(|a| a << N)
    }

    #[inline(never)]
    fn shr<const N: u32>(self) -> Self {
        self.each(|a| a >> N)
    }

    #[inline(never)]
    fn sar<const N: u32>(self) -> Self {
        self.each(|a| (a as i64 >> N) as u64)
    }

    #[inline(never)]
    fn shl_by(self, counts: Self) -> Self {
        self.with(counts, |a, n| if n < 64 { a << n } else { 0 })
    }

    #[inline(never)]
    fn shr_by(self, counts: Self) -> Self {
        self.with(counts, |a, n| if n < 64 { a >> n } else { 0 })
    }

    #[inline(never)]
    fn rol<const N: i32>(self) -> Self {
        self.each(|a| a.rotate_left(N as u32))
    }

    #[inline(never)]
    fn mul32(self, other: Self) -> Self {
        self.with(other, |a, b| (a & 0xffff_ffff) * (b & 0xffff_ffff))
    }

    #[inline(never)]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        Self(from_fn(|i| self.0[i].wrapping_add(product(a.0[i], b.0[i]) as u64 & LOW_52)))
    }

    #[inline(never)]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        Self(from_fn(|i| self.0[i].wrapping_add((product(a.0[i], b.0[i]) >> 52) as u64)))
    }

    #[inline(never)]
    fn eq(self, other: Self) -> Mask {
        self.compare(other, |a, b| a == b)
    }

    #[inline(never)]
    fn lt(self, other: Self) -> Mask {
        self.compare(other, |a, b| a < b)
    }

    #[inline(never)]
    fn test(self, other: Self) -> Mask {
        self.compare(other, |a, b| a & b != 0)
    }

    #[inline(never)]
    fn blend(self, mask: Mask, other: Self) -> Self {
        Self(from_fn(|i| if mask >> i & 1 == 1 { other.0[i] } else { self.0[i] }))
    }

    #[inline(never)]
    fn gather(table: &[u64], indices: Self) -> Self {
        indices.each(|index| usize::try_from(index).ok().and_then(|index| table.get(index)).copied().unwrap_or(0))
    }

    #[inline(never)]
    fn pick(self, high: Self, indices: Self) -> Self {
        indices.each(|index| {
            let index = (index % 16) as usize;
            if index < LANES { self.0[index] } else { high.0[index - LANES] }
        })
    }

    #[inline(never)]
    fn swap_bytes(self) -> Self {
        self.each(u64::swap_bytes)
    }

    #[inline(never)]
    fn load_bytes(bytes: &[u8], at: usize) -> Self {
        let mut row = [0; ROW_BYTES];
        let count = bytes.len().min(ROW_BYTES - at);
        row[at..at + count].copy_from_slice(&bytes[..count]);
        let (words, _) = row.as_chunks();
        Self(from_fn(|i| u64::from_le_bytes(words[i])))
    }

    #[inline(never)]
    fn apart<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline(always)]
    fn prefetch<T>(_: &T) {}

    #[inline(never)]
    fn mul64(self, other: Self) -> Self {
        Self(from_fn(|i| self.0[i].wrapping_mul(other.0[i])))
    }
}
