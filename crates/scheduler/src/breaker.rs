//! Takes an engine that keeps failing out of placement, and lets it back in through one probe.

use std::time::{Duration, Instant};

/// Faults in a row that take an engine out.
const FAULTS_MAX: u32 = 3;
/// How long it is first left alone; doubled with each probe that fails.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest time it is left alone.
const BACKOFF_LONGEST: Duration = Duration::from_secs(60);

/// The standing of one engine. Pure: the clock is an argument.
#[derive(Clone, Debug, Default)]
pub struct Breaker {
    faults: u32,
    /// When it may be probed, and how long it was left alone; none while it is trusted.
    open: Option<(Instant, Duration)>,
}

impl Breaker {
    /// Whether the engine may have work. While it is out, `idle` engines are given one probe after the backoff.
    pub fn admits(&self, now: Instant, idle: bool) -> bool {
        match self.open {
            None => true,
            Some((until, _)) => idle && now >= until,
        }
    }

    /// Whether the engine is trusted.
    pub const fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// A job went well: the engine is trusted again.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// A job failed. Returns whether this takes the engine out, so that what waits for it must move.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.faults = self.faults.saturating_add(1);
        let backoff = match self.open {
            Some((_, before)) => (before * 2).min(BACKOFF_LONGEST),
            None if self.faults >= FAULTS_MAX => BACKOFF_FIRST,
            None => return false,
        };
        self.open = Some((now + backoff, backoff));
        true
    }
}

#[cfg(test)]
mod tests;
