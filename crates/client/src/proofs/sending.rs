//! Streams of requests that are made while they are sent, so that a large one never lies in memory twice.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::Status;

use crate::ClientError;
use crate::error::Failure;

/// Bytes of one chunk: large enough that framing costs nothing, small enough that several lie in flight.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// Requests on their way to the transport.
pub(super) struct Requests<M> {
    receiver: mpsc::Receiver<M>,
    was_taken: Arc<AtomicBool>,
}

impl<M> Stream for Requests<M> {
    type Item = M;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<M>> {
        let polled = self.receiver.poll_recv(cx);
        if matches!(polled, Poll::Ready(Some(_))) {
            self.was_taken.store(true, Ordering::Relaxed);
        }
        polled
    }
}

/// Makes a call and feeds it requests while it runs.
///
/// A call that broke off before the transport took its first request was never heard of by the sidecar, and may be
/// made again; after that, only a status of the sidecar's own invites another attempt.
pub(super) async fn send<M, T, C, F>(
    call: impl FnOnce(Requests<M>) -> C,
    feed: impl FnOnce(mpsc::Sender<M>) -> F,
) -> Result<T, Failure>
where
    C: Future<Output = Result<T, Status>>,
    F: Future<Output = Result<(), ClientError>>,
{
    let (sender, receiver) = mpsc::channel(1);
    let was_taken = Arc::new(AtomicBool::new(false));
    let mut call = pin!(call(Requests { receiver, was_taken: was_taken.clone() }));
    let mut feed = pin!(feed(sender));
    let (answer, is_fed) = tokio::select! {
        answer = &mut call => (answer, false),
        fed = &mut feed => {
            fed.map_err(Failure::fatal)?;
            (call.await, true)
        }
    };
    let answer = answer.map_err(|status| {
        let mut failure = Failure::from(&status);
        if failure.is_transport && was_taken.load(Ordering::Relaxed) {
            failure.retry_after = None;
        }
        failure
    })?;
    if !is_fed {
        // The answers of a stream begin before the requests end.
        feed.await.map_err(Failure::fatal)?;
    }
    Ok(answer)
}

/// Feeds messages that are made from memory. One that nobody takes any more ends the feeding: the call says why.
pub(super) async fn feed_all<M>(sender: mpsc::Sender<M>, messages: impl Iterator<Item = M>) -> Result<(), ClientError> {
    for message in messages {
        if sender.send(message).await.is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
