//! Whether a worker moves.

use std::time::{Duration, Instant};

use crate::arena::{LANES, Progress};

/// Looks at the lanes of a worker from time to time, and tells when one of them has stood still for too long with a batch,
/// or all of them beside batches that nobody takes. Pure: the clock is an argument.
pub(super) struct Watch {
    lanes: [(Progress, Instant); LANES],
    /// Since when there is work and no lane has any.
    idle_since: Option<Instant>,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self { lanes: [(Progress::default(), now); LANES], idle_since: None }
    }

    /// Whether the worker hangs.
    pub(super) fn hangs(&mut self, now: Instant, lanes: [Progress; LANES], has_work: bool, limit: Duration) -> bool {
        let mut moved = false;
        for (seen, progress) in self.lanes.iter_mut().zip(lanes) {
            if seen.0 != progress || progress.batch == 0 {
                moved |= seen.0 != progress;
                *seen = (progress, now);
            }
        }
        let idle = lanes.iter().all(|progress| progress.batch == 0);
        self.idle_since = (has_work && idle && !moved).then(|| self.idle_since.unwrap_or(now));
        let stands = |since: Instant| now.saturating_duration_since(since) > limit;
        has_work && (self.lanes.iter().any(|&(_, since)| stands(since)) || self.idle_since.is_some_and(stands))
    }
}

#[cfg(test)]
mod tests;
