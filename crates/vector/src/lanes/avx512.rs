//! Lanes in a register of AVX-512.

use std::arch::x86_64::*;
use std::fmt;

use super::{LANES, Lanes, Mask, ROW_BYTES};

/// Eight words in a register.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Avx512(pub(crate) __m512i);

pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512ifma")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("bmi2")
}

/// # Safety
/// The processor must have the features named here.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512ifma,avx512vbmi,bmi2")]
unsafe fn with_features<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// An intrinsic, which is unsafe only outside functions that enable its features.
macro_rules! intrinsic {
    ($call:expr) => {
        // SAFETY: values of this type exist only inside `enter`, reached only where `is_here` said yes.
        unsafe { $call }
    };
}

impl fmt::Debug for Avx512 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_array().fmt(f)
    }
}

impl Lanes for Avx512 {
    #[inline(always)]
    fn enter<R>(f: impl FnOnce() -> R) -> R {
        debug_assert!(is_here());
        // SAFETY: callers come through a `Unit`, which is made only where `is_here` said yes.
        unsafe { with_features(f) }
    }

    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self(intrinsic!(_mm512_set1_epi64(word as i64)))
    }

    #[inline(always)]
    fn load(words: &[u64; LANES]) -> Self {
        // SAFETY: as for all intrinsics here; the array is 64 bytes, and the load needs no alignment.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn store(self, words: &mut [u64; LANES]) {
        // SAFETY: as for all intrinsics here; the array is 64 bytes, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_and_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn not_and(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_andnot_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_or_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_xor_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn ternary<const TABLE: i32>(self, b: Self, c: Self) -> Self {
        Self(intrinsic!(_mm512_ternarylogic_epi64::<TABLE>(self.0, b.0, c.0)))
    }

    #[inline(always)]
    fn shl<const N: u32>(self) -> Self {
        Self(intrinsic!(_mm512_slli_epi64::<N>(self.0)))
    }

    #[inline(always)]
    fn shr<const N: u32>(self) -> Self {
        Self(intrinsic!(_mm512_srli_epi64::<N>(self.0)))
    }

    #[inline(always)]
    fn sar<const N: u32>(self) -> Self {
        Self(intrinsic!(_mm512_srai_epi64::<N>(self.0)))
    }

    #[inline(always)]
    fn shl_by(self, counts: Self) -> Self {
        Self(intrinsic!(_mm512_sllv_epi64(self.0, counts.0)))
    }

    #[inline(always)]
    fn shr_by(self, counts: Self) -> Self {
        Self(intrinsic!(_mm512_srlv_epi64(self.0, counts.0)))
    }

    #[inline(always)]
    fn rol<const N: i32>(self) -> Self {
        Self(intrinsic!(_mm512_rol_epi64::<N>(self.0)))
    }

    #[inline(always)]
    fn mul32(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_mul_epu32(self.0, other.0)))
    }

    #[inline(always)]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        Self(intrinsic!(_mm512_madd52lo_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        Self(intrinsic!(_mm512_madd52hi_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn eq(self, other: Self) -> Mask {
        intrinsic!(_mm512_cmpeq_epi64_mask(self.0, other.0))
    }

    #[inline(always)]
    fn lt(self, other: Self) -> Mask {
        intrinsic!(_mm512_cmplt_epu64_mask(self.0, other.0))
    }

    #[inline(always)]
    fn test(self, other: Self) -> Mask {
        intrinsic!(_mm512_test_epi64_mask(self.0, other.0))
    }

    #[inline(always)]
    fn blend(self, mask: Mask, other: Self) -> Self {
        Self(intrinsic!(_mm512_mask_blend_epi64(mask, self.0, other.0)))
    }

    #[inline(always)]
    fn gather(table: &[u64], indices: Self) -> Self {
        let inside = indices.lt(Self::splat(table.len() as u64));
        // SAFETY: as for all intrinsics here; lanes whose index is past the end of the table are masked off, and
        // such lanes read nothing.
        Self(unsafe {
            _mm512_mask_i64gather_epi64::<8>(_mm512_setzero_si512(), inside, indices.0, table.as_ptr().cast())
        })
    }

    #[inline(always)]
    fn pick(self, high: Self, indices: Self) -> Self {
        Self(intrinsic!(_mm512_permutex2var_epi64(self.0, indices.0, high.0)))
    }

    #[inline(always)]
    fn swap_bytes(self) -> Self {
        let order = intrinsic!(_mm512_set4_epi32(0x08090a0b, 0x0c0d0e0f, 0x00010203, 0x04050607));
        Self(intrinsic!(_mm512_shuffle_epi8(self.0, order)))
    }

    #[inline(always)]
    fn load_bytes(bytes: &[u8], at: usize) -> Self {
        assert!(at < ROW_BYTES, "a place beyond the register");
        let count = bytes.len().min(ROW_BYTES - at);
        let mask = intrinsic!(_bzhi_u64(u64::MAX, count as u32)) << at;
        // SAFETY: as for all intrinsics here; places that the mask leaves out are not read, and the others lie in
        // `bytes`: place `at + i` is byte i, for i below its length.
        Self(unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().wrapping_sub(at).cast()) })
    }

    #[inline(always)]
    fn apart<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[inline(always)]
    fn prefetch<T>(place: &T) {
        // SAFETY: a prefetch is a hint, and faults at no address; all processors of this architecture have it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(place).cast()) }
    }

    #[inline(always)]
    fn mul64(self, other: Self) -> Self {
        Self(intrinsic!(_mm512_mullo_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn load_columns(rows: [&[u64; LANES]; LANES]) -> [Self; LANES] {
        // SAFETY: as for all intrinsics here; each half is four words of a row of eight, and loads need no alignment.
        unsafe {
            let even = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
            let odd = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
            let mut columns = [_mm512_setzero_si512(); LANES];
            for half in 0..2 {
                // Rows i and i + 4 side by side.
                let mut both = [_mm512_setzero_si512(); 4];
                for i in 0..4 {
                    let low = _mm256_loadu_si256(rows[i].as_ptr().add(4 * half).cast());
                    let high = _mm256_loadu_si256(rows[i + 4].as_ptr().add(4 * half).cast());
                    both[i] = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
                }
                let [a, b, c, d] = both;
                let (ab, cd) = (_mm512_unpacklo_epi64(a, b), _mm512_unpacklo_epi64(c, d));
                columns[4 * half] = _mm512_permutex2var_epi64(ab, even, cd);
                columns[4 * half + 2] = _mm512_permutex2var_epi64(ab, odd, cd);
                let (ab, cd) = (_mm512_unpackhi_epi64(a, b), _mm512_unpackhi_epi64(c, d));
                columns[4 * half + 1] = _mm512_permutex2var_epi64(ab, even, cd);
                columns[4 * half + 3] = _mm512_permutex2var_epi64(ab, odd, cd);
            }
            let [a, b, c, d, e, f, g, h] = columns;
            [Self(a), Self(b), Self(c), Self(d), Self(e), Self(f), Self(g), Self(h)]
        }
    }
}
