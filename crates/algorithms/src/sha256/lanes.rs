//! SHA-256 in lanes, once and twice: sixteen messages at a time.

use std::ops::Range;

use outrigger_types::{HashWork, Output};
use outrigger_vector::Unit;
use outrigger_vector::messages::Alone;
use outrigger_vector::sha256::{many, many_twice};

use super::{sha256, sha256d};
use crate::hashing;
use crate::room::HashLanes;

/// A block of all lanes takes as long as so many with the SHA instructions of the processor.
const WORTH: usize = 6;

pub(super) const ONCE: HashLanes = HashLanes { piece_items: 2048, hash: hash_once };

pub(super) const TWICE: HashLanes = HashLanes { piece_items: 1536, hash: hash_twice };

fn hash_once(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        many(unit, Some(Alone { digest: sha256, worth: WORTH }), |i| messages.item(i), digests);
    });
}

fn hash_twice(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        many_twice(unit, Some(Alone { digest: sha256d, worth: WORTH }), |i| messages.item(i), digests);
    });
}

/// The digests of messages.
pub(super) fn digests(unit: Unit, messages: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut digests = vec![[0; 32]; messages.len()];
    many(unit, Some(Alone { digest: sha256, worth: WORTH }), |i| messages[i], &mut digests);
    digests
}
