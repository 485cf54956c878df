//! The quadratic arithmetic program of a circuit, evaluated at tau.

use std::io;

use ark_ff::batch_inversion;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::curve::{Curve, RawScalar};
use crate::engine::PlainScalar;
use crate::{Control, R1cs};

/// Elements of a domain between two looks at the control.
const CHUNK_ELEMENTS: usize = 1 << 12;

/// The domain that the rows of a circuit are laid over.
pub(super) struct Domain<F> {
    /// Its size, a power of two.
    pub(super) size: usize,
    /// A root of unity of twice its order.
    double_root: F,
}

impl<F: RawScalar> Domain<F> {
    /// snarkjs's choice: 2^(⌊log2(constraints + public signals)⌋ + 1), which leaves room for the constant wire's row
    /// too.
    pub(super) fn of<E: Curve<ScalarField = F>>(r1cs: &R1cs) -> io::Result<Self> {
        let rows = (r1cs.constraints() + r1cs.public_signals()).max(1);
        let log2_size = rows.ilog2() + 1;
        let Some(squarings) = F::TWO_ADICITY.checked_sub(log2_size + 1) else {
            let message = format!("{rows} rows are too many for a domain over {}", r1cs.curve);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let mut double_root = E::root_of_unity();
        for _ in 0..squarings {
            double_root.square_in_place();
        }
        Ok(Self { size: 1 << log2_size, double_root })
    }

    /// Whether an element is in the domain of twice the size.
    pub(super) fn holds_in_double(&self, element: F) -> bool {
        element.pow([2 * self.size as u64]).is_one()
    }

    /// L_i(τ) for each Lagrange polynomial of the domain.
    pub(super) fn lagrange(&self, tau: F, control: &Control) -> io::Result<Zeroizing<Vec<F>>> {
        self.shifted_terms(tau, self.size, F::ONE, F::ONE, control)
    }

    /// L_{2i+1}(τ)·factor for each odd Lagrange polynomial of the domain of twice the size.
    pub(super) fn quotient_terms(&self, tau: F, factor: F, control: &Control) -> io::Result<Zeroizing<Vec<F>>> {
        self.shifted_terms(tau, 2 * self.size, self.double_root, factor, control)
    }

    /// factor·(τ^order − 1)/order · x/(τ − x) for each x = shift·ω^i, ω a root of unity of the domain's order: the
    /// Lagrange polynomials of the roots of that order at the places x.
    fn shifted_terms(
        &self,
        tau: F,
        order: usize,
        shift: F,
        factor: F,
        control: &Control,
    ) -> io::Result<Zeroizing<Vec<F>>> {
        let root = self.double_root.square();
        let over_order = F::from(order as u64).inverse().expect("a power of two is not zero in the field");
        let scale = factor * (tau.pow([order as u64]) - F::ONE) * over_order;
        let mut terms = Zeroizing::new(vec![F::ZERO; self.size]);
        terms.par_chunks_mut(CHUNK_ELEMENTS).enumerate().try_for_each(|(chunk, terms)| {
            control.check().map_err(io::Error::other)?;
            let first = shift * root.pow([(chunk * CHUNK_ELEMENTS) as u64]);
            let places = || std::iter::successors(Some(first), |place| Some(*place * root));
            terms.iter_mut().zip(places()).for_each(|(term, place)| *term = tau - place);
            batch_inversion(terms);
            terms.iter_mut().zip(places()).for_each(|(term, place)| *term *= scale * place);
            io::Result::Ok(())
        })?;
        Ok(terms)
    }
}

/// For each wire, its A, B and C polynomial at tau.
pub(super) struct Program<F: RawScalar> {
    pub(super) a: Zeroizing<Vec<F>>,
    pub(super) b: Zeroizing<Vec<F>>,
    pub(super) c: Zeroizing<Vec<F>>,
}

impl<F: RawScalar> Program<F> {
    /// The program of a circuit.
    pub(super) fn at(r1cs: &R1cs, domain: &Domain<F>, tau: F, control: &Control) -> io::Result<Self> {
        let lagrange = domain.lagrange(tau, control)?;
        let coefficients = elements::<F>(r1cs.coefficients());
        let column_sums = |matrix| sums(r1cs, matrix, &coefficients, &lagrange);
        let (mut a, (b, c)) = rayon::join(|| column_sums(0), || rayon::join(|| column_sums(1), || column_sums(2)));
        for wire in 0..=r1cs.public_signals() {
            a[wire] += lagrange[r1cs.constraints() + wire];
        }
        Ok(Self { a, b, c })
    }
}

/// For each wire, the sum of its coefficients in a matrix, each times the value of its row.
fn sums<F: RawScalar>(r1cs: &R1cs, matrix: usize, coefficients: &[F], rows: &[F]) -> Zeroizing<Vec<F>> {
    let mut sums = Zeroizing::new(vec![F::ZERO; r1cs.wires]);
    for (row, value) in rows.iter().enumerate().take(r1cs.constraints()) {
        for (wire, number) in r1cs.row(matrix, row) {
            sums[*wire as usize] += coefficients[*number as usize] * value;
        }
    }
    sums
}

/// Plain numbers as elements.
pub(super) fn elements<F: RawScalar>(plain: &[PlainScalar]) -> Vec<F> {
    plain.iter().map(|limbs| F::from_plain_limbs(*limbs).expect("held against r before")).collect()
}
