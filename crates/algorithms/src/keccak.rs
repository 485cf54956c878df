//! Keccak-256 and SHA3-256: one permutation, two paddings.
//!
//! **Source.** FIPS 202 for SHA3-256 and for the permutation Keccak-f\[1600\]; *The Keccak SHA-3 submission*
//! (Bertoni, Daemen, Peeters, Van Assche, 2011) for Keccak-256, which Ethereum fixed in 2014, before the standard
//! was finished, and which Solidity calls `keccak256`.
//!
//! **The difference** is one byte. Both absorb blocks of 136 bytes and pad with a first byte, zeros, and the bit
//! 0x80 in the last byte of the block. The first byte is 0x01 in Keccak-256; SHA3-256 puts the two bits of its
//! domain before it, which makes 0x06; so the two digests of a message have nothing in common. (SHAKE, 0x1F, is not
//! here.)
//!
//! **The edge** is at the rate. A message of 135 bytes leaves room for one byte of padding, which is then first and
//! last at once: 0x81 (0x86). One of 136 bytes fills its block, so a whole block of padding follows. The tests
//! stand at 135, 136 and 137 bytes, and at twice and three times that.
//!
//! **Takes** any bytes, none included. **Gives** 32 bytes, the first four lanes of the state, little-endian each.
//!
//! **Reference.** The crate `keccak-asm`, OpenSSL's assembly for the permutation; SHA3-256 is held to NIST's CAVP
//! files, and both to the portable Rust of the crate `sha3`, to AWS-LC and to PyCryptodome.
//!
//! **Lanes.** Eight messages at a time, see [`outrigger_vector::keccak`]; messages much longer than the others of
//! their turn go to the reference.

use std::ops::Range;

use keccak_asm::{Keccak256, Sha3_256};
use outrigger_types::{Backend, HashAlgorithm, HashWork, Output};

use crate::hashing;
use crate::room::{Algorithm, HashRules};

mod gpu;
mod lanes;

pub(crate) use lanes::keccak256_of_many;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "keccak",
    rulesets: &[],
    hashes: &[
        HashRules {
            algorithm: HashAlgorithm::Keccak256,
            summary: "Keccak-256 with the original padding byte 0x01, as in Ethereum.",
            // A block takes about 0.2 µs.
            piece_items: 256,
            digest: |message| Some(keccak256(message)),
            hash: hash_keccak256,
            gpu: Some(gpu::KECCAK256),
            lanes: Some(lanes::KECCAK256),
        },
        HashRules {
            algorithm: HashAlgorithm::Sha3_256,
            summary: "SHA3-256 of FIPS 202 with the padding byte 0x06.",
            piece_items: 256,
            digest: |message| Some(sha3_256(message)),
            hash: hash_sha3_256,
            gpu: Some(gpu::SHA3_256),
            lanes: Some(lanes::SHA3_256),
        },
    ],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// Keccak-256 of a message.
#[inline]
pub fn keccak256(message: &[u8]) -> [u8; 32] {
    Keccak256::digest(message).into()
}

/// SHA3-256 of a message.
#[inline]
pub fn sha3_256(message: &[u8]) -> [u8; 32] {
    Sha3_256::digest(message).into()
}

fn hash_keccak256(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, keccak256);
}

fn hash_sha3_256(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, sha3_256);
}

#[cfg(test)]
mod tests;
