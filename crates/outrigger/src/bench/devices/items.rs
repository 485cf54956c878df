//! Items whose answers are known: signed ones and the same spoilt, messages of many lengths, leaves of trees.
//!
//! A pool is made once for an operation and judged by the CPU; batches of any size go round it, so that a million items
//! cost no more to sign than a few thousand.

use std::ops::Range;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use outrigger_algorithms::{Unit, planted, registry};
use outrigger_scheduler::CoreEngine;
use outrigger_types::packed::{Marks, Part};
use outrigger_types::{
    ColumnBuf, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, Operation, Output, Ruleset, SignatureWork,
    Verdict, Work,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::bench::verify::carry_out_parts;
use crate::bench::{cores, known};
use crate::cli::Failure;
use crate::workload::{self, Fault, Signed, Signer};

/// Items of a pool: a prime, so that no batch's groups always meet the same ones.
const POOL: usize = 4_093;
/// Bytes of a message where the ruleset takes one.
const MESSAGE_BYTES: usize = 120;
/// Bytes of a hashed message, and of a leaf.
const HASHED_BYTES: usize = 64;
const LEAF_BYTES: usize = 32;
/// Larger trees are judged by the fastest engine of the cores: the reference of Poseidon would take a minute.
const REFERENCE_LEAVES_MAX: usize = 70_000;

/// Signers of a batch whose keys are known: a consortium's nodes.
pub(super) const KNOWN_KEYS: usize = 64;

/// What a batch is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Good items and bad ones of every sort.
    Mixed,
    /// Good items of one length: for the clock.
    Good,
    /// The same by [`KNOWN_KEYS`] keys, all of which are marked as known.
    Known,
}

/// Where batches of an operation come from.
pub(super) enum Source {
    Pool { work: Arc<Work>, answers: Output, are_known: bool },
    Tree { tree: MerkleTree, algorithm: HashAlgorithm, leaves: Bytes },
}

/// A batch with the answer that it must get.
pub(super) struct Batch {
    pub(super) operation: Operation,
    pub(super) items: usize,
    pub(super) parts: Vec<Part>,
    /// On all items or on none.
    pub(super) marks: Marks,
}

impl Source {
    /// The source of an operation, for batches of so many items at most.
    pub(super) fn new(operation: Operation, kind: Kind, items_max: usize) -> Result<Self, Failure> {
        let count = POOL.min(items_max.max(1));
        let work = match operation {
            Operation::Verify(ruleset) => Work::Verify(signed(ruleset, kind, count)?),
            Operation::Recover(ruleset) => {
                let keys = Keys::Inline(ColumnBuf::empty());
                Work::Recover(SignatureWork { keys, ..signed(ruleset, kind, count)? })
            }
            Operation::Hash(algorithm) => {
                Work::Hash(HashWork { algorithm, messages: messages(algorithm, kind, count) })
            }
            Operation::Merkle(tree, algorithm) => {
                return Ok(Self::Tree { tree, algorithm, leaves: leaves(items_max) });
            }
            Operation::VerifySets(_) | Operation::EthereumTransactions | Operation::VerifyProofs(_) => {
                let plants =
                    if kind == Kind::Mixed { planted::mixed(count) } else { vec![planted::Plant::Good; count] };
                planted::work(operation, &plants)
                    .ok_or_else(|| Failure::work(format_args!("{operation:?}: no items are known for it")))?
            }
        };
        let work = Arc::new(work);
        let answers = judged(&work);
        Ok(Self::Pool { work, answers, are_known: kind == Kind::Known })
    }

