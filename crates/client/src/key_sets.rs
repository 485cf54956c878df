//! Which key sets the sidecar knows, and by what names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use outrigger_types::{ColumnBuf, Ruleset};

/// A registration; the same set is registered by one caller at a time, the others wait for its name.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Registration>>;

/// How a set stands.
#[derive(Debug, Default)]
pub(crate) struct Registration {
    /// The name, once registered.
    pub(crate) name: Option<Arc<str>>,
    /// Counts registrations, so that of many callers that learn of one loss only the first registers again.
    pub(crate) generation: u64,
}

struct Entry {
    /// Keeps the address of the set from being used again while the entry stands, but not its keys.
    set: Weak<ColumnBuf>,
    slot: Slot,
}

/// Sets by ruleset and address: the same `Arc` is the same set.
#[derive(Default)]
pub(crate) struct KeySets {
    entries: Mutex<HashMap<(Ruleset, usize), Entry>>,
}

impl KeySets {
    /// The slot of a set, made where there is none.
    pub(crate) fn slot(&self, ruleset: Ruleset, set: &Arc<ColumnBuf>) -> Slot {
        let key = (ruleset, Arc::as_ptr(set) as usize);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(&key) {
            return Arc::clone(&entry.slot);
        }
        // A set that its callers dropped is never asked for again.
        entries.retain(|_, entry| entry.set.strong_count() > 0);
        let slot = Slot::default();
        entries.insert(key, Entry { set: Arc::downgrade(set), slot: Arc::clone(&slot) });
        slot
    }

    /// Forgets a set: the next use registers it.
    pub(crate) fn forget(&self, ruleset: Ruleset, set: &Arc<ColumnBuf>) -> Option<Slot> {
        let key = (ruleset, Arc::as_ptr(set) as usize);
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(&key).map(|entry| entry.slot)
    }
}
