//! Deadlines, retries, the breaker, shadow mode.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Verdict, Work};
use tonic::Code;

use super::fake::{Fake, Fault};
use super::rule::rule;
use super::{client, options, verify_work};
use crate::{
    BreakerOptions, CallOptions, Client, ClientError, ClientOptions, Fallback, Mismatch, Origin, ShadowOptions,
};

const MS: Duration = Duration::from_millis(1);

async fn run(client: &Client) -> Result<crate::Answer, ClientError> {
    client.run(verify_work(3), CallOptions::default()).await
}

fn expected(work: &Work) -> outrigger_types::Output {
    rule(work, 0..work.items())
}

#[tokio::test]
async fn calls_are_made_again_only_where_the_status_invites_it() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    for (code, retry, attempts) in [
        (Code::Unavailable, Some(2 * MS), 3),
        (Code::ResourceExhausted, Some(2 * MS), 3),
        (Code::Unavailable, None, 1),
        (Code::ResourceExhausted, None, 1),
        (Code::InvalidArgument, Some(2 * MS), 1),
        (Code::PermissionDenied, None, 1),
        (Code::FailedPrecondition, None, 1),
        (Code::DeadlineExceeded, None, 1),
        (Code::Internal, Some(2 * MS), 1),
        (Code::Unknown, None, 1),
    ] {
        fake.state.set(Fault::Refuse(code, retry), usize::MAX);
        let before = fake.state.calls.load(SeqCst);
        run(&client).await.unwrap_err();
        assert_eq!(fake.state.calls.load(SeqCst) - before, attempts, "{code:?} {retry:?}");
    }
    assert!(!client.stats().is_breaker_open, "a sidecar that refuses is there");
    fake.state.set(Fault::Refuse(Code::Unavailable, Some(2 * MS)), 2);
    run(&client).await.unwrap();
}

#[tokio::test]
async fn the_wait_is_the_sidecars_and_within_the_deadline() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    fake.state.set(Fault::Refuse(Code::Unavailable, Some(80 * MS)), 1);
    let start = Instant::now();
    run(&client).await.unwrap();
    assert!(start.elapsed() >= 80 * MS, "{:?}", start.elapsed());

    fake.state.set(Fault::Refuse(Code::Unavailable, Some(Duration::from_secs(30))), 1);
    let start = Instant::now();
    let error = run(&client).await.unwrap_err();
    assert!(matches!(error, ClientError::Unavailable { retry_after: Some(_), .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "waited in vain");
}

#[tokio::test]
async fn deadlines_travel_and_hold() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let call = |deadline| CallOptions { deadline: Some(deadline), ..CallOptions::default() };
    client.run(verify_work(1), call(Duration::from_secs(3))).await.unwrap();
    let seen = fake.state.timeouts.lock().unwrap().pop().unwrap().expect("grpc-timeout");
    let (number, unit) = seen.split_at(seen.len() - 1);
    let scale = match unit {
        "S" => 1e9,
        "m" => 1e6,
        "u" => 1e3,
        "n" => 1.0,
        other => panic!("unit {other}"),
    };
    let nanoseconds = number.parse::<f64>().unwrap() * scale;
    assert!((2.0e9..=3.0e9).contains(&nanoseconds), "{seen}");

    fake.state.set(Fault::Hang, 1);
    let start = Instant::now();
    let error = client.run(verify_work(1), call(100 * MS)).await.unwrap_err();
    assert!(matches!(error, ClientError::DeadlineExceeded(_)), "{error}");
    assert!((90 * MS..2_000 * MS).contains(&start.elapsed()));

    let calls = fake.state.calls.load(SeqCst);
    let error = client.run(verify_work(1), call(Duration::ZERO)).await.unwrap_err();
    assert!(matches!(error, ClientError::DeadlineExceeded(_)), "{error}");
    assert_eq!(fake.state.calls.load(SeqCst), calls, "a call without time left was made");
}

