//! BLAKE3.
//!
//! **Source.** *BLAKE3: one function, fast everywhere* (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), the
//! default hash mode: no key, no context string, the first 32 bytes of the output.
//!
//! **Takes** any bytes, none included. **Gives** 32 bytes: the first eight words of the root's output, little-endian.
//! Inside it is a binary tree over chunks of 1,024 bytes whose left part is the largest power of two of chunks
//! that leaves at least one byte for the right; so 1,024 and 1,025, 2,048 and 2,049 bytes and so on are the edges.
//! The flags that tell chunks, parents and the root apart are why no tree can be passed off as another message.
//!
//! **Reference.** The crate `blake3` on one thread; it runs the chunks of one long message side by side in vector
//! registers, and a short message alone. Tests hold it to the BLAKE3 team's test vectors and to a JavaScript
//! implementation written apart from it.

use std::ops::Range;

use outrigger_types::{Backend, HashAlgorithm, HashWork, Output};

use crate::hashing;
use crate::room::{Algorithm, HashRules};

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "blake3",
    rulesets: &[],
    hashes: &[HashRules {
        algorithm: HashAlgorithm::Blake3,
        summary: "BLAKE3 without a key, 32 bytes.",
        // A block of 64 bytes takes about 0.06 µs.
        piece_items: 512,
        digest: |message| Some(blake3(message)),
        hash,
        gpu: None,
        lanes: None,
    }],
    backends: &[Backend::Cpu],
};

/// BLAKE3 of a message, 32 bytes.
#[inline]
pub fn blake3(message: &[u8]) -> [u8; 32] {
    ::blake3::hash(message).into()
}

fn hash(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, blake3);
}

#[cfg(test)]
mod tests;
