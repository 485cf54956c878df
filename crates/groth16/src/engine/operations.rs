//! The operations over bytes, for researchers: `Msm` and `Ntt`.

use std::fmt;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::CurveGroup;
use outrigger_types::Curve as CurveId;
use rayon::prelude::*;

use super::{Failure, PlainScalar, ProofEngine};
use crate::curve::{Curve, RawField, RawPoint, RawScalar, SCALAR_BYTES, SCALAR_LIMBS, point_bytes};
use crate::formats::encoding::{g1_from_bytes, g1_to_bytes, g2_from_bytes, g2_to_bytes};
use crate::{Control, FormatError};

/// A group of a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// The first, over the base field.
    G1,
    /// The second, over its extension.
    G2,
}

/// Why an operation gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationError {
    /// The bytes are not what they should be.
    Format(FormatError),
    /// The engine did not finish.
    Engine(Failure),
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(error) => error.fmt(f),
            Self::Engine(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for OperationError {}

impl From<Failure> for OperationError {
    fn from(failure: Failure) -> Self {
        Self::Engine(failure)
    }
}

/// A multi-scalar multiplication: points uncompressed as in [`crate::formats::encoding`], scalars 32 bytes big-endian
/// and below r. The result is a point in the same form.
///
/// # Errors
/// [`OperationError::Format`] where there are not as many scalars as points, a scalar is not below r, or a point is
/// not in its group, the subgroup of order r: with another the result would depend on how it is computed.
pub fn msm(
    curve: CurveId,
    group: Group,
    points: &[u8],
    scalars: &[u8],
    engine: &dyn ProofEngine,
    control: &Control,
) -> Result<Vec<u8>, OperationError> {
    match curve {
        CurveId::Bn254 => msm_on::<Bn254>(group, points, scalars, engine, control),
        CurveId::Bls12_381 => msm_on::<Bls12_381>(group, points, scalars, engine, control),
    }
}

/// A number-theoretic transform of elements of 32 bytes big-endian, a power of two of them; see
/// [`super::Arithmetic::ntt`].
///
/// # Errors
/// [`OperationError::Format`] where there is no power of two of elements, or one is not below r.
pub fn ntt(
    curve: CurveId,
    elements: &[u8],
    inverse: bool,
    coset: bool,
    engine: &dyn ProofEngine,
    control: &Control,
) -> Result<Vec<u8>, OperationError> {
    match curve {
        CurveId::Bn254 => ntt_on::<Bn254>(elements, inverse, coset, engine, control),
        CurveId::Bls12_381 => ntt_on::<Bls12_381>(elements, inverse, coset, engine, control),
    }
}

fn msm_on<E: Curve>(
    group: Group,
    points: &[u8],
    scalars: &[u8],
    engine: &dyn ProofEngine,
    control: &Control,
) -> Result<Vec<u8>, OperationError> {
    let point_size = match group {
        Group::G1 => point_bytes::<E::G1Affine>(),
        Group::G2 => point_bytes::<E::G2Affine>(),
    };
    let count = whole("points", points, point_size)?;
    if whole("scalars", scalars, SCALAR_BYTES)? != count {
        let scalars = scalars.len() / SCALAR_BYTES;
        return Err(format_error("scalars", format!("{scalars} scalars for {count} points; send as many of both")));
    }
    let scalars: Vec<PlainScalar> = scalars_from_bytes::<E::ScalarField>("scalars", scalars)?;
    let engine = E::arithmetic(engine);
    Ok(match group {
        Group::G1 => {
            let points = points_from_bytes(points, point_size, g1_from_bytes::<E>, control)?;
            g1_to_bytes::<E>(&engine.msm_g1(&&points[..], &scalars, control)?.into_affine())
        }
        Group::G2 => {
            let points = points_from_bytes(points, point_size, g2_from_bytes::<E>, control)?;
            g2_to_bytes::<E>(&engine.msm_g2(&&points[..], &scalars, control)?.into_affine())
        }
    })
}

fn ntt_on<E: Curve>(
    elements: &[u8],
    inverse: bool,
    coset: bool,
    engine: &dyn ProofEngine,
    control: &Control,
) -> Result<Vec<u8>, OperationError> {
    let count = whole("elements", elements, SCALAR_BYTES)?;
    if !count.is_power_of_two() {
        return Err(format_error("elements", format!("{count} of them; send a power of two, zeros behind the last")));
    }
    let plain = scalars_from_bytes::<E::ScalarField>("elements", elements)?;
    let element = |limbs| E::ScalarField::from_plain_limbs(limbs).expect("checked to be below r");
    let mut values: Vec<_> = plain.into_iter().map(element).collect();
    E::arithmetic(engine).ntt(&mut values, inverse, coset, control)?;
    let bytes = values.iter().flat_map(|value| scalar_to_bytes(&value.plain_limbs()));
    Ok(bytes.collect())
}

/// How many items of `size` bytes there are.
fn whole(what: &'static str, bytes: &[u8], size: usize) -> Result<usize, OperationError> {
    if bytes.len().is_multiple_of(size) {
        Ok(bytes.len() / size)
    } else {
        Err(format_error(what, format!("{} bytes; each takes {size}", bytes.len())))
    }
}

fn points_from_bytes<A: RawPoint<BaseField: RawField>>(
    bytes: &[u8],
    size: usize,
    read: impl Fn(&[u8]) -> Option<A> + Sync,
    control: &Control,
) -> Result<Vec<A>, OperationError> {
    let points = bytes.par_chunks_exact(size).enumerate().map(|(i, bytes)| {
        // A check of the subgroup takes some ten microseconds.
        if i % 64 == 0 {
            control.check().map_err(Failure::Stopped)?;
        }
        read(bytes).filter(RawPoint::is_valid).ok_or_else(|| {
            format_error("points", format!("point {i} (counted from 0) is not in the group of order r of this curve"))
        })
    });
    points.collect()
}

fn scalars_from_bytes<F: RawScalar>(what: &'static str, bytes: &[u8]) -> Result<Vec<PlainScalar>, OperationError> {
    let scalars = bytes.chunks_exact(SCALAR_BYTES).enumerate().map(|(i, bytes)| {
        let scalar = scalar_from_bytes(bytes);
        match F::from_plain_limbs(scalar) {
            Some(_) => Ok(scalar),
            None => Err(format_error(what, format!("number {i} (counted from 0) is not below the order r"))),
        }
    });
    scalars.collect()
}

fn scalar_from_bytes(bytes: &[u8]) -> PlainScalar {
    let mut limbs = [0; SCALAR_LIMBS];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(chunk.try_into().expect("eight bytes"));
    }
    limbs
}

fn scalar_to_bytes(limbs: &PlainScalar) -> [u8; SCALAR_BYTES] {
    let mut bytes = [0; SCALAR_BYTES];
    for (chunk, limb) in bytes.rchunks_exact_mut(8).zip(limbs) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

fn format_error(what: &'static str, message: String) -> OperationError {
    OperationError::Format(FormatError::new(what, message))
}
