//! Public keys that come again and again, and the tables by which their signatures are verified faster.
//!
//! On consortium chains a few dozen keys sign everything. A key that was seen often enough gets a table, built on a
//! thread of its own while verification goes on without it; a key of a registered set gets it at first sight while
//! there is room. What "often enough" means is the old question of renting or buying skis: after so many verifications
//! without the table that the gain missed would have paid for it. That never costs more than twice what a caller who
//! knew the future would pay, however keys come.
//!
//! Memory is bounded. Tables that were not used for the longest time make room for new ones, those of the tenant that
//! holds most first: a tenant that floods the sidecar with keys displaces its own tables and never pushes another below
//! an equal share. Tables carry a checksum that is looked at now and then while they are in use. A table speeds a
//! verdict up and never decides it: it is found by the whole key, byte for byte.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use outrigger_types::{Keys, SignatureWork};

mod shelf;
mod sightings;

use shelf::Shelf;
use sightings::Sightings;

/// Items of one request that are looked at: the rest is taken to be like them, and a request of thousands costs no
/// more than one of dozens.
const SAMPLE_MAX: usize = 64;
/// Tables that wait to be built. Keys beyond them are seen again.
const BUILDS_WAITING_MAX: usize = 256;
/// Keys longer than any public key of a room are not looked at.
const KEY_BYTES_MAX: usize = 192;

/// A table of one public key.
pub trait KeyTable: Any + Send + Sync {
    /// Bytes that it holds.
    fn bytes(&self) -> usize;

    /// Whether it is what it was when it was built, by its checksum.
    fn is_intact(&self) -> bool;
}

/// The tables of one room.
pub struct KeyKind {
    /// The room.
    pub name: &'static str,
    /// After how many sightings a key gets its table: see [`sightings_to_build`].
    pub sightings: u32,
    /// Builds the table of a key as requests carry it; `None` where it is no public key.
    pub build: fn(key: &[u8]) -> Option<Arc<dyn KeyTable>>,
}

/// After how many verifications without a table, each slower by `gain`, a table that takes `build` would have been
/// worth it. At least two: a key that comes once is not known.
pub fn sightings_to_build(build: Duration, gain: Duration) -> u32 {
    let count = build.as_nanos().div_ceil(gain.as_nanos().max(1));
    u32::try_from(count).unwrap_or(u32::MAX).max(2)
}

/// How things stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownKeyStats {
    /// Items that found a table.
    pub hits: u64,
    /// Items that found none.
    pub misses: u64,
    /// Tables that were built.
    pub builds: u64,
    /// Tables that made room for others.
    pub evictions: u64,
    /// Tables that were found damaged, and dropped.
    pub damaged: u64,
    /// Tables there are.
    pub tables: usize,
    /// Bytes of these tables.
    pub bytes: usize,
}

/// The tables of all rooms, under one bound.
pub struct KnownKeys {
    shared: Arc<Shared>,
    builder: OnceLock<Option<SyncSender<Order>>>,
}

struct Shared {
    shelf: Mutex<Shelf>,
    sightings: Mutex<Sightings>,
    /// Keys that wait for their table or get it now.
    ordered: Mutex<HashSet<Name>>,
}

