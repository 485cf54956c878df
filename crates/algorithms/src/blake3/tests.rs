use outrigger_types::HashAlgorithm::Blake3;

use crate::hashing::judging::{bytes32, check_lengths, check_ranges, digest, pattern};

/// From `test_vectors.json` of the BLAKE3 team: nothing, one chunk, one chunk and a byte.
#[test]
fn official_vectors() {
    for (length, expected) in [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
    ] {
        assert_eq!(digest(Blake3, &pattern(length)), bytes32(expected), "{length} bytes");
    }
}

#[test]
fn lengths_by_noble_hashes() {
    check_lengths(Blake3, include_str!("../../vectors/blake3/blake3.json"));
}

#[test]
fn ranges_of_a_batch() {
    check_ranges(Blake3);
}
