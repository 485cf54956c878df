//! Engine cpu: plain cores, plain Rust.
//!
//! Faster than arkworks because additions of points are affine and share their inversions, because transforms need no
//! reordering, and because what circuits have most of (wires that are zero or one, coefficients that are one) costs
//! next to nothing. Nothing here runs in constant time: how long a proof takes tells how many wires are zero or one.

mod msm;
mod ntt;
pub(super) mod sparse;
mod sums;

use zeroize::Zeroizing;

use super::{Arithmetic, Failure, PlainScalar};
use crate::Control;
use crate::curve::{Curve, Points};
use crate::key::Rows;

/// Engine cpu.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuArithmetic;

impl<E: Curve> Arithmetic<E> for CpuArithmetic {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn sparse_product(
        &self,
        rows: &Rows<E::ScalarField>,
        witness: &[PlainScalar],
        domain: usize,
        control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        sparse::sparse_product(rows, witness, domain, control)
    }

    fn quotient(
        &self,
        a: Vec<E::ScalarField>,
        b: Vec<E::ScalarField>,
        control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        ntt::quotient::<E>(a, b, control)
    }

    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure> {
        ntt::ntt::<E>(values, inverse, coset, control)
    }

    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure> {
        msm::msm(points, scalars, control)
    }

    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure> {
        msm::msm(points, scalars, control)
    }
}
