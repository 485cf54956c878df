//! What a verify batch waits beside a large proof.

use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ProofEvent, ProofSecret, ProofStream};
use outrigger_types::{Priority, Ruleset, Verdict};
use zeroize::Zeroizing;

use crate::support::circuits::{Circuit, add};
use crate::support::load::{Known, runtime};
use crate::support::sidecar::Sidecar;
use crate::support::workload::items;

/// Signatures of a batch: a vote of a small committee.
const ITEMS: usize = 8;
/// From one batch to the next.
const PAUSE: Duration = Duration::from_millis(3);
/// How long batches are timed without a proof.
const ALONE: Duration = Duration::from_secs(10);
/// What a batch may wait longer beside a proof.
const ADDED_MAX: Duration = Duration::from_millis(5);

/// Times of batches, sorted.
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, quantile: f64) -> Duration {
        self.0[((self.0.len() - 1) as f64 * quantile).round() as usize]
    }

    fn print(&self, what: &str) {
        let ms = |quantile| self.at(quantile).as_secs_f64() * 1e3;
        let (p50, p99, p999, max) = (ms(0.5), ms(0.99), ms(0.999), ms(1.0));
        println!(
            "  {what}: {} batches, p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.2} ms",
            self.0.len()
        );
    }

    /// How many took longer than that.
    fn above(&self, bound: Duration) -> usize {
        self.0.len() - self.0.partition_point(|time| *time <= bound)
    }
}

/// Gives back 1 where batches wait too long at the 99th percentile, or a verdict is wrong.
pub(crate) fn run(log2_size: u64) -> u64 {
    println!(
        "beside-proof: batches of {ITEMS} beside a proof of 2^{log2_size} constraints; no randomness but the keys'"
    );
    let sidecar = Sidecar::start_with("[scheduler]\ncache_entries = 0\n[log]\nfilter = \"warn\"\n");
    let since = Instant::now();
    let (chain, witness) = Circuit::chain(sidecar.home(), u32::try_from(log2_size).expect("a small power"));
    println!("  a key made in {:.1} s", since.elapsed().as_secs_f64());
    let secret = ProofSecret::Witness(Zeroizing::new(std::fs::read(witness).expect("the witness")));
    let ruleset = Ruleset::EthereumTransaction;
    let batch = Known::new(ruleset, &items(ruleset, ITEMS, 0, 1));
    let (alone, beside) = runtime().block_on(async {
        let client = sidecar.client().await;
        let since = Instant::now();
        let (id, _) = add(&client, &chain).await;
        println!("  sent, checked and stored in {:.1} s", since.elapsed().as_secs_f64());
        time(&client, &batch, tokio::time::sleep(Duration::from_secs(1))).await;
        let alone = time(&client, &batch, tokio::time::sleep(ALONE)).await;
        let options = CallOptions { priority: Priority::Bulk, deadline: None, backend: None };
        let mut stream = client.prove(id, &secret, options).await.expect("the proof is taken");
        running(&mut stream).await;
        let since = Instant::now();
        let beside = time(&client, &batch, ended(stream)).await;
        println!("  the proof took {:.1} s with batches beside it", since.elapsed().as_secs_f64());
        (alone, beside)
    });
    alone.print("alone");
    beside.print("beside the proof");
    let added = beside.at(0.99).saturating_sub(alone.at(0.99));
    println!(
        "  added at the 99th percentile: {:.2} ms of at most {} ms",
        added.as_secs_f64() * 1e3,
        ADDED_MAX.as_millis()
    );
    let late = alone.at(0.99) + ADDED_MAX;
    println!(
        "  later than the 99th percentile alone by more than that: {} of {} beside the proof, {} of {} alone",
        beside.above(late),
        beside.0.len(),
        alone.above(late),
        alone.0.len()
    );
    u64::from(added > ADDED_MAX)
}

/// Sends batches until `end`, and times each.
async fn time(client: &Client, batch: &Known, end: impl Future<Output = ()>) -> Times {
    let mut times = Vec::new();
    let mut end = std::pin::pin!(end);
    loop {
        let options = CallOptions { priority: Priority::Consensus, deadline: None, backend: None };
        let one = async {
            let since = Instant::now();
            let answer = client.run(batch.work.clone(), options).await.expect("an answer");
            assert!(answer.output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid), "good signatures");
            let took = since.elapsed();
            tokio::time::sleep(PAUSE).await;
            took
        };
        tokio::select! {
            took = one => times.push(took),
            () = &mut end => break,
        }
    }
    assert!(!times.is_empty(), "the proof was over before a batch was");
    times.sort_unstable();
    Times(times)
}

/// Waits until the proof has begun.
async fn running(stream: &mut ProofStream) {
    loop {
        match stream.next().await.expect("an event") {
            Some(ProofEvent::Queued { .. }) => {}
            Some(ProofEvent::Running { .. }) => return,
            other => panic!("the proof did not run: {other:?}"),
        }
    }
}

/// Waits until the proof is there.
async fn ended(mut stream: ProofStream) {
    loop {
        match stream.next().await.expect("an event") {
            Some(ProofEvent::Done { .. }) => return,
            Some(ProofEvent::Queued { .. } | ProofEvent::Running { .. }) => {}
            other => panic!("no proof: {other:?}"),
        }
    }
}
