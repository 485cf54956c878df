//! Keys that tenants registered once, so that their requests can send numbers instead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_types::{ColumnBuf, Rejection, Ruleset};
use sha2::{Digest, Sha256};

/// Sets of one tenant, whatever their size: the search for the least recently used looks at each.
const SETS_MAX: usize = 1_024;

/// The registered key sets of all tenants. Tenants do not see each other's.
#[derive(Default)]
pub(crate) struct KeySets {
    tenants: Mutex<HashMap<Arc<str>, TenantSets>>,
}

#[derive(Default)]
struct TenantSets {
    sets: HashMap<String, KeySet>,
    bytes: usize,
    /// Counts uses; the least recently used set has the lowest mark.
    clock: u64,
}

struct KeySet {
    ruleset: Ruleset,
    keys: Arc<ColumnBuf>,
    bytes: usize,
    used: u64,
}

impl KeySets {
    /// Registers keys under their name; the least recently used sets of the tenant give way.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`] where the set alone passes the limit.
    pub(crate) fn put(
        &self,
        tenant: &Arc<str>,
        ruleset: Ruleset,
        keys: ColumnBuf,
        bytes_max: usize,
    ) -> Result<String, Rejection> {
        if size(&keys) > bytes_max {
            return Err(Rejection::TooLarge { limit: format!("{bytes_max} bytes of registered keys a tenant") });
        }
        let name = name_of(ruleset, &keys);
        let keys = compact(&keys);
        let bytes = size(&keys);
        let mut tenants = self.lock();
        let sets = tenants.entry(tenant.clone()).or_default();
        sets.clock += 1;
        let used = sets.clock;
        if let Some(known) = sets.sets.get_mut(&name) {
            known.used = used;
            return Ok(name);
        }
        while !sets.sets.is_empty() && (sets.bytes + bytes > bytes_max || sets.sets.len() >= SETS_MAX) {
            sets.evict_one();
        }
        sets.bytes += bytes;
        sets.sets.insert(name.clone(), KeySet { ruleset, keys, bytes, used });
        Ok(name)
    }

    /// The keys of a set.
    ///
    /// # Errors
    /// [`Rejection::NotFound`] where it is not registered (any more), [`Rejection::InvalidArgument`] where it is
    /// for another ruleset.
    pub(crate) fn find(&self, tenant: &Arc<str>, name: &str, ruleset: Ruleset) -> Result<Arc<ColumnBuf>, Rejection> {
        let mut tenants = self.lock();
        let found = tenants.get_mut(tenant).and_then(|sets| {
            sets.clock += 1;
            let set = sets.sets.get_mut(name)?;
            set.used = sets.clock;
            Some((set.ruleset, set.keys.clone()))
        });
        match found {
            Some((of, keys)) if of == ruleset => Ok(keys),
            Some((of, _)) => {
                Err(Rejection::field("key_indices.key_set", format!("this set is for {of}, not for {ruleset}")))
            }
            None => Err(Rejection::NotFound("the key set is not known (any more): register it with PutKeySet".into())),
        }
    }

    /// Forgets a set. One that is not known is forgotten already.
    pub(crate) fn forget(&self, tenant: &Arc<str>, name: &str) {
        if let Some(sets) = self.lock().get_mut(tenant) {
            sets.remove(name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, TenantSets>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TenantSets {
    fn evict_one(&mut self) {
        let oldest = self.sets.iter().min_by_key(|(_, set)| set.used).map(|(name, _)| name.clone());
        if let Some(name) = oldest {
            self.remove(&name);
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(set) = self.sets.remove(name) {
            self.bytes -= set.bytes;
        }
    }
}

/// What a set costs: its keys, where each of them ends, and its place in the table.
fn size(keys: &ColumnBuf) -> usize {
    let ends = if keys.stride().is_some() { 0 } else { 4 * keys.len() };
    keys.bytes().len() + ends + 256
}

/// A copy of its own: the column shares the buffer of the whole request, which must not stay for it.
fn compact(keys: &ColumnBuf) -> Arc<ColumnBuf> {
    let items: Vec<&[u8]> = keys.view().iter().collect();
    Arc::new(ColumnBuf::from_items(&items))
}

/// The SHA-256 over the number of the ruleset, the number of keys, and each key behind its length, in hex. However
/// the column was laid out, the same keys give the same name.
fn name_of(ruleset: Ruleset, keys: &ColumnBuf) -> String {
    let mut hasher = Sha256::new();
    hasher.update(ruleset.number().to_be_bytes());
    hasher.update((keys.len() as u64).to_be_bytes());
    for key in keys.view().iter() {
        hasher.update((key.len() as u32).to_be_bytes());
        hasher.update(key);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
