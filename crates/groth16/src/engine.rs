//! The seam of the prover: four operations that every engine provides. The pipeline over them is in
//! [`crate::prover`].

pub mod cpu;
pub mod device;
pub mod operations;
pub mod reference;
pub mod vector;

mod domain;
mod work;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::Instant;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use outrigger_vector::Unit;
pub use outrigger_vector::msm::Cut;
use rayon::prelude::*;
use zeroize::Zeroizing;

pub use work::work_of_proof;

use crate::curve::{Curve, Points, SCALAR_LIMBS};
use crate::key::Rows;
use crate::{Control, ProvingKey, Stage, Stop, Timings};

/// A scalar as a plain number, limbs from the least significant.
pub type PlainScalar = [u64; SCALAR_LIMBS];

/// Why an engine did not finish. Never a statement about the witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The work was stopped from outside.
    Stopped(Stop),
    /// The engine is at fault: a device failed.
    Fault(String),
    /// The engine cannot do it now, and is not to blame: its memory is taken, its device is being started again.
    Unavailable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stop) => stop.fmt(f),
            Self::Fault(what) => write!(f, "engine fault: {what}"),
            Self::Unavailable(what) => write!(f, "the engine cannot do it now: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// A multi-scalar multiplication over points that are ready.
pub type Multiplication<'a, G> = Box<dyn Fn(&[PlainScalar], &Control) -> Result<G, Failure> + Sync + 'a>;

/// The arithmetic of a proof on one curve. Runs in the calling thread and the rayon pool around it; looks at the
/// control every few milliseconds.
pub trait Arithmetic<E: Curve>: Send + Sync {
    /// The name: a metrics label.
    fn name(&self) -> &'static str;

    /// Each row of the matrix times the witness, then zeros up to `domain`. `witness` holds plain values.
    fn sparse_product(
        &self,
        rows: &Rows<E::ScalarField>,
        witness: &[PlainScalar],
        domain: usize,
        control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure>;

    /// From the evaluations a and b on the domain of 2^k elements to the scalars of the H points, as plain values:
    /// with c = a∘b, (A·B − C)(w·w_i) for each w_i of the domain, w a root of unity of twice its order. Three inverse
    /// transforms, three forward, no division by the vanishing polynomial (snarkjs puts it into the points).
    fn quotient(
        &self,
        a: Vec<E::ScalarField>,
        b: Vec<E::ScalarField>,
        control: &Control,
    ) -> Result<zeroize::Zeroizing<Vec<PlainScalar>>, Failure>;

    /// The transform itself, in natural order in and out, in place; the inverse divides by the length. With `coset`,
    /// values are those on the coset w·H, w a root of unity of twice the order.
    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure>;

    /// The sum of scalar × point over G1. There are as many scalars as points.
    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure>;

    /// The sum of scalar × point over G2. There are as many scalars as points.
    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure>;

    /// [`Arithmetic::msm_g1`] over points that are multiplied again and again: made ready now.
    fn over_g1<'a>(&'a self, points: &'a dyn Points<E::G1Affine>) -> Multiplication<'a, E::G1> {
        Box::new(move |scalars, control| self.msm_g1(points, scalars, control))
    }

    /// [`Arithmetic::msm_g2`] likewise.
    fn over_g2<'a>(&'a self, points: &'a dyn Points<E::G2Affine>) -> Multiplication<'a, E::G2> {
        Box::new(move |scalars, control| self.msm_g2(points, scalars, control))
    }

    /// The scalars of the H points, as many as the domain has elements: both matrices times the witness, and
    /// [`Arithmetic::quotient`] of that.
    fn quotient_of(
        &self,
        key: &ProvingKey<E>,
        witness: &[PlainScalar],
        watch: &mut Watch<'_>,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        let (domain, whole) = (key.summary.domain, work_of_quotient(key) as f64);
        let mut done = 0;
        let [a, b] = [&key.a, &key.b].map(|rows| {
            watch.control.check()?;
            watch.tell(Stage::SparseProduct, done as f64 / whole);
            let begin = Instant::now();
            let product = self.sparse_product(rows, witness, domain, watch.control)?;
            watch.timings.add(Stage::SparseProduct, begin.elapsed());
            done += WORK_TERM * rows.terms.len() as u64;
            // An engine at fault must not lead to a panic.
            let product = Zeroizing::new(product);
            same_length(product.len(), domain).map(|()| product)
        });
        let (mut a, mut b) = (a?, b?);
        watch.control.check()?;
        watch.tell(Stage::Ntt, done as f64 / whole);
        let begin = Instant::now();
        let quotient = self.quotient(std::mem::take(&mut *a), std::mem::take(&mut *b), watch.control)?;
        watch.timings.add(Stage::Ntt, begin.elapsed());
        Ok(quotient)
    }

    /// All that a proof needs of an engine: the scalars of the H points, and the five sums.
    fn sums_of_proof(
        &self,
        key: &ProvingKey<E>,
        witness: &[PlainScalar],
        watch: &mut Watch<'_>,
    ) -> Result<Sums<E>, Failure> {
        quotient_then_sums(self, key, witness, watch)
    }

    /// [`Arithmetic::sums_of_proof`] for several proofs of one key, in their order: side by side, where an engine has no
    /// better way. Each is stopped and fails by itself where it can.
    fn sums_of_proofs(&self, key: &ProvingKey<E>, asked: &mut [Asked<'_>]) -> Vec<Result<Sums<E>, Failure>> {
        let sums = asked.par_iter_mut().map(|asked| self.sums_of_proof(key, asked.witness, &mut asked.watch));
        sums.collect()
    }

    /// A proof of this engine did not verify, and one that a stand-in made of the same witness did.
    fn is_blamed(&self) {}

    /// The five sums of a proof. One after the other, where an engine has no better order.
    fn sums(&self, summands: &Summands<'_, E>, watch: &mut Watch<'_>) -> Result<Sums<E>, Failure> {
        let (key, witness, private) = (summands.key, summands.witness, summands.private());
        let (whole, mut done) = (summands.work(), 0);
        let mut g1 = |points: &dyn Points<E::G1Affine>, scalars: &[PlainScalar]| {
            watch.control.check()?;
            watch.tell(Stage::MsmG1, done as f64 / whole as f64);
            let begin = Instant::now();
            let sum = Zeroizing::new(self.msm_g1(points, scalars, watch.control)?);
            watch.timings.add(Stage::MsmG1, begin.elapsed());
            done += WORK_G1 * scalars.len() as u64;
            Ok::<_, Failure>(sum)
        };
        let a = g1(&key.a_points(), witness)?;
        let b1 = g1(&key.b1_points(), witness)?;
        let c = g1(&key.c_points(), private)?;
        let h = g1(&key.h_points(), summands.quotient)?;
        watch.control.check()?;
        watch.tell(Stage::MsmG2, done as f64 / whole as f64);
        let begin = Instant::now();
        let b2 = Zeroizing::new(self.msm_g2(&key.b2_points(), witness, watch.control)?);
        watch.timings.add(Stage::MsmG2, begin.elapsed());
        Ok(Sums { a, b1, b2, c, h })
    }
}

/// What a proof needs of an engine, the sums once the quotient is there.
fn quotient_then_sums<E: Curve, A: Arithmetic<E> + ?Sized>(
    engine: &A,
    key: &ProvingKey<E>,
    witness: &[PlainScalar],
    watch: &mut Watch<'_>,
) -> Result<Sums<E>, Failure> {
    let share = work_of_quotient(key) as f64 / work_of_engine(key) as f64;
    let (control, told) = (watch.control, watch.told);
    let of_quotient = |stage, part: f64| told(stage, part * share);
    let quotient =
        engine.quotient_of(key, witness, &mut Watch { control, timings: watch.timings, told: &of_quotient })?;
    // An engine at fault must not lead to a panic.
    same_length(quotient.len(), key.summary.domain)?;
    control.check()?;
    let of_sums = |stage, part: f64| told(stage, share + part * (1.0 - share));
    of_sums(Stage::MsmG1, 0.0);
    let summands = Summands { key, witness, quotient: &quotient };
    engine.sums(&summands, &mut Watch { control, timings: watch.timings, told: &of_sums })
}

/// About how long the steps take for each of their elements: a term of a sparse product, an element of the domain, a term
/// of a sum in either group. They serve nothing but the percentage.
const WORK_TERM: u64 = 1;
const WORK_NTT: u64 = 30;
const WORK_G1: u64 = 60;
const WORK_G2: u64 = 180;

/// About how much work the quotient and the sums of a proof are.
pub(crate) fn work_of_engine<E: Curve>(key: &ProvingKey<E>) -> u64 {
    work_of_quotient(key) + work_of_sums(key.summary.wires, key.summary.domain)
}

/// About how much work the quotient of a proof is.
pub(crate) fn work_of_quotient<E: Curve>(key: &ProvingKey<E>) -> u64 {
    let terms = key.a.terms.len() + key.b.terms.len();
    WORK_TERM * terms as u64 + WORK_NTT * key.summary.domain as u64
}

/// What the sums of a proof are over.
#[derive(Clone, Copy)]
pub struct Summands<'a, E: Curve> {
    /// The key with the points.
    pub key: &'a ProvingKey<E>,
    /// A scalar for each wire: all of them for A and B, the private ones for C.
    pub witness: &'a [PlainScalar],
    /// A scalar for each H point.
    pub quotient: &'a [PlainScalar],
}

impl<'a, E: Curve> Summands<'a, E> {
    /// The scalars of the C points.
    pub fn private(&self) -> &'a [PlainScalar] {
        &self.witness[1 + self.key.summary.public_signals..]
    }

    /// About how much work they are, in the unit of the prover's percentage.
    pub(crate) fn work(&self) -> u64 {
        work_of_sums(self.witness.len(), self.quotient.len())
    }
}

/// About how much work the sums of a proof are.
fn work_of_sums(wires: usize, domain: usize) -> u64 {
    WORK_G1 * (3 * wires + domain) as u64 + WORK_G2 * wires as u64
}

/// The sums of the five multi-scalar multiplications. With the proof they would tell of the witness: wiped.
pub struct Sums<E: Curve> {
    /// Over the A points.
    pub a: Zeroizing<E::G1>,
    /// Over the B points in G1.
    pub b1: Zeroizing<E::G1>,
    /// Over the B points in G2.
    pub b2: Zeroizing<E::G2>,
    /// Over the C points.
    pub c: Zeroizing<E::G1>,
    /// Over the H points.
    pub h: Zeroizing<E::G1>,
}

impl<E: Curve> PartialEq for Sums<E> {
    fn eq(&self, other: &Self) -> bool {
        let Self { a, b1, b2, c, h } = self;
        **a == *other.a && **b1 == *other.b1 && **b2 == *other.b2 && **c == *other.c && **h == *other.h
    }
}

/// Who watches the quotient or the sums of a proof.
pub struct Watch<'a> {
    /// Stops the work.
    pub control: &'a Control,
    /// Gets the time of the stages.
    pub timings: &'a mut Timings,
    /// Told of the stage that goes on, and of the share of the work that is done, from 0 to 1.
    pub told: &'a (dyn Fn(Stage, f64) + Sync),
}

