use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tonic::Status;

use super::{Requests, feed_all, send};
use crate::ClientError;
use crate::error::Failure;

fn broken_off() -> Status {
    Status::from_error(Box::new(std::io::Error::other("the connection is gone")))
}

async fn failed<C: Future<Output = Result<(), Status>>>(call: impl FnOnce(Requests<u32>) -> C) -> Failure {
    send(call, |sender| feed_all(sender, 0..3)).await.expect_err("the call fails")
}

#[tokio::test]
async fn all_messages_arrive_in_order() {
    let call = |requests: Requests<u32>| async move { Ok(requests.collect::<Vec<_>>().await) };
    let arrived = send(call, |sender| feed_all(sender, 0..100)).await.expect("arrived");
    assert_eq!(arrived, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_call_that_nobody_heard_of_may_be_made_again() {
    let failure = failed(|_requests| async { Err(broken_off()) }).await;
    assert!(failure.is_transport && failure.retry_after == Some(Duration::ZERO), "{failure:?}");
}

#[tokio::test]
async fn a_call_that_broke_off_on_its_way_may_not() {
    let failure = failed(|mut requests| async move {
        requests.next().await;
        Err(broken_off())
    })
    .await;
    assert!(failure.is_transport && failure.retry_after.is_none(), "{failure:?}");
}

#[tokio::test]
async fn messages_that_cannot_be_made_end_the_call() {
    let call = |requests: Requests<u32>| async move {
        let _never = requests;
        std::future::pending::<Result<(), Status>>().await
    };
    let feed = |_sender: mpsc::Sender<u32>| async { Err(ClientError::invalid("files", "unreadable")) };
    let failure = send(call, feed).await.expect_err("nothing to send");
    assert!(matches!(failure.error, ClientError::InvalidArgument { .. }) && failure.retry_after.is_none());
}

#[tokio::test]
async fn requests_go_on_after_the_answers_have_begun() {
    let (seen, mut all) = mpsc::channel(100);
    let call = |mut requests: Requests<u32>| async move {
        tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                seen.send(request).await.expect("room");
            }
        });
        Ok("headers")
    };
    assert_eq!(send(call, |sender| feed_all(sender, 0..50)).await.expect("an answer"), "headers");
    let mut count = 0;
    while all.recv().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 50);
}
