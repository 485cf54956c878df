//! The seam of the prover: four operations that every engine provides. The pipeline over them is in
//! [`crate::prover`].

pub mod cpu;
pub mod operations;
pub mod reference;

mod domain;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::curve::{Curve, Points, SCALAR_LIMBS};
use crate::key::Rows;
use crate::{Control, Stop};

/// A scalar as a plain number, limbs from the least significant.
pub type PlainScalar = [u64; SCALAR_LIMBS];

/// Why an engine did not finish. Never a statement about the witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The work was stopped from outside.
    Stopped(Stop),
    /// The engine is at fault: a device failed, memory ran out.
    Fault(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(stop) => stop.fmt(f),
            Self::Fault(what) => write!(f, "engine fault: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

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

/// An engine by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// Plain cores, our own arithmetic.
    #[default]
    Cpu,
    /// arkworks: the judge, and the way back when another engine fails.
    Reference,
}

impl EngineChoice {
    /// The engine, for a curve.
    pub fn of<E: Curve>(self) -> &'static dyn Arithmetic<E> {
        match self {
            Self::Cpu => &cpu::CpuArithmetic,
            Self::Reference => &reference::ReferenceArithmetic,
        }
    }
}
