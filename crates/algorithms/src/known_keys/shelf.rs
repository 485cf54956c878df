//! The tables that are kept, and which make room. No thread, no clock but a count of look-ups.

use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::{KeyTable, KnownKeyStats};

/// A table's checksum is looked at once in so many uses, about: microseconds in some milliseconds of work.
const USES_A_CHECK: u32 = 4_096;
/// Keys of registered sets get their tables at once while less than this part of the bound is used: (3, 4) is 3/4.
const AT_ONCE_PART: (usize, usize) = (3, 4);

struct Entry {
    table: Arc<dyn KeyTable>,
    bytes: usize,
    tenant: Arc<str>,
    /// The look-up that found it last.
    used: AtomicU64,
    /// How often it was found. Threads that count at the same time may lose each other's: it need not be exact.
    uses: AtomicU32,
}

/// Numbers that look-ups change, which share the shelf with each other.
#[derive(Default)]
struct Counts {
    /// Look-ups and new tables so far.
    now: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// All tables.
pub(super) struct Shelf {
    bytes_max: usize,
    bytes: usize,
    /// By room, then by key.
    rooms: HashMap<&'static str, HashMap<Box<[u8]>, Entry>>,
    /// Bytes of each tenant's tables; tenants without any are not named.
    tenants: HashMap<Arc<str>, usize>,
    counts: Counts,
    /// But for what is counted above.
    stats: KnownKeyStats,
}

impl Shelf {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            rooms: HashMap::new(),
            tenants: HashMap::new(),
            counts: Counts::default(),
            stats: KnownKeyStats::default(),
        }
    }

    pub(super) fn has(&self, kind: &'static str, key: &[u8]) -> bool {
        self.rooms.get(kind).is_some_and(|room| room.contains_key(key))
    }

    /// Whether a table would displace none.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < self.bytes_max / AT_ONCE_PART.1 * AT_ONCE_PART.0
    }

    /// The tables of keys, in their order. Those whose checksum should be looked at again are named with their place.
    pub(super) fn take<'k>(
        &self,
        kind: &'static str,
        keys: impl Iterator<Item = &'k [u8]>,
        suspects: &mut Vec<(usize, &'k [u8])>,
    ) -> Vec<Option<Arc<dyn KeyTable>>> {
        let now = self.counts.now.fetch_add(1, Ordering::Relaxed) + 1;
        let room = self.rooms.get(kind);
        let mut hits = 0;
        let mut found = Vec::with_capacity(keys.size_hint().0);
        for (place, key) in keys.enumerate() {
            let Some(entry) = room.and_then(|room| room.get(key)) else {
                found.push(None);
                continue;
            };
            hits += 1;
            entry.used.store(now, Ordering::Relaxed);
            let uses = entry.uses.load(Ordering::Relaxed).wrapping_add(1);
            entry.uses.store(uses, Ordering::Relaxed);
            if uses % USES_A_CHECK == 0 {
                suspects.push((place, key));
            }
            found.push(Some(entry.table.clone()));
        }
        self.counts.hits.fetch_add(hits, Ordering::Relaxed);
        self.counts.misses.fetch_add(found.len() as u64 - hits, Ordering::Relaxed);
        found
    }

    /// Which keys have tables, in their order; `None` stands for what can have none. Those that have are in use, as by
    /// [`Self::take`]: who asks has tables of them elsewhere.
    pub(super) fn mark<'k>(&self, kind: &'static str, keys: impl Iterator<Item = Option<&'k [u8]>>) -> Vec<bool> {
        let now = self.counts.now.fetch_add(1, Ordering::Relaxed) + 1;
        let room = self.rooms.get(kind).filter(|room| !room.is_empty());
        let is_kept = |key: Option<&[u8]>| {
            let entry = key.zip(room).and_then(|(key, room)| room.get(key));
            entry.inspect(|entry| entry.used.store(now, Ordering::Relaxed)).is_some()
        };
        let marks: Vec<bool> = keys.map(is_kept).collect();
        let hits = marks.iter().filter(|mark| **mark).count() as u64;
        self.counts.hits.fetch_add(hits, Ordering::Relaxed);
        self.counts.misses.fetch_add(marks.len() as u64 - hits, Ordering::Relaxed);
        marks
    }

    /// Keeps a table; others make room for it. One larger than all that may be kept is not.
    pub(super) fn put(&mut self, kind: &'static str, tenant: &str, key: Box<[u8]>, table: Arc<dyn KeyTable>) {
        self.stats.builds += 1;
        let bytes = table.bytes() + key.len();
        if bytes > self.bytes_max || self.has(kind, &key) {
            return;
        }
        let tenant: Arc<str> =
            self.tenants.get_key_value(tenant).map_or_else(|| tenant.into(), |(name, _)| name.clone());
        while self.bytes + bytes > self.bytes_max {
            self.make_room(&tenant, bytes);
        }
        self.bytes += bytes;
        *self.tenants.entry(tenant.clone()).or_default() += bytes;
        let used = self.counts.now.fetch_add(1, Ordering::Relaxed).into();
        let entry = Entry { table, bytes, tenant, used, uses: 0.into() };
        self.rooms.entry(kind).or_default().insert(key, entry);
    }

    /// Drops this very table, where it is still the key's.
    pub(super) fn drop_damaged(&mut self, kind: &'static str, key: &[u8], table: *const ()) {
        let kept = self.rooms.get(kind).and_then(|room| room.get(key));
        let is_this = kept.is_some_and(|entry| ptr::addr_eq(Arc::as_ptr(&entry.table), table));
        if is_this && self.remove(kind, key) {
            self.stats.damaged += 1;
        }
    }

    pub(super) fn stats(&self) -> KnownKeyStats {
        let tables = self.rooms.values().map(HashMap::len).sum();
        let (hits, misses) = (self.counts.hits.load(Ordering::Relaxed), self.counts.misses.load(Ordering::Relaxed));
        KnownKeyStats { hits, misses, tables, bytes: self.bytes, ..self.stats }
    }

    /// Evicts the table that was not used for the longest time, of the tenant that would hold most.
    fn make_room(&mut self, newcomer: &Arc<str>, bytes: usize) {
        let would_hold = |(name, held): (&Arc<str>, &usize)| held + if name == newcomer { bytes } else { 0 };
        let holder = self.tenants.iter().max_by_key(|pair| would_hold(*pair)).map(|(name, _)| name.clone());
        let entries =
            self.rooms.iter().flat_map(|(kind, room)| room.iter().map(move |(key, entry)| (*kind, key, entry)));
        let of_holder = entries.filter(|(_, _, entry)| Some(&entry.tenant) == holder.as_ref());
        let oldest = of_holder
            .min_by_key(|(_, _, entry)| entry.used.load(Ordering::Relaxed))
            .map(|(kind, key, _)| (kind, key.clone()));
        if let Some((kind, key)) = oldest
            && self.remove(kind, &key)
        {
            self.stats.evictions += 1;
        }
    }

    pub(super) fn remove(&mut self, kind: &'static str, key: &[u8]) -> bool {
        let Some(entry) = self.rooms.get_mut(kind).and_then(|room| room.remove(key)) else { return false };
        self.bytes -= entry.bytes;
        if let Some(held) = self.tenants.get_mut(&entry.tenant) {
            *held -= entry.bytes;
            if *held == 0 {
                self.tenants.remove(&entry.tenant);
            }
        }
        true
    }
}
