use super::*;
use crate::messages::judging::{self, Many, check, hex};

judging::many!(Blake2bMany, 32, many());

#[test]
fn known_answers() {
    let digest = Blake2bMany::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    assert_eq!(hex(&digest[0]), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

#[test]
fn batches_of_all_kinds() {
    check::<Blake2bMany, 32>();
}
