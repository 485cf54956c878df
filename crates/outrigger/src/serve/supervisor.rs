//! What the service manager is told (the protocol of `sd_notify`): that the sidecar serves, that it reads its
//! configuration again, that it stops, and that it still answers. Without a service manager nothing is sent.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_scheduler::{Request, Scheduler};
use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Priority, Work};
use sd_notify::NotifyState;

/// Added to the grace of a drain: the journal and the devices' workers are closed after it.
const CLOSING: Duration = Duration::from_secs(10);
/// Whose hashes these are in the scheduler's books.
const TENANT: &str = "watchdog";

/// The sidecar serves, where `places` says.
pub(super) fn ready(places: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("serves on {places}"))]);
}

/// The configuration is being read again; [`reloaded`] must follow.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now, NotifyState::Status("reads its configuration again")]),
        // Without the time the manager would wait for an end that it cannot match to its beginning.
        Err(error) => tracing::warn!(%error, "no clock: the service manager is not told of the reload"),
    }
}

/// The configuration was read again, and is in force unless it was refused.
pub(super) fn reloaded(places: &str, outcome: &Result<(), String>) {
    match outcome {
        Ok(()) => ready(places),
        Err(_) => {
            let status = format!("serves on {places}; the last reload was refused, see the log");
            tell(&[NotifyState::Ready, NotifyState::Status(&status)]);
        }
    }
}

/// The sidecar stops: it finishes what is in flight, for `grace` at most. The manager is asked to wait for that.
pub(super) fn stopping(grace: Duration) {
    let time = u32::try_from((grace + CLOSING).as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(time), NotifyState::Status("drains")]);
}

/// Tells a service manager that watches (`WatchdogSec=`) that the sidecar answers, for as long as it does: twice in
/// each interval the scheduler is given a hash of one short message to compute. Does nothing where nobody watches.
pub(super) fn watch(scheduler: Scheduler) {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else { return };
    tracing::info!(interval_ms = interval.as_millis() as u64, "a service manager watches");
    let mut number = 0_u64;
    let answers = move || {
        number += 1;
        answer(scheduler.clone(), number)
    };
    tokio::spawn(keep_alive(interval, answers));
}

/// Sends a sign of life at the half of each interval, after `answers` has come to an end within a quarter of it. After
/// silence it is asked again at once, so that one that was late by chance is not the end.
async fn keep_alive<F: Future<Output = ()>>(interval: Duration, mut answers: impl FnMut() -> F) {
    loop {
        let asked = Instant::now();
        if tokio::time::timeout(interval / 4, answers()).await.is_ok() {
            tell(&[NotifyState::Watchdog]);
            tokio::time::sleep((interval / 2).saturating_sub(asked.elapsed())).await;
        } else {
            let waited_ms = asked.elapsed().as_millis() as u64;
            tracing::error!(waited_ms, "the scheduler does not answer: the service manager gets no sign of life");
        }
    }
}

/// Returns when the scheduler has answered. A refusal is an answer: one with too much to do, or one that drains, lives.
async fn answer(scheduler: Scheduler, number: u64) {
    // A message of its own each time: one that was hashed before might be answered from the cache.
    let messages = ColumnBuf::from_items(&[number.to_be_bytes()]);
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages });
    // Without a deadline: one that is predicted to pass would be refused, and that by a queue that stands still, too.
    let (priority, deadline, backend) = (Priority::Consensus, None, None);
    let request = Request { work: Arc::new(work), tenant: TENANT.into(), priority, deadline, backend };
    if let Err(refusal) = scheduler.submit(request).await {
        tracing::debug!(%refusal, "the scheduler answers the watchdog with a refusal");
    }
}

/// A manager that cannot be reached must not end a sidecar that works.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told: see NOTIFY_SOCKET");
    }
}

#[cfg(test)]
mod tests;
