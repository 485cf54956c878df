//! Hash libraries.

use std::hint::black_box;

use ark_ff::PrimeField;
use light_poseidon::{Poseidon, PoseidonHasher};
use outrigger_types::{Column, HashAlgorithm};
use sha2::Digest;

/// A library that hashes.
pub(in crate::bench) struct Hasher {
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) version: &'static str,
    /// Hashes every message of a column and throws the digests away.
    pub(in crate::bench) hash: fn(Column<'_>),
}

/// The library for a hash function.
pub(in crate::bench) fn hasher(algorithm: HashAlgorithm) -> Hasher {
    let (name, version, hash): (_, _, fn(Column<'_>)) = match algorithm {
        HashAlgorithm::Sha256 => ("sha2", "0.11", |messages| each(messages, sha2::Sha256::digest)),
        HashAlgorithm::Sha256d => {
            ("sha2", "0.11", |messages| each(messages, |message| sha2::Sha256::digest(sha2::Sha256::digest(message))))
        }
        HashAlgorithm::Keccak256 => {
            ("keccak-asm", "0.1.9", |messages| each(messages, <keccak_asm::Keccak256 as keccak_asm::Digest>::digest))
        }
        HashAlgorithm::Sha3_256 => {
            ("keccak-asm", "0.1.9", |messages| each(messages, <keccak_asm::Sha3_256 as keccak_asm::Digest>::digest))
        }
        HashAlgorithm::Sm3 => ("sm3", "0.5", |messages| each(messages, <sm3::Sm3 as sm3::Digest>::digest)),
        HashAlgorithm::Blake2b256 => ("blake2b_simd", "1.0", |messages| {
            let mut params = blake2b_simd::Params::new();
            params.hash_length(32);
            each(messages, |message| params.hash(message));
        }),
        HashAlgorithm::Blake3 => ("blake3", "1.8", |messages| each(messages, blake3::hash)),
        HashAlgorithm::PoseidonBn254 => ("light-poseidon", "0.5", poseidon),
    };
    Hasher { name, version, hash }
}

fn each<'a, T>(messages: Column<'a>, digest: impl Fn(&'a [u8]) -> T) {
    for message in messages.iter() {
        black_box(digest(message));
    }
}

fn poseidon(messages: Column<'_>) {
    let Some(first) = messages.iter().next() else { return };
    let mut hasher = Poseidon::<ark_bn254::Fr>::new_circom(first.len() / 32).expect("1 to 12 elements");
    for message in messages.iter() {
        let elements: Vec<_> = message.chunks(32).map(ark_bn254::Fr::from_be_bytes_mod_order).collect();
        black_box(hasher.hash(&elements).expect("as many elements as before"));
    }
}
