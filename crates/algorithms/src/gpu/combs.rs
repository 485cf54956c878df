//! Combs of known signers that stay on a device: one buffer a room, cut into slots of one comb each.
//!
//! Whose key gets a comb is decided by whoever marks items, the sidecar with its own tables ([`crate::known_keys`]);
//! here only room is given. A comb that was not used for the longest time makes room for a new one, unless a batch on
//! another queue of the device holds it, or all were used of late: keys that come by turns and are more than the slots
//! must not have a comb built for each batch, which costs as much as 30 to 50 signatures without.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_device::{Buffer, DeviceError};
use outrigger_types::Verdict;

use super::{Given, Results, Rows, Session};

/// A comb as `curves/combs.inc` writes it: a work-item one of its windows.
pub(crate) const COMB_WINDOWS: usize = 32;
/// Its length.
pub(crate) const COMB_BYTES: usize = COMB_WINDOWS * 128 * 64;

/// Bytes of one room's combs at most: 256 of them, more signers than consortium chains have.
const BYTES_MAX: u64 = 64 << 20;
/// The part of a device's memory that one room's combs may take: an eighth for the three rooms that have them.
const MEMORY_PART: u64 = 24;

/// Combs that were used in one of so many batches of their room before this one stay.
const BATCHES_KEPT: u64 = 16;

/// The combs of all rooms on a device.
#[derive(Debug, Default)]
pub(super) struct Combs {
    /// Bytes of one room's at most, where something else is said than above.
    bytes_max: Option<usize>,
    rooms: Mutex<HashMap<&'static str, Arc<Mutex<Shelf>>>>,
}

/// What happened to the combs of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CombStats {
    /// Combs that were built.
    pub builds: u64,
    /// Combs that made room for others.
    pub evictions: u64,
    /// Combs that refused what is valid, and were dropped.
    pub damaged: u64,
    /// Combs there are.
    pub combs: usize,
}

/// The combs of a room.
#[derive(Debug)]
struct Shelf {
    buffer: Arc<Buffer>,
    slots: Vec<Slot>,
    by_key: HashMap<Arc<[u32]>, usize>,
    /// Batches so far.
    batches: u64,
    stats: CombStats,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    key: Option<Arc<[u32]>>,
    /// The batch that used it last.
    used: u64,
    /// Batches that use it now.
    holders: u32,
}

/// Combs that a batch uses: nobody builds others in their place until this is dropped.
pub(crate) struct Held {
    shelf: Arc<Mutex<Shelf>>,
    buffer: Arc<Buffer>,
    /// The slot of each key asked for, where it has one.
    slots: Vec<Option<u32>>,
    held: BTreeSet<usize>,
}

/// How the combs of a room's keys are built. The words of a key, of which the last is the number of its slot, stand for
/// it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CombKind {
    /// The room.
    pub(crate) name: &'static str,
    /// The kernel that builds them.
    pub(crate) kernel: &'static str,
}

impl Combs {
    pub(super) fn with_bytes(bytes_max: usize) -> Self {
        Self { bytes_max: Some(bytes_max), ..Self::default() }
    }

    /// How things stand in a room.
    pub(super) fn stats(&self, room: &str) -> CombStats {
        let shelf = lock(&self.rooms).get(room).cloned();
        shelf.map_or_else(CombStats::default, |shelf| lock(&shelf).stats())
    }

    /// The buffer of a room's combs, where it has any.
    #[cfg(test)]
    pub(super) fn buffer(&self, room: &str) -> Option<Arc<Buffer>> {
        let shelf = lock(&self.rooms).get(room).cloned()?;
        let buffer = lock(&shelf).buffer.clone();
        Some(buffer)
    }

    /// The room's combs, none of them built at first; nothing where there is no memory for them.
    fn shelf(&self, room: &'static str, session: &mut Session<'_>) -> Result<Option<Arc<Mutex<Shelf>>>, DeviceError> {
        let mut rooms = lock(&self.rooms);
        if let Some(shelf) = rooms.get(room) {
            return Ok(Some(shelf.clone()));
        }
        let share = (session.queue().info().memory_bytes / MEMORY_PART).min(BYTES_MAX);
        let slots = self.bytes_max.unwrap_or(share as usize) / COMB_BYTES;
        if slots == 0 {
            return Ok(None);
        }
        let Some(buffer) = unless_full(session.queue().allocate(slots * COMB_BYTES))? else { return Ok(None) };
        let shelf = Arc::new(Mutex::new(Shelf::new(buffer, slots)));
        rooms.insert(room, shelf.clone());
        Ok(Some(shelf))
    }

    /// The combs of keys, in their order; those that are not there are built, as far as there is room. Nothing where
    /// the device has no memory for combs.
    pub(super) fn hold<const K: usize>(
        &self,
        kind: CombKind,
        session: &mut Session<'_>,
        keys: &[[u32; K]],
    ) -> Result<Option<Held>, DeviceError> {
        let Some(shared) = self.shelf(kind.name, session)? else { return Ok(None) };
        // Batches on other queues that need combs wait for those that are being built.
        let mut shelf = lock(&shared);
        let strangers = shelf.strangers(keys);
        let wanted = shelf.places_for(strangers);
        let built = if wanted.is_empty() { Ok(Vec::new()) } else { build(kind, session, &shelf.buffer, &wanted) };
        shelf.keep(wanted, built.as_deref().unwrap_or_default());
        built?;
        let held = Held {
            shelf: shared.clone(),
            buffer: shelf.buffer.clone(),
            slots: keys.iter().map(|key| shelf.by_key.get(&key[..]).map(|&slot| slot as u32)).collect(),
            held: keys.iter().filter_map(|key| shelf.by_key.get(&key[..]).copied()).collect(),
        };
        for &slot in &held.held {
            shelf.slots[slot].holders += 1;
        }
        Ok(Some(held))
    }
}

