use super::*;
use crate::messages::judging::{Many, check, hex};

struct Blake2bMany;

impl Many<32> for Blake2bMany {
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

#[test]
fn known_answers() {
    let digest = Blake2bMany::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    assert_eq!(hex(&digest[0]), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

#[test]
fn batches_of_all_kinds() {
    check::<Blake2bMany, 32>();
}
