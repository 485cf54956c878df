//! BLAKE2b with a digest of 32 bytes, eight messages at a time.
//!
//! RFC 7693, sections 2 and 3, with nn = 32, kk = 0, no salt, no personalisation, sequential mode.
//!
//! **Cost.** A mixing function is 6 additions, 4 exclusive-ors and 4 rotations, and a block takes 12 · 8 of them:
//! 1,344 instructions a block of eight. The working vector takes half of the registers; message words are read from
//! memory by the additions.

use std::array::from_fn;

use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask, ROW_BYTES, array, transpose};
use crate::messages::{Alone, Message, Turn, prefetch, schedule};
use crate::unit::on_lanes;

/// Bytes of a block.
const BLOCK_BYTES: usize = 128;

/// Hashes `digests.len()` messages: number i into place i. Messages that would have the lanes to themselves are
/// hashed as `alone` says, or in lanes all the same.
pub fn many<M: Message>(
    unit: Unit,
    alone: Option<Alone<M, 32>>,
    message: impl Fn(usize) -> M,
    digests: &mut [[u8; 32]],
) {
    let blocks = |i| blocks(message(i).length());
    schedule::<LANES>(digests.len(), blocks, alone.map(|alone| alone.worth), |turn| match turn {
        Turn::Alone(i) => {
            let alone = alone.expect("without a way to hash them alone, messages go together");
            digests[i] = (alone.digest)(message(i));
        }
        Turn::Soon(indices) => prefetch(unit, indices.iter().map(|i| message(*i))),
        Turn::Together(indices) => {
            let messages: [M; LANES] = from_fn(|lane| message(*indices.get(lane).unwrap_or(&indices[0])));
            let found = on_lanes!(unit, L => together::<L, M>(&messages));
            for (i, digest) in indices.iter().zip(found) {
                digests[*i] = digest;
            }
        }
    });
}

/// The blocks of a message of so many bytes: no byte at all is a block of zeros, and no full block is followed by
/// an empty one.
const fn blocks(length: usize) -> usize {
    if length == 0 { 1 } else { length.div_ceil(BLOCK_BYTES) }
}

/// Hashes a message a lane.
#[inline(never)]
fn together<L: Lanes, M: Message>(messages: &[M; LANES]) -> [[u8; 32]; LANES] {
    L::enter(
        #[inline(always)]
        || {
            let lengths: [usize; LANES] = from_fn(|lane| messages[lane].length());
            let last: [usize; LANES] = from_fn(|lane| blocks(lengths[lane]) - 1);
            let mut state: [L; 8] = array(L::zero(), |i| L::splat(INITIAL[i]));
            state[0] = state[0].xor(L::splat(PARAMETERS));
            let mut found = [L::zero(); 4];
            for block in 0..=last.into_iter().max().unwrap_or(0) {
                let ends = (0..LANES).fold(0, |ends: Mask, lane| ends | (Mask::from(last[lane] == block) << lane));
                let taken = from_fn(|lane| lengths[lane].min((block + 1) * BLOCK_BYTES) as u64);
                let words = read(messages, block);
                compress(&mut state, &words, L::load(&taken), L::splat(u64::MAX).keep(ends));
                for (found, word) in found.iter_mut().zip(state) {
                    *found = found.blend(ends, word);
                }
            }
            digests(found)
        },
    )
}

/// A block of each message, zeros past its end.
#[inline(always)]
fn read<L: Lanes, M: Message>(messages: &[M; LANES], block: usize) -> [L; 16] {
    let mut words = [L::zero(); 16];
    for half in 0..2 {
        let mut rows = [L::zero(); LANES];
        for (row, message) in rows.iter_mut().zip(messages) {
            *row = message.row(block * BLOCK_BYTES + half * ROW_BYTES);
        }
        for (word, column) in words[8 * half..].iter_mut().zip(transpose(rows)) {
            *word = column;
        }
    }
    words
}

#[inline(always)]
fn digests<L: Lanes>(words: [L; 4]) -> [[u8; 32]; LANES] {
    let [a, b, c, d] = words;
    let rows = transpose([a, b, c, d, a, b, c, d]);
    let mut digests = [[0; 32]; LANES];
    for (digest, row) in digests.iter_mut().zip(rows) {
        for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(row.to_array()) {
            *bytes = word.to_le_bytes();
        }
    }
    digests
}

/// RFC 7693, section 3.2: `taken` bytes of each message, this block included; `last` all ones in lanes whose
/// last block this is.
#[inline(always)]
fn compress<L: Lanes>(state: &mut [L; 8], words: &[L; 16], taken: L, last: L) {
    let mut v = [L::zero(); 16];
    v[..8].copy_from_slice(state);
    for (word, initial) in v[8..].iter_mut().zip(INITIAL) {
        *word = L::splat(initial);
    }
    v[12] = v[12].xor(taken);
    v[14] = v[14].xor(last);
    for round in 0..12 {
        let order = &ORDERS[round % 10];
        let word = |i: usize| words[usize::from(order[i]) % 16];
        mix::<L, 0, 4, 8, 12>(&mut v, word(0), word(1));
        mix::<L, 1, 5, 9, 13>(&mut v, word(2), word(3));
        mix::<L, 2, 6, 10, 14>(&mut v, word(4), word(5));
        mix::<L, 3, 7, 11, 15>(&mut v, word(6), word(7));
        mix::<L, 0, 5, 10, 15>(&mut v, word(8), word(9));
        mix::<L, 1, 6, 11, 12>(&mut v, word(10), word(11));
        mix::<L, 2, 7, 8, 13>(&mut v, word(12), word(13));
        mix::<L, 3, 4, 9, 14>(&mut v, word(14), word(15));
    }
    for i in 0..8 {
        state[i] = state[i].ternary::<XOR3>(v[i], v[8 + i]);
    }
}

/// The exclusive-or of three.
const XOR3: i32 = 0x96;

/// RFC 7693, section 3.1. Right by 32, 24, 16 and 63 is left by 32, 40, 48 and 1.
#[inline(always)]
fn mix<L: Lanes, const A: usize, const B: usize, const C: usize, const D: usize>(v: &mut [L; 16], x: L, y: L) {
    v[A] = v[A].add(v[B]).add(x);
    v[D] = v[D].xor(v[A]).rol::<32>();
    v[C] = v[C].add(v[D]);
    v[B] = v[B].xor(v[C]).rol::<40>();
    v[A] = v[A].add(v[B]).add(y);
    v[D] = v[D].xor(v[A]).rol::<48>();
    v[C] = v[C].add(v[D]);
    v[B] = v[B].xor(v[C]).rol::<1>();
}

/// The first word of the parameter block: 32 bytes of digest, no key, fanout and depth 1.
const PARAMETERS: u64 = 0x0101_0020;

/// The initial state of SHA-512.
const INITIAL: [u64; 8] = crate::sha512::INITIAL;

/// RFC 7693, section 2.7: which word of the message is taken when, by round.
const ORDERS: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

#[cfg(test)]
mod tests;
