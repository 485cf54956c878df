//! SM3, the hash function of the Chinese national standards.
//!
//! **Source.** GB/T 32905-2016 (earlier GM/T 0004-2012); ISO/IEC 10118-3:2018 has the same function.
//!
//! **Takes** any bytes, none included. **Gives** 32 bytes: the eight words of the state, big-endian. Its frame is
//! that of SHA-256: blocks of 64 bytes, padding with one bit, zeros and the length in bits as a big-endian 64-bit
//! number, so 55 and 56 bytes are the edge here too. The compression differs: 64 steps with two message schedules,
//! the second the exclusive-or of the first with itself four words later.
//!
//! This is SM3 of the bare message. The identity of a signer (Z in GB/T 32918) is SM2's business and is hashed
//! there, before the message; FISCO BCOS hashes transactions with bare SM3.
//!
//! **Reference.** The crate `sm3`. Tests hold it to the examples of the standard and to OpenSSL by way of CPython.
//!
//! **Lanes.** Sixteen messages at a time, see [`outrigger_vector::sm3`]; messages much longer than the others of
//! their turn go to the reference.

use std::ops::Range;

use outrigger_types::{Backend, HashAlgorithm, HashWork, Output};
use outrigger_vector::Unit;
use sm3::{Digest, Sm3};

use crate::hashing;
use crate::room::{Algorithm, HashRules};

mod gpu;
mod lanes;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "sm3",
    rulesets: &[],
    hashes: &[HashRules {
        algorithm: HashAlgorithm::Sm3,
        summary: "SM3 of GB/T 32905.",
        // A block takes about 0.2 µs, a message of a few hundred bytes a microsecond.
        piece_items: 128,
        digest: |message| Some(sm3(message)),
        hash,
        gpu: Some(gpu::SM3),
        lanes: Some(lanes::SM3),
    }],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// SM3 of a message.
#[inline]
pub fn sm3(message: &[u8]) -> [u8; 32] {
    Sm3::digest(message).into()
}

/// SM3 of each message of two parts, in lanes.
pub(crate) fn many(unit: Unit, messages: &[[&[u8]; 2]]) -> Vec<[u8; 32]> {
    lanes::digests(unit, messages)
}

fn hash(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, sm3);
}

#[cfg(test)]
mod tests;
