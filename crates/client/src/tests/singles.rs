//! Single calls, gathered.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use outrigger_types::{MessageForm, Ruleset, SignatureOptions};
use tonic::Code;

use super::fake::{Fake, Fault};
use super::rule::verdict;
use super::{client, item, options};
use crate::{Client, ClientError, ClientOptions, Fallback};

const DIGEST: SignatureOptions = SignatureOptions::new(MessageForm::Digest);

async fn check_one(client: &Client, i: usize) {
    let [key, signature, message] = item(i);
    let answer = client.verify_one(Ruleset::Bip340, &DIGEST, &key, &signature, &message).await;
    assert_eq!(answer, Ok(verdict(&[&key, &signature, &message])), "item {i}");
}

/// Starts a task an item and sees that each gets its own answer.
async fn check_many(client: &Client, items: std::ops::Range<usize>) {
    let tasks: Vec<_> = items
        .map(|i| {
            let client = client.clone();
            tokio::spawn(async move { check_one(&client, i).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn a_thousand_callers_are_a_few_messages() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    check_many(&client, 0..1_000).await;
    let messages = fake.state.stream_messages.load(SeqCst);
    assert!(messages <= 50, "{messages} messages");
    assert_eq!(fake.state.stream_items.load(SeqCst), 1_000, "each item once");
    assert_eq!(fake.state.calls.load(SeqCst), 0, "no unary calls");
    let stats = client.stats();
    assert_eq!((stats.items_sidecar, stats.items_local), (1_000, 0));
}

#[tokio::test]
async fn kinds_are_not_mixed_and_odd_items_find_their_way() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let high_s = SignatureOptions { allow_high_s: true, ..DIGEST };
    let tasks: Vec<_> = (0..300)
        .map(|i| {
            let (client, high_s) = (client.clone(), high_s.clone());
            tokio::spawn(async move {
                let options = if i % 2 == 0 { &DIGEST } else { &high_s };
                let ruleset = [Ruleset::Bip340, Ruleset::Bitcoin, Ruleset::EthereumTransaction][i % 3];
                // Lengths vary, empty parts and one beyond what is gathered included.
                let parts = [vec![1; i % 4], vec![2; i % 3], vec![i as u8; if i == 99 { 70_000 } else { i % 7 }]];
                let [key, signature, message] = [&parts[0][..], &parts[1], &parts[2]];
                let answer = client.verify_one(ruleset, options, key, signature, message).await;
                assert_eq!(answer, Ok(verdict(&[key, signature, message])), "item {i}");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_window_of_the_sidecar_is_obeyed() {
    let fake = Fake::start();
    *fake.state.stream_delay.lock().unwrap() = Duration::from_millis(5);
    let mut options = ClientOptions { connections: 1, ..options(&fake) };
    options.coalesce.items_max = 4;
    options.coalesce.window = 100;
    let client = client(options).await;
    check_many(&client, 0..400).await;
    let seen = fake.state.window_seen.load(SeqCst);
    assert!((2..=8).contains(&seen), "{seen} messages unanswered where the sidecar says 8");
}

#[tokio::test]
async fn a_stream_that_dies_loses_no_item() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    fake.state.set(Fault::DieMidStream(1), 0);
    for round in 0..5 {
        check_many(&client, 1_000 * round..1_000 * round + 500).await;
    }
    let stats = client.stats();
    assert!(stats.retries > 0, "the fault never struck");
    assert_eq!(stats.calls_failed, 0);
}

#[tokio::test]
async fn refusals_on_the_stream_are_obeyed() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    fake.state.set(Fault::Refuse(Code::Unavailable, Some(Duration::from_millis(5))), 2);
    check_many(&client, 0..100).await;
    fake.state.set(Fault::WrongShape, 1);
    check_many(&client, 100..200).await;
    fake.state.set(Fault::Refuse(Code::PermissionDenied, None), 1);
    let calls = fake.state.calls.load(SeqCst);
    let [key, signature, message] = item(0);
    let error = client.verify_one(Ruleset::Bip340, &DIGEST, &key, &signature, &message).await.unwrap_err();
    assert!(matches!(error, ClientError::PermissionDenied(_)), "{error}");
    assert_eq!(fake.state.calls.load(SeqCst), calls, "a refusal that invites nothing is final");
}

#[tokio::test]
async fn a_stream_that_hangs_is_given_up() {
    let fake = Fake::start();
    let mut options = options(&fake);
    options.coalesce.answer_timeout = Duration::from_millis(100);
    let client = client(options).await;
    fake.state.set(Fault::Hang, 1);
    check_one(&client, 1).await;
    check_one(&client, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_under_load_no_item_is_lost() {
    let mut fake = Fake::start();
    let client = client(ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    let tasks: Vec<_> = (0..16)
        .map(|worker| {
            let client = client.clone();
            tokio::spawn(async move {
                let end = tokio::time::Instant::now() + Duration::from_millis(1_500);
                let mut i = worker;
                while tokio::time::Instant::now() < end {
                    check_one(&client, i).await;
                    i += 16;
                }
                i / 16
            })
        })
        .collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        fake.kill();
        tokio::time::sleep(Duration::from_millis(150)).await;
        fake.restart();
    }
    let mut items = 0;
    for task in tasks {
        items += task.await.unwrap();
    }
    let stats = client.stats();
    assert_eq!(stats.calls_failed, 0);
    assert_eq!(stats.items_sidecar + stats.items_local, items as u64, "each item is answered once");
    assert!(stats.items_local > 0, "nobody fell back: {stats:?}");
    assert!(stats.streams_opened > 1, "nobody came back: {stats:?}");
}
