use aws_lc_rs::digest::{SHA3_256 as AWS_LC_SHA3_256, digest as aws_lc_digest};
use outrigger_types::HashAlgorithm::{Keccak256, Sha3_256};
use proptest::prelude::*;
use sha3::Digest;

use crate::hashing::judging::{
    bytes32, check_kernels, check_lanes, check_lengths, check_ranges, check_responses, digest, pattern, values,
};

const SHORT: &str = include_str!("../../vectors/keccak/SHA3_256ShortMsg.rsp");
const LONG: &str = include_str!("../../vectors/keccak/SHA3_256LongMsg.rsp");
const MONTE: &str = include_str!("../../vectors/keccak/SHA3_256Monte.rsp");

/// The portable implementation of Keccak-256.
fn portable_keccak256(message: &[u8]) -> [u8; 32] {
    sha3::Keccak256::digest(message).into()
}

#[test]
fn nist_messages() {
    check_responses(Sha3_256, SHORT);
    check_responses(Sha3_256, LONG);
}

/// SHA3VS, section 6.2.3: each of 100 seeds is the thousandth digest of the one before.
#[test]
fn nist_monte_carlo() {
    let mut seed = bytes32(values(MONTE, "Seed")[0]);
    let expected = values(MONTE, "MD");
    assert_eq!(expected.len(), 100);
    for (count, expected) in expected.into_iter().enumerate() {
        for _ in 0..1000 {
            seed = super::sha3_256(&seed);
        }
        assert_eq!(seed, bytes32(expected), "count {count}");
    }
}

#[test]
fn lengths_by_openssl_and_pycryptodome() {
    check_lengths(Sha3_256, include_str!("../../vectors/keccak/sha3_256.json"));
    check_lengths(Keccak256, include_str!("../../vectors/keccak/keccak256.json"));
}

/// Catches a padding that forgets the block of its own (136) or the byte that is first and last at once (135).
#[test]
fn every_length_around_the_rate() {
    for length in (0..=8).chain(130..=140).chain(268..=276).chain(404..=412) {
        let message = pattern(length);
        assert_eq!(digest(Keccak256, &message), portable_keccak256(&message), "Keccak-256 of {length} bytes");
        let expected = aws_lc_digest(&AWS_LC_SHA3_256, &message);
        assert_eq!(digest(Sha3_256, &message), expected.as_ref(), "SHA3-256 of {length} bytes");
    }
}

/// The digest of nothing, which everyone in Ethereum knows by sight: the code hash of an account without code.
#[test]
fn empty_message() {
    let expected = bytes32("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    assert_eq!(digest(Keccak256, b""), expected);
}

#[test]
fn the_two_paddings_never_agree() {
    for length in [0, 1, 32, 135, 136, 137] {
        assert_ne!(digest(Keccak256, &pattern(length)), digest(Sha3_256, &pattern(length)));
    }
}

#[test]
fn lanes_agree_with_the_library() {
    check_lanes(Keccak256);
    check_lanes(Sha3_256);
}

#[test]
fn kernels_agree_with_the_library() {
    check_kernels(Keccak256);
    check_kernels(Sha3_256);
}

#[test]
fn ranges_of_a_batch() {
    check_ranges(Keccak256);
    check_ranges(Sha3_256);
}

proptest! {
    #[test]
    fn any_message_by_the_portable_one(message in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(digest(Keccak256, &message), portable_keccak256(&message));
        let found = digest(Sha3_256, &message);
        let expected = aws_lc_digest(&AWS_LC_SHA3_256, &message);
        prop_assert_eq!(found.as_slice(), expected.as_ref());
    }
}
