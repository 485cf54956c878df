use super::*;
use crate::messages::judging::{Many, check, hex};

struct Sha256Many;

impl Many<32> for Sha256Many {
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
    let digest = Sha256Many::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    assert_eq!(hex(&digest[0]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn batches_of_all_kinds() {
    check::<Sha256Many, 32>();
}

struct Twice;

impl Many<32> for Twice {
    fn of<'a>(unit: Unit, messages: &'a [Vec<u8>], alone: Option<Alone<&'a [u8], 32>>) -> Vec<[u8; 32]> {
        let mut digests = vec![[0; 32]; messages.len()];
        many_twice(unit, alone, |i| messages[i].as_slice(), &mut digests);
        digests
    }

    fn of_parts(unit: Unit, messages: &[[&[u8]; 3]]) -> Vec<[u8; 32]> {
        let mut digests = vec![[0; 32]; messages.len()];
        many_twice(unit, None, |i| messages[i], &mut digests);
        digests
    }
}

#[test]
fn twice_is_once_and_once_more() {
    check::<Twice, 32>();
    let messages: Vec<_> = (0..40).map(|i| vec![i as u8; 5 * i]).collect();
    let once: Vec<_> = Sha256Many::of(Unit::PORTABLE, &messages, None).iter().map(|digest| digest.to_vec()).collect();
    assert_eq!(Twice::of(Unit::PORTABLE, &messages, None), Sha256Many::of(Unit::PORTABLE, &once, None));
}
