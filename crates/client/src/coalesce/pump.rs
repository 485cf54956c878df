//! The pump of one connection: sends batches on a stream within its window and hands out the answers. A batch that the
//! stream cannot answer goes the way of other calls, with their retries and their fallback.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::v1::{StreamError, VerifyStreamRequest, VerifyStreamResponse};
use outrigger_types::{Output, Priority, Work};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::Lane;
use super::batch::Batch;
use crate::call::{Core, signatures};
use crate::convert::{self, Wire};
use crate::error::Failure;
use crate::{Answer, CallOptions, ClientError, Origin};

/// A stream that stands.
struct Live {
    requests: mpsc::Sender<VerifyStreamRequest>,
    responses: Streaming<VerifyStreamResponse>,
}

/// What a pump waits for.
enum Event {
    /// Items, a timer or the end of the client: look at the queue.
    Look,
    Answer(Box<VerifyStreamResponse>),
    /// The stream ended, or broke.
    Ended(Option<Status>),
    /// Answers are owed and none came for too long.
    Late,
}

pub(super) struct Pump {
    core: Arc<Core>,
    lane: Arc<Lane>,
    /// Which connection.
    index: usize,
    stream: Option<Live>,
    in_flight: HashMap<u64, Batch>,
    /// When the last answer came, or when the first of the owed ones was asked for.
    progress_at: Instant,
    /// After a refusal that is not the network's, no stream is opened before this.
    refused_until: Option<Instant>,
    next_id: u64,
}

impl Pump {
    pub(super) fn new(core: Arc<Core>, lane: Arc<Lane>, index: usize) -> Self {
        Self {
            core,
            lane,
            index,
            stream: None,
            in_flight: HashMap::new(),
            progress_at: Instant::now(),
            refused_until: None,
            next_id: 0,
        }
    }

    /// Runs until the client is gone.
    pub(super) async fn run(mut self) {
        while !self.lane.is_closed() {
            match self.event().await {
                Event::Look => {}
                Event::Answer(response) => self.answered(*response),
                Event::Ended(status) => self.lose_stream(status.as_ref()),
                Event::Late => self.lose_stream(Some(&Status::deadline_exceeded("no answer on the stream"))),
            }
            if self.in_flight.is_empty() {
                // Callers that are ready to run add their items before the batch leaves.
                tokio::task::yield_now().await;
            }
            self.flush().await;
        }
    }

    async fn event(&mut self) -> Event {
        let options = self.core.options().coalesce;
        let owes = !self.in_flight.is_empty();
        let late_at = self.progress_at + options.answer_timeout;
        // With a full window only an answer helps; with nothing owed nothing is left waiting.
        let gathers_until = (owes && self.in_flight.len() < self.core.stream_window())
            .then(|| self.lane.oldest())
            .flatten()
            .map(|since| since + options.delay_max);
        tokio::select! {
            biased;
            message = next(&mut self.stream) => match message {
                Ok(Some(response)) => Event::Answer(Box::new(response)),
                Ok(None) => Event::Ended(None),
                Err(status) => Event::Ended(Some(status)),
            },
            () = self.lane.wake.notified() => Event::Look,
            () = sleep_until(gathers_until.unwrap_or(late_at)), if gathers_until.is_some() => Event::Look,
            () = sleep_until(late_at), if owes => Event::Late,
        }
    }

    /// Sends what may be sent: everything where nothing is owed, else what is full or has gathered long enough.
    async fn flush(&mut self) {
        let now = Instant::now();
        let opened_by =
            if self.in_flight.is_empty() { Some(now) } else { now.checked_sub(self.core.options().coalesce.delay_max) };
        while self.in_flight.len() < self.core.stream_window() {
            let Some(batch) = self.lane.take(opened_by.unwrap_or(now)) else { return };
            self.send(batch).await;
        }
    }

    async fn send(&mut self, batch: Batch) {
        let is_refused = self.refused_until.is_some_and(|until| Instant::now() < until);
        if is_refused || !self.core.breaker.is_closed() {
            detour(Arc::clone(&self.core), batch, None);
            return;
        }
        let Work::Verify(work) = &*batch.work else { unreachable!("single calls verify signatures") };
        let call = CallOptions::default();
        let request = convert::verify_request(work, 0..batch.len(), None, Wire::new(call.priority, call.backend));
        let message = VerifyStreamRequest { id: self.next_id, batch: Some(request) };
        if self.in_flight.is_empty() {
            self.progress_at = Instant::now();
        }
        self.in_flight.insert(self.next_id, batch);
        self.next_id += 1;
        self.core.counters.stream_message();
        let sent = match &self.stream {
            // The channel holds a whole window, so it is full only where the sidecar stopped reading.
            Some(live) => live.requests.try_send(message).map_err(|_| Status::unavailable("the stream is gone")),
            None => self.open(message).await,
        };
        if let Err(status) = sent {
            self.lose_stream(Some(&status));
        }
    }

