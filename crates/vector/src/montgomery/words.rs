//! Numbers in memory, as words of 64 bits, to limbs and back.

use super::{Element, Modulus, unrolled};
use crate::lanes::{LANES, Lanes, transpose};
use crate::radix52::{BITS, LIMB_MASK};

impl<L: Lanes, M: Modulus<N>, const N: usize> Element<L, M, N> {
    /// Numbers of `W` ≤ 8 little-endian words each, as limbs; not in Montgomery's form. 64·`W` ≤ 52·N, or the bits
    /// above must be 0.
    #[inline(always)]
    pub fn limbs_of_words<const W: usize>(numbers: &[[u64; W]; LANES]) -> [L; N] {
        let mut rows = [L::zero(); LANES];
        for (row, number) in rows.iter_mut().zip(numbers) {
            let mut words = [0; LANES];
            words[..W].copy_from_slice(number);
            *row = L::load(&words);
        }
        Self::limbs_of_columns::<W>(&transpose(rows))
    }

    /// As [`Self::limbs_of_words`], from words by columns: word k of all lanes in one.
    #[inline(always)]
    pub fn limbs_of_columns<const W: usize>(words: &[L; 8]) -> [L; N] {
        let mask = L::splat(LIMB_MASK);
        let mut limbs = [L::zero(); N];
        unrolled!(N, i => {
            let (word, shift) = (i * BITS as usize / 64, (i * BITS as usize % 64) as u64);
            if word < W {
                limbs[i] = words[word].shr_by(L::splat(shift));
            }
            if word + 1 < W && shift > 12 {
                limbs[i] = limbs[i].or(words[word + 1].shl_by(L::splat(64 - shift)));
            }
            limbs[i] = limbs[i].and(mask);
        });
        limbs
    }

    /// The opposite of [`Self::limbs_of_words`]; the numbers must fit.
    #[inline(always)]
    pub fn words_of_limbs<const W: usize>(limbs: &[L; N]) -> [[u64; W]; LANES] {
        let mut columns = [[0; LANES]; W];
        for (k, column) in columns.iter_mut().enumerate() {
            let first = k * 64 / BITS as usize;
            let mut word = L::zero();
            // Bits 64k … 64k + 63 lie in up to three limbs.
            for (i, limb) in limbs.iter().enumerate().skip(first).take(3) {
                let (from, to) = (i * BITS as usize, k * 64);
                word = word.or(if from >= to {
                    limb.shl_by(L::splat((from - to) as u64))
                } else {
                    limb.shr_by(L::splat((to - from) as u64))
                });
            }
            *column = word.to_array();
        }
        std::array::from_fn(|lane| columns.map(|column| column[lane]))
    }
}
