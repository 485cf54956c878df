//! `VerifyStream`: many small messages in, few large jobs to the scheduler, one answer a message out.
//!
//! A reader task takes what has arrived, never waiting for more, and groups it: messages that agree in everything
//! but their items become one job. At most a window of messages is unanswered; while it is full, nothing is read,
//! and the transport holds the client back. A message counts as answered when its answer goes to the transport, so
//! a client that does not read its answers is held back too.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use outrigger_proto::v1;
use outrigger_types::Rejection;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio_stream::Stream;
use tonic::{Code, Status, Streaming};

use crate::body::Held;
use crate::front::Caller;
use crate::meters::Method;
use crate::state::State;
use crate::{status, trace};

mod group;
mod reader;

/// Bytes of the unanswered messages of one stream. A full window of ordinary messages takes less; large messages
/// take several places of the window.
const STREAM_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Opens a stream: starts its reader and gives back its answers.
pub(crate) fn open(
    state: Arc<State>,
    caller: Caller,
    inbound: Streaming<v1::VerifyStreamRequest>,
    held: Option<Arc<Held>>,
    started: Instant,
) -> Answers {
    let places = state.limits.load().stream_window.clamp(1, 1 << 20);
    let window = Arc::new(Window { places: Semaphore::new(places), total: places });
    // Not bounded here: no more can lie in it than the window lets in.
    let (sender, receiver) = mpsc::unbounded_channel();
    let record = Record::new(state.clone(), Method::VERIFY_STREAM, &caller, started);
    let reader = reader::Reader::new(state, caller, window.clone(), held, sender);
    let task = tokio::spawn(reader.run(inbound)).abort_handle();
    Answers { receiver, current: VecDeque::new(), places_held: 0, window, task, record, has_ended: false }
}

/// The places of a stream's window.
struct Window {
    places: Semaphore,
    total: usize,
}

impl Window {
    /// How many places a message of so many bytes takes.
    fn cost(&self, bytes: usize) -> usize {
        let share = (STREAM_BYTES_MAX / self.total).max(1);
        (bytes / share).clamp(1, self.total)
    }
}

/// What the reader sends to the answers.
enum Event {
    /// Answers, and the places that they give back once they are out.
    Answered(Vec<v1::VerifyStreamResponse>, usize),
    /// The stream ends with this status.
    Ended(Status),
}

/// The answers of one stream.
pub(crate) struct Answers {
    receiver: mpsc::UnboundedReceiver<Event>,
    current: VecDeque<v1::VerifyStreamResponse>,
    places_held: usize,
    window: Arc<Window>,
    task: AbortHandle,
    record: Record,
    has_ended: bool,
}

impl Stream for Answers {
    type Item = Result<v1::VerifyStreamResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(answer) = this.current.pop_front() {
                if this.current.is_empty() {
                    this.window.places.add_permits(std::mem::take(&mut this.places_held));
                }
                return Poll::Ready(Some(Ok(answer)));
            }
            if this.has_ended {
                return Poll::Ready(None);
            }
            match this.receiver.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Event::Answered(answers, places))) => {
                    this.current = answers.into();
                    this.places_held = places;
                }
                Poll::Ready(Some(Event::Ended(status))) => {
                    this.has_ended = true;
                    this.record.code = status.code();
                    return Poll::Ready(Some(Err(status)));
                }
                Poll::Ready(None) => {
                    this.has_ended = true;
                    this.record.code = Code::Ok;
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Drop for Answers {
    /// Nobody waits for answers any more: the reader ends, and with it all that it has submitted.
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts a stream when it is over.
pub(crate) struct Record {
    state: Arc<State>,
    method: Method,
    tenant: Arc<str>,
    span: tracing::Span,
    started: Instant,
    /// How it ended: the caller went, where nothing else is known.
    pub(crate) code: Code,
}

impl Record {
    pub(crate) fn new(state: Arc<State>, method: Method, caller: &Caller, started: Instant) -> Self {
        let (tenant, span) = (caller.tenant.name.clone(), caller.span.clone());
        Self { state, method, tenant, span, started, code: Code::Cancelled }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.state.meters.ended(self.method, &self.tenant, self.code, self.started.elapsed());
        trace::record_end(&self.span, self.code);
    }
}

fn failed(id: u64, rejection: &Rejection) -> v1::VerifyStreamResponse {
    v1::VerifyStreamResponse { id, verdicts: bytes::Bytes::new(), error: Some(status::stream_error(rejection)) }
}
