//! Points and scalars as bytes: raw (uncompressed, big-endian, EIP-197's order) and compressed.
//!
//! # Compressed proofs
//! A ‖ B ‖ C, of each point x big-endian (of G2 as c1 ‖ c0) with flags in the highest bits of the first byte:
//!
//! * BLS12-381, 48 + 96 + 48 bytes: as ZCash has it (draft-irtf-cfrg-pairing-friendly-curves, appendix C). Bit 7 is
//!   set; bit 6 says infinity; bit 5 says that y is the larger one of y and −y.
//! * BN254, 32 + 64 + 32 bytes, where only two bits are free: as gnark-crypto has it (`ecc/bn254/marshal.go`). 10 says
//!   that y is the smaller one, 11 that it is the larger one, 01 says infinity.
//!
//! y is larger than −y where it is as a number; in G2 first c1 decides, then c0.

use std::cmp::Ordering;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use outrigger_types::Curve as CurveId;

use crate::FormatError;
use crate::Proof;
use crate::curve::{Curve, RawField, RawPoint, SCALAR_BYTES};

const FORMAT: &str = "proof";

/// A point in G1: x ‖ y, big-endian; infinity is all zeros.
pub fn g1_to_bytes<E: Curve>(point: &E::G1Affine) -> Vec<u8> {
    point_to_bytes(point)
}

/// A point in G2: x.c1 ‖ x.c0 ‖ y.c1 ‖ y.c0, big-endian; infinity is all zeros.
pub fn g2_to_bytes<E: Curve>(point: &E::G2Affine) -> Vec<u8> {
    point_to_bytes(point)
}

/// Reads a point in G1; coordinates must be below q, and the point on the curve. The subgroup is not checked.
pub fn g1_from_bytes<E: Curve>(bytes: &[u8]) -> Option<E::G1Affine> {
    point_from_bytes(bytes)
}

/// Reads a point in G2; coordinates must be below q, and the point on the curve. The subgroup is not checked.
pub fn g2_from_bytes<E: Curve>(bytes: &[u8]) -> Option<E::G2Affine> {
    point_from_bytes(bytes)
}

/// A proof in compressed bytes, without its public signals.
///
/// # Errors
/// Where its bytes are no points of its curve.
pub fn compress(proof: &Proof) -> Result<Vec<u8>, FormatError> {
    match proof.curve {
        CurveId::Bn254 => compress_on::<Bn254>(proof),
        CurveId::Bls12_381 => compress_on::<Bls12_381>(proof),
    }
}

/// Reads compressed bytes; `public_signals` are 32 bytes big-endian each. Subgroups are not checked: verification does.
///
/// # Errors
/// Where a length is wrong, flags contradict each other, or x is not below q or of no point.
pub fn decompress(curve: outrigger_types::Curve, bytes: &[u8], public_signals: Vec<u8>) -> Result<Proof, FormatError> {
    if !public_signals.len().is_multiple_of(SCALAR_BYTES) {
        let message = format!("{} bytes of public signals, but each takes {SCALAR_BYTES}", public_signals.len());
        return Err(FormatError::new(FORMAT, message));
    }
    let bytes = match curve {
        CurveId::Bn254 => decompress_on::<Bn254>(bytes)?,
        CurveId::Bls12_381 => decompress_on::<Bls12_381>(bytes)?,
    };
    Ok(Proof { curve, bytes, public_signals })
}

/// A point as its coordinates, big-endian, those of an extension from the highest coefficient down.
pub(crate) fn point_to_bytes<A: RawPoint<BaseField: RawField>>(point: &A) -> Vec<u8> {
    let (x, y) = point.xy().unwrap_or_default();
    let mut bytes = field_to_bytes(&x);
    bytes.extend(field_to_bytes(&y));
    bytes
}

/// Reads what [`point_to_bytes`] writes. The subgroup is not checked.
pub(crate) fn point_from_bytes<A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> Option<A> {
    if bytes.len() != 2 * A::BaseField::BYTES {
        return None;
    }
    let (x, y) = bytes.split_at(A::BaseField::BYTES);
    point_from_coordinates(field_from_bytes(x)?, field_from_bytes(y)?)
}

/// The point (x, y), where it is on the curve; (0, 0), which never is, means infinity.
pub(crate) fn point_from_coordinates<A: RawPoint>(x: A::BaseField, y: A::BaseField) -> Option<A> {
    if x == A::BaseField::ZERO && y == A::BaseField::ZERO {
        return Some(A::zero());
    }
    (y.square() == x.square() * x + A::B).then(|| A::from_xy_unchecked(x, y))
}

/// An element, big-endian, an extension from the highest coefficient down.
fn field_to_bytes<F: RawField>(element: &F) -> Vec<u8> {
    let coefficients: Vec<_> = element.to_base_prime_field_elements().collect();
    coefficients.iter().rev().flat_map(|coefficient| coefficient.into_bigint().to_bytes_be()).collect()
}

/// Reads what [`field_to_bytes`] writes, where every coefficient is below q.
fn field_from_bytes<F: RawField>(bytes: &[u8]) -> Option<F> {
    let size = F::BYTES / F::extension_degree() as usize;
    let coefficients: Option<Vec<_>> = bytes.chunks_exact(size).rev().map(prime_from_bytes).collect();
    F::from_base_prime_field_elems(coefficients?)
}

