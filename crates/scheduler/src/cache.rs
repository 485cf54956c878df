//! Verdicts of items that were judged before, and equal items in flight: nodes verify a transaction when it
//! enters the pool and again in its block.
//!
//! An item's key is BLAKE3-256 over the ruleset, its version, the operation, the options and all bytes, each with
//! its length, so that equal keys mean equal work. Memory is bounded by two generations: when the young one is
//! full it becomes the old one, and what is still asked for moves up. Shards keep the locks short.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_types::{MessageForm, Operation, Output, Priority, SignatureWork, Verdict, Work};
use tokio::sync::Semaphore;

mod gather;

pub(crate) use gather::gather;

/// The key of an item.
pub type Key = [u8; 32];

/// Locks that the entries are spread over: a few times the I/O threads of a service.
const SHARDS: usize = 16;

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    verdict: Verdict,
    fixed: Box<[u8]>,
}

/// Work in flight that others may wait for.
pub(crate) struct Flight {
    priority: Priority,
    /// Never has a permit; closed when the work has ended, one way or the other.
    ended: Semaphore,
}

impl Flight {
    /// Waits until the work has ended. Whether it left an answer, the cache knows.
    pub(crate) async fn ended(&self) {
        // An error is what is waited for: the semaphore was closed.
        let _ = self.ended.acquire().await;
    }
}

#[derive(Default)]
struct Shard {
    young: HashMap<Key, Kept>,
    old: HashMap<Key, Kept>,
    /// Items in flight and, within their flight, their place.
    pending: HashMap<Key, (Arc<Flight>, usize)>,
}

impl Shard {
    fn find(&mut self, key: &Key, young_max: usize) -> Option<Kept> {
        if let Some(kept) = self.young.get(key) {
            return Some(kept.clone());
        }
        let kept = self.old.remove(key)?;
        self.keep(*key, kept.clone(), young_max);
        Some(kept)
    }

    fn keep(&mut self, key: Key, kept: Kept, young_max: usize) {
        if self.young.len() >= young_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, kept);
    }
}

/// The bounded cache.
pub struct VerdictCache {
    shards: Vec<Mutex<Shard>>,
    /// Entries of the young generation of each shard; the old one has at most as many.
    young_max: usize,
}

/// How an item of a request stands with the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Answered,
    /// This request does it, at this place of its claim.
    Mine(usize),
    /// Another request does it.
    Theirs,
}

