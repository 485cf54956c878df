//! Witnesses: the secret values of a circuit's wires.

use std::fmt;

use outrigger_types::Curve;
use zeroize::Zeroizing;

use crate::curve::SCALAR_LIMBS;

/// The values of a circuit's wires, each below the order of the scalar field, as plain numbers (not in Montgomery
/// form), limbs from the least significant. Secret: wiped when dropped, and its `Debug` shows lengths only.
pub struct Witness {
    curve: Curve,
    values: Zeroizing<Vec<[u64; SCALAR_LIMBS]>>,
}

impl Witness {
    /// A witness of these values, which the caller has checked to be below the order.
    pub fn new(curve: Curve, values: Zeroizing<Vec<[u64; SCALAR_LIMBS]>>) -> Self {
        Self { curve, values }
    }

    /// The curve whose scalar field the values are of.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// The values.
    pub fn values(&self) -> &[[u64; SCALAR_LIMBS]] {
        &self.values
    }

    /// The first `count` values after the constant one, 32 bytes big-endian each: the public signals.
    pub fn public_signals(&self, count: usize) -> Vec<u8> {
        let signals = self.values.iter().skip(1).take(count);
        signals.flat_map(|limbs| limbs.iter().rev().flat_map(|limb| limb.to_be_bytes())).collect()
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("curve", &self.curve).field("wires", &self.values.len()).finish()
    }
}
