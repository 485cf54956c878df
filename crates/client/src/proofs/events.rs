//! What becomes of a proof.

use std::fmt;
use std::time::Duration;

use outrigger_groth16::Proof;
use outrigger_groth16::curve::SCALAR_BYTES;
use outrigger_proto::v1;
use outrigger_types::Curve;
use tokio::time::Instant;
use tonic::{Code, Status, Streaming};

use crate::ClientError;
use crate::call::before;
use crate::error::Failure;

/// How a proof stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofEvent {
    /// It waits.
    Queued {
        /// This many go before it.
        position: u32,
    },
    /// It is made.
    Running {
        /// The stage: witness, check, sparse_product, ntt, msm_g1, msm_g2, verify.
        stage: String,
        /// Of the whole proof, 0 to 100.
        percent: u32,
    },
    /// It is made, and was verified by the sidecar.
    Done {
        /// The proof and its public signals.
        proof: Proof,
        /// What took how long, in order; empty where the sidecar does not say.
        stages: Vec<(String, Duration)>,
    },
    /// There will be none.
    Failed(ClientError),
    /// It was given up.
    Cancelled,
}

impl ProofEvent {
    /// Whether it is the last one.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed(_) | Self::Cancelled)
    }

    /// From the three fields that tell of a job.
    pub(super) fn of_job(
        progress: Option<v1::ProofProgress>,
        proof: Option<v1::Proof>,
        error: Option<v1::StreamError>,
    ) -> Result<Self, ClientError> {
        if let Some(proof) = proof {
            return Ok(Self::Done { proof: proof_of(proof)?, stages: Vec::new() });
        }
        if let Some(error) = error {
            let retry_after = Duration::from_millis(error.retry_after_ms.into());
            let code = Code::from_i32(error.code);
            let retry_after = Some(retry_after).filter(|after| !after.is_zero());
            return Ok(Self::Failed(ClientError::from_code(code, error.message, retry_after)));
        }
        Self::of_progress(&progress.ok_or_else(|| broken("a job without a state"))?)
    }

    fn of_progress(progress: &v1::ProofProgress) -> Result<Self, ClientError> {
        match progress.state() {
            v1::ProofState::Queued => Ok(Self::Queued { position: progress.queue_position }),
            v1::ProofState::Running => {
                Ok(Self::Running { stage: progress.stage.clone(), percent: progress.percent.min(100) })
            }
            v1::ProofState::Cancelled => Ok(Self::Cancelled),
            v1::ProofState::Done => Err(broken("a finished job without its proof")),
            v1::ProofState::Failed => Err(broken("a failed job without its reason")),
            v1::ProofState::Unspecified => Err(broken(format!("{} is no state of a proof", progress.state))),
        }
    }

    fn of_answer(answer: v1::ProveResponse) -> Result<Self, ClientError> {
        use v1::prove_response::Part;
        match answer.part {
            Some(Part::Progress(progress)) => Self::of_progress(&progress),
            Some(Part::Proof(proof)) => {
                let stages = answer.stages.into_iter().map(|one| (one.stage, Duration::from_micros(one.us))).collect();
                Ok(Self::Done { proof: proof_of(proof)?, stages })
            }
            None => Err(broken("neither progress nor a proof")),
        }
    }
}

/// What becomes of a proof, as it happens.
pub struct ProofStream {
    source: Source,
    /// When the answer is worthless.
    deadline: Option<Instant>,
    has_ended: bool,
}

enum Source {
    Attached(Streaming<v1::ProveResponse>),
    Watched(Streaming<v1::WatchProofResponse>),
}

impl Source {
    async fn next(&mut self) -> Result<Option<Result<ProofEvent, ClientError>>, Status> {
        Ok(match self {
            Self::Attached(stream) => stream.message().await?.map(ProofEvent::of_answer),
            Self::Watched(stream) => stream.message().await?.map(|answer| {
                let v1::WatchProofResponse { progress, proof, error } = answer;
                ProofEvent::of_job(progress, proof, error)
            }),
        })
    }
}

impl ProofStream {
    pub(super) const fn attached(stream: Streaming<v1::ProveResponse>, deadline: Option<Instant>) -> Self {
        Self { source: Source::Attached(stream), deadline, has_ended: false }
    }

    pub(super) const fn watched(stream: Streaming<v1::WatchProofResponse>) -> Self {
        Self { source: Source::Watched(stream), deadline: None, has_ended: false }
    }

    /// What happens next: steps, then one of [`ProofEvent::Done`], [`ProofEvent::Failed`] and
    /// [`ProofEvent::Cancelled`], then `None`. Steps that come faster than they are asked for may be left out.
    ///
    /// # Errors
    /// A [`ClientError`] that ends the stream: the sidecar refuses the request or cannot prove it, the connection
    /// broke off, the deadline passed.
    pub async fn next(&mut self) -> Result<Option<ProofEvent>, ClientError> {
        if self.has_ended {
            return Ok(None);
        }
        let event = self.event().await;
        self.has_ended = event.as_ref().map_or(true, ProofEvent::is_final);
        event.map(Some)
    }

    async fn event(&mut self) -> Result<ProofEvent, ClientError> {
        let next = before(self.deadline, self.source.next()).await.ok_or_else(|| Failure::timed_out().error)?;
        let event = next.map_err(|status| Failure::from(&status).error)?;
        event.ok_or_else(|| broken("the answers ended before the proof did"))?
    }
}

impl fmt::Debug for ProofStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofStream").field("has_ended", &self.has_ended).finish_non_exhaustive()
    }
}

pub(super) fn broken(what: impl Into<String>) -> ClientError {
    ClientError::Protocol(what.into())
}

/// A curve of the wire.
pub(super) fn curve_of(number: i32) -> Result<Curve, ClientError> {
    match v1::Curve::try_from(number) {
        Ok(v1::Curve::Bn254) => Ok(Curve::Bn254),
        Ok(v1::Curve::Bls12381) => Ok(Curve::Bls12_381),
        _ => Err(broken(format!("{number} is no curve"))),
    }
}

fn proof_of(proof: v1::Proof) -> Result<Proof, ClientError> {
    let curve = curve_of(proof.curve)?;
    if proof.proof.len() != curve.proof_bytes() {
        return Err(broken(format!("a proof of {} bytes, not {}", proof.proof.len(), curve.proof_bytes())));
    }
    if !proof.public_signals.len().is_multiple_of(SCALAR_BYTES) {
        return Err(broken(format!("public signals of {} bytes", proof.public_signals.len())));
    }
    Ok(Proof { curve, bytes: proof.proof.into(), public_signals: proof.public_signals.into() })
}
