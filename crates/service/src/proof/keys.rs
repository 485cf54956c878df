//! Verifying keys that were prepared once, so that a batch of proofs does not pay for it again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_groth16::PreparedKey;
use outrigger_types::{CircuitId, ProofKey, Rejection};
use tokio::sync::Semaphore;

use super::{Proving, blocking};
use crate::convert::proofs;

/// Keys of circuits that are kept; beyond, all are looked up again. A store holds fewer as a rule.
const STORED_MAX: usize = 1_024;
/// Keys of requests that are kept, over all tenants. Each has 4,096 public signals at most, a few hundred kilobytes.
const INLINE_MAX: usize = 16;
/// Keys of requests that are prepared at once: it takes milliseconds of a core each, beside the verification that the
/// scheduler places.
const PREPARING_MAX: usize = 2;

/// The keys of circuits. A circuit is named by the hash of its key, so what is kept here is never out of date.
#[derive(Default)]
pub(super) struct StoredKeys(Mutex<HashMap<CircuitId, Arc<ProofKey>>>);

impl StoredKeys {
    fn find(&self, circuit: CircuitId) -> Option<Arc<ProofKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&circuit).cloned()
    }

    fn keep(&self, circuit: CircuitId, key: &Arc<ProofKey>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= STORED_MAX {
            keys.clear();
        }
        keys.insert(circuit, key.clone());
    }

    fn forget(&self, circuit: CircuitId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&circuit);
    }
}

impl Proving {
    /// What verifies the proofs of a circuit of the store.
    ///
    /// # Errors
    /// Where there is no such circuit, or its key cannot be read any more.
    pub(super) async fn verifying_key(&self, circuit: CircuitId) -> Result<Arc<ProofKey>, Rejection> {
        self.info(circuit).await?;
        if let Some(key) = self.keys.find(circuit) {
            return Ok(key);
        }
        let ready = self.store(move |store| store.ready(circuit)).await?.map_err(proofs::of_store)?;
        let key = ready.key.verifying_key().clone();
        self.keys.keep(circuit, &key);
        Ok(key)
    }

    /// Takes a circuit out of the store.
    ///
    /// # Errors
    /// Where there is none, or its files cannot be removed.
    pub(super) async fn remove(&self, circuit: CircuitId) -> Result<(), Rejection> {
        let removed = self.store(move |store| store.remove(circuit)).await?;
        self.keys.forget(circuit);
        removed.map_err(proofs::of_store)
    }
}

/// The keys that came with requests, the last used in front.
pub(crate) struct InlineKeys {
    keys: Mutex<VecDeque<Arc<ProofKey>>>,
    preparing: Semaphore,
}

impl Default for InlineKeys {
    fn default() -> Self {
        Self { keys: Mutex::default(), preparing: Semaphore::new(PREPARING_MAX) }
    }
}

impl InlineKeys {
    /// The key, prepared.
    ///
    /// # Errors
    /// [`Rejection::InvalidArgument`] where it is not one that proofs can be verified with.
    pub(super) async fn prepared(&self, key: ProofKey) -> Result<Arc<ProofKey>, Rejection> {
        if let Some(known) = self.find(&key) {
            return Ok(known);
        }
        let _permit = self.preparing.acquire().await.map_err(|error| Rejection::Internal(error.to_string()))?;
        let prepared = blocking(move || {
            // In the form in which the engine looks for it.
            let usable =
                key.prepared(PreparedKey::new).map(|prepared| prepared.as_ref().map(drop).map_err(Clone::clone));
            usable.map(|usable| usable.map(|()| key))
        });
        match prepared.await? {
            Some(Ok(key)) => Ok(self.keep(key)),
            Some(Err(error)) => Err(proofs::of_key(&error)),
            None => Err(Rejection::Internal("the key was prepared for something else".to_owned())),
        }
    }

    fn find(&self, key: &ProofKey) -> Option<Arc<ProofKey>> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let place = keys.iter().position(|known| known.curve == key.curve && known.bytes == key.bytes)?;
        let known = keys.remove(place)?;
        keys.push_front(known.clone());
        Some(known)
    }

    fn keep(&self, key: ProofKey) -> Arc<ProofKey> {
        let key = Arc::new(key);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.truncate(INLINE_MAX - 1);
        keys.push_front(key.clone());
        key
    }
}
