use super::*;
use crate::messages::judging::{self, Many, check, hex};

judging::many!(Sha256Many, 32, many());

#[test]
fn known_answers() {
    let digest = Sha256Many::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    assert_eq!(hex(&digest[0]), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn batches_of_all_kinds() {
    check::<Sha256Many, 32>();
}

judging::many!(Twice, 32, many_twice());

#[test]
fn twice_is_once_and_once_more() {
    check::<Twice, 32>();
    let messages: Vec<_> = (0..40).map(|i| vec![i as u8; 5 * i]).collect();
    let once: Vec<_> = Sha256Many::of(Unit::PORTABLE, &messages, None).iter().map(|digest| digest.to_vec()).collect();
    assert_eq!(Twice::of(Unit::PORTABLE, &messages, None), Sha256Many::of(Unit::PORTABLE, &once, None));
}
