//! Transforms of one length, pass by pass.

use std::ops::{BitOr, Range};
use std::sync::Arc;

use outrigger_device::{Buffer, DeviceError, Queue};
use outrigger_types::Curve as CurveId;

use super::super::memory::{group_size, program};
use super::passes::{self, Pass};
use super::roots::Roots;
use crate::curve::Curve;

/// The program of a curve.
pub(super) const fn program_name<E: Curve>() -> &'static str {
    match E::ID {
        CurveId::Bn254 => "quotient_bn254",
        CurveId::Bls12_381 => "quotient_bls12_381",
    }
}

/// A kernel of it.
pub(super) fn kernel_name<E: Curve>(name: &str) -> String {
    let curve = match E::ID {
        CurveId::Bn254 => "bn254",
        CurveId::Bls12_381 => "bls12_381",
    };
    format!("{curve}_{name}")
}

/// What a pass does: see `kernels/proving/transform.h`.
#[derive(Clone, Copy)]
pub(super) struct Mode(u32);

impl Mode {
    /// From values in natural order to coefficients in bit-reversed order, each times n.
    pub(super) const DOWN: Self = Self(1);
    /// From coefficients in bit-reversed order to values on the coset in natural order.
    pub(super) const UP: Self = Self(2);
    /// Polynomial c is taken from the product of a and b.
    pub(super) const LOAD_PRODUCT: Self = Self(4);
    /// The plain numbers of A·B − C are written, over A.
    pub(super) const STORE_QUOTIENT: Self = Self(8);
}

impl BitOr for Mode {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Transforms of one length.
pub(super) struct Network<E: Curve> {
    pub(super) roots: Arc<Roots<E>>,
    pub(super) log_size: u32,
    /// From level 0 upwards.
    pub(super) passes: Vec<Pass>,
    kernel: String,
}

impl<E: Curve> Network<E> {
    pub(super) fn new(
        queue: &mut dyn Queue,
        roots: Arc<Roots<E>>,
        log_size: u32,
        tile_log: u32,
    ) -> Result<Self, DeviceError> {
        queue.load(program(program_name::<E>())?)?;
        Ok(Self {
            roots,
            log_size,
            passes: passes::passes(log_size, tile_log),
            kernel: kernel_name::<E>("transform_pass"),
        })
    }

    /// Starts a pass over some of the polynomials of a batch of so many proofs.
    pub(super) fn launch(
        &self,
        queue: &mut dyn Queue,
        values: &Buffer,
        pass: Pass,
        polynomials: Range<u32>,
        proofs: u32,
        mode: Mode,
    ) -> Result<(), DeviceError> {
        let count = polynomials.end - polynomials.start;
        let groups = count << (self.log_size - pass.tile_log());
        // Four elements a work-item at a time.
        let size = group_size(queue, (1 << pass.tile_log()) / 4);
        let Roots { plain, coset, fractions, .. } = &*self.roots;
        let arguments = [
            values.into(),
            plain.into(),
            coset.into(),
            fractions.into(),
            self.log_size.into(),
            pass.low.into(),
            pass.levels.into(),
            pass.columns.into(),
            polynomials.start.into(),
            count.into(),
            proofs.into(),
            mode.0.into(),
        ];
        queue.launch(&self.kernel, groups, size, &arguments)
    }
}