/// A proof whose sums are asked for.
pub struct Asked<'a> {
    /// The value of every wire.
    pub witness: &'a [PlainScalar],
    /// Who watches it.
    pub watch: Watch<'a>,
}

impl Watch<'_> {
    /// Says how far the work is.
    pub fn tell(&self, stage: Stage, share: f64) {
        (self.told)(stage, share);
    }
}

/// # Errors
/// Two inputs that belong together are not of one length.
fn same_length(one: usize, other: usize) -> Result<(), Failure> {
    if one == other {
        Ok(())
    } else {
        Err(Failure::Fault(format!("{one} and {other} values where there must be as many")))
    }
}

/// # Errors
/// The matrix has more rows than the domain has elements.
fn rows_fit<F>(rows: &Rows<F>, domain: usize) -> Result<(), Failure> {
    if rows.ends.len() <= domain {
        Ok(())
    } else {
        Err(Failure::Fault(format!("{} rows on a domain of {domain} elements", rows.ends.len())))
    }
}

/// How engine vector trades memory for time: values of a hardware profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Elements of a domain from which on memory counts more than time, since a pass through it takes longer than what
    /// waits for it.
    pub large_domain_min: usize,
    /// Multiples of each point that are kept of a key, the point itself included.
    pub multiples_max: usize,
    /// Bytes of multiples of one key.
    pub multiples_bytes_max: usize,
    /// How the sums are cut.
    pub cut: Cut,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { large_domain_min: 1 << 19, multiples_max: 1, multiples_bytes_max: 256 << 20, cut: Cut::default() }
    }
}

