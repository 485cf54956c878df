//! How often keys were seen of late, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Keys that are counted at once for each tenant, about: as many as there can be tables.
const SLOTS: usize = 1 << 14;
/// Tenants that are counted apart; others share what is left.
const TENANTS_MAX: usize = 64;

/// A counter. Keys that share it push each other out, the rarer one going first.
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u32,
    count: u32,
}

/// The counters of all tenants, each tenant's apart, so that none can push out what another's keys have gathered. Where a
/// key is counted is a keyed hash: nobody can aim at another's counter.
#[derive(Default)]
pub(super) struct Sightings {
    hash: RandomState,
    tenants: HashMap<Arc<str>, Box<[Slot]>>,
}

impl Sightings {
    /// Counts a key and says how often it was seen.
    pub(super) fn count(&mut self, tenant: &str, kind: &'static str, key: &[u8], times: u32) -> u32 {
        let (slot, tag) = self.slot(tenant, kind, key);
        if slot.tag == tag {
            slot.count = slot.count.saturating_add(times);
            return slot.count;
        }
        if slot.count > times {
            slot.count -= times;
            return times;
        }
        *slot = Slot { tag, count: times };
        times
    }

    /// Begins to count a key anew.
    pub(super) fn forget(&mut self, tenant: &str, kind: &'static str, key: &[u8]) {
        let (slot, tag) = self.slot(tenant, kind, key);
        if slot.tag == tag {
            slot.count = 0;
        }
    }

    fn slot(&mut self, tenant: &str, kind: &'static str, key: &[u8]) -> (&mut Slot, u32) {
        let hash = self.hash.hash_one((kind, key));
        let is_apart = self.tenants.contains_key(tenant) || self.tenants.len() < TENANTS_MAX;
        let name = if is_apart { tenant } else { "" };
        if !self.tenants.contains_key(name) {
            self.tenants.insert(name.into(), vec![Slot::default(); SLOTS].into());
        }
        let slots = self.tenants.get_mut(name).expect("put there above");
        (&mut slots[hash as usize % SLOTS], (hash >> 32) as u32)
    }
}
