//! Tables of one thread's own, in place of the process's: for the trial of lanes, and for tests.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use outrigger_types::{Output, SignatureWork, Work};

use super::{KeyKind, KeyTable, KnownKeyStats, KnownKeys, kind_of, write};
use crate::Unit;

/// Keys of a work that get tables: the first so many, so that hundreds of keys are of both sorts.
const TABLES_MAX: usize = 24;

thread_local! {
    static HERE: RefCell<Option<Arc<KnownKeys>>> = const { RefCell::new(None) };
}

/// The tables that lanes of this thread take in place of the process's.
pub(super) fn here() -> Option<Arc<KnownKeys>> {
    HERE.with_borrow(Clone::clone)
}

/// Runs something with these tables.
pub(crate) fn within<T>(tables: Arc<KnownKeys>, run: impl FnOnce() -> T) -> T {
    let _apart = Apart(HERE.replace(Some(tables)));
    run()
}

/// Puts back what was there before.
struct Apart(Option<Arc<KnownKeys>>);

impl Drop for Apart {
    fn drop(&mut self) {
        HERE.set(self.0.take());
    }
}

/// The answer of lanes that have tables of the first keys of the work, and how the tables stand after it. Nothing where
/// the ruleset has none.
pub(crate) fn run_by_table(unit: Unit, work: &SignatureWork) -> Option<(Output, KnownKeyStats)> {
    let kind = kind_of(work.ruleset)?;
    let count = work.signatures.len();
    let mut keys = BTreeSet::new();
    for key in (0..count).filter_map(|i| (kind.name_of)(work.keys.item(i))) {
        if keys.len() < TABLES_MAX {
            keys.insert(key);
        }
    }
    let known = Arc::new(KnownKeys::new(1 << 30));
    for key in keys {
        if let Some(table) = (kind.build)(key) {
            known.put(kind, key, table);
        }
    }
    let output = within(known.clone(), || crate::lanes::run(unit, &Work::Verify(work.clone()), 0..count));
    Some((output, known.stats()))
}

impl KnownKeys {
    /// Puts a table in its place, whatever there was before.
    pub(crate) fn put(&self, kind: &KeyKind, name: &[u8], table: Arc<dyn KeyTable>) {
        let mut shelf = write(&self.shared.shelf);
        shelf.remove(kind.name, name);
        shelf.put(kind.name, "", name.into(), table);
    }
}
