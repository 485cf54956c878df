//! Every kind of work, whole and split, inline and by key set.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use outrigger_types::{
    ColumnBuf, EthereumWork, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, MessageForm, Output, Ruleset,
    SetMode, SetWork, SignatureOptions, SignatureWork, Work, limits,
};

use super::fake::{Fake, Fault};
use super::rule::rule;
use super::{client, item, options, verify_work};
use crate::{CallOptions, ClientError, Fallback, Origin};

fn varying(count: usize, salt: u8) -> ColumnBuf {
    ColumnBuf::from_items(&(0..count).map(|i| vec![i as u8 ^ salt; 1 + i % 5]).collect::<Vec<_>>())
}

fn signatures(keys: Keys, count: usize) -> SignatureWork {
    SignatureWork {
        ruleset: Ruleset::Fabric,
        options: SignatureOptions::new(MessageForm::Digest),
        keys,
        signatures: varying(count, 1),
        messages: varying(count, 2),
    }
}

fn sets(mode: SetMode, keys: Keys) -> Work {
    // Sets of 2, 0 and 3 keys.
    let message_ends = if mode == SetMode::Aggregate { vec![2, 2, 5] } else { vec![1, 2, 3] };
    Work::VerifySets(SetWork {
        ruleset: Ruleset::EthereumConsensus,
        mode,
        signatures: varying(3, 3),
        keys,
        key_ends: vec![2, 2, 5],
        messages: varying(message_ends[2] as usize, 4),
        message_ends,
    })
}

fn merkle(leaves: ColumnBuf, prove: Option<usize>) -> Work {
    Work::Merkle(MerkleWork { tree: MerkleTree::Rfc6962, algorithm: HashAlgorithm::Sha256, leaves, prove })
}

fn all_kinds() -> Vec<Work> {
    let indexed =
        |count| Keys::Indexed { set: Arc::new(varying(7, 9)), indices: (0..count).map(|i| i * 3 % 7).collect() };
    let transactions: Vec<Vec<u8>> = (0..9).map(|i| [vec![[0xc0, 2, 4][i % 3]], vec![i as u8; i]].concat()).collect();
    vec![
        verify_work(5),
        Work::Verify(signatures(Keys::Inline(varying(6, 5)), 6)),
        Work::Verify(signatures(indexed(6), 6)),
        Work::Recover(signatures(Keys::Inline(ColumnBuf::empty()), 4)),
        sets(SetMode::FastAggregate, Keys::Inline(varying(5, 6))),
        sets(SetMode::Aggregate, indexed(5)),
        Work::Hash(HashWork { algorithm: HashAlgorithm::Sm3, messages: varying(8, 7) }),
        merkle(varying(5, 8), None),
        merkle(varying(5, 8), Some(3)),
        Work::EthereumTransactions(EthereumWork {
            transactions: ColumnBuf::from_items(&transactions),
            chain_id: None,
            allow_high_s: true,
        }),
    ]
}

fn expected(work: &Work) -> Output {
    rule(work, 0..work.items())
}

#[tokio::test]
async fn every_kind_of_work_comes_back_as_an_engine_would_answer_it() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    for work in all_kinds() {
        let answer = client.run(work.clone(), CallOptions::default()).await.unwrap();
        assert_eq!(answer.output, expected(&work), "{work:?}");
        assert_eq!(answer.origin, Origin::Sidecar);
    }
}

#[tokio::test]
async fn without_a_sidecar_every_kind_of_work_runs_here_with_the_same_answer() {
    let fake = Fake::away();
    let client = client(crate::ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    for work in all_kinds() {
        let answer = client.run(work.clone(), CallOptions::default()).await.unwrap();
        assert_eq!(answer.output, expected(&work), "{work:?}");
        assert_eq!(answer.origin, Origin::Local);
    }
    assert_eq!(client.stats().calls_failed, 0);
}

#[tokio::test]
async fn empty_work_is_no_call() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sm3, messages: ColumnBuf::empty() });
    assert_eq!(client.run(work, CallOptions::default()).await.unwrap().output, Output::default());
    assert_eq!(fake.state.calls.load(SeqCst), 0);
}

#[tokio::test]
async fn too_many_items_are_split_and_joined() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let messages: Vec<[u8; 4]> = (0..limits::ITEMS_MAX as u32 + 1).map(u32::to_be_bytes).collect();
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages: ColumnBuf::from_items(&messages) });
    let answer = client.run(work.clone(), CallOptions::default()).await.unwrap();
    assert!(answer.output == expected(&work));
    assert_eq!(fake.state.calls.load(SeqCst), 2);
}

