//! Request bodies that count against a common budget while they are held.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tonic::Status;

use crate::status;

/// A body whose bytes are counted from their arrival until the body is dropped, which for a unary call is when its
/// message has been read, and for a stream of chunks when the last one has.
pub(crate) struct Metered {
    inner: Incoming,
    held: Held,
    limit: u64,
}

/// What one body has counted; dropped with it.
struct Held {
    bytes: u64,
    total: Arc<AtomicU64>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Metered {
    pub(crate) const fn new(inner: Incoming, total: Arc<AtomicU64>, limit: u64) -> Self {
        Self { inner, held: Held { bytes: 0, total }, limit }
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(Status::from_error(Box::new(error))))),
            Some(Ok(frame)) => frame,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
        this.held.bytes += bytes;
        let total = this.held.total.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if total > this.limit {
            return Poll::Ready(Some(Err(status::of(&status::OVERLOADED))));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
