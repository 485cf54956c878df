//! Request bodies that count against a common budget while they are held.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use outrigger_types::Rejection;
use tonic::Status;

use crate::status;

/// What a tenant is told to wait whose requests take too much memory while they arrive.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// How much may be held, over all callers and by one tenant, and how much is.
pub(crate) struct Budget {
    pub(crate) all: Arc<AtomicU64>,
    pub(crate) all_max: u64,
    /// The tenant's own count; callers of no tenant have none.
    pub(crate) tenant: Option<Arc<AtomicU64>>,
}

impl Budget {
    /// Counts more bytes.
    ///
    /// # Errors
    /// Where they pass the budget of all, or half of it, which is a tenant's: one alone cannot shut the others out.
    fn add(&self, bytes: u64) -> Result<(), Rejection> {
        let all = self.all.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let own = self.tenant.as_ref().map_or(0, |tenant| tenant.fetch_add(bytes, Ordering::Relaxed) + bytes);
        if all > self.all_max {
            return Err(status::OVERLOADED);
        }
        let own_max = self.all_max / 2;
        if own > own_max {
            let quota = format!("{own_max} bytes of requests that arrive");
            return Err(Rejection::TenantQuota { quota, retry_after: RETRY_AFTER });
        }
        Ok(())
    }

    fn subtract(&self, bytes: u64) {
        self.all.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(tenant) = &self.tenant {
            tenant.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

/// What one body has counted; given back when the last who holds it goes.
pub(crate) struct Held {
    bytes: AtomicU64,
    budget: Budget,
}

impl Held {
    pub(crate) const fn new(budget: Budget) -> Self {
        Self { bytes: AtomicU64::new(0), budget }
    }

    fn add(&self, bytes: u64) -> Result<(), Rejection> {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.add(bytes)
    }

    /// Gives back all that was counted so far: a message is complete, and others answer for it from here. The rest
    /// of its last frame, which may begin the next message, is not worth an account of its own.
    pub(crate) fn release(&self) {
        self.budget.subtract(self.bytes.swap(0, Ordering::Relaxed));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

/// A body whose bytes are counted from their arrival until the body is dropped, which for a unary call is when its
/// message has been read, and for a stream of chunks when the last one has. A stream whose messages are done with one
/// by one (requests, files on their way to disk) gives them back message by message.
pub(crate) struct Metered {
    inner: Incoming,
    held: Arc<Held>,
}

impl Metered {
    pub(crate) const fn new(inner: Incoming, held: Arc<Held>) -> Self {
        Self { inner, held }
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
        if let Err(rejection) = this.held.add(bytes) {
            return Poll::Ready(Some(Err(status::of(&rejection))));
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

/// The answers of a health watch. They have no end of their own, so they end with the server: else one watcher would
/// keep a drain waiting to the end of its grace.
pub(crate) struct Watch {
    inner: tonic::body::Body,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
    has_ended: bool,
}

impl Watch {
    pub(crate) fn new(inner: tonic::body::Body, draining: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { inner, draining: Box::pin(draining), has_ended: false }
    }
}

impl Body for Watch {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if this.has_ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(this.draining.as_mut().poll(cx));
        // Watchers were told before the drain began; whatever came between the two looks goes out first.
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.draining = Box::pin(std::future::ready(()));
            return Poll::Ready(frame);
        }
        this.has_ended = true;
        let mut trailers = http::HeaderMap::new();
        status::of(&status::DRAINING).add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}
