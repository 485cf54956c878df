//! A job as the journal keeps it.

use std::sync::Arc;
use std::time::Duration;

use outrigger_groth16::{Proof, Stage, Timings};
use outrigger_types::{Backend, CircuitId, Curve, FieldViolation, Priority, Rejection};
use serde::{Deserialize, Serialize};

use crate::Finished;
use crate::job::{JobState, SecretKind};

/// What is known of a job beside its secret. Times are milliseconds of the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) tenant: Arc<str>,
    pub(crate) circuit: CircuitId,
    /// Run there or nowhere.
    pub(crate) backend: Option<Backend>,
    pub(crate) priority: Priority,
    pub(crate) submitted_ms: u64,
    pub(crate) deadline_ms: Option<u64>,
    pub(crate) kind: SecretKind,
    pub(crate) secret_bytes: u64,
    /// The name of the key that sealed the secret.
    pub(crate) key: String,
    /// How often it was begun and not brought to an end.
    pub(crate) attempts: u32,
    /// How it ended, and when.
    pub(crate) end: Option<(u64, JobState)>,
}

impl Record {
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let written: Written = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        Ok(Self {
            tenant: written.tenant.into(),
            circuit: written.circuit.parse()?,
            backend: written.backend.map(|name| name.parse()).transpose()?,
            priority: written.priority.parse()?,
            submitted_ms: written.submitted_ms,
            deadline_ms: written.deadline_ms,
            kind: match written.secret.as_str() {
                "witness" => SecretKind::Witness,
                "inputs" => SecretKind::Inputs,
                other => return Err(format!("unknown secret {other:?}")),
            },
            secret_bytes: written.secret_bytes,
            key: written.key,
            attempts: written.attempts,
            end: written.end.map(|end| Ok::<_, String>((end.at_ms, end.outcome.read()?))).transpose()?,
        })
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let end = self.end.as_ref().map(|(at_ms, state)| WrittenEnd { at_ms: *at_ms, outcome: Outcome::of(state) });
        let written = Written {
            tenant: self.tenant.to_string(),
            circuit: self.circuit.to_string(),
            backend: self.backend.map(|backend| backend.name().to_owned()),
            priority: self.priority.name().to_owned(),
            submitted_ms: self.submitted_ms,
            deadline_ms: self.deadline_ms,
            secret: self.kind.name().to_owned(),
            secret_bytes: self.secret_bytes,
            key: self.key.clone(),
            attempts: self.attempts,
            end,
        };
        serde_json::to_vec(&written).expect("numbers and strings are JSON")
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    tenant: String,
    circuit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    priority: String,
    submitted_ms: u64,
    deadline_ms: Option<u64>,
    secret: String,
    secret_bytes: u64,
    key: String,
    attempts: u32,
    end: Option<WrittenEnd>,
}

#[derive(Serialize, Deserialize)]
struct WrittenEnd {
    at_ms: u64,
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done {
        curve: String,
        proof: String,
        public_signals: String,
        /// Stages with their time in microseconds.
        stages: Vec<(String, u64)>,
        repeated: bool,
    },
    Failed {
        reason: String,
        message: String,
        /// Fields and what is wrong with them, where the request was misshapen.
        fields: Vec<(String, String)>,
    },
    Cancelled,
}

impl Outcome {
    fn of(state: &JobState) -> Self {
        match state {
            JobState::Done(finished) => Self::done(finished),
            JobState::Failed(rejection) => Self::failed(rejection),
            JobState::Cancelled | JobState::Queued(_) | JobState::Running { .. } => Self::Cancelled,
        }
    }

    fn done(finished: &Finished) -> Self {
        let stages = finished.timings.iter().map(|(stage, time)| (stage.name().to_owned(), time.as_micros() as u64));
        Self::Done {
            curve: finished.proof.curve.name().to_owned(),
            proof: hex::encode(&finished.proof.bytes),
            public_signals: hex::encode(&finished.proof.public_signals),
            stages: stages.collect(),
            repeated: finished.repeated,
        }
    }

    fn failed(rejection: &Rejection) -> Self {
        let (message, fields) = match rejection {
            Rejection::InvalidArgument(violations) => {
                let fields = violations.iter().map(|v| (v.field.clone(), v.description.clone())).collect();
                (String::new(), fields)
            }
            Rejection::NotFound(what)
            | Rejection::BackendUnavailable(what)
            | Rejection::NotReady(what)
            | Rejection::PermissionDenied(what)
            | Rejection::DataLoss(what)
            | Rejection::TooLarge { limit: what }
            | Rejection::Internal(what) => (what.clone(), Vec::new()),
            other => (other.to_string(), Vec::new()),
        };
        Self::Failed { reason: rejection.reason().to_owned(), message, fields }
    }