#[tokio::test]
async fn too_many_bytes_are_split_and_joined() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let messages: Vec<Vec<u8>> = (0..40_u8).map(|i| vec![i; 1_000_000 + usize::from(i)]).collect();
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages: ColumnBuf::from_items(&messages) });
    let answer = client.run(work.clone(), CallOptions::default()).await.unwrap();
    assert_eq!(answer.output, expected(&work));
    assert_eq!(fake.state.calls.load(SeqCst), 3);
}

#[tokio::test]
async fn an_item_that_fits_no_message_is_too_large() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let bytes = Bytes::from(vec![0; limits::MESSAGE_BYTES_MAX]);
    let messages = ColumnBuf::with_count(bytes, 1).unwrap();
    let work = Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages });
    let error = client.run(work, CallOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge(_)), "{error}");
    assert_eq!(fake.state.calls.load(SeqCst), 0);
}

#[tokio::test]
async fn a_large_tree_goes_in_chunks() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let leaves: Vec<Vec<u8>> = (0..30_u8).map(|i| vec![i; 1_000_000]).collect();
    let work = merkle(ColumnBuf::from_items(&leaves), None);
    let answer = client.run(work.clone(), CallOptions::default()).await.unwrap();
    assert_eq!(answer.output, expected(&work));
    assert!(fake.state.chunks.load(SeqCst) > 5, "in one piece");
}

#[tokio::test]
async fn wrong_shaped_answers_are_errors_for_every_kind() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    for work in all_kinds().into_iter().filter(|work| !matches!(work, Work::Merkle(_))) {
        fake.state.set(Fault::WrongShape, 1);
        let error = client.run(work, CallOptions::default()).await.unwrap_err();
        assert!(matches!(error, ClientError::Protocol(_)), "{error}");
    }
}

#[tokio::test]
async fn unprocessed_is_no_answer() {
    let fake = Fake::start();
    let strict = client(options(&fake)).await;
    fake.state.set(Fault::Unprocessed, 2);
    let error = strict.run(verify_work(3), CallOptions::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Internal(_)), "{error}");
    let lenient = client(crate::ClientOptions { fallback: Fallback::Local, ..options(&fake) }).await;
    let answer = lenient.run(verify_work(3), CallOptions::default()).await.unwrap();
    assert_eq!((answer.origin, answer.output), (Origin::Local, expected(&verify_work(3))));
}

#[tokio::test]
async fn a_key_set_is_registered_once_and_again_when_it_is_lost() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    let set = Arc::new(ColumnBuf::from_items(&(0..9).map(|i| item(i)[0].clone()).collect::<Vec<_>>()));
    let work = |count: u32| {
        let keys = Keys::Indexed { set: Arc::clone(&set), indices: (0..count).map(|i| i % 9).collect() };
        Work::Verify(signatures(keys, count as usize))
    };
    for count in [1, 20, 30] {
        let answer = client.run(work(count), CallOptions::default()).await.unwrap();
        assert_eq!(answer.output, expected(&work(count)));
    }
    assert_eq!(fake.state.puts.load(SeqCst), 1, "one registration for three calls");
    assert_eq!(fake.state.indexed.load(SeqCst), 3, "indices were sent");

    fake.state.forget_key_sets();
    let calls = (0..8).map(|_| {
        let (client, work) = (client.clone(), work(20));
        tokio::spawn(async move { client.run(work, CallOptions::default()).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().output, expected(&work(20)));
    }
    assert_eq!(fake.state.puts.load(SeqCst), 2, "of many that learn of a loss, one registers");

    client.drop_key_set(Ruleset::Fabric, &set).await.unwrap();
    client.drop_key_set(Ruleset::Fabric, &set).await.unwrap();
    client.put_key_set(Ruleset::Fabric, &set).await.unwrap();
    assert_eq!(fake.state.puts.load(SeqCst), 3);
    assert_eq!(client.stats().key_sets_registered, 3);
}

#[tokio::test]
async fn capabilities_come_through() {
    let fake = Fake::start();
    let client = client(options(&fake)).await;
    assert_eq!(client.capabilities().await.unwrap().version, "fake");
    let error = client.health().await.unwrap_err();
    assert!(matches!(error, ClientError::FailedPrecondition(_)), "the fake has no health service: {error}");
}
