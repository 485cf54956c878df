//! SHA-256, once and twice.
//!
//! **Source.** FIPS 180-4, sections 4.1.2, 5.1.1 and 6.2. `sha256d`, SHA-256 of the 32-byte digest of SHA-256, is
//! what Bitcoin calls a hash: of transactions, of block headers, and of pairs of nodes in its Merkle tree.
//!
//! **Takes** any bytes, none included, up to the limits of a request; the standard's own limit of 2^64 − 1 bits
//! is out of reach. **Gives** 32 bytes in the order of the standard: the eight words of the state, big-endian.
//! Explorers print Bitcoin's hashes with the bytes reversed; here they are never reversed.
//!
//! **Padding.** One bit, zeros, and the length in bits as a big-endian 64-bit number: a message of 55 bytes fills
//! one block of 64, one of 56 needs two. SHA-256 alone lets whoever knows a digest and a length extend the message;
//! `sha256d` does not.
//!
//! **Reference.** The crate `sha2`, which uses the SHA instructions of x86 and Arm where the processor has them.
//! Tests hold it to NIST's CAVP files, to OpenSSL by way of CPython, and to AWS-LC.
//!
//! **Lanes.** Sixteen messages at a time, see [`outrigger_vector::sha256`]; messages much longer than the others of
//! their turn go to the reference.

use std::ops::Range;

use outrigger_types::{Backend, HashAlgorithm, HashWork, Output};
use outrigger_vector::Unit;
use sha2::{Digest, Sha256};

use crate::hashing;
use crate::room::{Algorithm, HashRules};

mod gpu;
mod lanes;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "sha256",
    rulesets: &[],
    hashes: &[
        HashRules {
            algorithm: HashAlgorithm::Sha256,
            summary: "SHA-256 of FIPS 180-4.",
            // A short message takes about 0.1 µs with SHA instructions.
            piece_items: 512,
            digest: |message| Some(sha256(message)),
            hash: hash_once,
            gpu: Some(gpu::ONCE),
            lanes: Some(lanes::ONCE),
        },
        HashRules {
            algorithm: HashAlgorithm::Sha256d,
            summary: "SHA-256 applied twice, as Bitcoin hashes transactions, headers and tree nodes.",
            piece_items: 384,
            digest: |message| Some(sha256d(message)),
            hash: hash_twice,
            gpu: Some(gpu::TWICE),
            lanes: Some(lanes::TWICE),
        },
    ],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// SHA-256 of each message, in lanes.
pub(crate) fn many(unit: Unit, messages: &[&[u8]]) -> Vec<[u8; 32]> {
    lanes::digests(unit, messages)
}

/// SHA-256 of a message.
#[inline]
pub fn sha256(message: &[u8]) -> [u8; 32] {
    Sha256::digest(message).into()
}

/// SHA-256 of the SHA-256 of a message.
#[inline]
pub fn sha256d(message: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(message)).into()
}

fn hash_once(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, sha256);
}

fn hash_twice(work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::each(work, range, output, sha256d);
}

#[cfg(test)]
mod tests;
