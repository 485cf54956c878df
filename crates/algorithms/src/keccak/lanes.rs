//! Keccak-256 and SHA3-256 in lanes: eight messages at a time.

use std::ops::Range;

use outrigger_types::{HashWork, Output};
use outrigger_vector::Unit;
use outrigger_vector::keccak::{Domain, many};
use outrigger_vector::messages::{Alone, Message};

use super::{keccak256, sha3_256};
use crate::hashing;
use crate::room::HashLanes;

/// A permutation of all lanes takes less time than one by the library.
const WORTH: usize = 1;

pub(super) const KECCAK256: HashLanes = HashLanes { piece_items: 1024, hash: hash_keccak256 };

pub(super) const SHA3_256: HashLanes = HashLanes { piece_items: 1024, hash: hash_sha3_256 };

/// Keccak-256 of `count` messages of other rooms, which may come in parts.
pub(crate) fn keccak256_of_many<M: Message>(unit: Unit, count: usize, message: impl Fn(usize) -> M) -> Vec<[u8; 32]> {
    let mut digests = vec![[0; 32]; count];
    many(unit, Domain::Keccak256, None, message, &mut digests);
    digests
}

fn hash_keccak256(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        let alone = Alone { digest: keccak256, worth: WORTH };
        many(unit, Domain::Keccak256, Some(alone), |i| messages.item(i), digests);
    });
}

fn hash_sha3_256(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        let alone = Alone { digest: sha3_256, worth: WORTH };
        many(unit, Domain::Sha3_256, Some(alone), |i| messages.item(i), digests);
    });
}