/// Has the device build combs in their slots, and says of each key whether it has one now: what is no point has none.
fn build<const K: usize>(
    kind: CombKind,
    session: &mut Session<'_>,
    buffer: &Buffer,
    wanted: &[([u32; K], usize)],
) -> Result<Vec<bool>, DeviceError> {
    let mut rows = Rows::<K>::with_capacity(wanted.len());
    for (place, (key, slot)) in wanted.iter().enumerate() {
        let mut row = *key;
        row[K - 1] = *slot as u32;
        rows.push(place, row);
    }
    let launched = rows.upload(session).and_then(|keys| {
        let given = [Given::Buffer(&keys), Given::Buffer(buffer), Given::Results, Given::Count];
        let nonce = [Given::NonceLow, Given::NonceHigh];
        session.judge_with(
            kind.kernel,
            wanted.len() * COMB_WINDOWS,
            wanted.len(),
            0,
            &[&given[..], &nonce[..]].concat(),
        )
    });
    let Some(results): Option<Results> = unless_full(launched)? else { return Ok(vec![false; wanted.len()]) };
    let mut verdicts = vec![Verdict::Unprocessed; wanted.len()];
    rows.settle(kind.kernel, &results, &mut verdicts)?;
    Ok(verdicts.into_iter().map(|verdict| verdict == Verdict::Valid).collect())
}

/// Nothing where the device's memory is full: there is a way without.
fn unless_full<T>(result: Result<T, DeviceError>) -> Result<Option<T>, DeviceError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(DeviceError::OutOfMemory { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Shelf {
    fn new(buffer: Buffer, slots: usize) -> Self {
        Self {
            buffer: Arc::new(buffer),
            slots: vec![Slot::default(); slots],
            by_key: HashMap::new(),
            batches: 0,
            stats: CombStats::default(),
        }
    }

    fn stats(&self) -> CombStats {
        CombStats { combs: self.by_key.len(), ..self.stats }
    }

    /// Begins a batch: its keys without combs, each once.
    fn strangers<const K: usize>(&mut self, keys: &[[u32; K]]) -> Vec<[u32; K]> {
        self.batches += 1;
        let (mut strangers, mut seen) = (Vec::new(), BTreeSet::new());
        for key in keys {
            match self.by_key.get(&key[..]) {
                Some(&slot) => self.slots[slot].used = self.batches,
                None if seen.insert(key) => strangers.push(*key),
                None => {}
            }
        }
        strangers
    }

    /// Slots for the first of these keys, as far as there is room; they stand for nothing until [`Self::keep`].
    fn places_for<const K: usize>(&mut self, keys: Vec<[u32; K]>) -> Vec<([u32; K], usize)> {
        let batch = self.batches;
        let is_idle = |slot: &Slot| slot.holders == 0 && (slot.key.is_none() || slot.used + BATCHES_KEPT < batch);
        let mut idle: Vec<usize> = (0..self.slots.len()).filter(|&slot| is_idle(&self.slots[slot])).collect();
        // Those that hold nothing first.
        idle.sort_by_key(|&slot| self.slots[slot].key.as_ref().map_or(0, |_| self.slots[slot].used));
        let places: Vec<_> = keys.into_iter().zip(idle).collect();
        for &(_, slot) in &places {
            if self.forget(slot) {
                self.stats.evictions += 1;
            }
        }
        places
    }

    /// Keeps what was built.
    fn keep<const K: usize>(&mut self, places: Vec<([u32; K], usize)>, is_built: &[bool]) {
        for ((key, slot), _) in places.into_iter().zip(is_built).filter(|(_, is_built)| **is_built) {
            let key: Arc<[u32]> = key.as_slice().into();
            self.slots[slot] = Slot { key: Some(key.clone()), used: self.batches, holders: 0 };
            self.by_key.insert(key, slot);
            self.stats.builds += 1;
        }
    }

    /// Whether the slot held a comb.
    fn forget(&mut self, slot: usize) -> bool {
        self.slots[slot].key.take().is_some_and(|key| self.by_key.remove(&key).is_some())
    }
}

impl Held {
    /// All slots of the room.
    pub(crate) fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// The slot of each key asked for, where it has one.
    pub(crate) fn slots(&self) -> &[Option<u32>] {
        &self.slots
    }

    /// Drops a comb that refused what is valid. Its key can get another.
    pub(crate) fn drop_damaged(&self, slot: u32) {
        let mut shelf = lock(&self.shelf);
        if shelf.forget(slot as usize) {
            shelf.stats.damaged += 1;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut shelf = lock(&self.shelf);
        for &slot in &self.held {
            shelf.slots[slot].holders -= 1;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
