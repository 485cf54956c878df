//! What a client has done: counters for people and tests, and the same as metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::Origin;

/// A snapshot of what a client has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls and stream messages that the sidecar answered.
    pub calls_sidecar: u64,
    /// Pieces of work done in this process, shadow runs apart.
    pub calls_local: u64,
    /// Calls that ended in an error for the caller.
    pub calls_failed: u64,
    /// Items whose answer came from the sidecar.
    pub items_sidecar: u64,
    /// Items whose answer came from this process.
    pub items_local: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Messages sent on streams.
    pub stream_messages: u64,
    /// Streams opened.
    pub streams_opened: u64,
    /// Times that the breaker opened.
    pub breaker_opened: u64,
    /// Whether the breaker is open now (or waits for its probe).
    pub is_breaker_open: bool,
    /// Calls that were also run in this process to compare.
    pub shadow_calls: u64,
    /// Samples that were left out because enough comparisons were under way.
    pub shadow_skipped: u64,
    /// Items whose two answers differ.
    pub shadow_mismatches: u64,
    /// Key sets registered, again after a NOT_FOUND included.
    pub key_sets_registered: u64,
}

/// The live counters.
#[derive(Default)]
pub(crate) struct Counters {
    calls_sidecar: AtomicU64,
    calls_local: AtomicU64,
    calls_failed: AtomicU64,
    items_sidecar: AtomicU64,
    items_local: AtomicU64,
    retries: AtomicU64,
    stream_messages: AtomicU64,
    streams_opened: AtomicU64,
    breaker_opened: AtomicU64,
    is_breaker_open: AtomicBool,
    shadow_calls: AtomicU64,
    shadow_skipped: AtomicU64,
    shadow_mismatches: AtomicU64,
    key_sets_registered: AtomicU64,
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn answered(&self, origin: Origin, items: usize) {
        let (calls, all_items) = match origin {
            Origin::Sidecar => (&self.calls_sidecar, &self.items_sidecar),
            Origin::Local => (&self.calls_local, &self.items_local),
        };
        add(calls, 1);
        add(all_items, items as u64);
        metrics::counter!("outrigger_client_calls_total", "origin" => origin.name(), "result" => "ok").increment(1);
    }

    pub(crate) fn failed(&self, result: &'static str) {
        add(&self.calls_failed, 1);
        metrics::counter!("outrigger_client_calls_total", "origin" => "sidecar", "result" => result).increment(1);
    }

    pub(crate) fn retried(&self) {
        add(&self.retries, 1);
        metrics::counter!("outrigger_client_retries_total").increment(1);
    }

    pub(crate) fn stream_opened(&self) {
        add(&self.streams_opened, 1);
    }

    pub(crate) fn stream_message(&self) {
        add(&self.stream_messages, 1);
    }

    /// Says what the breaker is now; counts each opening.
    pub(crate) fn breaker(&self, is_open: bool) {
        if self.is_breaker_open.swap(is_open, Ordering::Relaxed) != is_open {
            metrics::gauge!("outrigger_client_breaker_open").set(if is_open { 1.0 } else { 0.0 });
            if is_open {
                add(&self.breaker_opened, 1);
            }
        }
    }

    pub(crate) fn shadow_compared(&self, mismatches: usize) {
        add(&self.shadow_calls, 1);
        add(&self.shadow_mismatches, mismatches as u64);
        metrics::counter!("outrigger_client_shadow_mismatches_total").increment(mismatches as u64);
    }

    pub(crate) fn shadow_skipped(&self) {
        add(&self.shadow_skipped, 1);
    }

    pub(crate) fn key_set_registered(&self) {
        add(&self.key_sets_registered, 1);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            calls_sidecar: get(&self.calls_sidecar),
            calls_local: get(&self.calls_local),
            calls_failed: get(&self.calls_failed),
            items_sidecar: get(&self.items_sidecar),
            items_local: get(&self.items_local),
            retries: get(&self.retries),
            stream_messages: get(&self.stream_messages),
            streams_opened: get(&self.streams_opened),
            breaker_opened: get(&self.breaker_opened),
            is_breaker_open: self.is_breaker_open.load(Ordering::Relaxed),
            shadow_calls: get(&self.shadow_calls),
            shadow_skipped: get(&self.shadow_skipped),
            shadow_mismatches: get(&self.shadow_mismatches),
            key_sets_registered: get(&self.key_sets_registered),
        }
    }
}
