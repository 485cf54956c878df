//! Scalars from the operating system.

use std::io;

use zeroize::Zeroizing;

use crate::curve::{RawScalar, SCALAR_LIMBS};

/// A scalar, uniform in the field: as many bits as the order has are drawn until they make a number below it, which
/// takes two draws at most on average.
pub(crate) fn scalar<F: RawScalar>() -> io::Result<Zeroizing<F>> {
    let unused_bits = 64 * SCALAR_LIMBS as u32 - F::MODULUS_BIT_SIZE;
    let mut limbs = Zeroizing::new([0; SCALAR_LIMBS]);
    loop {
        for limb in limbs.iter_mut() {
            *limb = getrandom::u64().map_err(io::Error::other)?;
        }
        limbs[SCALAR_LIMBS - 1] &= u64::MAX >> unused_bits;
        if let Some(scalar) = F::from_plain_limbs(*limbs) {
            return Ok(Zeroizing::new(scalar));
        }
    }
}

/// A scalar that is not zero.
pub(crate) fn non_zero_scalar<F: RawScalar>() -> io::Result<Zeroizing<F>> {
    loop {
        let drawn = scalar::<F>()?;
        if !drawn.is_zero() {
            return Ok(drawn);
        }
    }
}
