//! SHA-256 and SHA-256d, sixteen messages at a time.
//!
//! FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1 and 6.2. SHA-256d hashes the digest once more.
//!
//! **Cost.** A step is 6 rotations, 4 ternary operations and 7 additions, and a word of the schedule 6 shifts and
//! rotations, 2 ternary operations and 3 additions: 64 · 17 + 48 · 11 = 1,616 instructions a block of sixteen. A
//! block of mere padding takes 64 · 17, see the module `frame`.

use std::array::from_fn;

use crate::Unit;
use crate::frame::{self, Compression};
use crate::lanes::array;
use crate::messages::{Alone, Message};
use crate::words::Words;

/// Hashes `digests.len()` messages: number i into place i. Messages that would have the lanes to themselves are
/// hashed as `alone` says, or in lanes all the same.
pub fn many<M: Message>(
    unit: Unit,
    alone: Option<Alone<M, 32>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 32]],
) {
    frame::many::<Sha256, M>(unit, alone, message, digests);
}

/// As [`many`], SHA-256 of SHA-256.
pub fn many_twice<M: Message>(
    unit: Unit,
    alone: Option<Alone<M, 32>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 32]],
) {
    frame::many::<Sha256d, M>(unit, alone, message, digests);
}

struct Sha256;

struct Sha256d;

impl Compression for Sha256 {
    /// Words of the schedule with the constants of their steps.
    type Schedule = [u32; 64];

    const INITIAL: [u32; 8] = INITIAL;

    fn schedule(block: &[u32; 16]) -> [u32; 64] {
        let mut words = [0_u32; 64];
        words[..16].copy_from_slice(block);
        for j in 16..64 {
            let (w2, w15) = (words[j - 2], words[j - 15]);
            let lower0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ (w15 >> 3);
            let lower1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ (w2 >> 10);
            words[j] = words[j - 16].wrapping_add(lower0).wrapping_add(words[j - 7]).wrapping_add(lower1);
        }
        from_fn(|j| words[j].wrapping_add(ROUND_CONSTANTS[j]))
    }

    /// Words of the schedule are made sixteen steps before they are needed.
    #[inline(always)]
    fn compress<L: Words, const G: usize>(state: &mut [[L; 8]; G], mut words: [[L; 16]; G]) {
        let mut s = *state;
        let (constants, _) = ROUND_CONSTANTS.as_chunks::<16>();
        for constants in &constants[..3] {
            steps::<L, G, true>(&mut s, &mut words, constants);
        }
        steps::<L, G, false>(&mut s, &mut words, &constants[3]);
        add(state, &s);
    }

    #[inline(always)]
    fn compress_constant<L: Words, const G: usize>(state: &mut [[L; 8]; G], schedule: &[u32; 64]) {
        let mut s = *state;
        for words in schedule.as_chunks::<8>().0 {
            for word in words {
                let word = L::splat32(*word);
                for s in &mut s {
                    step(s, word);
                }
            }
        }
        add(state, &s);
    }
}

impl Compression for Sha256d {
    type Schedule = [u32; 64];

    const INITIAL: [u32; 8] = INITIAL;

    fn schedule(block: &[u32; 16]) -> [u32; 64] {
        Sha256::schedule(block)
    }

    #[inline(always)]
    fn compress<L: Words, const G: usize>(state: &mut [[L; 8]; G], words: [[L; 16]; G]) {
        Sha256::compress(state, words);
    }

    #[inline(always)]
    fn compress_constant<L: Words, const G: usize>(state: &mut [[L; 8]; G], schedule: &[u32; 64]) {
        Sha256::compress_constant(state, schedule);
    }

    /// The digest is a message of 32 bytes.
    #[inline(always)]
    fn finish<L: Words, const G: usize>(state: &mut [[L; 8]; G]) {
        let mut words = [[L::zero(); 16]; G];
        for g in 0..G {
            words[g][..8].copy_from_slice(&state[g]);
            words[g][8] = L::splat32(0x8000_0000);
            words[g][15] = L::splat32(256);
        }
        *state = [array(L::zero(), |i| L::splat32(INITIAL[i])); G];
        Sha256::compress(state, words);
    }
}

/// The exclusive-or of three.
const XOR3: i32 = 0x96;
/// Ch: b where a, else c.
const CHOOSE: i32 = 0xca;
/// Maj: what two of three have.
const MAJORITY: i32 = 0xe8;

/// Sixteen steps on each group; `SCHEDULE`: and the words of the next sixteen.
#[inline(always)]
fn steps<L: Words, const G: usize, const SCHEDULE: bool>(
    s: &mut [[L; 8]; G],
    words: &mut [[L; 16]; G],
    constants: &[u32; 16],
) {
    for j in 0..16 {
        for g in 0..G {
            step(&mut s[g], words[g][j].add32(L::splat32(constants[j])));
            if SCHEDULE {
                words[g][j] = scheduled(&words[g], j);
            }
        }
    }
}

/// One step; `word` has its constant in it.
#[inline(always)]
fn step<L: Words>(s: &mut [L; 8], word: L) {
    let [a, b, c, d, e, f, g, h] = *s;
    let upper1 = e.rol32::<26>().ternary::<XOR3>(e.rol32::<21>(), e.rol32::<7>());
    let upper0 = a.rol32::<30>().ternary::<XOR3>(a.rol32::<19>(), a.rol32::<10>());
    let t1 = h.add32(word).add32(e.ternary::<CHOOSE>(f, g)).add32(upper1);
    let t2 = upper0.add32(a.ternary::<MAJORITY>(b, c));
    *s = [t1.add32(t2), a, b, c, d.add32(t1), e, f, g];
}

/// Word j + 16 of the schedule, from the sixteen before it.
#[inline(always)]
fn scheduled<L: Words>(words: &[L; 16], j: usize) -> L {
    let (w1, w14) = (words[(j + 1) % 16], words[(j + 14) % 16]);
    let lower0 = w1.rol32::<25>().ternary::<XOR3>(w1.rol32::<14>(), w1.shr32::<3>());
    let lower1 = w14.rol32::<15>().ternary::<XOR3>(w14.rol32::<13>(), w14.shr32::<10>());
    words[j].add32(lower0).add32(words[(j + 9) % 16]).add32(lower1)
}

#[inline(always)]
fn add<L: Words, const G: usize>(state: &mut [[L; 8]; G], steps: &[[L; 8]; G]) {
    for g in 0..G {
        state[g] = array(L::zero(), |i| state[g][i].add32(steps[g][i]));
    }
}

/// The first 32 bits of the fractional parts of the square roots of the first eight primes.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
const ROUND_CONSTANTS: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

#[cfg(test)]
mod tests;
