//! One try at a proof with one engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ark_ec::CurveGroup;
use outrigger_types::Verdict;
use zeroize::{Zeroize, Zeroizing};

use super::randomness::scalar;
use super::{ProveError, Timings};
use crate::curve::Curve;
use crate::engine::{Arithmetic, Failure, PlainScalar, Summands, Sums, Watch, work_of_sums};
use crate::formats::encoding::{g1_to_bytes, g2_to_bytes};
use crate::{Control, PreparedKey, Proof, ProvingKey, R1cs, Stage, Stop, Witness};

/// What came of a try.
pub(super) enum Outcome {
    /// A proof, which verifies.
    Verified(Proof),
    /// A proof that does not verify: the engine is wrong, or the witness.
    Invalid,
    /// No proof, by the engine's fault.
    Fault(String),
    /// The work was stopped.
    Stopped(Stop),
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
    verifier: &'a PreparedKey,
    control: &'a Control,
    timings: &'a mut Timings,
    /// The work of a try, in about one unit; see [`weight`].
    of_try: u64,
    /// The work ahead when this try began.
    whole: u64,
    /// The work done since.
    done: u64,
}

/// About how long the steps take for each of their elements, beside a term of a sparse product: dense circuits on
/// plain cores. They serve nothing but the percentage.
mod weight {
    pub(super) const CHECK: u64 = 1;
    pub(super) const SPARSE_PRODUCT: u64 = 1;
    pub(super) const NTT: u64 = 30;
    /// In all.
    pub(super) const VERIFY: u64 = 60_000;
}

impl<'a, E: Curve> Attempt<'a, E> {
    pub(super) fn new(
        key: &'a ProvingKey<E>,
        witness: &'a Witness,
        verifier: &'a PreparedKey,
        control: &'a Control,
        timings: &'a mut Timings,
    ) -> Self {
        let summary = &key.summary;
        let terms = key.a.terms.len() + key.b.terms.len();
        let of_try = weight::SPARSE_PRODUCT * terms as u64
            + weight::NTT * summary.domain as u64
            + work_of_sums(summary.wires, summary.domain)
            + weight::VERIFY;
        Self { key, witness, verifier, control, timings, of_try, whole: of_try, done: 0 }
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

    /// Makes a proof with this engine and verifies it. A panic of the engine is its fault.
    pub(super) fn run(&mut self, engine: &dyn Arithmetic<E>) -> Outcome {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.try_run(engine)));
        // A further try begins at zero, and without a check.
        (self.whole, self.done) = (self.of_try, 0);
        match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failure)) => failure.into(),
            Err(_) => Outcome::Fault("it panicked".into()),
        }
    }

    fn try_run(&mut self, engine: &dyn Arithmetic<E>) -> Result<Outcome, Failure> {
        let scalars = self.quotient(engine)?;
        let sums = self.sums(engine, &scalars)?;
        drop(scalars);
        let drawn = || scalar::<E::ScalarField>().map_err(|error| Failure::Fault(format!("no randomness: {error}")));
        let proof = self.assemble(&sums, *drawn()?, *drawn()?);
        let verdict = self.step(Stage::Verify, weight::VERIFY, |this| {
            Ok(this.verifier.verify(&proof.bytes, &proof.public_signals))
        })?;
        Ok(if verdict == Verdict::Valid { Outcome::Verified(proof) } else { Outcome::Invalid })
    }

    /// The scalars of the H points.
    fn quotient(&mut self, engine: &dyn Arithmetic<E>) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        let key = self.key;
        let domain = key.summary.domain;
        let [a, b] = [&key.a, &key.b].map(|rows| {
            let work = weight::SPARSE_PRODUCT * rows.terms.len() as u64;
            self.step(Stage::SparseProduct, work, |this| {
                let product = engine.sparse_product(rows, this.witness.values(), domain, this.control)?;
                expect_length(Zeroizing::new(product), domain, "the sparse product")
            })
        });
        let (mut a, mut b) = (a?, b?);
        self.step(Stage::Ntt, weight::NTT * domain as u64, |this| {
            let (a, b) = (std::mem::take(&mut *a), std::mem::take(&mut *b));
            expect_length(engine.quotient(a, b, this.control)?, domain, "the quotient")
        })
    }

    fn sums(&mut self, engine: &dyn Arithmetic<E>, quotient: &[PlainScalar]) -> Result<Sums<E>, Failure> {
        self.control.check()?;
        let summands = Summands { key: self.key, witness: self.witness.values(), quotient };
        let (control, work, done, whole) = (self.control, summands.work(), self.done, self.whole);
        let told = |stage, share: f64| control.tell(stage, percent(done + (share * work as f64) as u64, whole));
        told(Stage::MsmG1, 0.0);
        let sums = engine.sums(&summands, &mut Watch { control, timings: self.timings, told: &told })?;
        self.done += work;
        Ok(sums)
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

fn percent(done: u64, whole: u64) -> u8 {
    (100 * done / whole.max(1)).min(100) as u8
}

/// An engine's answer, where it has the length that it should have: an engine at fault must not lead to a panic here.
fn expect_length<T: Zeroize>(
    values: Zeroizing<Vec<T>>,
    length: usize,
    what: &str,
) -> Result<Zeroizing<Vec<T>>, Failure> {
    if values.len() == length {
        return Ok(values);
    }
    Err(Failure::Fault(format!("{what} has {} values instead of {length}", values.len())))
}

#[cfg(test)]
mod tests;
