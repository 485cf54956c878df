//! What a client is told when it is made. Defaults suit a chain node beside its sidecar.

use std::time::Duration;

use crate::{Endpoint, ShadowOptions, TlsOptions};

/// How a client reaches its sidecar, and what it does when it cannot.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Where the sidecar listens.
    pub endpoint: Endpoint,
    /// How TLS is spoken, for an `https` endpoint.
    pub tls: TlsOptions,
    /// HTTP/2 connections, 1 to 64. One connection is driven by one core at a time, so two keep two cores busy.
    pub connections: usize,
    /// How single calls are gathered.
    pub coalesce: CoalesceOptions,
    /// The deadline of calls that name none. `None` waits for ever on a sidecar that hangs.
    pub deadline: Option<Duration>,
    /// When to call again.
    pub retry: RetryOptions,
    /// When to stop calling.
    pub breaker: BreakerOptions,
    /// What to do when the sidecar cannot answer.
    pub fallback: Fallback,
    /// Compare a sample of the sidecar's answers with this process's own.
    pub shadow: Option<ShadowOptions>,
    /// Threads for work in this process; 0 takes one a core. They start with the first such work.
    pub local_threads: usize,
}

impl ClientOptions {
    /// The defaults for a sidecar at this endpoint: two connections, a deadline of a minute, local fallback.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            tls: TlsOptions::default(),
            connections: 2,
            coalesce: CoalesceOptions::default(),
            deadline: Some(Duration::from_secs(60)),
            retry: RetryOptions::default(),
            breaker: BreakerOptions::default(),
            fallback: Fallback::Local,
            shadow: None,
            local_threads: 0,
        }
    }
}

/// What a client does when the sidecar cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Run the same rulesets in this process.
    Local,
    /// Give back the error.
    None,
}

/// How [`Client::verify_one`](crate::Client::verify_one) gathers calls.
///
/// A stream with nothing unanswered sends what is there at once; while answers are outstanding, items gather until
/// one of these limits or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoalesceOptions {
    /// Items of one stream message, 1 to [`limits::ITEMS_MAX`](outrigger_types::limits::ITEMS_MAX).
    pub items_max: usize,
    /// How long an item may gather while answers are outstanding. The runtime's timer ticks in milliseconds, so a
    /// shorter delay ends with the next tick.
    pub delay_max: Duration,
    /// Messages of one stream without an answer; the sidecar's own limit is obeyed where it is lower.
    pub window: usize,
    /// A stream that owes answers and sends none for this long is given up; its items take another way.
    pub answer_timeout: Duration,
}

impl Default for CoalesceOptions {
    fn default() -> Self {
        Self {
            items_max: 256,
            delay_max: Duration::from_micros(100),
            window: 16,
            answer_timeout: Duration::from_secs(5),
        }
    }
}

/// When a call is made again: after a failed connection, and where the status carries a `RetryInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// Attempts in all; 1 never calls again.
    pub attempts_max: u32,
    /// The wait before the second attempt, doubled for each further one. A longer wait that the sidecar names wins.
    pub backoff_base: Duration,
    /// The longest wait of this client's own choosing.
    pub backoff_max: Duration,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { attempts_max: 3, backoff_base: Duration::from_millis(10), backoff_max: Duration::from_secs(1) }
    }
}

/// When a client stops calling a sidecar that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Failed connections and timeouts in a row that open the breaker; at least 1.
    pub failures_max: u32,
    /// How long an open breaker waits before it lets one call through as a probe.
    pub probe_interval: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures_max: 5, probe_interval: Duration::from_secs(1) }
    }
}
