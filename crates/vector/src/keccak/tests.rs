use super::*;
use crate::messages::judging::{self, check, hex};

judging::many!(Keccak256, 32, many(Domain::Keccak256));

#[test]
fn known_answers() {
    let digest = |domain, message: &'static [u8]| {
        let mut digests = [[0; 32]];
        many(Unit::PORTABLE, domain, None, |_| message, &mut digests);
        hex(&digests[0])
    };
    let expected = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
    assert_eq!(digest(Domain::Keccak256, b"abc"), expected);
    let expected = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532";
    assert_eq!(digest(Domain::Sha3_256, b"abc"), expected);
}

/// The last constant of the standard, made of all steps of the shift register before it.
#[test]
fn constants_of_the_standard() {
    assert_eq!(ROUND_CONSTANTS[0], 1);
    assert_eq!(ROUND_CONSTANTS[1], 0x8082);
    assert_eq!(ROUND_CONSTANTS[23], 0x8000_0000_8000_8008);
}

#[test]
fn batches_of_all_kinds() {
    check::<Keccak256, 32>();
}
