//! The pipeline of a proof, over the four operations that an [`Arithmetic`] provides.
//!
//! ```text
//! check ─ a = A·w ─ b = B·w ─ quotient ─ Σ A, Σ B1, Σ C, Σ H ─ Σ B2 ─ assemble with r, s ─ verify
//! ```
//!
//! Its formulas are those of Groth16's section 3.2, in the shape that snarkjs gives them (`groth16_prove.js`).

pub(crate) mod randomness;

mod attempt;

use std::fmt;
use std::time::Duration;

use rayon::prelude::*;

use crate::curve::Curve;
use crate::engine::Arithmetic;
use crate::{Control, KeyError, PreparedKey, Proof, ProvingKey, R1cs, Stage, Stop, Witness};
use attempt::{Attempt, Outcome};

/// How long each stage took, in the order of [`Stage::ALL`]; zero where there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings([Duration; Stage::ALL.len()]);

impl Timings {
    /// Adds to a stage.
    pub fn add(&mut self, stage: Stage, time: Duration) {
        self.0[stage as usize] += time;
    }

    /// The share of each of so many proofs that were made together.
    pub(crate) fn divided_by(mut self, proofs: usize) -> Self {
        for time in &mut self.0 {
            *time /= u32::try_from(proofs.max(1)).unwrap_or(u32::MAX);
        }
        self
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

/// A proof that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is of.
    pub witness: &'a Witness,
    /// Who watches it.
    pub control: &'a Control,
}

/// Proves, verifies the proof with the key's verifying key, and where it does not verify or the engine fails, repeats on
/// one stand-in after the other. The last of them is the judge.
///
/// r and s are drawn anew from the operating system for each try. Runs in the current rayon pool.
///
/// # Errors
/// [`ProveError::Unsatisfied`] blames the witness only where the R1CS says so, or, without one, where the proof of
/// no stand-in verifies either.
pub fn prove<E: Curve>(
    key: &ProvingKey<E>,
    witness: &Witness,
    r1cs: Option<&R1cs>,
    engine: &dyn Arithmetic<E>,
    stand_ins: &[&dyn Arithmetic<E>],
    control: &Control,
) -> Result<Proved, ProveError> {
    let wanted = Wanted { witness, control };
    prove_many(key, &[wanted], r1cs, engine, stand_ins).pop().expect("as many as are wanted")
}

/// As [`prove`], for several proofs with one key, side by side. They are verified in one product of pairings; each is
/// stopped, fails and is repeated by itself.
pub fn prove_many<E: Curve>(
    key: &ProvingKey<E>,
    wanted: &[Wanted<'_>],
    r1cs: Option<&R1cs>,
    engine: &dyn Arithmetic<E>,
    stand_ins: &[&dyn Arithmetic<E>],
) -> Vec<Result<Proved, ProveError>> {
    let verifier = match key.verifying_key().prepared(PreparedKey::new) {
        Some(Ok(verifier)) => verifier,
        Some(Err(error)) => return vec![Err(unusable(error)); wanted.len()],
        None => {
            let error = ProveError::Internal("the verifying key was prepared by something else".into());
            return vec![Err(error); wanted.len()];
        }
    };
    let begun = wanted.par_iter().map(|wanted| {
        fits(key, wanted.witness, r1cs)?;
        let mut attempt = Attempt::new(key, wanted.witness, wanted.control);
        if let Some(r1cs) = r1cs {
            attempt.check(r1cs)?;
        }
        Ok(attempt)
    });
    let begun: Vec<Result<Attempt<'_, E>, ProveError>> = begun.collect();
    let mut attempts = Vec::with_capacity(begun.len());
    let begun: Vec<Result<(), ProveError>> =
        begun.into_iter().map(|begun| begun.map(|attempt| attempts.push(attempt))).collect();
    let outcomes = attempt::make(&mut attempts, engine);
    let mut tries: Vec<_> = attempts.into_iter().zip(outcomes).collect();
    attempt::verify(verifier, &mut tries);
    let is_checked = r1cs.is_some();
    let ended = (tries.into_par_iter())
        .map(|(attempt, outcome)| end(attempt, outcome, verifier, is_checked, engine, stand_ins));
    let mut ended = ended.collect::<Vec<_>>().into_iter();
    begun.into_iter().map(|begun| begun.and_then(|()| ended.next().expect("one for each that began"))).collect()
}

/// What a try came to, and where it was the engine's fault those of others.
fn end<E: Curve>(
    mut attempt: Attempt<'_, E>,
    mut outcome: Outcome,
    verifier: &PreparedKey,
    is_checked: bool,
    engine: &dyn Arithmetic<E>,
    stand_ins: &[&dyn Arithmetic<E>],
) -> Result<Proved, ProveError> {
    let mut reasons: Vec<String> = Vec::new();
    let mut name = engine.name();
    let is_wrong = matches!(outcome, Outcome::Invalid);
    let mut left = stand_ins.iter();
    loop {
        let is_invalid = matches!(outcome, Outcome::Invalid);
        let reason = match outcome {
            Outcome::Made(proof) => {
                let repeated = (!reasons.is_empty()).then(|| reasons.join("; "));
                if is_wrong {
                    engine.is_blamed();
                }
                return Ok(Proved { proof, timings: attempt.timings, repeated });
            }
            Outcome::Stopped(stop) => return Err(ProveError::Stopped(stop)),
            Outcome::Invalid => format!("the proof of engine {name} does not verify"),
            Outcome::Fault(what) => format!("engine {name}: {what}"),
        };
        let Some(stand_in) = left.next() else {
            reasons.push(reason);
            return Err(match is_invalid {
                true if !is_checked => ProveError::Unsatisfied(None),
                true => ProveError::Internal(format!(
                    "{}, though every constraint holds: the key is of another circuit than the .r1cs",
                    reasons.join("; ")
                )),
                false => ProveError::Internal(reasons.join("; ")),
            });
        };
        tracing::warn!(engine = name, reason, "a proof is repeated on engine {}", stand_in.name());
        reasons.push(reason);
        name = stand_in.name();
        let made = attempt::make(std::slice::from_mut(&mut attempt), *stand_in).pop();
        let mut again = [(attempt, made.expect("one for one"))];
        attempt::verify(verifier, &mut again);
        [(attempt, outcome)] = again;
    }
}

/// Holds the shapes of key, witness and R1CS against each other.
fn fits<E: Curve>(key: &ProvingKey<E>, witness: &Witness, r1cs: Option<&R1cs>) -> Result<(), ProveError> {
    let summary = &key.summary;
    if witness.curve() != summary.curve {
        let message = format!("the witness is over {}, the key over {}", witness.curve(), summary.curve);
        return Err(ProveError::Witness(message));
    }
    let values = witness.values();
    if values.len() != summary.wires {
        let message = format!("the witness has {} values, the circuit {} wires", values.len(), summary.wires);
        return Err(ProveError::Witness(message));
    }
    if values.first() != Some(&[1, 0, 0, 0]) {
        return Err(ProveError::Witness("the first value of a witness is the constant 1; here it is not".into()));
    }
    r1cs.map_or(Ok(()), |r1cs| r1cs.fits(summary)).map_err(ProveError::Internal)
}

fn unusable(error: &KeyError) -> ProveError {
    ProveError::Internal(format!("no proof can be verified: {error}"))
}

#[cfg(test)]
mod tests;