impl VerdictCache {
    /// A cache of about `entries` verdicts, at least one a shard and generation.
    pub fn new(entries: usize) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), young_max: entries.div_ceil(2 * SHARDS).max(1) }
    }

    /// Verdicts kept now.
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(count).sum()
    }

    /// Verdicts kept at most.
    pub const fn len_max(&self) -> usize {
        2 * SHARDS * self.young_max
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks up the items of `open` (numbers into `keys` and `output`): writes the answers that are known into
    /// `output`, and claims the items that nobody does. Items that someone less urgent does are claimed as well:
    /// urgent work never waits for a lower class.
    pub(crate) fn claim(
        self: &Arc<Self>,
        keys: &[Key],
        open: &[usize],
        output: &mut Output,
        priority: Priority,
    ) -> Claim {
        let flight = Arc::new(Flight { priority, ended: Semaphore::new(0) });
        let mut claim = Claim {
            cache: self.clone(),
            flight,
            mine: Vec::new(),
            keys: Vec::new(),
            twins: Vec::new(),
            theirs: Vec::new(),
            flights: Vec::new(),
            hits: 0,
        };
        for &item in open {
            match self.look_up(&keys[item], item, output, &mut claim) {
                Standing::Answered => claim.hits += 1,
                Standing::Mine(place) if place < claim.mine.len() => claim.twins.push((item, place)),
                Standing::Mine(_) => {
                    claim.mine.push(item);
                    claim.keys.push(keys[item]);
                }
                Standing::Theirs => claim.theirs.push(item),
            }
        }
        claim
    }

    fn look_up(&self, key: &Key, item: usize, output: &mut Output, claim: &mut Claim) -> Standing {
        let mut shard = self.shard(key);
        if let Some(kept) = shard.find(key, self.young_max) {
            write(output, item, kept.verdict, &kept.fixed);
            return Standing::Answered;
        }
        match shard.pending.get(key) {
            Some((flight, place)) if Arc::ptr_eq(flight, &claim.flight) => return Standing::Mine(*place),
            Some((flight, _)) if flight.priority >= claim.flight.priority => {
                if !claim.flights.iter().any(|known| Arc::ptr_eq(known, flight)) {
                    claim.flights.push(flight.clone());
                }
                return Standing::Theirs;
            }
            _ => {}
        }
        shard.pending.insert(*key, (claim.flight.clone(), claim.mine.len()));
        Standing::Mine(claim.mine.len())
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(key[0]) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(output: &mut Output, item: usize, verdict: Verdict, fixed: &[u8]) {
    output.verdicts[item] = verdict;
    output.fixed[item * fixed.len()..(item + 1) * fixed.len()].copy_from_slice(fixed);
}

/// What one request does for itself and others. When it is dropped, done or not, others stop waiting.
pub(crate) struct Claim {
    cache: Arc<VerdictCache>,
    flight: Arc<Flight>,
    /// Items that this request does.
    pub(crate) mine: Vec<usize>,
    keys: Vec<Key>,
    /// Items equal to one of `mine`, and which.
    pub(crate) twins: Vec<(usize, usize)>,
    /// Items that others do.
    pub(crate) theirs: Vec<usize>,
    /// The flights that do them.
    pub(crate) flights: Vec<Arc<Flight>>,
    /// Items that were answered.
    pub(crate) hits: usize,
}

impl Claim {
    /// Takes the answers to `mine`, in that order: writes them into `output` and keeps those that are verdicts.
    pub(crate) fn publish(self, answers: &Output, output: &mut Output) {
        let stride = if answers.verdicts.is_empty() { 0 } else { answers.fixed.len() / answers.verdicts.len() };
        let fixed = |place: usize| &answers.fixed[place * stride..(place + 1) * stride];
        for (place, (&item, key)) in self.mine.iter().zip(&self.keys).enumerate() {
            let verdict = answers.verdicts[place];
            write(output, item, verdict, fixed(place));
            if verdict != Verdict::Unprocessed {
                let kept = Kept { verdict, fixed: fixed(place).into() };
                self.cache.shard(key).keep(*key, kept, self.cache.young_max);
            }
        }
        for &(item, place) in &self.twins {
            write(output, item, answers.verdicts[place], fixed(place));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        for key in &self.keys {
            let mut shard = self.cache.shard(key);
            if shard.pending.get(key).is_some_and(|(flight, _)| Arc::ptr_eq(flight, &self.flight)) {
                shard.pending.remove(key);
            }
        }
        self.flight.ended.close();
    }
}

/// The keys of some items, where the operation is one whose answers are kept: verification and recovery of
/// signatures.
pub fn keys_of(work: &Work, items: Range<usize>) -> Option<Vec<Key>> {
    let (Work::Verify(signatures) | Work::Recover(signatures)) = work else { return None };
    let context = context_of(work.operation(), signatures);
    let mut bytes = Vec::with_capacity(512);
    let keys = items
        .map(|item| {
            bytes.clear();
            bytes.extend_from_slice(&context);
            for part in [signatures.keys.item(item), signatures.signature(item), signatures.message(item)] {
                bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
                bytes.extend_from_slice(part);
            }
            *blake3::hash(&bytes).as_bytes()
        })
        .collect();
    Some(keys)
}

/// A digest of all that the items of a request have in common.
fn context_of(operation: Operation, work: &SignatureWork) -> Key {
    let version = outrigger_algorithms::rules(work.ruleset).map_or(0, |rules| rules.version);
    let mut hasher = blake3::Hasher::new();
    for name in [operation.kind(), work.ruleset.name()] {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
    }
    let options = &work.options;
    let is_digest = options.message_form == MessageForm::Digest;
    hasher.update(&version.to_le_bytes()).update(&[u8::from(is_digest), u8::from(options.allow_high_s)]);
    hasher.update(&(options.identity.len() as u64).to_le_bytes()).update(&options.identity);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
