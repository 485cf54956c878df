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
//! an equal share.
//!
//! **A table can only say "valid".** What it does not find valid is verified once more without it (see the module `split`), so
//! a table with a flipped bit refuses nobody: the signatures that meet the bad row cost more, and the first of them has
//! the table dropped. The other way round, a bad row would have to turn the sum of a bad signature into a point with
//! just the right abscissa: a chance of about 2⁻²⁵⁶, no better than guessing a signature. Beside that, tables carry a
//! checksum, which is looked at now and then while they are in use. They are found by the whole key, byte for byte.
//! Whoever sends bad signatures under known keys pays, and causes, what signatures of unknown keys cost and a fourth
//! more.
//!
//! Devices keep tables of their own, of the same keys: what has a table here is marked in the batches that they get
//! ([`marks`]), and by the same rule a table there can only say "valid" (see the module `gpu::by_comb`).

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use outrigger_types::packed::{Marks, Part};
use outrigger_types::{ColumnBuf, Keys, Ruleset, SignatureWork, Work};

pub(crate) mod apart;
mod shelf;
mod sightings;
mod split;

pub(crate) use split::ByTable;

use shelf::Shelf;
use sightings::Sightings;

/// Items of one request that are looked at: the rest is taken to be like them, and a request of thousands costs no
/// more than one of dozens.
const SAMPLE_MAX: usize = 64;
/// Tables that wait to be built. Keys beyond them are seen again.
const BUILDS_WAITING_MAX: usize = 256;

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
    /// The bytes that stand for a key, whatever form a request carries it in; `None` where it has no form that could
    /// have a table, as an address.
    pub name_of: fn(key: &[u8]) -> Option<&[u8]>,
    /// Builds the table of a key by its [`Self::name_of`]; `None` where it is no public key.
    pub build: fn(name: &[u8]) -> Option<Arc<dyn KeyTable>>,
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
    shelf: RwLock<Shelf>,
    sightings: Mutex<Sightings>,
    /// Keys that wait for their table or get it now.
    ordered: Mutex<HashSet<Name>>,
    /// Requests that were looked at.
    requests: AtomicU64,
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
            shelf: RwLock::new(Shelf::new(bytes_max)),
            sightings: Mutex::new(Sightings::default()),
            ordered: Mutex::default(),
            requests: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared), builder: OnceLock::new() }
    }

    /// Notes the keys of a tenant's signatures, and orders the tables that are due. To be called once a request, by
    /// whoever knows the tenant.
    pub fn see(&self, kind: &'static KeyKind, tenant: &str, work: &SignatureWork) {
        let turn = self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let step = work.signatures.len().div_ceil(SAMPLE_MAX).max(1);
        let keys = sample(turn, work.signatures.len(), step).map(|item| work.keys.item(item));
        self.sight(kind, tenant, keys, step as u32, matches!(work.keys, Keys::Indexed { .. }));
    }

    /// Notes that each of a tenant's keys was seen so many times, and orders the tables that are due.
    pub fn sight<'k>(
        &self,
        kind: &'static KeyKind,
        tenant: &str,
        keys: impl Iterator<Item = &'k [u8]>,
        times: u32,
        is_registered: bool,
    ) {
        let shelf = read(&self.shared.shelf);
        let names = keys.filter_map(kind.name_of);
        let strangers: Vec<&[u8]> = names.filter(|name| !shelf.has(kind.name, name)).collect();
        let at_once = is_registered && shelf.has_room();
        drop(shelf);
        if strangers.is_empty() {
            return;
        }
        let mut due = strangers;
        if !at_once {
            let mut sightings = lock(&self.shared.sightings);
            due.retain(|name| sightings.count(tenant, kind.name, name, times) >= kind.sightings);
        }
        due.into_iter().for_each(|name| self.order(kind, tenant, name));
    }

    /// Orders a table. Where too many wait already, the key is seen again.
    fn order(&self, kind: &'static KeyKind, tenant: &str, key: &[u8]) {
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

    /// The tables of keys by their [`KeyKind::name_of`], in their order; `None` where there is none, or it is not of
    /// type `T`.
    pub fn find_all<'k, T: KeyTable>(
        &self,
        kind: &KeyKind,
        names: impl Iterator<Item = &'k [u8]>,
    ) -> Vec<Option<Arc<T>>> {
        let mut suspects = Vec::new();
        let mut found = read(&self.shared.shelf).take(kind.name, names, &mut suspects);
        for (place, key) in suspects {
            if let Some(table) = found[place].take_if(|table| !table.is_intact()) {
                self.drop_damaged(kind, key, &table);
            }
        }
        let typed = |table: Arc<dyn KeyTable>| {
            let any: Arc<dyn Any + Send + Sync> = table;
            any.downcast::<T>().ok()
        };
        found.into_iter().map(|table| table.and_then(typed)).collect()
    }

    /// Marks the items of parts whose keys have tables: a device keeps tables of its own for them. What is admitted
    /// here is admitted there.
    pub fn marks(&self, parts: &[Part]) -> Marks {
        let mut marks = Vec::new();
        for (work, range) in parts {
            let Some((kind, work)) = of_kind(work) else {
                marks.resize(marks.len() + range.len(), false);
                continue;
            };
            let names = range.clone().map(|item| (kind.name_of)(work.keys.item(item)));
            marks.extend(read(&self.shared.shelf).mark(kind.name, names));
        }
        if marks.contains(&true) { marks.into_iter().collect() } else { Marks::none() }
    }

    /// Drops a table that was found wrong. The key can earn another.
    pub fn drop_damaged<T: KeyTable + ?Sized>(&self, kind: &KeyKind, name: &[u8], table: &Arc<T>) {
        let mut shelf = write(&self.shared.shelf);
        shelf.drop_damaged(kind.name, name, Arc::as_ptr(table).cast());
    }

    /// How things stand.
    pub fn stats(&self) -> KnownKeyStats {
        read(&self.shared.shelf).stats()
    }

    /// Waits until no table is being built: for tests and measurements.
    pub fn settle(&self) {
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
            write(&shared.shelf).put(kind.name, &tenant, key.clone(), table);
        }
        // From here on it must be seen as often again, should it have to make room.
        lock(&shared.sightings).forget(&tenant, kind.name, &key);
        lock(&shared.ordered).remove(&(kind.name, key));
    }
}

