//! `VerifyStream`.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use outrigger_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};

use super::{Echo, batch, eventually, start};

fn message(id: u64, verdict: u8) -> v1::VerifyStreamRequest {
    v1::VerifyStreamRequest { id, batch: Some(batch(1, verdict)) }
}

#[tokio::test]
async fn each_message_gets_its_own_answer() {
    let echo = Echo::open();
    let fixture = start(&echo, |_| {}).await;
    let mut messages: Vec<_> = (0..300).map(|id| message(id, 1 + (id % 3) as u8)).collect();
    messages[7].batch = Some(batch(5, 2));
    messages[8].batch.as_mut().expect("a batch").ruleset = 99;
    messages[9].batch = None;
    messages[10].batch = Some(batch(0, 1));
    messages[11].batch.as_mut().expect("a batch").allow_high_s = true;
    let stream = tokio_stream::iter(messages);
    let mut answers = fixture.signatures().await.verify_stream(stream).await.expect("a stream").into_inner();
    let mut seen = BTreeSet::new();
    while let Some(answer) = answers.message().await.expect("the stream goes on") {
        assert!(seen.insert(answer.id), "{} is answered twice", answer.id);
        match answer.id {
            7 => assert_eq!(answer.verdicts.as_ref(), [2; 5]),
            8 | 9 => {
                assert_eq!(answer.error.expect("an error").code, Code::InvalidArgument as i32);
            }
            10 => assert!(answer.verdicts.is_empty() && answer.error.is_none()),
            id => assert_eq!((answer.verdicts.as_ref(), answer.error), ([1 + (id % 3) as u8].as_slice(), None)),
        }
    }
    assert_eq!(seen.len(), 300);
    assert!(echo.begun() < 150, "messages that lie ready are one job: {} jobs", echo.begun());
}

#[tokio::test]
async fn a_full_window_leaves_the_rest_unread() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |options| options.limits.stream_window = 8).await;
    let (sender, receiver) = mpsc::channel(1);
    let mut client = fixture.signatures().await;
    tokio::spawn(async move {
        // Messages too large for the transport's own buffers.
        for id in 0..200 {
            let message = v1::VerifyStreamRequest { id, batch: Some(batch(400, 1)) };
            if sender.send(message).await.is_err() {
                return;
            }
        }
    });
    let mut answers = client.verify_stream(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
    eventually("work has begun", || echo.in_flight.load(Ordering::SeqCst) > 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(echo.in_flight.load(Ordering::SeqCst) <= 8);
    echo.gate.add_permits(1);
    let mut count = 0;
    while let Some(answer) = answers.message().await.expect("the stream goes on") {
        assert_eq!(answer.verdicts.len(), 400);
        count += 1;
    }
    assert_eq!(count, 200);
}

#[tokio::test]
async fn a_client_that_vanishes_leaves_no_work_behind() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |_| {}).await;
    let (sender, receiver) = mpsc::channel(4);
    sender.send(message(1, 1)).await.expect("room");
    let mut client = fixture.signatures().await;
    let answers = client.verify_stream(ReceiverStream::new(receiver)).await.expect("a stream");
    let unary = tokio::spawn({
        let mut client = client.clone();
        async move { client.verify_batch(batch(1, 1)).await }
    });
    eventually("both are in flight", || echo.in_flight.load(Ordering::SeqCst) == 2).await;
    unary.abort();
    eventually("the call is gone", || echo.in_flight.load(Ordering::SeqCst) == 1).await;
    drop((answers, sender, client));
    eventually("the stream is gone", || echo.in_flight.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn a_deadline_ends_the_stream() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |_| {}).await;
    let (sender, receiver) = mpsc::channel(4);
    sender.send(message(1, 1)).await.expect("room");
    let mut request = Request::new(ReceiverStream::new(receiver));
    request.metadata_mut().insert("grpc-timeout", "100m".parse().expect("a value"));
    let mut answers = fixture.signatures().await.verify_stream(request).await.expect("a stream").into_inner();
    let status = answers.message().await.expect_err("too late");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    eventually("the work is dropped", || echo.in_flight.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn an_oversized_message_ends_the_stream_after_the_answers() {
    let fixture = start(&Echo::open(), |options| options.limits.message_bytes_max = 10_000).await;
    let large = v1::VerifyStreamRequest { id: 2, batch: Some(batch(1_000, 1)) };
    let stream = tokio_stream::iter(vec![message(1, 2), large]);
    let mut answers = fixture.signatures().await.verify_stream(stream).await.expect("a stream").into_inner();
    let first = answers.message().await.expect("an answer").expect("the first");
    assert_eq!((first.id, first.verdicts.as_ref()), (1, [2].as_slice()));
    let status = answers.message().await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_drain_ends_the_stream_after_the_answers() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |_| {}).await;
    let (sender, receiver) = mpsc::channel(4);
    sender.send(message(1, 2)).await.expect("room");
    let mut client = fixture.signatures().await;
    let mut answers = client.verify_stream(ReceiverStream::new(receiver)).await.expect("a stream").into_inner();
    eventually("the message is in flight", || echo.in_flight.load(Ordering::SeqCst) == 1).await;
    let (report, ()) = tokio::join!(fixture.running.drain(Duration::from_secs(5)), async {
        eventually("draining", || !fixture.running.is_ready()).await;
        echo.gate.add_permits(1);
        let answer = answers.message().await.expect("an answer").expect("the first");
        assert_eq!((answer.id, answer.verdicts.as_ref()), (1, [2].as_slice()));
        let status = answers.message().await.expect_err("the server goes");
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    });
    assert_eq!(report.connections_cut, 0);
}
