//! The roots of unity of a transform.

use ark_ff::Field;

use super::Failure;
use crate::curve::{Curve, RawScalar};

/// The subgroup H of 2^k roots of unity that a transform evaluates on, as snarkjs takes it: its generator is
/// [`Curve::root_of_unity`] squared s − k times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Domain<F> {
    /// k.
    pub(super) log_size: u32,
    /// The first element after one.
    pub(super) generator: F,
    root: F,
    two_adicity: u32,
}

impl<F: RawScalar> Domain<F> {
    /// The domain for this many values.
    pub(super) fn new<E: Curve<ScalarField = F>>(length: usize) -> Result<Self, Failure> {
        let two_adicity = F::TWO_ADICITY;
        let log_size = length.trailing_zeros();
        if !length.is_power_of_two() || log_size > two_adicity {
            return Err(Failure::Fault(format!(
                "a transform of {length} values: the length must be a power of two, at most 2^{two_adicity}"
            )));
        }
        let root = E::root_of_unity();
        Ok(Self { log_size, generator: root_of_order(root, two_adicity - log_size), root, two_adicity })
    }

    /// The shift w of the coset w·H: a root of unity of twice the order of H.
    ///
    /// # Errors
    /// The field has no such root where H is the whole group of roots: 2^28 values on BN254, 2^32 on BLS12-381.
    pub(super) fn shift(&self) -> Result<F, Failure> {
        let squarings = (self.two_adicity - self.log_size).checked_sub(1).ok_or_else(|| {
            Failure::Fault(format!(
                "a coset of 2^{0} values: the field has no root of unity of order 2^({0} + 1)",
                self.log_size
            ))
        })?;
        Ok(root_of_order(self.root, squarings))
    }
}

fn root_of_order<F: Field>(mut root: F, squarings: u32) -> F {
    for _ in 0..squarings {
        root.square_in_place();
    }
    root
}
