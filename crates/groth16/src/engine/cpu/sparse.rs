//! Rows times the witness.

use rayon::prelude::*;

use super::super::{Failure, PlainScalar, rows_fit};
use crate::Control;
use crate::curve::RawScalar;
use crate::key::Rows;

/// Rows between two looks at the control: well below a millisecond for rows as circuits have them.
pub(in crate::engine) const ROWS_AT_ONCE: usize = 1 << 10;

/// See [`super::super::Arithmetic::sparse_product`].
pub(super) fn sparse_product<F: RawScalar>(
    rows: &Rows<F>,
    witness: &[PlainScalar],
    domain: usize,
    control: &Control,
) -> Result<Vec<F>, Failure> {
    control.check()?;
    rows_fit(rows, domain)?;
    let (coefficients, one) = (Coefficient::all_of(rows), one());
    let matrix = Matrix { rows, coefficients: &coefficients, one };
    let mut products = vec![F::ZERO; domain];
    let chunks = products[..rows.ends.len()].par_chunks_mut(ROWS_AT_ONCE).enumerate();
    chunks
        .try_for_each(|(chunk, products)| {
            control.check()?;
            for (row, product) in (chunk * ROWS_AT_ONCE..).zip(products) {
                *product = matrix.product(row, witness);
            }
            Ok(())
        })
        .map(|()| products)
}

/// A matrix with what makes its products cheap.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Matrix<'a, F> {
    pub(in crate::engine) rows: &'a Rows<F>,
    /// As [`Coefficient::all_of`] its rows.
    pub(in crate::engine) coefficients: &'a [Coefficient<F>],
    /// As [`one`].
    pub(in crate::engine) one: F,
}

impl<F: RawScalar> Matrix<'_, F> {
    /// A row times the witness; zero past the last.
    #[inline]
    pub(in crate::engine) fn product(&self, row: usize, witness: &[PlainScalar]) -> F {
        let Some(end) = self.rows.ends.get(row) else { return F::ZERO };
        let start = row.checked_sub(1).map_or(0, |before| self.rows.ends[before]);
        let terms = self.rows.terms[start as usize..*end as usize].iter();
        let terms = terms.map(|(wire, number)| (&witness[*wire as usize], &self.coefficients[*number as usize]));
        product(terms, self.one)
    }
}

/// A coefficient c, and what makes its products cheap.
pub(in crate::engine) struct Coefficient<F> {
    kind: Kind,
    /// As stored: c·R².
    stored: F,
    /// c in Montgomery form, its product with one.
    once: F,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    MinusOne,
    Other,
}

impl<F: RawScalar> Coefficient<F> {
    /// The coefficients of a matrix.
    pub(in crate::engine) fn all_of(rows: &Rows<F>) -> Vec<Self> {
        rows.coefficients.iter().map(Self::of).collect()
    }

    fn of(stored: &F) -> Self {
        let once = *stored * F::from_raw_limbs([1, 0, 0, 0]);
        let kind = if once == F::ONE {
            Kind::One
        } else if once == -F::ONE {
            Kind::MinusOne
        } else {
            Kind::Other
        };
        Self { kind, stored: *stored, once }
    }
}

/// The coefficient one as it is stored: R².
pub(in crate::engine) fn one<F: RawScalar>() -> F {
    // 2^256 as an element, whose Montgomery form is 2^512 mod r.
    F::from(2u64).pow([256u64])
}

/// One row. Wires that are one, most of a circuit's wires that are not zero, add their coefficient; coefficients that
/// are one or minus one add raw wires, which one multiplication at the end brings into Montgomery form.
fn product<'a, F: RawScalar>(terms: impl Iterator<Item = (&'a PlainScalar, &'a Coefficient<F>)>, one: F) -> F {
    let (mut product, mut plain, mut any_plain) = (F::ZERO, F::ZERO, false);
    for (wire, coefficient) in terms {
        match wire {
            [0, 0, 0, 0] => {}
            [1, 0, 0, 0] => product = product.plus(&coefficient.once),
            wire => {
                let wire = F::from_raw_limbs(*wire);
                match coefficient.kind {
                    Kind::One => (plain, any_plain) = (plain.plus(&wire), true),
                    Kind::MinusOne => (plain, any_plain) = (plain.minus(&wire), true),
                    Kind::Other => product = product.plus(&(coefficient.stored * wire)),
                }
            }
        }
    }
    if any_plain { product + plain * one } else { product }
}
