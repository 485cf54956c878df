//! Ready circuits in memory: each loaded once, the least recently used giving way within a budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outrigger_types::CircuitId;

use super::record::FileState;
use super::{Circuit, StoreError};

pub(super) struct Memory {
    bytes_max: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    circuits: HashMap<CircuitId, Entry>,
    /// One for each circuit that is being loaded: whoever loads it holds its lock.
    loading: HashMap<CircuitId, Arc<Mutex<()>>>,
    /// Counts uses, so that the least recent is known.
    uses: u64,
}

struct Entry {
    circuit: Arc<Circuit>,
    /// The file that it was loaded from.
    state: FileState,
    used: u64,
}

impl Memory {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: Mutex::default() }
    }

    pub(super) fn holds(&self, id: CircuitId) -> bool {
        self.lock().circuits.contains_key(&id)
    }

    pub(super) fn forget(&self, id: CircuitId) {
        self.lock().circuits.remove(&id);
    }

    /// The circuit whose key's file is in this state; loaded by one thread while others wait for it.
    pub(super) fn get_or_load(
        &self,
        id: CircuitId,
        state: FileState,
        load: impl FnOnce() -> Result<Circuit, StoreError>,
    ) -> Result<Arc<Circuit>, StoreError> {
        let loading = {
            let mut held = self.lock();
            if let Some(circuit) = held.get(id, &state) {
                held.shrink(self.bytes_max);
                return Ok(circuit);
            }
            held.loading.entry(id).or_default().clone()
        };
        let _once = loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(circuit) = self.lock().get(id, &state) {
            return Ok(circuit);
        }
        let loaded = load().map(|circuit| self.put(id, state, circuit));
        // Only now: who comes between would load it again.
        self.lock().loading.remove(&id);
        loaded
    }

    /// Takes up a circuit that was made ready elsewhere.
    pub(super) fn put(&self, id: CircuitId, state: FileState, circuit: Circuit) -> Arc<Circuit> {
        let circuit = Arc::new(circuit);
        let mut held = self.lock();
        held.uses += 1;
        let used = held.uses;
        held.circuits.insert(id, Entry { circuit: circuit.clone(), state, used });
        held.shrink(self.bytes_max);
        circuit
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn get(&mut self, id: CircuitId, state: &FileState) -> Option<Arc<Circuit>> {
        self.uses += 1;
        let entry = self.circuits.get_mut(&id).filter(|entry| entry.state == *state)?;
        entry.used = self.uses;
        Some(entry.circuit.clone())
    }

    /// Lets go of the least recently used circuits that nobody else holds, until the rest fits.
    fn shrink(&mut self, bytes_max: usize) {
        let mut bytes: usize = self.circuits.values().map(|entry| entry.circuit.memory_bytes()).sum();
        while bytes > bytes_max {
            let idle = self.circuits.iter().filter(|(_, entry)| Arc::strong_count(&entry.circuit) == 1);
            let Some((&id, entry)) = idle.min_by_key(|(_, entry)| entry.used) else { return };
            bytes -= entry.circuit.memory_bytes();
            self.circuits.remove(&id);
        }
    }
}
