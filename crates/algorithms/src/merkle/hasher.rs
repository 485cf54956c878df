//! Many nodes at once, by the hash function of the tree.

use outrigger_types::{Column, ColumnBuf, HashWork, Operation, Output, Verdict};
use outrigger_vector::Unit;

use super::NODE_BYTES;
use crate::room::{HashLanes, HashRules};

/// Messages that are given a prefix and hashed as one batch: enough for lanes, few enough for their copies to stay in
/// the cache.
const PREFIXED: usize = 512;

/// Bytes that such a batch is cut at.
const PREFIXED_BYTES: usize = 1 << 18;

/// The hash function of a tree and who carries it out: this is all of a tree that lanes do, so a room that has
/// lanes for its function has them for its trees.
#[derive(Clone, Copy)]
pub(super) struct Hasher {
    rules: &'static HashRules,
    lanes: Option<(Unit, &'static HashLanes)>,
}

impl Hasher {
    /// The room's own function.
    pub(super) const fn reference(rules: &'static HashRules) -> Self {
        Self { rules, lanes: None }
    }

    /// The room's lanes, where it has them.
    pub(super) fn in_lanes(rules: &'static HashRules, unit: Unit) -> Self {
        Self { rules, lanes: rules.lanes.as_ref().map(|lanes| (unit, lanes)) }
    }

    pub(super) const fn rules(self) -> &'static HashRules {
        self.rules
    }

    /// The digests of a column of well-formed messages, one after the other.
    pub(super) fn hash(self, messages: ColumnBuf) -> Vec<u8> {
        let count = messages.len();
        let mut output = Output::unprocessed(Operation::Hash(self.rules.algorithm), count);
        let work = HashWork { algorithm: self.rules.algorithm, messages };
        match self.lanes {
            Some((unit, lanes)) => (lanes.hash)(unit, &work, 0..count, &mut output),
            None => (self.rules.hash)(&work, 0..count, &mut output),
        }
        debug_assert!(output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid));
        output.fixed
    }

    /// As [`Self::hash`], with a byte before every message.
    pub(super) fn hash_prefixed(self, prefix: u8, messages: Column<'_>) -> Vec<u8> {
        let mut digests = Vec::with_capacity((messages.len() + 1) * NODE_BYTES);
        let mut bytes = Vec::new();
        let mut lengths: Vec<u32> = Vec::new();
        for (i, message) in messages.iter().enumerate() {
            bytes.push(prefix);
            bytes.extend_from_slice(message);
            lengths.push(u32::try_from(1 + message.len()).expect("a message of a request is below 4 GiB"));
            if lengths.len() == PREFIXED || bytes.len() >= PREFIXED_BYTES || i + 1 == messages.len() {
                let piece = ColumnBuf::with_lengths(std::mem::take(&mut bytes).into(), &lengths);
                digests.extend_from_slice(&self.hash(piece.expect("the lengths of these messages")));
                lengths.clear();
            }
        }
        digests
    }
}
