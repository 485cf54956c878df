//! The circuit breaker: a pure state machine over given times, and a lock around it.

use std::sync::Mutex;

use tokio::time::Instant;

use crate::BreakerOptions;

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes.
    Go,
    /// Yes, as the one call that finds out whether the sidecar is back.
    Probe,
    /// No.
    Refuse,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        probe_at: Instant,
    },
    /// One probe is on its way.
    HalfOpen,
}

/// Opens after failures in a row, lets one probe through after a while, closes when it succeeds.
#[derive(Debug)]
struct Machine {
    options: BreakerOptions,
    state: State,
}

impl Machine {
    fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed { .. } => Admission::Go,
            State::Open { probe_at } if now >= probe_at => {
                self.state = State::HalfOpen;
                Admission::Probe
            }
            State::Open { .. } | State::HalfOpen => Admission::Refuse,
        }
    }

    fn succeed(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    fn fail(&mut self, now: Instant, was_probe: bool) {
        let failures = match self.state {
            State::Closed { failures } => failures + 1,
            // Calls admitted before the opening may still fail; only the probe decides when the next one goes.
            State::Open { .. } | State::HalfOpen if !was_probe => return,
            State::Open { .. } | State::HalfOpen => self.options.failures_max,
        };
        self.state = if failures >= self.options.failures_max {
            State::Open { probe_at: now + self.options.probe_interval }
        } else {
            State::Closed { failures }
        };
    }

    /// A probe was given up before it ended: the next call may probe at once.
    fn abandon_probe(&mut self, now: Instant) {
        if matches!(self.state, State::HalfOpen) {
            self.state = State::Open { probe_at: now };
        }
    }
}

/// The breaker of a client.
pub(crate) struct Breaker {
    machine: Mutex<Machine>,
}

impl Breaker {
    pub(crate) fn new(options: BreakerOptions) -> Self {
        let options = BreakerOptions { failures_max: options.failures_max.max(1), ..options };
        Self { machine: Mutex::new(Machine { options, state: State::Closed { failures: 0 } }) }
    }

    /// Leave to make one call, or `None` while the breaker is open.
    pub(crate) fn admit(&self) -> Option<Permit<'_>> {
        match self.lock().admit(Instant::now()) {
            Admission::Refuse => None,
            admission => Some(Permit { breaker: self, is_probe: admission == Admission::Probe, is_settled: false }),
        }
    }

    /// Whether calls go through without a probe.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.lock().state, State::Closed { .. })
    }

    /// Counts a failure that was seen outside a permit: a stream that broke.
    pub(crate) fn fail(&self) {
        self.lock().fail(Instant::now(), false);
    }

    /// Counts an answer that was seen outside a permit: a stream's. Does nothing to an open breaker, whose probe
    /// decides.
    pub(crate) fn succeed_if_closed(&self) {
        let mut machine = self.lock();
        if matches!(machine.state, State::Closed { failures } if failures > 0) {
            machine.succeed();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Machine> {
        // Every change of the state is one assignment, so a poisoned lock still guards a sound one.
        self.machine.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Leave to make one call. Dropped unsettled, the call was given up by its caller, which says nothing of the sidecar.
pub(crate) struct Permit<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
    is_settled: bool,
}

impl Permit<'_> {
    /// The sidecar answered, if only with a refusal.
    pub(crate) fn succeed(mut self) {
        self.is_settled = true;
        self.breaker.lock().succeed();
    }

    /// The sidecar could not be reached or did not answer in time.
    pub(crate) fn fail(mut self) {
        self.is_settled = true;
        self.breaker.lock().fail(Instant::now(), self.is_probe);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.is_probe && !self.is_settled {
            self.breaker.lock().abandon_probe(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests;
