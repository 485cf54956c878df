//! One try at a proof with one engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ark_ec::CurveGroup;
use outrigger_types::{ColumnBuf, Verdict};
use zeroize::Zeroizing;

use super::randomness::scalar;
use super::{ProveError, Timings};
use crate::curve::Curve;
use crate::engine::{Arithmetic, Failure, PlainScalar, Summands, Sums, Watch, work_of_quotient, work_of_sums};
use crate::formats::encoding::{g1_to_bytes, g2_to_bytes};
use crate::{Control, PreparedKey, Proof, ProvingKey, R1cs, Stage, Stop, Witness};

/// What came of a try.
pub(super) enum Outcome {
    /// A proof: one that verifies, after [`verify`].
    Made(Proof),
    /// A proof that does not verify: the engine is wrong, or the witness.
    Invalid,
    /// No proof, by the engine's fault.
    Fault(String),
    /// The work was stopped.
    Stopped(Stop),
}

impl Outcome {
    fn proof(&self) -> Option<&Proof> {
        match self {
            Self::Made(proof) => Some(proof),
            _ => None,
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Stopped(stop) => Self::Stopped(stop),
            Failure::Fault(what) => Self::Fault(what),
        }
    }
}

/// What tries have in common.
pub(super) struct Attempt<'a, E: Curve> {
    key: &'a ProvingKey<E>,
    witness: &'a Witness,
    control: &'a Control,
    pub(super) timings: Timings,
    /// The work of a try, in about one unit; see [`weight`].
    of_try: u64,
    /// The work ahead when this try began.
    whole: u64,
    /// The work done since.
    done: u64,
}

/// About how long the steps take beside those of engines, in the unit of [`work_of_sums`].
mod weight {
    /// A term of a constraint.
    pub(super) const CHECK: u64 = 1;
    /// In all.
    pub(super) const VERIFY: u64 = 60_000;
}

impl<'a, E: Curve> Attempt<'a, E> {
    pub(super) fn new(key: &'a ProvingKey<E>, witness: &'a Witness, control: &'a Control) -> Self {
        let of_try = work_of_quotient(key) + work_of_sums(key.summary.wires, key.summary.domain) + weight::VERIFY;
        Self { key, witness, control, timings: Timings::default(), of_try, whole: of_try, done: 0 }
    }

    /// Holds the witness against the constraints.
    pub(super) fn check(&mut self, r1cs: &R1cs) -> Result<(), ProveError> {
        let work = weight::CHECK * r1cs.terms() as u64;
        self.whole += work;
        let outcome = self.step(Stage::Check, work, |this| Ok(r1cs.check(this.witness, this.control)?));
        match outcome {
            Ok(Ok(())) => Ok(()),
            Ok(Err(unsatisfied)) => Err(ProveError::Unsatisfied(Some(unsatisfied.constraint))),
            Err(Failure::Stopped(stop)) => Err(ProveError::Stopped(stop)),
            Err(Failure::Fault(what)) => Err(ProveError::Internal(what)),
        }
    }

    /// Makes a proof with this engine. A panic of the engine is its fault.
    pub(super) fn make(&mut self, engine: &dyn Arithmetic<E>) -> Outcome {
        let outcome = match catch_unwind(AssertUnwindSafe(|| self.try_make(engine))) {
            Ok(Ok(proof)) => Outcome::Made(proof),
            Ok(Err(failure)) => failure.into(),
            Err(_) => Outcome::Fault("it panicked".into()),
        };
        if !matches!(outcome, Outcome::Made(_)) {
            self.begin_anew();
        }
        outcome
    }

    /// A further try begins at zero, and without a check.
    fn begin_anew(&mut self) {
        (self.whole, self.done) = (self.of_try, 0);
    }

    fn try_make(&mut self, engine: &dyn Arithmetic<E>) -> Result<Proof, Failure> {
        let scalars = self.quotient(engine)?;
        let sums = self.sums(engine, &scalars)?;
        drop(scalars);
        let drawn = || scalar::<E::ScalarField>().map_err(|error| Failure::Fault(format!("no randomness: {error}")));
        Ok(self.assemble(&sums, *drawn()?, *drawn()?))
    }

