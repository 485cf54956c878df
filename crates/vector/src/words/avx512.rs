//! Words in a register of AVX-512.

use std::arch::x86_64::*;

use super::{WORDS, WordMask, Words};
use crate::lanes::Avx512;

/// An intrinsic, which is unsafe only outside functions that enable its features.
macro_rules! intrinsic {
    ($call:expr) => {
        // SAFETY: values of this type exist only inside `Lanes::enter`, reached only where AVX-512 was found.
        unsafe { $call }
    };
}

impl Words for Avx512 {
    #[inline(always)]
    fn splat32(word: u32) -> Self {
        Self(intrinsic!(_mm512_set1_epi32(word as i32)))
    }

    #[inline(always)]
    fn load32(words: &[u32; WORDS]) -> Self {
        // SAFETY: as for all intrinsics here; the array is 64 bytes, and the load needs no alignment.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn to_array32(self) -> [u32; WORDS] {
        let mut words = [0_u32; WORDS];
        // SAFETY: as for all intrinsics here; the array is 64 bytes, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
        words
    }

    #[inline(always)]
    fn add32(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_add_epi32(self.0, other.0)))
    }

    #[inline(always)]
    fn rol32<const N: i32>(self) -> Self {
        Self(intrinsic!(_mm512_rol_epi32::<N>(self.0)))
    }

    #[inline(always)]
    fn shr32<const N: u32>(self) -> Self {
        Self(intrinsic!(_mm512_srli_epi32::<N>(self.0)))
    }

    #[inline(always)]
    fn swap_bytes32(self) -> Self {
        let order = intrinsic!(_mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
        Self(intrinsic!(_mm512_shuffle_epi8(self.0, order)))
    }

    #[inline(always)]
    fn blend32(self, mask: WordMask, other: Self) -> Self {
        Self(intrinsic!(_mm512_mask_blend_epi32(mask, self.0, other.0)))
    }

    /// Four layers: words within four rows, and then quarters of registers across them.
    #[inline(always)]
    fn transpose32(rows: [Self; WORDS]) -> [Self; WORDS] {
        // Quarter q of `columns[4a + c]`: word 4q + c of rows 4a to 4a + 3.
        let mut columns = rows;
        for a in 0..4 {
            let [r0, r1, r2, r3] = [rows[4 * a].0, rows[4 * a + 1].0, rows[4 * a + 2].0, rows[4 * a + 3].0];
            let low = [intrinsic!(_mm512_unpacklo_epi32(r0, r1)), intrinsic!(_mm512_unpacklo_epi32(r2, r3))];
            let high = [intrinsic!(_mm512_unpackhi_epi32(r0, r1)), intrinsic!(_mm512_unpackhi_epi32(r2, r3))];
            columns[4 * a].0 = intrinsic!(_mm512_unpacklo_epi64(low[0], low[1]));
            columns[4 * a + 1].0 = intrinsic!(_mm512_unpackhi_epi64(low[0], low[1]));
            columns[4 * a + 2].0 = intrinsic!(_mm512_unpacklo_epi64(high[0], high[1]));
            columns[4 * a + 3].0 = intrinsic!(_mm512_unpackhi_epi64(high[0], high[1]));
        }
        let mut found = rows;
        for c in 0..4 {
            let [q0, q1, q2, q3] = [columns[c].0, columns[4 + c].0, columns[8 + c].0, columns[12 + c].0];
            let even =
                [intrinsic!(_mm512_shuffle_i32x4::<0x88>(q0, q1)), intrinsic!(_mm512_shuffle_i32x4::<0x88>(q2, q3))];
            let odd =
                [intrinsic!(_mm512_shuffle_i32x4::<0xdd>(q0, q1)), intrinsic!(_mm512_shuffle_i32x4::<0xdd>(q2, q3))];
            found[c].0 = intrinsic!(_mm512_shuffle_i32x4::<0x88>(even[0], even[1]));
            found[4 + c].0 = intrinsic!(_mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]));
            found[8 + c].0 = intrinsic!(_mm512_shuffle_i32x4::<0xdd>(even[0], even[1]));
            found[12 + c].0 = intrinsic!(_mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]));
        }
        found
    }
}
