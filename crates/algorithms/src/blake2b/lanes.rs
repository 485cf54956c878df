//! BLAKE2b in lanes: eight messages at a time.

use std::ops::Range;

use outrigger_types::{HashWork, Output};
use outrigger_vector::Unit;
use outrigger_vector::blake2b::many;
use outrigger_vector::messages::Alone;

use super::blake2b_256;
use crate::hashing;
use crate::room::HashLanes;

/// A block of all lanes takes as long as so many by the library.
const WORTH: usize = 2;

pub(super) const BLAKE2B_256: HashLanes = HashLanes { piece_items: 1024, hash };

fn hash(unit: Unit, work: &HashWork, range: Range<usize>, output: &mut Output) {
    hashing::together(work, range, output, |messages, digests| {
        many(unit, Some(Alone { digest: blake2b_256, worth: WORTH }), |i| messages.item(i), digests);
    });
}
