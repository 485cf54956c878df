use outrigger_types::HashAlgorithm::Blake2b256;
use proptest::prelude::*;

use crate::hashing::judging::{
    bytes32, check_kernels, check_lanes, check_lengths, check_ranges, digest, digests, pattern,
};

/// Also shows that the length of the digest enters the state: BLAKE2b-512 of "abc" begins with ba80a53f.
#[test]
fn known_answer() {
    let expected = bytes32("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    assert_eq!(digest(Blake2b256, b"abc"), expected);
}

#[test]
fn lengths_by_cpython() {
    check_lengths(Blake2b256, include_str!("../../vectors/blake2b/blake2b_256.json"));
}

#[test]
fn lanes_agree_with_the_library() {
    check_lanes(Blake2b256);
}

#[test]
fn kernels_agree_with_the_library() {
    check_kernels(Blake2b256);
}

#[test]
fn ranges_of_a_batch() {
    check_ranges(Blake2b256);
}

/// `digests` compares every item of the batch with the same message alone: around the group of 32 and the four
/// lanes, with the longest message at each place in turn.
#[test]
fn groups_of_every_size() {
    for count in (1..=9).chain(31..=34).chain(63..=65) {
        for long in 0..count {
            let messages: Vec<_> = (0..count).map(|i| pattern(if i == long { 1000 } else { i % 3 * 64 })).collect();
            digests(Blake2b256, &messages);
        }
    }
}

proptest! {
    #[test]
    fn batches_agree_with_singles(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..600), 0..80),
    ) {
        digests(Blake2b256, &messages);
    }
}
