//! The tag of an answer: 32 bits over a batch's nonce, an item's index, its verdict and its output.
//!
//! Kernels compute the same over their output words (`kernels/dialect/tag.h`). Each step maps the state one to one
//! for a given word and the word one to one for a given state, so damage within one word, the tag itself included,
//! is always seen; anything else is missed with a chance of 2⁻³². Multipliers and shifts: the finaliser of
//! MurmurHash3 (A. Appleby).

use crate::Verdict;

/// The state before anything.
const START: u32 = 0x6f75_7472;

/// The state after one more word.
pub const fn step(state: u32, word: u32) -> u32 {
    let mut state = state ^ word;
    state = state.wrapping_mul(0x85eb_ca6b);
    state ^= state >> 13;
    state = state.wrapping_mul(0xc2b2_ae35);
    state ^ state >> 16
}

/// The state after nonce, index and verdict; the words of the output follow, each by [`step`].
pub const fn start(nonce: u64, index: u32, verdict: u32) -> u32 {
    step(step(step(step(START, nonce as u32), (nonce >> 32) as u32), index), verdict)
}

/// The tag of an item whose output is bytes: little-endian words, the last filled up with zeros, and their number of
/// bytes behind them.
pub fn of_bytes(nonce: u64, index: u32, verdict: Verdict, bytes: &[u8]) -> u32 {
    let mut state = start(nonce, index, verdict as u32);
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        state = step(state, u32::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        state = step(state, u32::from_le_bytes(last));
    }
    step(state, bytes.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_seen() {
        let bytes: Vec<u8> = (0..23).collect();
        let tag = of_bytes(7, 3, Verdict::Valid, &bytes);
        for bit in 0..8 * bytes.len() {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of_bytes(7, 3, Verdict::Valid, &damaged), tag, "bit {bit}");
        }
        for verdict in [Verdict::Unprocessed, Verdict::Invalid, Verdict::Malformed] {
            assert_ne!(of_bytes(7, 3, verdict, &bytes), tag);
        }
        assert_ne!(of_bytes(7, 4, Verdict::Valid, &bytes), tag);
        assert_ne!(of_bytes(8, 3, Verdict::Valid, &bytes), tag);
        assert_ne!(of_bytes(7, 3, Verdict::Valid, &[&bytes[..], &[0]].concat()), tag, "a zero byte more");
    }
}
