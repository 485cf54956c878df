//! Engine reference.

use zeroize::Zeroizing;

use super::{Arithmetic, Failure, PlainScalar};
use crate::Control;
use crate::curve::{Curve, Points};
use crate::key::Rows;

/// Engine reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceArithmetic;

impl<E: Curve> Arithmetic<E> for ReferenceArithmetic {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn sparse_product(
        &self,
        _rows: &Rows<E::ScalarField>,
        _witness: &[PlainScalar],
        _domain: usize,
        _control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        todo!()
    }

    fn quotient(
        &self,
        _a: Vec<E::ScalarField>,
        _b: Vec<E::ScalarField>,
        _control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        todo!()
    }

    fn ntt(
        &self,
        _values: &mut [E::ScalarField],
        _inverse: bool,
        _coset: bool,
        _control: &Control,
    ) -> Result<(), Failure> {
        todo!()
    }

    fn msm_g1(
        &self,
        _points: &dyn Points<E::G1Affine>,
        _scalars: &[PlainScalar],
        _control: &Control,
    ) -> Result<E::G1, Failure> {
        todo!()
    }

    fn msm_g2(
        &self,
        _points: &dyn Points<E::G2Affine>,
        _scalars: &[PlainScalar],
        _control: &Control,
    ) -> Result<E::G2, Failure> {
        todo!()
    }
}
