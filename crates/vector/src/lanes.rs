//! Eight 64-bit words, and what AVX-512 IFMA does with them.
//!
//! Code over lanes is generic in [`Lanes`] and marked `#[inline(always)]`, so that all of it ends up inside the
//! function that enabled the target features ([`Lanes::enter`]); a call across that border would pass every
//! register through memory. What should stay a function of its own, for the size of the code, calls
//! [`Lanes::enter`] again, which is free where the features are enabled already.

use std::fmt::Debug;

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub use portable::Portable;

/// How many lanes there are.
pub const LANES: usize = 8;

/// One bit a lane, lane 0 in the lowest.
pub type Mask = u8;

/// Whether the processor and the operating system have all that the AVX-512 code is compiled for: F, BW, DQ, VL,
/// IFMA and VBMI (Intel from Ice Lake, AMD from Zen 4).
pub fn avx512_is_here() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        avx512::is_here()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// Eight unsigned 64-bit words. Arithmetic wraps.
///
/// A value of an implementation for a processor's registers exists only inside its [`Lanes::enter`], which its
/// callers reach only through a [`crate::Unit`] that was detected: that is what makes these safe functions.
pub trait Lanes: Copy + Debug + Send + Sync + 'static {
    /// Whether lanes are in memory, not in a register. Then what is a hundred instructions over registers is
    /// thousands, and had better be a function of its own than inlined at each place.
    const IN_MEMORY: bool = false;

    /// Calls `f` with the target features enabled. Mark the closure and what it calls `#[inline(always)]`: what the
    /// compiler leaves a function of its own is compiled without the features, each operation in it a call.
    fn enter<R>(f: impl FnOnce() -> R) -> R;

    /// The same word in all lanes.
    fn splat(word: u64) -> Self;
    /// Words from memory.
    fn load(words: &[u64; LANES]) -> Self;
    /// Words to memory.
    fn store(self, words: &mut [u64; LANES]);
    /// The words as an array.
    #[inline(always)]
    fn to_array(self) -> [u64; LANES] {
        let mut words = [0; LANES];
        self.store(&mut words);
        words
    }
    /// All zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0)
    }

    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self − other`.
    fn sub(self, other: Self) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// `!self & other`.
    fn not_and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Bitwise function of three: bit `4a + 2b + c` of `TABLE` for bits a of `self`, b and c.
    fn ternary<const TABLE: i32>(self, b: Self, c: Self) -> Self;
    /// Shift left by `N` < 64.
    fn shl<const N: u32>(self) -> Self;
    /// Shift right by `N` < 64, zeros from above.
    fn shr<const N: u32>(self) -> Self;
    /// Shift right by `N` < 64, the sign from above.
    fn sar<const N: u32>(self) -> Self;
    /// Shift left, each lane by its own count; 64 and more give 0.
    fn shl_by(self, counts: Self) -> Self;
    /// Shift right, each lane by its own count; 64 and more give 0.
    fn shr_by(self, counts: Self) -> Self;
    /// Rotate left by `N` < 64.
    fn rol<const N: i32>(self) -> Self;
    /// Product of the low halves: 32 × 32 → 64 bits.
    fn mul32(self, other: Self) -> Self;

    /// `self + (a·b mod 2⁵²)`, of the low 52 bits of `a` and `b`.
    fn madd_lo(self, a: Self, b: Self) -> Self;
    /// `self + ⌊a·b / 2⁵²⌋`, of the low 52 bits of `a` and `b`.
    fn madd_hi(self, a: Self, b: Self) -> Self;

    /// Lanes that are equal.
    fn eq(self, other: Self) -> Mask;
    /// Lanes in which `self < other`, unsigned.
    fn lt(self, other: Self) -> Mask;
    /// Lanes in which a bit of both is set.
    fn test(self, other: Self) -> Mask;
    /// `other` where the mask has a bit, else `self`.
    fn blend(self, mask: Mask, other: Self) -> Self;
    /// `self` where the mask has a bit, else 0.
    #[inline(always)]
    fn keep(self, mask: Mask) -> Self {
        Self::zero().blend(mask, self)
    }

    /// `table[index]` of each lane; 0 where an index is past the end.
    fn gather(table: &[u64], indices: Self) -> Self;
    /// Words of sixteen: lane i is word `indices[i] mod 16` of `self` followed by `high`.
    fn pick(self, high: Self, indices: Self) -> Self;
    /// Bytes in reverse order within each word: big-endian to native on this machine.
    fn swap_bytes(self) -> Self;

    /// A register of 64 bytes, which are the words in little-endian order: `bytes` from place `at` < 64 on, zeros
    /// around them; bytes that would pass the end are left out. Reads no byte outside of `bytes`.
    fn load_bytes(bytes: &[u8], at: usize) -> Self;

    /// Calls `f`: in registers inlined, in plain words as a function of its own, since there a multiplication of a
    /// field has thousands of instructions and need not be fast.
    fn apart<R>(f: impl FnOnce() -> R) -> R;

    /// Asks for a value that will be read soon.
    fn prefetch<T>(place: &T);

    /// The low halves of the products of whole words.
    fn mul64(self, other: Self) -> Self;

    /// Word j of row i becomes word i of column j, as [`transpose`] has it: of rows in memory, in half the shuffles.
    #[inline(always)]
    fn load_columns(rows: [&[u64; LANES]; LANES]) -> [Self; LANES] {
        transpose(array(Self::zero(), |i| Self::load(rows[i])))
    }
}

/// An array of registers, each made by an expression of its index: `registers!(i of 5; a[i].add(b[i]))`, for lanes
/// called `L`. As [`std::array::from_fn`], but without a closure, which might stay a function of its own: that would
/// be compiled without the target features, each operation in it a call.
macro_rules! registers {
    ($index:ident of $count:expr; $value:expr) => {{
        let mut values = [L::zero(); $count];
        let mut $index = 0;
        while $index < $count {
            values[$index] = $value;
            $index += 1;
        }
        values
    }};
}

pub(crate) use registers;

/// Bytes of a register.
pub const ROW_BYTES: usize = 8 * LANES;

/// An array of `N` values made one after the other, by a closure of an operation or two. As [`std::array::from_fn`],
/// but certain to be inlined: code over lanes that stays a function of its own, as a larger closure would, is
/// compiled without the target features, each operation a call.
#[inline(always)]
pub(crate) fn array<T: Copy, const N: usize>(start: T, make: impl Fn(usize) -> T) -> [T; N] {
    let mut values = [start; N];
    let mut i = 0;
    while i < N {
        values[i] = make(i);
        i += 1;
    }
    values
}

/// Turns eight rows into columns: word j of row i becomes word i of row j.
#[inline(always)]
pub fn transpose<L: Lanes>(rows: [L; LANES]) -> [L; LANES] {
    let even = L::load(&[0, 8, 2, 10, 4, 12, 6, 14]);
    let odd = L::load(&[1, 9, 3, 11, 5, 13, 7, 15]);
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    let pairs = [
        r0.pick(r1, even),
        r0.pick(r1, odd),
        r2.pick(r3, even),
        r2.pick(r3, odd),
        r4.pick(r5, even),
        r4.pick(r5, odd),
        r6.pick(r7, even),
        r6.pick(r7, odd),
    ];
    let even = L::load(&[0, 1, 8, 9, 4, 5, 12, 13]);
    let odd = L::load(&[2, 3, 10, 11, 6, 7, 14, 15]);
    let [p0, p1, p2, p3, p4, p5, p6, p7] = pairs;
    let quads = [
        p0.pick(p2, even),
        p1.pick(p3, even),
        p0.pick(p2, odd),
        p1.pick(p3, odd),
        p4.pick(p6, even),
        p5.pick(p7, even),
        p4.pick(p6, odd),
        p5.pick(p7, odd),
    ];
    let low = L::load(&[0, 1, 2, 3, 8, 9, 10, 11]);
    let high = L::load(&[4, 5, 6, 7, 12, 13, 14, 15]);
    let [q0, q1, q2, q3, q4, q5, q6, q7] = quads;
    [
        q0.pick(q4, low),
        q1.pick(q5, low),
        q2.pick(q6, low),
        q3.pick(q7, low),
        q0.pick(q4, high),
        q1.pick(q5, high),
        q2.pick(q6, high),
        q3.pick(q7, high),
    ]
}

#[cfg(test)]
mod tests;