#[tokio::test]
async fn the_breaker_opens_and_recovers() {
    let mut fake = Fake::start();
    let mut options = options(&fake);
    options.retry.attempts_max = 1;
    options.breaker = BreakerOptions { failures_max: 3, probe_interval: 150 * MS };
    let client = client(options).await;
    fake.kill();
    for _ in 0..3 {
        let error = run(&client).await.unwrap_err();
        assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
    }
    assert!(client.stats().is_breaker_open);
    fake.restart();
    let before = fake.state.calls.load(SeqCst);
    let error = run(&client).await.unwrap_err();
    assert!(error.to_string().contains("breaker"), "{error}");
    assert_eq!(fake.state.calls.load(SeqCst), before);
    tokio::time::sleep(200 * MS).await;
    run(&client).await.unwrap();
    let stats = client.stats();
    assert!(!stats.is_breaker_open && stats.breaker_opened == 1, "{stats:?}");
}

#[tokio::test]
async fn an_open_breaker_falls_back_at_once() {
    let fake = Fake::away();
    let client = client(ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    for _ in 0..10 {
        let answer = run(&client).await.unwrap();
        assert_eq!((answer.origin, answer.output), (Origin::Local, expected(&verify_work(3))));
    }
    assert!(client.stats().is_breaker_open);
    assert_eq!(client.stats().calls_local, 10);
}

#[tokio::test]
async fn a_forced_backend_never_falls_back_and_no_fallback_says_who_is_away() {
    let fake = Fake::away();
    let lenient = client(ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    let call = CallOptions { backend: Some(Backend::Cuda), ..CallOptions::default() };
    let error = lenient.run(verify_work(1), call).await.unwrap_err();
    assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
    let error = Client::connect(options(&fake)).await.unwrap_err();
    assert!(error.to_string().contains("check that it runs"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_survive_a_restart() {
    let mut fake = Fake::start();
    let client = client(ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    let work = Arc::new(verify_work(200));
    let wanted = expected(&work);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (client, work, wanted) = (client.clone(), Arc::clone(&work), wanted.clone());
            tokio::spawn(async move {
                let end = Instant::now() + 600 * MS;
                while Instant::now() < end {
                    let answer = client.run(Arc::clone(&work), CallOptions::default()).await.unwrap();
                    assert_eq!(answer.output, wanted);
                }
            })
        })
        .collect();
    tokio::time::sleep(150 * MS).await;
    fake.kill();
    tokio::time::sleep(150 * MS).await;
    fake.restart();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(client.stats().calls_failed, 0);
}

#[tokio::test]
async fn shadow_mode_counts_what_differs() {
    let fake = Fake::start();
    let seen: Arc<Mutex<Vec<Mismatch>>> = Arc::default();
    let sink = Arc::clone(&seen);
    let shadow = ShadowOptions {
        sample_rate: 1.0,
        use_local: true,
        on_mismatch: Some(Arc::new(move |mismatch| sink.lock().unwrap().push(*mismatch))),
    };
    let client = client(ClientOptions { shadow: Some(shadow), ..options(&fake) }).await;
    run(&client).await.unwrap();
    assert_eq!(client.stats().shadow_mismatches, 0);
    fake.state.set(Fault::Lie, 1);
    let answer = run(&client).await.unwrap();
    assert_eq!((answer.origin, answer.output), (Origin::Local, expected(&verify_work(3))), "the local answer is used");
    let stats = client.stats();
    assert_eq!((stats.shadow_calls, stats.shadow_mismatches), (2, 1));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].index == 0 && seen[0].sidecar != seen[0].local && seen[0].local != Verdict::Unprocessed);
}

#[tokio::test]
async fn shadow_mode_in_the_background_leaves_the_answer_alone() {
    let fake = Fake::start();
    let client = client(ClientOptions { shadow: Some(ShadowOptions::new(1.0)), ..options(&fake) }).await;
    fake.state.set(Fault::Lie, 1);
    let answer = run(&client).await.unwrap();
    assert_eq!(answer.origin, Origin::Sidecar);
    assert_ne!(answer.output, expected(&verify_work(3)));
    for _ in 0..500 {
        if client.stats().shadow_calls == 1 {
            break;
        }
        tokio::time::sleep(MS).await;
    }
    assert_eq!(client.stats().shadow_mismatches, 1);
}
