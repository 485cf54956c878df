use super::*;
use crate::messages::judging::{Many, check, hex};

struct Sm3Many;

impl Many<32> for Sm3Many {
    fn of<'a>(unit: Unit, messages: &'a [Vec<u8>], alone: Option<Alone<&'a [u8], 32>>) -> Vec<[u8; 32]> {
        let mut digests = vec![[0; 32]; messages.len()];
        many(unit, alone, |i| messages[i].as_slice(), &mut digests);
        digests
    }

    fn of_parts(unit: Unit, messages: &[[&[u8]; 3]]) -> Vec<[u8; 32]> {
        let mut digests = vec![[0; 32]; messages.len()];
        many(unit, None, |i| messages[i], &mut digests);
        digests
    }
}

/// Example 1 of the standard.
#[test]
fn known_answers() {
    let digest = Sm3Many::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    assert_eq!(hex(&digest[0]), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

#[test]
fn batches_of_all_kinds() {
    check::<Sm3Many, 32>();
}
