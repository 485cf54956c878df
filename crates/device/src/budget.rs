//! How much of a device's memory we may hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::DeviceError;

/// Bytes of a device's memory that its queues may hold together. Clones count as one.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    limit: u64,
    held: Arc<AtomicU64>,
}

impl MemoryBudget {
    /// A budget of `limit` bytes, none of them held.
    pub fn new(limit: u64) -> Self {
        Self { limit, held: Arc::default() }
    }

    /// Takes `bytes` until the claim is dropped.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] where less is left.
    pub fn claim(&self, bytes: u64) -> Result<Claim, DeviceError> {
        let taken = self.held.try_update(Ordering::AcqRel, Ordering::Acquire, |held| {
            held.checked_add(bytes).filter(|&after| after <= self.limit)
        });
        match taken {
            Ok(_) => Ok(Claim { bytes, held: Arc::clone(&self.held) }),
            Err(held) => Err(DeviceError::OutOfMemory { wanted: bytes, left: self.limit.saturating_sub(held) }),
        }
    }

    /// The most that may be held, in bytes.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// What is not held, in bytes.
    pub fn left(&self) -> u64 {
        self.limit.saturating_sub(self.held.load(Ordering::Acquire))
    }
}

/// A part of a [`MemoryBudget`], given back when dropped.
#[derive(Debug)]
pub struct Claim {
    bytes: u64,
    held: Arc<AtomicU64>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests;
