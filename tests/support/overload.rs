//! Twice the load that a sidecar can carry.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ClientOptions, RetryOptions};
use outrigger_types::{Priority, Ruleset};
use tokio::runtime::Runtime;

use super::load::{Callers, Known, Tally, call};
use super::sidecar::Sidecar;
use super::workload;

/// Items of one request of the load: some milliseconds of one core.
const BATCH: usize = 200;
/// The work of the load: a library's speed, no random linear combination.
const RULESET: Ruleset = Ruleset::Fabric;
/// A vote's worth of signatures.
const VOTE: usize = 8;
/// How often votes come.
const VOTE_INTERVAL: Duration = Duration::from_millis(40);

/// What came of an overload.
pub(crate) struct Overloaded {
    /// What the sidecar carries, in items a second, as two callers in a closed loop find it.
    pub(crate) capacity: f64,
    /// What was offered, in items a second.
    pub(crate) offered: f64,
    /// The load.
    pub(crate) load: Tally,
    /// Votes of the consensus class, each with its deadline.
    pub(crate) votes: Tally,
    /// Resident memory in KiB: before, and at its highest.
    pub(crate) memory_kib: (u64, u64),
}

/// What a vote may take where the load is carried at so many items a second: half a second, and that of the batches that a
/// machine which others take from us may run before it. Far less than the backlog on any machine that is our own.
pub(crate) fn deadline_of_votes(capacity: f64) -> Duration {
    const AHEAD: f64 = 8.0;
    Duration::from_millis(500) + Duration::from_secs_f64(AHEAD * BATCH as f64 / capacity)
}

/// Offers twice what the sidecar can carry for `length`, and until something is refused, after a burst that fills its queues,
/// with votes between. The deadline of a vote follows from what the sidecar carries.
pub(crate) fn run(
    runtime: &Runtime,
    sidecar: &Sidecar,
    length: Duration,
    vote_deadline: impl Fn(f64) -> Duration,
) -> Overloaded {
    let retry = RetryOptions { attempts_max: 1, ..RetryOptions::default() };
    let options = ClientOptions { retry, ..sidecar.client_options() };
    let (client, voter) = runtime.block_on(async {
        let connect = |options| async { Client::connect(options).await.expect("the sidecar answers") };
        (connect(options.clone()).await, connect(options).await)
    });
    let load = Known::new(RULESET, &workload::items(RULESET, BATCH, 17, 1));
    let vote = Known::new(Ruleset::SolanaEd25519, &workload::items(Ruleset::SolanaEd25519, VOTE, 0, 2));
    let capacity = capacity(runtime, &client, &load);
    let before = sidecar.memory_kib().0;
    let (tally, votes) = (Arc::new(Mutex::new(Tally::default())), Arc::new(Mutex::new(Tally::default())));
    let voting = runtime.spawn(vote_for(voter, vote, length, vote_deadline(capacity), votes.clone()));
    let offered = runtime.block_on(offer(client, load, capacity, length, tally.clone()));
    runtime.block_on(voting).expect("the voter does not panic");
    let taken = |tally: &Mutex<Tally>| tally.lock().expect("a tally").clone();
    let memory_kib = (before, sidecar.memory_kib().1);
    Overloaded { capacity, offered, load: taken(&tally), votes: taken(&votes), memory_kib }
}

fn capacity(runtime: &Runtime, client: &Client, load: &Known) -> f64 {
    let since = Instant::now();
    let callers = Callers::start(runtime, client, 3, std::slice::from_ref(load));
    std::thread::sleep(Duration::from_millis(500));
    let tally = callers.finish(runtime);
    tally.items as f64 / since.elapsed().as_secs_f64()
}

/// Sends without waiting for answers, as many callers would. Gives back what it offered, in items a second. The pace is
/// twice what the sidecar was seen to carry, in the closed loop before or by now: it may have had half of a core there and
/// all of it here.
async fn offer(client: Client, load: Known, capacity: f64, length: Duration, tally: Arc<Mutex<Tally>>) -> f64 {
    const TICK: Duration = Duration::from_millis(10);
    let options = within(Priority::Mempool, Duration::from_secs(20));
    let since = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    // A second's worth at once fills the queues, so that the steady load finds them full.
    let burst = capacity;
    let mut sent = 0.0;
    // Where others take most of the machine in the meantime, the queues are full later.
    let is_over = || {
        let elapsed = since.elapsed();
        elapsed >= 5 * length || elapsed >= length && tally.lock().expect("a tally").refusals() > 0
    };
    while !is_over() {
        let elapsed = since.elapsed().as_secs_f64();
        let answered = tally.lock().expect("a tally").items as f64;
        let due = burst + 2.0 * answered.max(capacity * elapsed);
        while sent < due {
            let (client, load, tally) = (client.clone(), load.clone(), tally.clone());
            calls.spawn(async move { call(&client, &load, options, &tally).await });
            sent += BATCH as f64;
        }
        tokio::time::sleep(TICK).await;
    }
    let took = since.elapsed().as_secs_f64();
    while let Some(ended) = calls.join_next().await {
        ended.expect("no call panics");
    }
    sent / took
}

fn within(priority: Priority, deadline: Duration) -> CallOptions {
    CallOptions { priority, deadline: Some(deadline), backend: None }
}

async fn vote_for(client: Client, vote: Known, length: Duration, deadline: Duration, tally: Arc<Mutex<Tally>>) {
    let since = Instant::now();
    while since.elapsed() < length {
        call(&client, &vote, within(Priority::Consensus, deadline), &tally).await;
        tokio::time::sleep(VOTE_INTERVAL).await;
    }
}
