//! SM3 in lanes: sixteen messages at a time.

use std::ops::Range;

use ::sm3::{Digest, Sm3};
use outrigger_types::{HashWork, Output};
use outrigger_vector::Unit;
use outrigger_vector::messages::Alone;
use outrigger_vector::sm3::many;

use super::sm3;
use crate::hashing;
use crate::room::HashLanes;

/// A block of all lanes takes as long as two by the library.
const WORTH: usize = 2;

pub(super) const SM3: HashLanes = HashLanes { piece_items: 1024, hash };

fn hash(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        many(unit, Some(Alone { digest: sm3, worth: WORTH }), |i| messages.item(i), digests);
    });
}

/// The digests of messages of two parts.
pub(super) fn digests(unit: Unit, messages: &[[&[u8]; 2]]) -> Vec<[u8; 32]> {
    let digest = |[first, second]: [&[u8]; 2]| Sm3::new_with_prefix(first).chain_update(second).finalize().into();
    let mut digests = vec![[0; 32]; messages.len()];
    many(unit, Some(Alone { digest, worth: WORTH }), |i| messages[i], &mut digests);
    digests
}