/// One item in each `step`, another one from turn to turn: keys that come in a fixed order must not hide behind it.
fn sample(turn: u64, items: usize, step: usize) -> impl Iterator<Item = usize> {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..items).step_by(step).map(move |first| {
        let mixed = (turn.wrapping_mul(FACTOR) ^ first as u64).wrapping_mul(FACTOR);
        (first + (mixed >> 40) as usize % step).min(items - 1)
    })
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

/// Notes the keys of a request in the tables of this process; see [`KnownKeys::see`].
pub fn see(tenant: &str, work: &Work) {
    if let (Some(known), Some((kind, work))) = (shared(), of_kind(work)) {
        known.see(kind, tenant, work);
    }
}

/// Whether the keys of this work can have tables.
pub fn is_of_kind(work: &Work) -> bool {
    of_kind(work).is_some()
}

/// Signatures to verify whose keys can have tables.
fn of_kind(work: &Work) -> Option<(&'static KeyKind, &SignatureWork)> {
    let Work::Verify(work) = work else { return None };
    Some((kind_of(work.ruleset)?, work))
}

/// The items of parts whose keys have tables in this process; see [`KnownKeys::marks`].
pub fn marks(parts: &[Part]) -> Marks {
    shared().map_or_else(Marks::none, |known| known.marks(parts))
}

/// Has tables made of keys that a tenant registers, while there is room.
pub fn register(tenant: &str, ruleset: Ruleset, keys: &ColumnBuf) {
    if let (Some(known), Some(kind)) = (shared(), kind_of(ruleset)) {
        known.sight(kind, tenant, keys.view().iter(), 1, true);
    }
}

/// The tables that the lanes of a ruleset verify by, where they do.
pub fn kind_of(ruleset: Ruleset) -> Option<&'static KeyKind> {
    crate::rules(ruleset)?.lanes.as_ref()?.known
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
