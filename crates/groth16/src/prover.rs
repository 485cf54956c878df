//! The pipeline of a proof.

use std::fmt;
use std::time::Duration;

use crate::curve::Curve;
use crate::engine::Arithmetic;
use crate::{Control, Proof, ProvingKey, R1cs, Stage, Stop, Witness};

/// How long each stage took, in the order of [`Stage::ALL`]; zero where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings([Duration; Stage::ALL.len()]);

impl Timings {
    /// Adds to a stage.
    pub fn add(&mut self, stage: Stage, time: Duration) {
        self.0[stage as usize] += time;
    }

    /// The time of a stage.
    pub fn of(&self, stage: Stage) -> Duration {
        self.0[stage as usize]
    }

    /// The stages that took time, with their time.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, Duration)> + '_ {
        Stage::ALL.into_iter().map(|stage| (stage, self.of(stage))).filter(|(_, time)| !time.is_zero())
    }
}

/// A proof that was verified.
#[derive(Clone, Debug)]
pub struct Proved {
    /// The proof.
    pub proof: Proof,
    /// What took how long.
    pub timings: Timings,
    /// Why the engine's own try did not count, where the proof comes from the reference.
    pub repeated: Option<String>,
}

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProveError {
    /// It was stopped.
    Stopped(Stop),
    /// The witness is of another length or curve than the key.
    Witness(String),
    /// The witness does not satisfy the circuit; the number of the first constraint that fails, where the R1CS is
    /// known.
    Unsatisfied(Option<usize>),
    /// The sidecar is at fault: engine and reference both failed though the constraints hold.
    Internal(String),
}

impl fmt::Display for ProveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stop) => stop.fmt(f),
            Self::Witness(what) => f.write_str(what),
            Self::Unsatisfied(Some(constraint)) => {
                write!(f, "the witness does not satisfy constraint {constraint} (counted from 0)")
            }
            Self::Unsatisfied(None) => {
                f.write_str("the witness does not satisfy the circuit; add its .r1cs to learn which constraint fails")
            }
            Self::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl std::error::Error for ProveError {}

/// Proves, verifies the proof, and repeats once on the reference where it does not verify or the engine fails.
///
/// r and s are drawn anew from the operating system for each try. Runs in the current rayon pool.
pub fn prove<E: Curve>(
    _key: &ProvingKey<E>,
    _witness: &Witness,
    _r1cs: Option<&R1cs>,
    _engine: &dyn Arithmetic<E>,
    _reference: &dyn Arithmetic<E>,
    _control: &Control,
) -> Result<Proved, ProveError> {
    todo!()
}