    /// Opens a stream with its first message: a sidecar may wait for one before it accepts.
    async fn open(&mut self, first: VerifyStreamRequest) -> Result<(), Status> {
        let options = self.core.options().coalesce;
        let (requests, receiver) = mpsc::channel(options.window);
        requests.try_send(first).expect("a new channel has room");
        let mut client = signatures(self.core.channels()[self.index].clone());
        let opening = client.verify_stream(ReceiverStream::new(receiver));
        let response = timeout(options.answer_timeout, opening)
            .await
            .map_err(|_| Status::deadline_exceeded("the sidecar did not accept the stream in time"))??;
        self.core.counters.stream_opened();
        self.stream = Some(Live { requests, responses: response.into_inner() });
        self.core.learn_stream_window();
        Ok(())
    }

    /// Gives the stream up. What it owes takes the way of other calls.
    fn lose_stream(&mut self, status: Option<&Status>) {
        self.stream = None;
        if self.in_flight.is_empty() {
            return;
        }
        let failure = status.map(Failure::from);
        let is_late = status.is_some_and(|status| status.code() == Code::DeadlineExceeded);
        if is_late || failure.as_ref().is_none_or(|failure| failure.is_transport) {
            self.core.breaker.fail();
            self.core.counters.breaker(!self.core.breaker.is_closed());
        } else {
            self.refused_until = Some(Instant::now() + self.core.options().breaker.probe_interval);
        }
        tracing::debug!(batches = self.in_flight.len(), ?status, "a stream was lost; its items take another way");
        for (_, batch) in self.in_flight.drain() {
            self.core.counters.retried();
            detour(Arc::clone(&self.core), batch, None);
        }
    }

    fn answered(&mut self, response: VerifyStreamResponse) {
        self.progress_at = Instant::now();
        let Some(batch) = self.in_flight.remove(&response.id) else {
            // Answers to nothing: whatever else this stream says cannot be trusted.
            self.lose_stream(Some(&Status::internal("an answer to no request")));
            return;
        };
        self.core.breaker.succeed_if_closed();
        if let Some(error) = &response.error {
            refused(&self.core, batch, error);
            return;
        }
        let checked = convert::verdicts_output(&response.verdicts, batch.len())
            .and_then(|output| self.core.refuse_undone(&batch.work, &output).map(|()| output));
        match checked {
            Ok(output) => self.hand_out(batch, output),
            Err(error) => {
                tracing::warn!(%error, "an answer on the stream is no answer; its items take another way");
                self.core.counters.retried();
                detour(Arc::clone(&self.core), batch, None);
            }
        }
    }

    fn hand_out(&self, batch: Batch, output: Output) {
        self.core.counters.answered(Origin::Sidecar, batch.len());
        if self.core.options().shadow.is_none() {
            batch.tell(Ok(&output.verdicts));
            return;
        }
        let core = Arc::clone(&self.core);
        tokio::spawn(async move {
            let answer = core.shadowed(&batch.work, Answer { output, origin: Origin::Sidecar }).await;
            batch.tell(Ok(&answer.output.verdicts));
        });
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.lane.abandon();
    }
}

/// The next answer; for ever where there is no stream.
async fn next(stream: &mut Option<Live>) -> Result<Option<VerifyStreamResponse>, Status> {
    match stream {
        Some(live) => live.responses.message().await,
        None => std::future::pending().await,
    }
}

/// The stream goes on, but this batch was refused: later or elsewhere where the refusal invites it, else the callers
/// are told.
fn refused(core: &Arc<Core>, batch: Batch, error: &StreamError) {
    let code = Code::from_i32(error.code);
    let after = (error.retry_after_ms > 0).then(|| Duration::from_millis(error.retry_after_ms.into()));
    let told = ClientError::from_code(code, error.message.clone(), after);
    let is_invited = after.is_some() && matches!(code, Code::Unavailable | Code::ResourceExhausted);
    if is_invited || told.invites_fallback() {
        core.counters.retried();
        detour(Arc::clone(core), batch, after.filter(|_| is_invited));
    } else {
        core.counters.failed(told.reason());
        batch.tell(Err(told));
    }
}

/// Lets a batch go the way of other calls, after a wait where the sidecar asked for one.
fn detour(core: Arc<Core>, batch: Batch, after: Option<Duration>) {
    tokio::spawn(async move {
        let deadline = core.options().deadline.and_then(|deadline| batch.since.checked_add(deadline));
        if let Some(after) = after {
            // A wait past the deadline is cut short: the call then finds no time left and says so.
            let until = Instant::now() + core.backoff(1, after);
            sleep_until(deadline.map_or(until, |deadline| deadline.min(until))).await;
        }
        let call = CallOptions { priority: Priority::Mempool, ..CallOptions::default() };
        match core.run_until(Arc::clone(&batch.work), call, deadline).await {
            Ok(answer) => batch.tell(Ok(&answer.output.verdicts)),
            Err(error) => batch.tell(Err(error)),
        }
    });
}