/// The kind of a key, and the key.
type Name = (&'static str, Box<[u8]>);

/// A table to build.
struct Order {
    kind: &'static KeyKind,
    tenant: Arc<str>,
    key: Box<[u8]>,
}

impl KnownKeys {
    /// No tables yet, and never more than so many bytes of them.
    pub fn new(bytes_max: usize) -> Self {
        let shared = Shared {
            shelf: Mutex::new(Shelf::new(bytes_max)),
            sightings: Mutex::new(Sightings::default()),
            ordered: Mutex::default(),
        };
        Self { shared: Arc::new(shared), builder: OnceLock::new() }
    }

    /// Notes the keys of a tenant's signatures, and orders the tables that are due. To be called once a request, by
    /// whoever knows the tenant.
    pub fn see(&self, kind: &'static KeyKind, tenant: &str, work: &SignatureWork) {
        let is_registered = matches!(work.keys, Keys::Indexed { .. });
        let items = work.signatures.len();
        let step = items.div_ceil(SAMPLE_MAX).max(1);
        for item in (0..items).step_by(step) {
            self.sight(kind, tenant, work.keys.item(item), step as u32, is_registered);
        }
    }

    /// Notes that a tenant's key was seen so many times, and orders its table where it is due.
    pub fn sight(&self, kind: &'static KeyKind, tenant: &str, key: &[u8], times: u32, is_registered: bool) {
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !self.is_due(kind, tenant, key, times, is_registered) {
            return;
        }
        let name = (kind.name, Box::from(key));
        if !lock(&self.shared.ordered).insert(name.clone()) {
            return;
        }
        let order = Order { kind, tenant: tenant.into(), key: name.1.clone() };
        let builder = self.builder.get_or_init(|| start(self.shared.clone()));
        let is_taken = builder.as_ref().is_some_and(|builder| builder.try_send(order).is_ok());
        if !is_taken {
            lock(&self.shared.ordered).remove(&name);
        }
    }

    fn is_due(&self, kind: &KeyKind, tenant: &str, key: &[u8], times: u32, is_registered: bool) -> bool {
        let shelf = lock(&self.shared.shelf);
        if shelf.has(kind.name, key) {
            return false;
        }
        let at_once = is_registered && shelf.has_room();
        drop(shelf);
        at_once || lock(&self.shared.sightings).count(tenant, kind.name, key, times) >= kind.sightings
    }

    /// The tables of keys, in their order; `None` where there is none, or it is not of type `T`.
    pub fn find_all<'k, T: KeyTable>(
        &self,
        kind: &KeyKind,
        keys: impl Iterator<Item = &'k [u8]>,
    ) -> Vec<Option<Arc<T>>> {
        let mut suspects = Vec::new();
        let mut found: Vec<Option<Arc<dyn KeyTable>>> = lock(&self.shared.shelf).take(kind.name, keys, &mut suspects);
        for (place, key) in suspects {
            if found[place].as_ref().is_some_and(|table| !table.is_intact()) {
                found[place] = None;
                lock(&self.shared.shelf).drop_damaged(kind.name, key);
            }
        }
        let typed = |table: Arc<dyn KeyTable>| {
            let any: Arc<dyn Any + Send + Sync> = table;
            any.downcast::<T>().ok()
        };
        found.into_iter().map(|table| table.and_then(typed)).collect()
    }

    /// How things stand.
    pub fn stats(&self) -> KnownKeyStats {
        lock(&self.shared.shelf).stats()
    }

    /// Waits until nothing is being built.
    #[cfg(test)]
    fn settle(&self) {
        while !lock(&self.shared.ordered).is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Starts the thread that builds tables; it ends with the last sender. `None` where no thread can be started: then
/// there are no tables, and everything works without.
fn start(shared: Arc<Shared>) -> Option<SyncSender<Order>> {
    let (sender, orders) = sync_channel(BUILDS_WAITING_MAX);
    let thread = std::thread::Builder::new().name("outrigger-tables".into());
    thread.spawn(move || build_until_closed(&shared, &orders)).ok().map(|_| sender)
}

fn build_until_closed(shared: &Shared, orders: &Receiver<Order>) {
    for order in orders {
        let Order { kind, tenant, key } = order;
        // What is no key has no table, however often it comes; nor has a key that brings the builder down.
        let table = catch_unwind(AssertUnwindSafe(|| (kind.build)(&key))).ok().flatten();
        if let Some(table) = table {
            lock(&shared.shelf).put(kind.name, &tenant, key.clone(), table);
        }
        // From here on it must be seen as often again, should it have to make room.
        lock(&shared.sightings).forget(&tenant, kind.name, &key);
        lock(&shared.ordered).remove(&(kind.name, key));
    }
}

static SHARED: OnceLock<KnownKeys> = OnceLock::new();

/// Lets this process keep tables of known keys, never more than so many bytes of them. Once, before the first
/// verification; without it there are none.
pub fn enable(bytes_max: usize) {
    if bytes_max > 0 {
        let _ = SHARED.set(KnownKeys::new(bytes_max));
    }
}

/// The tables of this process, where it keeps any.
pub fn shared() -> Option<&'static KnownKeys> {
    SHARED.get()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
