//! Sidecars that are killed, and sidecars that are asked to go.

use std::time::{Duration, Instant};

use outrigger_client::{BreakerOptions, CallOptions, Client, ClientOptions, Fallback};
use outrigger_types::Ruleset;
use rustix::process::Signal;

use crate::support::load::{Callers, Known, runtime};
use crate::support::sidecar::{Sidecar, until};
use crate::support::workload::items;

#[test]
fn a_sidecar_that_is_killed_and_comes_back_costs_no_item() {
    let mut sidecar = Sidecar::start();
    let runtime = runtime();
    let breaker = BreakerOptions { probe_interval: Duration::from_millis(50), ..BreakerOptions::default() };
    let options = ClientOptions { fallback: Fallback::Local, breaker, ..sidecar.client_options() };
    let client = runtime.block_on(Client::connect(options)).expect("a client");
    let mix = [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::LibraEd25519];
    let works: Vec<_> = mix.iter().map(|&ruleset| Known::new(ruleset, &items(ruleset, 64, 7, 1))).collect();
    let batches = Callers::start(&runtime, &client, 3, &works);
    let singles = Callers::start_singles(
        &runtime,
        &client,
        16,
        Ruleset::SolanaEd25519,
        &items(Ruleset::SolanaEd25519, 500, 7, 2),
    );
    for _ in 0..3 {
        answered_by_the_sidecar(&client);
        sidecar.kill();
        answered_in_this_process(&client);
        sidecar.start_again();
    }
    answered_by_the_sidecar(&client);
    let (batches, singles) = (batches.finish(&runtime), singles.finish(&runtime));
    let stats = client.stats();
    println!("batches {batches:?}; singles {singles:?}; {stats:?}");
    for tally in [&batches, &singles] {
        assert_eq!((tally.refusals(), tally.wrong), (0, 0), "no item is lost, no verdict wrong: {tally:?}");
        assert!(tally.items > 0);
    }
    assert!(stats.streams_opened > 0, "single items travel on streams");
    assert_eq!(stats.calls_failed, 0);
}

/// Waits until the sidecar answers again.
fn answered_by_the_sidecar(client: &Client) {
    let before = client.stats().items_sidecar;
    until("the sidecar answers", || (client.stats().items_sidecar > before + 1_000).then_some(()));
}

/// Waits until this process answers in its place.
fn answered_in_this_process(client: &Client) {
    let before = client.stats().items_local;
    until("this process answers", || (client.stats().items_local > before + 200).then_some(()));
}

#[test]
fn a_sidecar_that_is_asked_to_go_finishes_what_it_has() {
    let mut sidecar = Sidecar::start_with("[scheduler]\ncache_entries = 0\n");
    let runtime = runtime();
    let (client, waiting) = runtime.block_on(async { (sidecar.client().await, sidecar.client().await) });
    let works = [Known::new(Ruleset::Fabric, &items(Ruleset::Fabric, 100, 7, 3))];
    let callers = Callers::start(&runtime, &client, 4, &works);
    // In flight when the signal comes: some hundreds of milliseconds of work.
    let one = items(Ruleset::EthereumConsensus, 1, 0, 4).remove(0);
    let long = Known::new(Ruleset::EthereumConsensus, &vec![one; 600]);
    let (work, expected) = (long.work.clone(), long.expected.clone());
    let in_flight = runtime.spawn(async move { waiting.run(work, CallOptions::default()).await });
    until("it is in flight", || (sidecar.metric("outrigger_inflight_items", &[]) >= 600.0).then_some(()));
    let since = Instant::now();
    sidecar.signal(Signal::TERM);
    let answer = runtime.block_on(in_flight).expect("no panic").expect("what is in flight is finished");
    assert_eq!(answer.output.verdicts[..], expected[..]);
    let status = sidecar.wait();
    println!("asked to go, gone after {:?}", since.elapsed());
    assert_eq!(status.code(), Some(0), "{status}");
    let tally = callers.finish(&runtime);
    assert_eq!(tally.wrong, 0, "{tally:?}");
    assert!(tally.items > 0 && tally.refusals() > 0, "{tally:?}");
    assert!(tally.refused.keys().all(|code| code == "Unavailable"), "a clear status for the others: {tally:?}");
    assert!(sidecar.log().contains("connections_cut=0"), "{}", sidecar.log());
    assert!(!sidecar.socket().exists(), "its socket goes with it");
}

#[test]
fn a_second_signal_ends_a_drain_at_once() {
    let mut sidecar = Sidecar::start_with("[threads]\nverify = 1\n[scheduler]\ncache_entries = 0\n");
    let runtime = runtime();
    let client = runtime.block_on(sidecar.client());
    let one = items(Ruleset::EthereumConsensus, 1, 0, 4).remove(0);
    let long = Known::new(Ruleset::EthereumConsensus, &vec![one; 6_000]);
    let in_flight = runtime.spawn(async move { client.run(long.work.clone(), CallOptions::default()).await });
    until("it is in flight", || (sidecar.metric("outrigger_inflight_items", &[]) > 0.0).then_some(()));
    let since = Instant::now();
    sidecar.signal(Signal::TERM);
    until("it drains", || sidecar.log().contains("draining").then_some(()));
    sidecar.signal(Signal::TERM);
    let status = sidecar.wait();
    let took = since.elapsed();
    println!("a second signal: gone after {took:?}");
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    let result = runtime.block_on(in_flight).expect("no panic");
    assert!(result.is_err(), "what was cut off has no verdicts");
}
