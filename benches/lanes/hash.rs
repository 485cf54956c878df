//! Hashes in lanes beside the best libraries, on one thread: columns in, digests out.
//! `cargo bench -p outrigger-algorithms --bench hash`

#[path = "pairs.rs"]
mod pairs;

use std::hint::black_box;

use outrigger_algorithms::{Unit, lanes};
use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, MerkleTree, MerkleWork, Work};
use sha2::Digest;

/// Messages of a batch: 64 bytes of each fit the second cache.
const ITEMS: usize = 4096;

/// Messages of one length, or of lengths that vary up to it.
fn messages(length: usize, varies: bool) -> ColumnBuf {
    let length = |i: usize| if varies { i * 7919 % (length + 1) } else { length };
    ColumnBuf::from_items(&(0..ITEMS).map(|i| vec![i as u8; length(i)]).collect::<Vec<_>>())
}

fn against(unit: Unit, name: &str, algorithm: HashAlgorithm, messages: &ColumnBuf, peer: impl Fn(&[u8]) -> [u8; 32]) {
    let work = Work::Hash(HashWork { algorithm, messages: messages.clone() });
    let digests = lanes::run(unit, &work, 0..ITEMS).fixed;
    for (message, digest) in messages.view().iter().zip(digests.as_chunks().0) {
        assert_eq!(peer(message), *digest, "{name}");
    }
    let ours = || {
        black_box(lanes::run(unit, &work, 0..ITEMS));
    };
    let peer = || {
        for message in messages.view().iter() {
            black_box(peer(black_box(message)));
        }
    };
    pairs::compare(&format!("{algorithm}, {name}"), ITEMS, ours, peer);
}

fn hashes(unit: Unit, name: &str, messages: &ColumnBuf) {
    use HashAlgorithm::{Blake2b256, Keccak256, Sha3_256, Sha256, Sha256d, Sm3};
    let aws_lc = |message: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
        digest.as_ref().try_into().expect("32 bytes")
    };
    let run = |algorithm, library: &str, peer: &dyn Fn(&[u8]) -> [u8; 32]| {
        if lanes::supports(outrigger_types::Operation::Hash(algorithm)) {
            against(unit, &format!("{name}, {library}"), algorithm, messages, peer);
        }
    };
    run(Keccak256, "keccak-asm", &|message| keccak_asm::Keccak256::digest(message).into());
    run(Sha3_256, "keccak-asm", &|message| keccak_asm::Sha3_256::digest(message).into());
    run(Sha256, "sha2", &|message| sha2::Sha256::digest(message).into());
    run(Sha256, "aws-lc", &aws_lc);
    run(Sha256d, "sha2", &|message| sha2::Sha256::digest(sha2::Sha256::digest(message)).into());
    run(Sm3, "sm3", &|message| sm3::Sm3::digest(message).into());
    let mut blake2b = blake2b_simd::Params::new();
    blake2b.hash_length(32);
    run(Blake2b256, "blake2b_simd", &|message| blake2b.hash(message).as_bytes().try_into().expect("32 bytes"));
}

/// Whole trees against the room's own way on the CPU.
fn trees(unit: Unit) {
    let leaves = messages(32, false);
    for (tree, algorithm) in [
        (MerkleTree::Binary, HashAlgorithm::Keccak256),
        (MerkleTree::Binary, HashAlgorithm::Sm3),
        (MerkleTree::Rfc6962, HashAlgorithm::Sha256),
        (MerkleTree::Bitcoin, HashAlgorithm::Sha256d),
    ] {
        let leaves = leaves.clone();
        let work = Work::Merkle(MerkleWork { tree, algorithm, leaves, prove: None });
        if !lanes::supports(work.operation()) {
            continue;
        }
        let ours = || {
            black_box(lanes::run(unit, &work, 0..ITEMS));
        };
        let peer = || {
            black_box(outrigger_algorithms::run(&work, 0..ITEMS));
        };
        pairs::compare(&format!("{tree} of {algorithm}, CPU"), ITEMS, ours, peer);
    }
}

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    hashes(unit, "64 bytes", &messages(64, false));
    hashes(unit, "up to 600 bytes", &messages(600, true));
    hashes(unit, "2,000 bytes", &messages(2000, false));
    trees(unit);
}