    /// The scalars of the H points.
    fn quotient(&mut self, engine: &dyn Arithmetic<E>) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        let (key, witness) = (self.key, self.witness.values());
        let quotient =
            self.watched(Stage::SparseProduct, work_of_quotient(key), |watch| engine.quotient_of(key, witness, watch))?;
        let (found, domain) = (quotient.len(), key.summary.domain);
        // An engine at fault must not lead to a panic later.
        if found != domain {
            return Err(Failure::Fault(format!("the quotient has {found} values instead of {domain}")));
        }
        Ok(quotient)
    }

    fn sums(&mut self, engine: &dyn Arithmetic<E>, quotient: &[PlainScalar]) -> Result<Sums<E>, Failure> {
        let summands = Summands { key: self.key, witness: self.witness.values(), quotient };
        self.watched(Stage::MsmG1, summands.work(), |watch| engine.sums(&summands, watch))
    }

    /// Stages that an engine goes through by itself, of so much work, the first of them being `first`.
    fn watched<T>(
        &mut self,
        first: Stage,
        work: u64,
        stages: impl FnOnce(&mut Watch<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.control.check()?;
        let (control, done, whole) = (self.control, self.done, self.whole);
        let told = |stage, share: f64| control.tell(stage, percent(done + (share * work as f64) as u64, whole));
        told(first, 0.0);
        let result = stages(&mut Watch { control, timings: &mut self.timings, told: &told })?;
        self.done += work;
        Ok(result)
    }

    /// A = α + ΣA + r·δ, B = β + ΣB + s·δ, C = ΣC + ΣH + s·A + r·B1 − r·s·δ, r and s fresh for each proof.
    fn assemble(&self, sums: &Sums<E>, r: E::ScalarField, s: E::ScalarField) -> Proof {
        let key = self.key;
        let (r, s) = (Zeroizing::new(r), Zeroizing::new(s));
        let rs = Zeroizing::new(*r * *s);
        let a = *sums.a + key.alpha1 + key.delta1 * *r;
        let b = *sums.b2 + key.beta2 + key.delta2 * *s;
        let b1 = Zeroizing::new(*sums.b1 + key.beta1 + key.delta1 * *s);
        let c = *sums.c + *sums.h + a * *s + *b1 * *r - key.delta1 * *rs;
        let mut bytes = g1_to_bytes::<E>(&a.into_affine());
        bytes.extend(g2_to_bytes::<E>(&b.into_affine()));
        bytes.extend(g1_to_bytes::<E>(&c.into_affine()));
        let public_signals = self.witness.public_signals(key.summary.public_signals);
        Proof { curve: E::ID, bytes, public_signals }
    }

    /// A unit of the pipeline: told of as it begins, timed, and not begun where the work was stopped.
    fn step<T>(
        &mut self,
        stage: Stage,
        work: u64,
        unit: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.control.check()?;
        self.control.tell(stage, percent(self.done, self.whole));
        let begin = Instant::now();
        let result = unit(self);
        self.timings.add(stage, begin.elapsed());
        self.done += work;
        result
    }
}

/// Verifies the proofs that were made, in one product: what does not verify is no longer made.
pub(super) fn verify<'t, 'a: 't, E: Curve>(
    verifier: &PreparedKey,
    tries: impl Iterator<Item = &'t mut (Attempt<'a, E>, Outcome)>,
) {
    let mut made = Vec::new();
    for (attempt, outcome) in tries {
        if !matches!(outcome, Outcome::Made(_)) {
            continue;
        }
        match attempt.control.check() {
            Ok(()) => {
                attempt.control.tell(Stage::Verify, percent(attempt.done, attempt.whole));
                made.push((attempt, outcome));
            }
            Err(stop) => *outcome = Outcome::Stopped(stop),
        }
    }
    let begin = Instant::now();
    let verdicts = verdicts(verifier, made.iter().filter_map(|(_, outcome)| outcome.proof()));
    let time = begin.elapsed() / u32::try_from(made.len().max(1)).unwrap_or(u32::MAX);
    for ((attempt, outcome), verdict) in made.into_iter().zip(verdicts) {
        attempt.timings.add(Stage::Verify, time);
        attempt.done += weight::VERIFY;
        if verdict != Verdict::Valid {
            *outcome = Outcome::Invalid;
            attempt.begin_anew();
        }
    }
}

fn verdicts<'p>(verifier: &PreparedKey, proofs: impl Iterator<Item = &'p Proof>) -> Vec<Verdict> {
    let (mut count, mut bytes, mut signals) = (0, Vec::new(), Vec::new());
    for proof in proofs {
        count += 1;
        bytes.extend_from_slice(&proof.bytes);
        signals.extend_from_slice(&proof.public_signals);
    }
    let columns = [bytes, signals].map(|bytes| ColumnBuf::with_count(bytes.into(), count));
    match columns {
        [Ok(bytes), Ok(signals)] => verifier.verify_batch(bytes.view(), signals.view()),
        // Proofs of one key are of one length.
        _ => vec![Verdict::Malformed; count],
    }
}

fn percent(done: u64, whole: u64) -> u8 {
    (100 * done / whole.max(1)).min(100) as u8
}

#[cfg(test)]
mod tests;