    /// Builds the tables of its keys on the cores, where they have such, and says what that took.
    pub(super) fn warm_cores(&self) -> Result<Option<Value>, Failure> {
        match self {
            Self::Pool { work, .. } if Unit::detect().is_some() => match &**work {
                Work::Verify(work) => {
                    known::warm(work.ruleset, (0..work.signatures.len()).map(|item| work.keys.item(item)))
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// A batch of so many items.
    pub(super) fn batch(&self, operation: Operation, items: usize) -> Batch {
        let parts = match self {
            Self::Pool { work, .. } => rounds(work.items(), items).map(|range| (work.clone(), range)).collect(),
            Self::Tree { tree, algorithm, leaves } => {
                let bytes = leaves.slice(..LEAF_BYTES * items);
                let leaves = ColumnBuf::with_count(bytes, items).expect("whole leaves");
                // The last leaf of an odd tree has the oddest path; of large ones only the root is of interest.
                let prove = (items % 2 == 1).then(|| items - 1);
                let work = MerkleWork { tree: *tree, algorithm: *algorithm, leaves, prove };
                vec![(Arc::new(Work::Merkle(work)), 0..items)]
            }
        };
        let marks = match self {
            Self::Pool { are_known: true, .. } => (0..items).map(|_| true).collect(),
            _ => Marks::none(),
        };
        Batch { operation, items, parts, marks }
    }

    /// The answer that a batch must get, by the CPU.
    pub(super) fn expected(&self, batch: &Batch, fastest: &CoreEngine) -> Result<Output, Failure> {
        match self {
            Self::Pool { answers, .. } => {
                let mut whole = Output::default();
                for (_, range) in &batch.parts {
                    whole.append(answers.slice(batch.operation, range.clone()));
                }
                Ok(whole)
            }
            Self::Tree { .. } if batch.items > REFERENCE_LEAVES_MAX => carry_out_parts(fastest, &batch.parts),
            Self::Tree { .. } => Ok(registry::run(&batch.parts[0].0, 0..batch.items)),
        }
    }
}

/// Ranges of a pool that make up so many items, round after round.
fn rounds(pool: usize, items: usize) -> impl Iterator<Item = Range<usize>> {
    (0..items.div_ceil(pool)).map(move |round| 0..pool.min(items - round * pool))
}

/// What the reference says of all items.
fn judged(work: &Work) -> Output {
    on_all_cores(work.items(), |range| registry::run(work, range)).into_iter().fold(
        Output::default(),
        |mut whole, part| {
            whole.append(part);
            whole
        },
    )
}

/// What is made of the ranges that `count` items are cut into, in order.
fn on_all_cores<T: Send>(count: usize, make: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let (threads, make) = (cores(), &make);
    thread::scope(|scope| {
        let range = |thread: usize| count * thread / threads..count * (thread + 1) / threads;
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || make(range(thread)))).collect();
        running.into_iter().map(|one| one.join().expect("no thread panicked")).collect()
    })
}

/// Signatures, each by a key of its own unless the keys are to be known; mixed: every other one spoilt in one of several
/// ways. Whoever signed and the reference must agree on each whose verdict does not depend on chance.
fn signed(ruleset: Ruleset, kind: Kind, count: usize) -> Result<SignatureWork, Failure> {
    let signers = if kind == Kind::Known { KNOWN_KEYS } else { 0 };
    let mut rng = StdRng::seed_from_u64(0x0051);
    let signers: Vec<_> = (0..signers).map(|_| Signer::new(ruleset, &mut rng)).collect();
    let (items, by_chance): (Vec<Signed>, Vec<bool>) = on_all_cores(count, |range| {
        let mut rng = StdRng::seed_from_u64(0x6b75 ^ range.start as u64);
        let spoilt = range.map(|place| {
            let fresh = signers.is_empty().then(|| Signer::new(ruleset, &mut rng));
            let signer = fresh.as_ref().unwrap_or_else(|| &signers[place % signers.len()]);
            let mut item = signer.sign(workload::message(ruleset, MESSAGE_BYTES, &mut rng));
            let by_chance = kind == Kind::Mixed && spoil(place, &mut item, ruleset, &mut rng);
            (item, by_chance)
        });
        spoilt.collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .unzip();
    let work = workload::pack(ruleset, &items);
    let answers = judged(&Work::Verify(work.clone()));
    let disagrees = |place: &usize| !by_chance[*place] && answers.verdicts[*place] != items[*place].expected;
    match (0..count).find(disagrees) {
        None => Ok(work),
        Some(place) => Err(Failure::work(format_args!("{ruleset}: the reference is wrong about item {place}"))),
    }
}

/// Spoils every other item. Gives back whether the verdict depends on chance.
fn spoil(place: usize, item: &mut Signed, ruleset: Ruleset, rng: &mut StdRng) -> bool {
    if place.is_multiple_of(2) {
        return false;
    }
    let turn = place / 2 % (Fault::ALL.len() + 1);
    if let Some(fault) = Fault::ALL.get(turn) {
        fault.apply(item, Signer::new(ruleset, rng).key());
        return false;
    }
    let column = match rng.random_range(0..3) {
        0 => &mut item.key,
        1 => &mut item.signature,
        _ => &mut item.message,
    };
    let byte = rng.random_range(0..column.len());
    column[byte] ^= 1 << rng.random_range(0..8);
    true
}

/// Messages to hash: of one length, or of lengths around the blocks of every function. Poseidon takes elements, of
/// which mixed ones may be past the modulus.
fn messages(algorithm: HashAlgorithm, kind: Kind, count: usize) -> ColumnBuf {
    let mut rng = StdRng::seed_from_u64(0x4a5);
    let is_poseidon = algorithm == HashAlgorithm::PoseidonBn254;
    let items: Vec<Vec<u8>> = (0..count)
        .map(|i| {
            let length = match kind {
                Kind::Good | Kind::Known => HASHED_BYTES,
                Kind::Mixed if is_poseidon => 32 * (i % 18),
                Kind::Mixed => i % 311,
            };
            let mut bytes = vec![0; length];
            rng.fill(&mut bytes[..]);
            if is_poseidon && (kind != Kind::Mixed || i % 5 != 0) {
                // Below the modulus.
                bytes.iter_mut().step_by(32).for_each(|byte| *byte &= 0x0f);
            }
            bytes
        })
        .collect();
    ColumnBuf::from_items(&items)
}

/// Leaves that are digests and field elements alike.
fn leaves(count: usize) -> Bytes {
    let mut bytes = vec![0; LEAF_BYTES * count];
    StdRng::seed_from_u64(0x1eaf).fill(&mut bytes[..]);
    bytes.iter_mut().step_by(LEAF_BYTES).for_each(|byte| *byte &= 0x0f);
    Bytes::from(bytes)
}

impl Batch {
    /// How many answers it gets.
    pub(super) fn answers(&self) -> usize {
        if self.operation.is_divisible() { self.items } else { 1 }
    }

    /// Whether all of it was accepted.
    pub(super) fn is_accepted(&self, output: &Output) -> bool {
        output.verdicts.len() == self.answers() && output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid)
    }
}

#[cfg(test)]
mod tests;
