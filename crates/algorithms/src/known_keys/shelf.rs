//! The tables that are kept, and which make room. No thread, no clock but a count of look-ups.

use std::collections::HashMap;
use std::sync::Arc;

use super::{KeyTable, KnownKeyStats};

/// A table's checksum is looked at once in so many uses: a microsecond in some milliseconds of work.
const USES_A_CHECK: u32 = 4_096;
/// Keys of registered sets get their tables at once while less than this part of the bound is used: (3, 4) is 3/4.
const AT_ONCE_PART: (usize, usize) = (3, 4);

struct Entry {
    table: Arc<dyn KeyTable>,
    bytes: usize,
    tenant: Arc<str>,
    /// The look-up that found it last.
    used: u64,
    uses: u32,
}

/// All tables.
pub(super) struct Shelf {
    bytes_max: usize,
    bytes: usize,
    /// By room, then by key.
    rooms: HashMap<&'static str, HashMap<Box<[u8]>, Entry>>,
    /// Bytes of each tenant's tables; tenants without any are not named.
    tenants: HashMap<Arc<str>, usize>,
    /// Look-ups so far.
    now: u64,
    stats: KnownKeyStats,
}

impl Shelf {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            rooms: HashMap::new(),
            tenants: HashMap::new(),
            now: 0,
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
        &mut self,
        kind: &'static str,
        keys: impl Iterator<Item = &'k [u8]>,
        suspects: &mut Vec<(usize, &'k [u8])>,
    ) -> Vec<Option<Arc<dyn KeyTable>>> {
        self.now += 1;
        let (now, stats) = (self.now, &mut self.stats);
        let mut room = self.rooms.get_mut(kind);
        let found = keys.enumerate().map(|(place, key)| {
            let Some(entry) = room.as_mut().and_then(|room| room.get_mut(key)) else {
                stats.misses += 1;
                return None;
            };
            stats.hits += 1;
            entry.used = now;
            entry.uses = entry.uses.wrapping_add(1);
            if entry.uses % USES_A_CHECK == 0 {
                suspects.push((place, key));
            }
            Some(entry.table.clone())
        });
        found.collect()
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
        let entry = Entry { table, bytes, tenant, used: self.now, uses: 0 };
        self.rooms.entry(kind).or_default().insert(key, entry);
    }

    pub(super) fn drop_damaged(&mut self, kind: &'static str, key: &[u8]) {
        if self.remove(kind, key) {
            self.stats.damaged += 1;
        }
    }

    pub(super) fn stats(&self) -> KnownKeyStats {
        let tables = self.rooms.values().map(HashMap::len).sum();
        KnownKeyStats { tables, bytes: self.bytes, ..self.stats }
    }

    /// Evicts the table that was not used for the longest time, of the tenant that would hold most.
    fn make_room(&mut self, newcomer: &Arc<str>, bytes: usize) {
        let would_hold = |(name, held): (&Arc<str>, &usize)| held + if name == newcomer { bytes } else { 0 };
        let holder = self.tenants.iter().max_by_key(|pair| would_hold(*pair)).map(|(name, _)| name.clone());
        let entries =
            self.rooms.iter().flat_map(|(kind, room)| room.iter().map(move |(key, entry)| (*kind, key, entry)));
        let of_holder = entries.filter(|(_, _, entry)| Some(&entry.tenant) == holder.as_ref());
        let oldest = of_holder.min_by_key(|(_, _, entry)| entry.used).map(|(kind, key, _)| (kind, key.clone()));
        if let Some((kind, key)) = oldest
            && self.remove(kind, &key)
        {
            self.stats.evictions += 1;
        }
    }

    fn remove(&mut self, kind: &'static str, key: &[u8]) -> bool {
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
