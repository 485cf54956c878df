//! SM3, sixteen messages at a time.
//!
//! GB/T 32905-2016, section 5. Messages may come in parts, as SM2 has them: Z ‖ M.
//!
//! **Cost.** A step is 7 rotations, 3 ternary operations, an exclusive-or and 7 additions, one more exclusive-or
//! makes its second word, and a word of the schedule takes 4 rotations and 3 ternary operations:
//! 64 · 19 + 52 · 7 = 1,580 instructions a block of sixteen. A block of mere padding takes 64 · 18, see
//! the module `frame`.

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
    frame::many::<Sm3, M>(unit, alone, message, digests);
}

struct Sm3;

impl Compression for Sm3 {
    /// W and W′ of each step.
    type Schedule = [[u32; 2]; 64];

    const INITIAL: [u32; 8] =
        [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];

    fn schedule(block: &[u32; 16]) -> [[u32; 2]; 64] {
        let mut words = [0_u32; 68];
        words[..16].copy_from_slice(block);
        for j in 16..68 {
            let x = words[j - 16] ^ words[j - 9] ^ words[j - 3].rotate_left(15);
            let p1 = x ^ x.rotate_left(15) ^ x.rotate_left(23);
            words[j] = p1 ^ words[j - 13].rotate_left(7) ^ words[j - 6];
        }
        from_fn(|j| [words[j], words[j] ^ words[j + 4]])
    }

    /// Word j + 16 of the schedule replaces word j after step j, which is four steps before it is needed at the
    /// earliest: step j takes word j + 4 too.
    #[inline(always)]
    fn compress<L: Words, const G: usize>(state: &mut [[L; 8]; G], mut words: [[L; 16]; G]) {
        let mut s = *state;
        for (turn, constants) in STEP_CONSTANTS.as_chunks::<16>().0.iter().enumerate() {
            for j in 0..16 {
                for g in 0..G {
                    let word = words[g][j];
                    let second = word.xor(words[g][(j + 4) % 16]);
                    if turn == 0 {
                        step::<L, true>(&mut s[g], word, second, L::splat32(constants[j]));
                    } else {
                        step::<L, false>(&mut s[g], word, second, L::splat32(constants[j]));
                    }
                    // The last step takes word 67.
                    if turn < 3 || j < 4 {
                        words[g][j] = scheduled(&words[g], j);
                    }
                }
            }
        }
        feed_forward(state, &s);
    }

    #[inline(always)]
    fn compress_constant<L: Words, const G: usize>(state: &mut [[L; 8]; G], schedule: &[[u32; 2]; 64]) {
        let mut s = *state;
        for (j, [word, second]) in schedule.iter().enumerate() {
            let constant = L::splat32(STEP_CONSTANTS[j]);
            let (word, second) = (L::splat32(*word), L::splat32(*second));
            for s in &mut s {
                if j < 16 {
                    step::<L, true>(s, word, second, constant);
                } else {
                    step::<L, false>(s, word, second, constant);
                }
            }
        }
        feed_forward(state, &s);
    }
}

/// The exclusive-or of three.
const XOR3: i32 = 0x96;
/// b where a, else c.
const CHOOSE: i32 = 0xca;
/// What two of three have.
const MAJORITY: i32 = 0xe8;

/// One step; in the first sixteen both boolean functions are exclusive-ors.
#[inline(always)]
fn step<L: Words, const FIRST: bool>(s: &mut [L; 8], word: L, second: L, constant: L) {
    let [a, b, c, d, e, f, g, h] = *s;
    let turned = a.rol32::<12>();
    let ss1 = turned.add32(e.add32(constant)).rol32::<7>();
    let ss2 = ss1.xor(turned);
    let ff = if FIRST { a.ternary::<XOR3>(b, c) } else { a.ternary::<MAJORITY>(b, c) };
    let gg = if FIRST { e.ternary::<XOR3>(f, g) } else { e.ternary::<CHOOSE>(f, g) };
    let tt1 = ff.add32(d.add32(second)).add32(ss2);
    let tt2 = gg.add32(h.add32(word)).add32(ss1);
    let p0 = tt2.ternary::<XOR3>(tt2.rol32::<9>(), tt2.rol32::<17>());
    *s = [tt1, a, b.rol32::<9>(), c, p0, e, f.rol32::<19>(), g];
}

/// Word j + 16 of the schedule, from the sixteen before it.
#[inline(always)]
fn scheduled<L: Words>(words: &[L; 16], j: usize) -> L {
    let x = words[j].ternary::<XOR3>(words[(j + 7) % 16], words[(j + 13) % 16].rol32::<15>());
    let p1 = x.ternary::<XOR3>(x.rol32::<15>(), x.rol32::<23>());
    p1.ternary::<XOR3>(words[(j + 3) % 16].rol32::<7>(), words[(j + 10) % 16])
}

#[inline(always)]
fn feed_forward<L: Words, const G: usize>(state: &mut [[L; 8]; G], steps: &[[L; 8]; G]) {
    for g in 0..G {
        state[g] = array(L::zero(), |i| state[g][i].xor(steps[g][i]));
    }
}

/// T of each step, rotated as the step takes it.
const STEP_CONSTANTS: [u32; 64] = {
    let mut constants = [0_u32; 64];
    let mut j = 0;
    while j < 64 {
        let constant: u32 = if j < 16 { 0x79cc_4519 } else { 0x7a87_9d8a };
        constants[j] = constant.rotate_left(j as u32 % 32);
        j += 1;
    }
    constants
};

#[cfg(test)]
mod tests;
