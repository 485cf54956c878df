//! Engines that do what no engine should.

use std::sync::atomic::{AtomicUsize, Ordering};

use ark_ec::PrimeGroup;
use ark_ff::Field;
use zeroize::Zeroizing;

use crate::Control;
use crate::curve::{Curve, Points};
use crate::engine::reference::ReferenceArithmetic;
use crate::engine::{Arithmetic, Failure, PlainScalar};
use crate::key::Rows;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// Nothing: the reference's own answers.
    None,
    /// One element of a sparse product is off by one.
    SparseProduct,
    /// A sparse product is too short.
    ShortProduct,
    /// One element of the quotient is zero.
    Quotient,
    /// The quotient is too short.
    ShortQuotient,
    /// A sum in G1 is off by the generator.
    MsmG1,
    /// The sum in G2 is off by the generator.
    MsmG2,
    /// The device fails in the last multiplication.
    Fault,
    /// The engine panics in the last multiplication.
    Panic,
    /// Somebody cancels during the multiplications.
    Cancel,
}

impl Lie {
    /// Those that a repetition on the reference makes good.
    pub(super) const REPAIRED: [Self; 8] = [
        Self::SparseProduct,
        Self::ShortProduct,
        Self::Quotient,
        Self::ShortQuotient,
        Self::MsmG1,
        Self::MsmG2,
        Self::Fault,
        Self::Panic,
    ];
}

/// The reference with one lie, which counts its calls.
pub(super) struct Double {
    pub(super) lie: Lie,
    pub(super) calls: AtomicUsize,
}

impl Double {
    pub(super) fn new(lie: Lie) -> Self {
        Self { lie, calls: AtomicUsize::new(0) }
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn inner<E: Curve>(&self) -> &'static dyn Arithmetic<E> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &ReferenceArithmetic
    }
}

impl<E: Curve> Arithmetic<E> for Double {
    fn name(&self) -> &'static str {
        "double"
    }

    fn sparse_product(
        &self,
        rows: &Rows<E::ScalarField>,
        witness: &[PlainScalar],
        domain: usize,
        control: &Control,
    ) -> Result<Vec<E::ScalarField>, Failure> {
        let mut product = self.inner::<E>().sparse_product(rows, witness, domain, control)?;
        match self.lie {
            Lie::SparseProduct => product[1] += E::ScalarField::ONE,
            Lie::ShortProduct => product.truncate(1),
            _ => {}
        }
        Ok(product)
    }

    fn quotient(
        &self,
        a: Vec<E::ScalarField>,
        b: Vec<E::ScalarField>,
        control: &Control,
    ) -> Result<Zeroizing<Vec<PlainScalar>>, Failure> {
        let mut quotient = self.inner::<E>().quotient(a, b, control)?;
        match self.lie {
            Lie::Quotient => quotient[0] = [0; 4],
            Lie::ShortQuotient => quotient.truncate(1),
            _ => {}
        }
        Ok(quotient)
    }

    fn ntt(&self, values: &mut [E::ScalarField], inverse: bool, coset: bool, control: &Control) -> Result<(), Failure> {
        self.inner::<E>().ntt(values, inverse, coset, control)
    }

    fn msm_g1(
        &self,
        points: &dyn Points<E::G1Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G1, Failure> {
        if self.lie == Lie::Cancel {
            control.cancel();
        }
        let sum = self.inner::<E>().msm_g1(points, scalars, control)?;
        Ok(if self.lie == Lie::MsmG1 { sum + E::G1::generator() } else { sum })
    }

    fn msm_g2(
        &self,
        points: &dyn Points<E::G2Affine>,
        scalars: &[PlainScalar],
        control: &Control,
    ) -> Result<E::G2, Failure> {
        let sum = self.inner::<E>().msm_g2(points, scalars, control)?;
        match self.lie {
            Lie::Fault => Err(Failure::Fault("the device fell off the bus".into())),
            Lie::Panic => panic!("an index is out of range"),
            Lie::MsmG2 => Ok(sum + E::G2::generator()),
            _ => Ok(sum),
        }
    }
}