static TUNING: RwLock<Option<Tuning>> = RwLock::new(None);

/// Sets the tuning of all engines of this process; of keys that are ready, what was made stays.
pub fn tune(tuning: Tuning) {
    *TUNING.write().unwrap_or_else(PoisonError::into_inner) = Some(tuning);
}

/// The tuning.
pub(crate) fn tuning() -> Tuning {
    TUNING.read().unwrap_or_else(PoisonError::into_inner).unwrap_or_default()
}

/// An engine for whichever curve.
pub trait ProofEngine: Send + Sync {
    /// The name: a metrics label.
    fn name(&self) -> &'static str;

    /// Its arithmetic on BN254.
    fn bn254(&self) -> &dyn Arithmetic<Bn254>;

    /// Its arithmetic on BLS12-381.
    fn bls12_381(&self) -> &dyn Arithmetic<Bls12_381>;

    /// Whether it can take work now: a device may be starting, or in quarantine.
    fn is_ready(&self) -> bool {
        true
    }

    /// Those that try what this engine failed at, one after the other.
    fn stand_ins(&self) -> &'static [EngineChoice] {
        &[EngineChoice::Reference]
    }
}

/// An engine of this process's cores, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineChoice {
    /// Plain cores, our own arithmetic.
    Cpu,
    /// Eight field elements at a time: AVX-512, and where there is none, plain words, which engine cpu is faster than.
    Vector,
    /// arkworks: the judge, and the way back when another engine fails.
    Reference,
}

impl EngineChoice {
    /// Vector where the processor has AVX-512 with IFMA, else cpu.
    pub fn fastest() -> Self {
        static HAS_LANES: LazyLock<bool> = LazyLock::new(|| Unit::detect().is_some());
        if *HAS_LANES { Self::Vector } else { Self::Cpu }
    }

    /// The name: a metrics label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Vector => "vector",
            Self::Reference => "reference",
        }
    }

    /// The engine, for a curve.
    pub fn of<E: Curve>(self) -> &'static dyn Arithmetic<E> {
        static VECTOR: LazyLock<vector::VectorArithmetic> =
            LazyLock::new(|| vector::VectorArithmetic::new(Unit::detect().unwrap_or(Unit::PORTABLE)));
        match self {
            Self::Cpu => &cpu::CpuArithmetic,
            Self::Vector => &*VECTOR,
            Self::Reference => &reference::ReferenceArithmetic,
        }
    }
}

impl ProofEngine for EngineChoice {
    fn name(&self) -> &'static str {
        (*self).name()
    }

    fn bn254(&self) -> &dyn Arithmetic<Bn254> {
        self.of()
    }

    fn bls12_381(&self) -> &dyn Arithmetic<Bls12_381> {
        self.of()
    }
}
