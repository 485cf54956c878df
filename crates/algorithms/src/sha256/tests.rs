use aws_lc_rs::digest::{SHA256, digest as aws_lc_digest};
use outrigger_types::HashAlgorithm::{Sha256, Sha256d};
use proptest::prelude::*;

use crate::hashing::judging::{
    bytes32, check_kernels, check_lanes, check_lengths, check_ranges, check_responses, digest, pattern, values,
};

const SHORT: &str = include_str!("../../vectors/sha256/SHA256ShortMsg.rsp");
const LONG: &str = include_str!("../../vectors/sha256/SHA256LongMsg.rsp");
const MONTE: &str = include_str!("../../vectors/sha256/SHA256Monte.rsp");

#[test]
fn nist_messages() {
    check_responses(Sha256, SHORT);
    check_responses(Sha256, LONG);
}

/// SHAVS, section 6.4: each of 100 seeds is hashed a thousand times over, three digests at a time.
#[test]
fn nist_monte_carlo() {
    let mut seed = bytes32(values(MONTE, "Seed")[0]);
    let expected = values(MONTE, "MD");
    assert_eq!(expected.len(), 100);
    for (count, expected) in expected.into_iter().enumerate() {
        let mut last = [seed; 3];
        for _ in 0..1000 {
            last = [last[1], last[2], super::sha256(&last.concat())];
        }
        seed = last[2];
        assert_eq!(seed, bytes32(expected), "count {count}");
    }
}

#[test]
fn lengths_by_openssl() {
    check_lengths(Sha256, include_str!("../../vectors/sha256/sha256.json"));
    check_lengths(Sha256d, include_str!("../../vectors/sha256/sha256d.json"));
}

#[test]
fn every_length_around_two_blocks_by_aws_lc() {
    for length in 0..=257 {
        let message = pattern(length);
        let once = aws_lc_digest(&SHA256, &message);
        assert_eq!(digest(Sha256, &message), once.as_ref(), "{length} bytes");
        assert_eq!(digest(Sha256d, &message), aws_lc_digest(&SHA256, once.as_ref()).as_ref(), "{length} bytes");
    }
}

#[test]
fn lanes_agree_with_the_library() {
    check_lanes(Sha256);
    check_lanes(Sha256d);
}

#[test]
fn kernels_agree_with_the_library() {
    check_kernels(Sha256);
    check_kernels(Sha256d);
}

#[test]
fn ranges_of_a_batch() {
    check_ranges(Sha256);
    check_ranges(Sha256d);
}

proptest! {
    #[test]
    fn any_message_by_aws_lc(message in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let found = digest(Sha256, &message);
        let expected = aws_lc_digest(&SHA256, &message);
        prop_assert_eq!(found.as_slice(), expected.as_ref());
    }
}
