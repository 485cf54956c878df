//! Curves by their primes: circom's files state a prime, and names differ between tools.

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::pairing::Pairing;
use ark_ff::{BigInteger, PrimeField};
use outrigger_types::Curve;

use crate::FormatError;
use crate::curve::SCALAR_LIMBS;

/// Scalar fields that circom compiles for and that no Groth16 key here is over, for errors that help: big-endian
/// hexadecimal, without leading zeros.
const OTHER_SCALARS: [(&str, &str); 6] = [
    ("bls12377", "12ab655e9a2ca55660b44d1e5c37b00159aa76fed00000010a11800000000001"),
    ("goldilocks", "ffffffff00000001"),
    ("grumpkin", "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47"),
    ("pallas", "40000000000000000000000000000000224698fc094cf91b992d30ed00000001"),
    ("vesta", "40000000000000000000000000000000224698fc0994a8dd8c46eb2100000001"),
    ("secq256r1", "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
];

/// The curve whose group order this is; little-endian, as circom's files have it.
///
/// # Errors
/// Where it is of no curve here.
pub fn curve_of_scalar_prime(prime: &[u8], format: &'static str) -> Result<Curve, FormatError> {
    let known = Curve::ALL.into_iter().find(|curve| scalar_prime(*curve) == prime);
    known.ok_or_else(|| {
        let hex = hex_of(prime);
        let name = OTHER_SCALARS.iter().find(|(_, other)| *other == hex).map_or("unknown", |(name, _)| *name);
        unknown_curve(format, name, &hex)
    })
}

/// The curve whose base field has this prime; little-endian.
///
/// # Errors
/// Where it is of no curve here.
pub fn curve_of_base_prime(prime: &[u8], format: &'static str) -> Result<Curve, FormatError> {
    let known = Curve::ALL.into_iter().find(|curve| base_prime(*curve) == prime);
    known.ok_or_else(|| unknown_curve(format, "unknown", &hex_of(prime)))
}

/// The order r of a curve's groups, 32 bytes little-endian.
pub fn scalar_prime(curve: Curve) -> Vec<u8> {
    match curve {
        Curve::Bn254 => modulus_bytes::<<Bn254 as Pairing>::ScalarField>(),
        Curve::Bls12_381 => modulus_bytes::<<Bls12_381 as Pairing>::ScalarField>(),
    }
}

/// The order r of a curve's groups, limbs from the least significant.
pub fn scalar_modulus(curve: Curve) -> [u64; SCALAR_LIMBS] {
    match curve {
        Curve::Bn254 => <Bn254 as Pairing>::ScalarField::MODULUS.0,
        Curve::Bls12_381 => <Bls12_381 as Pairing>::ScalarField::MODULUS.0,
    }
}

/// The prime q of a curve's base field, [`Curve::base_bytes`] bytes little-endian.
pub fn base_prime(curve: Curve) -> Vec<u8> {
    match curve {
        Curve::Bn254 => modulus_bytes::<<Bn254 as Pairing>::BaseField>(),
        Curve::Bls12_381 => modulus_bytes::<<Bls12_381 as Pairing>::BaseField>(),
    }
}

/// Whether a number is below another, limbs from the least significant.
pub fn is_below<const N: usize>(number: &[u64; N], bound: &[u64; N]) -> bool {
    number.iter().rev().lt(bound.iter().rev())
}

fn modulus_bytes<F: PrimeField>() -> Vec<u8> {
    F::MODULUS.to_bytes_le()
}

fn unknown_curve(format: &'static str, name: &str, hex: &str) -> FormatError {
    let message = format!("its prime is 0x{hex} ({name}); bn128 and bls12381 are known: compile with one of them");
    FormatError::new(format, message)
}

fn hex_of(prime: &[u8]) -> String {
    let big_endian: Vec<u8> = prime.iter().rev().copied().collect();
    hex::encode(big_endian).trim_start_matches('0').to_owned()
}
