use outrigger_types::HashAlgorithm::Sm3;

use crate::hashing::judging::{
    bytes32, check_kernels, check_lanes, check_lengths, check_ranges, check_responses, digest,
};

/// Examples 1 and 2 of GB/T 32905, annex A.
#[test]
fn examples_of_the_standard() {
    let first = bytes32("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    assert_eq!(digest(Sm3, b"abc"), first);
    let second = bytes32("debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
    assert_eq!(digest(Sm3, &b"abcd".repeat(16)), second);
}

#[test]
fn vectors_of_the_state_cryptography_administration() {
    check_responses(Sm3, include_str!("../../vectors/sm3/oscca.txt"));
}

#[test]
fn lengths_by_openssl() {
    check_lengths(Sm3, include_str!("../../vectors/sm3/sm3.json"));
}

#[test]
fn lanes_agree_with_the_library() {
    check_lanes(Sm3);
}

#[test]
fn kernels_agree_with_the_library() {
    check_kernels(Sm3);
}

#[test]
fn ranges_of_a_batch() {
    check_ranges(Sm3);
}