    fn read(self) -> Result<JobState, String> {
        match self {
            Self::Done { curve, proof, public_signals, stages, repeated } => {
                let bytes = |text| hex::decode(text).map_err(|error| error.to_string());
                let proof = Proof {
                    curve: curve.parse::<Curve>()?,
                    bytes: bytes(proof)?,
                    public_signals: bytes(public_signals)?,
                };
                Ok(JobState::Done(Arc::new(Finished { proof, timings: timings(&stages), repeated })))
            }
            Self::Failed { reason, message, fields } => Ok(JobState::Failed(rejection(&reason, message, fields))),
            Self::Cancelled => Ok(JobState::Cancelled),
        }
    }
}

fn timings(stages: &[(String, u64)]) -> Timings {
    let mut timings = Timings::default();
    for (name, micros) in stages {
        if let Some(stage) = Stage::ALL.into_iter().find(|stage| stage.name() == name) {
            timings.add(stage, Duration::from_micros(*micros));
        }
    }
    timings
}

/// The rejection of a reason. Those that say *try again* are of no use to whoever fetches a result later, and are
/// never an outcome.
fn rejection(reason: &str, message: String, fields: Vec<(String, String)>) -> Rejection {
    match reason {
        "invalid_argument" => {
            let violations = fields.into_iter().map(|(field, description)| FieldViolation { field, description });
            Rejection::InvalidArgument(violations.collect())
        }
        "not_found" => Rejection::NotFound(message),
        "backend_unavailable" => Rejection::BackendUnavailable(message),
        "not_ready" => Rejection::NotReady(message),
        "permission_denied" => Rejection::PermissionDenied(message),
        "data_loss" => Rejection::DataLoss(message),
        "too_large" => Rejection::TooLarge { limit: message },
        "deadline_exceeded" => Rejection::DeadlineExceeded { predicted: None },
        _ => Rejection::Internal(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(end: Option<(u64, JobState)>) -> Record {
        Record {
            tenant: "acme \"quoted\"".into(),
            circuit: CircuitId([9; 32]),
            backend: Some(Backend::Vector),
            priority: Priority::Mempool,
            submitted_ms: 1_790_000_000_000,
            deadline_ms: Some(1_790_000_060_000),
            kind: SecretKind::Inputs,
            secret_bytes: 12_345,
            key: "0011223344556677".to_owned(),
            attempts: 2,
            end,
        }
    }

    #[test]
    fn records_come_back_as_they_were_written() {
        let mut timings = Timings::default();
        timings.add(Stage::MsmG2, Duration::from_micros(1234));
        let proof = Proof { curve: Curve::Bls12_381, bytes: vec![1; 384], public_signals: vec![2; 64] };
        let ends = [
            None,
            Some(JobState::Done(Arc::new(Finished { proof, timings, repeated: true }))),
            Some(JobState::Cancelled),
            Some(JobState::Failed(Rejection::field("chunk.witness", "it does not satisfy constraint 3"))),
            Some(JobState::Failed(Rejection::NotFound("no circuit".to_owned()))),
            Some(JobState::Failed(Rejection::BackendUnavailable("no cuda".to_owned()))),
            Some(JobState::Failed(Rejection::NotReady("no program".to_owned()))),
            Some(JobState::Failed(Rejection::PermissionDenied("no".to_owned()))),
            Some(JobState::Failed(Rejection::DataLoss("damaged".to_owned()))),
            Some(JobState::Failed(Rejection::TooLarge { limit: "2 GiB of memory".to_owned() })),
            Some(JobState::Failed(Rejection::DeadlineExceeded { predicted: None })),
            Some(JobState::Failed(Rejection::Internal("it panicked".to_owned()))),
        ];
        for end in ends {
            let record = record(end.map(|state| (5, state)));
            assert_eq!(Record::read(&record.write()), Ok(record));
        }
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let good = String::from_utf8(record(None).write()).expect("JSON is text");
        assert!(Record::read(&good.as_bytes()[..good.len() - 1]).is_err());
        assert!(Record::read(good.replace("mempool", "sometime").as_bytes()).is_err());
        assert!(Record::read(good.replace("\"inputs\"", "\"sonnet\"").as_bytes()).is_err());
        assert!(Record::read(b"").is_err());
    }
}
