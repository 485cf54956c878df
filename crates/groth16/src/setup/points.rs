//! Multiples of a group's generator.

use std::io;

use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{CurveGroup, PrimeGroup, ScalarMul};

use crate::Control;

/// Points between two looks at the control: some ten milliseconds of work in G2.
const CHUNK_POINTS: usize = 1 << 12;

/// The generator of a group, with a table of its multiples for each window of a scalar.
pub(super) struct FixedBase<G: ScalarMul> {
    table: BatchMulPreprocessing<G>,
}

impl<G: CurveGroup + PrimeGroup> FixedBase<G> {
    /// A table that suits about so many multiplications.
    pub(super) fn new(multiplications: usize) -> Self {
        Self { table: BatchMulPreprocessing::new(G::generator(), multiplications) }
    }

    /// One multiple.
    pub(super) fn times(&self, scalar: G::ScalarField) -> G::Affine {
        (G::generator() * scalar).into_affine()
    }

    /// The multiple for each scalar, in the current rayon pool.
    pub(super) fn times_each(&self, scalars: &[G::ScalarField], control: &Control) -> io::Result<Vec<G::Affine>>
    where
        G: ScalarMul<MulBase = G::Affine>,
    {
        let mut points = Vec::with_capacity(scalars.len());
        for chunk in scalars.chunks(CHUNK_POINTS) {
            control.check().map_err(io::Error::other)?;
            points.extend(self.table.batch_mul(chunk));
        }
        Ok(points)
    }
}
