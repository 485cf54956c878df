//! A job's states as the answers of a stream.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use outrigger_proto::v1;
use outrigger_proving::{Finished, JobState, JobWatch};
use outrigger_types::Rejection;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_stream::Stream;
use tonic::{Code, Status};

use super::refuse;
use crate::connection::{self, Phase};
use crate::convert::proofs::wire_proof;
use crate::status;
use crate::stream::Record;
use crate::trace::Piece;

/// The answers that follow one job. Dropped, they let go of it.
pub(crate) struct Answers<T> {
    receiver: mpsc::Receiver<Result<T, Status>>,
    task: AbortHandle,
    record: Record,
}

/// Starts to follow a job, until its last state or until `end` says why not. `piece` is the job in the call's trace.
pub(super) fn open<T: Clone + PartialEq + Send + 'static>(
    watch: JobWatch,
    answer: fn(&JobState) -> Result<T, Status>,
    end: impl Future<Output = Status> + Send + 'static,
    record: Record,
    piece: Option<Piece>,
) -> Answers<T> {
    // One answer waits for the transport; states that pass meanwhile are seen as the last of them.
    let (sender, receiver) = mpsc::channel(1);
    let task = tokio::spawn(follow(watch, answer, end, sender, piece)).abort_handle();
    Answers { receiver, task, record }
}

async fn follow<T: Clone + PartialEq>(
    mut watch: JobWatch,
    answer: fn(&JobState) -> Result<T, Status>,
    end: impl Future<Output = Status>,
    sender: mpsc::Sender<Result<T, Status>>,
    mut piece: Option<Piece>,
) {
    let mut end = pin!(end);
    let mut said = None;
    let mut state = watch.now();
    loop {
        let message = answer(&state);
        let is_new = message.as_ref().map_or(true, |message| said.as_ref() != Some(message));
        said = message.as_ref().ok().cloned();
        if state.is_final()
            && let Some(piece) = piece.take()
        {
            close(piece, &state);
        }
        if is_new && sender.send(message).await.is_err() || state.is_final() {
            return;
        }
        state = tokio::select! {
            state = watch.changed() => state,
            status = &mut end => {
                // An error means that the client is gone.
                let _ = sender.send(Err(status)).await;
                return;
            }
        };
    }
}

/// Says in the trace how a job went.
fn close(piece: Piece, state: &JobState) {
    match state {
        JobState::Done(finished) => {
            finished.timings.iter().for_each(|(stage, took)| piece.stage(stage.name(), took));
            piece.end(&Ok::<_, Rejection>(()));
        }
        JobState::Failed(rejection) => piece.end(&Err::<(), _>(rejection.clone())),
        JobState::Cancelled | JobState::Queued(_) | JobState::Running { .. } => drop(piece),
    }
}

/// When answers end before their job does: at the caller's deadline, or when the server goes.
pub(super) async fn end(deadline: Option<Instant>, phase: Option<watch::Receiver<Phase>>) -> Status {
    let expired = async {
        match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    let draining = async {
        match phase {
            Some(mut phase) => connection::reached(&mut phase, Phase::Draining).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = expired => refuse(Rejection::DeadlineExceeded { predicted: None }),
        () = draining => status::of(&status::DRAINING),
    }
}

impl<T> Stream for Answers<T> {
    type Item = Result<T, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let polled = this.receiver.poll_recv(cx);
        match &polled {
            Poll::Ready(None) if this.record.code == Code::Cancelled => this.record.code = Code::Ok,
            Poll::Ready(Some(Err(status))) => this.record.code = status.code(),
            Poll::Ready(_) | Poll::Pending => {}
        }
        polled
    }
}

impl<T> Drop for Answers<T> {
    /// Nobody waits any more. For an attached job the watch goes with the task, and the job with the watch.
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer of `Prove`: it ends with the proof or with a status.
pub(super) fn attached(state: &JobState) -> Result<v1::ProveResponse, Status> {
    use v1::prove_response::Part;
    let (part, stages) = match state {
        JobState::Queued(_) | JobState::Running { .. } => (Part::Progress(progress(state)), Vec::new()),
        JobState::Done(finished) => (Part::Proof(wire_proof(&finished.proof)), stages(finished)),
        JobState::Failed(rejection) => return Err(status::of(rejection)),
        JobState::Cancelled => return Err(refuse(Rejection::Cancelled)),
    };
    Ok(v1::ProveResponse { part: Some(part), stages })
}

/// An answer of `WatchProof`: however the job ends, the watching went well.
pub(super) fn submitted(state: &JobState) -> Result<v1::WatchProofResponse, Status> {
    let (progress, proof, error) = job(state);
    Ok(v1::WatchProofResponse { progress: Some(progress), proof, error })
}

/// How a submitted job stands, its proof, and why there is none.
pub(super) fn job(state: &JobState) -> (v1::ProofProgress, Option<v1::Proof>, Option<v1::StreamError>) {
    let (proof, error) = match state {
        JobState::Done(finished) => (Some(wire_proof(&finished.proof)), None),
        JobState::Failed(rejection) => (None, Some(status::stream_error(rejection))),
        JobState::Queued(_) | JobState::Running { .. } | JobState::Cancelled => (None, None),
    };
    (progress(state), proof, error)
}

fn progress(state: &JobState) -> v1::ProofProgress {
    use v1::ProofState;
    let at = |state: ProofState| v1::ProofProgress { state: state as i32, ..v1::ProofProgress::default() };
    match state {
        JobState::Queued(position) => {
            let queue_position = u32::try_from(*position).unwrap_or(u32::MAX);
            v1::ProofProgress { queue_position, ..at(ProofState::Queued) }
        }
        JobState::Running { stage, percent } => v1::ProofProgress {
            stage: stage.name().to_owned(),
            percent: u32::from(*percent),
            ..at(ProofState::Running)
        },
        JobState::Done(_) => v1::ProofProgress { percent: 100, ..at(ProofState::Done) },
        JobState::Failed(_) => at(ProofState::Failed),
        JobState::Cancelled => at(ProofState::Cancelled),
    }
}

fn stages(finished: &Finished) -> Vec<v1::StageTime> {
    let timings = finished.timings.iter();
    timings
        .map(|(stage, time)| v1::StageTime {
            stage: stage.name().to_owned(),
            us: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        })
        .collect()
}
