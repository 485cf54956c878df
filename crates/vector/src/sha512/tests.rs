use super::*;
use crate::messages::judging::{self, Many, check, hex};

judging::many!(Sha512Many, 64, many());

#[test]
fn known_answers() {
    let digest = Sha512Many::of(Unit::PORTABLE, &[b"abc".to_vec()], None);
    let expected = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                    2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    assert_eq!(hex(&digest[0]), expected);
}

#[test]
fn batches_of_all_kinds() {
    check::<Sha512Many, 64>();
}
