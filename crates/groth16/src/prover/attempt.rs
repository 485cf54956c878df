//! One try at a proof with one engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use ark_ec::CurveGroup;
use outrigger_types::{ColumnBuf, Verdict};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::randomness::scalar;
use super::{ProveError, Timings};
use crate::curve::Curve;
use crate::engine::{Arithmetic, Asked, Failure, Sums, Watch, work_of_engine};
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
            Failure::Fault(what) | Failure::Unavailable(what) => Self::Fault(what),
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

/// About how long the steps take beside those of engines, in the unit of [`work_of_engine`].
mod weight {
    /// A term of a constraint.
    pub(super) const CHECK: u64 = 1;
    /// In all.
    pub(super) const VERIFY: u64 = 60_000;
}

impl<'a, E: Curve> Attempt<'a, E> {
    pub(super) fn new(key: &'a ProvingKey<E>, witness: &'a Witness, control: &'a Control) -> Self {
        let of_try = work_of_engine(key) + weight::VERIFY;
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
            Err(Failure::Fault(what) | Failure::Unavailable(what)) => Err(ProveError::Internal(what)),
        }
    }

    /// A further try begins at zero, and without a check.
    fn begin_anew(&mut self) {
        (self.whole, self.done) = (self.of_try, 0);
    }

    /// A = α + ΣA + r·δ, B = β + ΣB + s·δ, C = ΣC + ΣH + s·A + r·B1 − r·s·δ with B1 = β + ΣB + s·δ in G1, which is
    /// ΣC + ΣH + s·(α + ΣA) + r·(β + ΣB) + r·s·δ.
    fn assemble(&self, sums: &Sums<E>, blinding: &Blinding<'_, E>, blinded: &Blinded<E>) -> Proof {
        let key = self.key;
        let bare_a = Zeroizing::new(*sums.a + key.alpha1);
        let bare_b1 = Zeroizing::new(*sums.b1 + key.beta1);
        let (by_s, by_r) = rayon::join(|| *bare_a * *blinding.s, || *bare_b1 * *blinding.r);
        let (by_s, by_r) = (Zeroizing::new(by_s), Zeroizing::new(by_r));
        let a = *bare_a + *blinded.by_r;
        let b = *sums.b2 + key.beta2 + *blinded.by_s;
        let c = *sums.c + *sums.h + *by_s + *by_r + *blinded.by_both;
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

/// Makes a proof of each, all with one key, with this engine. A panic of the engine is its fault.
pub(super) fn make<E: Curve>(attempts: &mut [Attempt<'_, E>], engine: &dyn Arithmetic<E>) -> Vec<Outcome> {
    let made = catch_unwind(AssertUnwindSafe(|| try_make(attempts, engine)));
    let outcomes: Vec<Outcome> = match made {
        Ok(made) => made.into_iter().map(|made| made.map_or_else(Outcome::from, Outcome::Made)).collect(),
        Err(_) => attempts.iter().map(|_| Outcome::Fault("it panicked".into())).collect(),
    };
    for (attempt, outcome) in attempts.iter_mut().zip(&outcomes) {
        if !matches!(outcome, Outcome::Made(_)) {
            attempt.begin_anew();
        }
    }
    outcomes
}

fn try_make<E: Curve>(attempts: &mut [Attempt<'_, E>], engine: &dyn Arithmetic<E>) -> Vec<Result<Proof, Failure>> {
    let drawn: Vec<Result<Blinding<'_, E>, Failure>> =
        attempts.iter().map(|attempt| Blinding::draw(attempt.key)).collect();
    let multiply = |drawn: &Result<Blinding<'_, E>, Failure>| drawn.as_ref().ok().map(Blinding::multiply);
    let (blinded, mut sums) =
        rayon::join(|| drawn.par_iter().map(multiply).collect::<Vec<_>>(), || sums(attempts, engine));
    // An engine at fault must not lead to a panic.
    sums.resize_with(attempts.len(), || Err(Failure::Fault("sums that are missing".to_owned())));
    let proofs = attempts.par_iter().zip(sums).zip(drawn.into_par_iter().zip(blinded));
    let proofs = proofs.map(|((attempt, sums), (drawn, blinded))| {
        let (sums, blinding) = (sums?, drawn?);
        let blinded = blinded.unwrap_or_else(|| blinding.multiply());
        Ok(attempt.assemble(&sums, &blinding, &blinded))
    });
    proofs.collect()
}

/// What the engine makes of the key and each witness. It goes through stages by itself.
fn sums<E: Curve>(attempts: &mut [Attempt<'_, E>], engine: &dyn Arithmetic<E>) -> Vec<Result<Sums<E>, Failure>> {
    let Some(key) = attempts.first().map(|attempt| attempt.key) else { return Vec::new() };
    let work = work_of_engine(key);
    let told: Vec<_> = (attempts.iter())
        .map(|&Attempt { control, done, whole, .. }| {
            move |stage, share: f64| control.tell(stage, percent(done + (share * work as f64) as u64, whole))
        })
        .collect();
    let mut asked: Vec<Asked<'_>> = (attempts.iter_mut().zip(&told))
        .map(|(attempt, told)| {
            told(Stage::SparseProduct, 0.0);
            let watch = Watch { control: attempt.control, timings: &mut attempt.timings, told };
            Asked { witness: attempt.witness.values(), watch }
        })
        .collect();
    let sums = engine.sums_of_proofs(key, &mut asked);
    drop(asked);
    for (attempt, sums) in attempts.iter_mut().zip(&sums) {
        attempt.done += if sums.is_ok() { work } else { 0 };
    }
    sums
}

/// r and s, fresh for each proof.
struct Blinding<'a, E: Curve> {
    key: &'a ProvingKey<E>,
    r: Zeroizing<E::ScalarField>,
    s: Zeroizing<E::ScalarField>,
}

/// What they make of δ; with the proof it would tell of the witness.
struct Blinded<E: Curve> {
    /// r·δ.
    by_r: Zeroizing<E::G1>,
    /// s·δ in G2.
    by_s: Zeroizing<E::G2>,
    /// r·s·δ.
    by_both: Zeroizing<E::G1>,
}

impl<'a, E: Curve> Blinding<'a, E> {
    fn draw(key: &'a ProvingKey<E>) -> Result<Self, Failure> {
        let drawn = || scalar::<E::ScalarField>().map_err(|error| Failure::Fault(format!("no randomness: {error}")));
        Ok(Self { key, r: drawn()?, s: drawn()? })
    }

    fn multiply(&self) -> Blinded<E> {
        let both = Zeroizing::new(*self.r * *self.s);
        Blinded {
            by_r: Zeroizing::new(self.key.delta1 * *self.r),
            by_s: Zeroizing::new(self.key.delta2 * *self.s),
            by_both: Zeroizing::new(self.key.delta1 * *both),
        }
    }
}

/// Verifies the proofs that were made, in one product: what does not verify is no longer made.
pub(super) fn verify<E: Curve>(verifier: &PreparedKey, tries: &mut [(Attempt<'_, E>, Outcome)]) {
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