/// An element of a prime field, big-endian, where it is below the modulus.
pub(crate) fn prime_from_bytes<F: PrimeField>(bytes: &[u8]) -> Option<F> {
    let mut number = F::BigInt::default();
    let limbs = number.as_mut();
    if bytes.len() != 8 * limbs.len() {
        return None;
    }
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(chunk.try_into().expect("eight bytes"));
    }
    F::from_bigint(number)
}

/// What the flags of a compressed point say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    Infinity,
    SmallerY,
    LargerY,
}

/// The bits that hold a flag.
const fn flag_mask(curve: CurveId) -> u8 {
    match curve {
        CurveId::Bn254 => 0b1100_0000,
        CurveId::Bls12_381 => 0b1110_0000,
    }
}

const fn flag_bits(curve: CurveId, flag: Flag) -> u8 {
    match (curve, flag) {
        (CurveId::Bn254, Flag::Infinity) => 0b0100_0000,
        (CurveId::Bn254, Flag::SmallerY) => 0b1000_0000,
        (CurveId::Bn254, Flag::LargerY) => 0b1100_0000,
        (CurveId::Bls12_381, Flag::Infinity) => 0b1100_0000,
        (CurveId::Bls12_381, Flag::SmallerY) => 0b1000_0000,
        (CurveId::Bls12_381, Flag::LargerY) => 0b1010_0000,
    }
}

fn compress_on<E: Curve>(proof: &Proof) -> Result<Vec<u8>, FormatError> {
    let [a, b, c] = split_proof(&proof.bytes, proof.curve.base_bytes()).ok_or_else(|| {
        let (found, wanted) = (proof.bytes.len(), proof.curve.proof_bytes());
        FormatError::new(FORMAT, format!("{found} bytes, but a proof on {} has {wanted}", proof.curve))
    })?;
    let bad = |name: &str| FormatError::new(FORMAT, format!("{name} is no point of {}", proof.curve));
    let a = g1_from_bytes::<E>(a).ok_or_else(|| bad("A"))?;
    let b = g2_from_bytes::<E>(b).ok_or_else(|| bad("B"))?;
    let c = g1_from_bytes::<E>(c).ok_or_else(|| bad("C"))?;
    Ok([compress_point::<E, _>(&a), compress_point::<E, _>(&b), compress_point::<E, _>(&c)].concat())
}

fn decompress_on<E: Curve>(bytes: &[u8]) -> Result<Vec<u8>, FormatError> {
    let [a, b, c] = split_proof(bytes, E::ID.base_bytes() / 2).ok_or_else(|| {
        let (found, wanted) = (bytes.len(), E::ID.proof_bytes() / 2);
        FormatError::new(FORMAT, format!("{found} bytes, but a compressed proof on {} has {wanted}", E::ID))
    })?;
    let bad = |name: &str| FormatError::new(FORMAT, format!("{name} is no compressed point of {}", E::ID));
    let a = decompress_point::<E, E::G1Affine>(a).ok_or_else(|| bad("A"))?;
    let b = decompress_point::<E, E::G2Affine>(b).ok_or_else(|| bad("B"))?;
    let c = decompress_point::<E, E::G1Affine>(c).ok_or_else(|| bad("C"))?;
    Ok([g1_to_bytes::<E>(&a), g2_to_bytes::<E>(&b), g1_to_bytes::<E>(&c)].concat())
}

/// A, B and C of a proof whose coordinates take so many bytes (in G1, a half of it a point where compressed).
fn split_proof(bytes: &[u8], coordinate: usize) -> Option<[&[u8]; 3]> {
    let (a, rest) = bytes.split_at_checked(2 * coordinate)?;
    let (b, c) = rest.split_at_checked(4 * coordinate)?;
    (c.len() == 2 * coordinate).then_some([a, b, c])
}

fn compress_point<E: Curve, A: RawPoint<BaseField: RawField>>(point: &A) -> Vec<u8> {
    let Some((x, y)) = point.xy() else {
        let mut bytes = vec![0; A::BaseField::BYTES];
        bytes[0] = flag_bits(E::ID, Flag::Infinity);
        return bytes;
    };
    let flag = if is_larger(&y) { Flag::LargerY } else { Flag::SmallerY };
    let mut bytes = field_to_bytes(&x);
    bytes[0] |= flag_bits(E::ID, flag);
    bytes
}

fn decompress_point<E: Curve, A: RawPoint<BaseField: RawField>>(bytes: &[u8]) -> Option<A> {
    let bits = bytes.first()? & flag_mask(E::ID);
    let flag =
        [Flag::Infinity, Flag::SmallerY, Flag::LargerY].into_iter().find(|flag| flag_bits(E::ID, *flag) == bits)?;
    let mut bytes = bytes.to_vec();
    bytes[0] &= !flag_mask(E::ID);
    if flag == Flag::Infinity {
        return bytes.iter().all(|byte| *byte == 0).then(A::zero);
    }
    let x: A::BaseField = field_from_bytes(&bytes)?;
    let y = (x.square() * x + A::B).sqrt()?;
    let y = if is_larger(&y) == (flag == Flag::LargerY) { y } else { -y };
    // y = 0 has one form only: there, no y is the larger one.
    (is_larger(&y) == (flag == Flag::LargerY)).then(|| A::from_xy_unchecked(x, y))
}

/// Whether y is larger than −y.
fn is_larger<F: RawField>(y: &F) -> bool {
    // Big-endian from the highest coefficient down: the order of the bytes is the order that is asked for.
    field_to_bytes(y).cmp(&field_to_bytes(&-*y)) == Ordering::Greater
}

#[cfg(test)]
mod tests;
