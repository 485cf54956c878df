//! Points and scalars as bytes: raw (uncompressed, big-endian, EIP-197's order) and compressed.

use crate::FormatError;
use crate::Proof;
use crate::curve::Curve;

/// A point in G1: x ‖ y, big-endian; infinity is all zeros.
pub fn g1_to_bytes<E: Curve>(_point: &E::G1Affine) -> Vec<u8> {
    todo!()
}

/// A point in G2: x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0, big-endian; infinity is all zeros.
pub fn g2_to_bytes<E: Curve>(_point: &E::G2Affine) -> Vec<u8> {
    todo!()
}

/// Reads a point in G1; coordinates must be below q, and the point on the curve. The subgroup is not checked.
pub fn g1_from_bytes<E: Curve>(_bytes: &[u8]) -> Option<E::G1Affine> {
    todo!()
}

/// Reads a point in G2; coordinates must be below q, and the point on the curve. The subgroup is not checked.
pub fn g2_from_bytes<E: Curve>(_bytes: &[u8]) -> Option<E::G2Affine> {
    todo!()
}

/// A proof in compressed bytes, without its public signals.
pub fn compress(_proof: &Proof) -> Result<Vec<u8>, FormatError> {
    todo!()
}

/// Reads compressed bytes; `public_signals` are 32 bytes big-endian each.
pub fn decompress(
    _curve: outrigger_types::Curve,
    _bytes: &[u8],
    _public_signals: Vec<u8>,
) -> Result<Proof, FormatError> {
    todo!()
}
