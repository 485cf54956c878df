use super::*;
use crate::messages::judging::{self, Many, check, hex};

judging::many!(Sm3Many, 32, many());

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
