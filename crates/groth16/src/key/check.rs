//! The check of a key's points, made once: every section, on all threads of the current pool.

mod subgroup;

use ark_ec::PrimeGroup;
use ark_ec::pairing::Pairing;
use rayon::prelude::*;

use self::subgroup::SubgroupCheck;
use super::{KeyError, ProvingKey};
use crate::Control;
use crate::curve::{Curve, RawField, RawPoint, RawPoints, point_bytes};
use crate::formats::encoding::point_from_coordinates;

/// Points between two looks at the control: at most some milliseconds, where each costs a scalar multiplication.
const POINTS_AT_ONCE: usize = 64;

/// See [`ProvingKey::check`].
pub(super) fn check<E: Curve>(key: &ProvingKey<E>, control: &Control) -> Result<(), KeyError> {
    check_header(key)?;
    check_points::<E::G1Affine>(key.bytes(&key.sections.a), "A (section 5)", control)?;
    check_points::<E::G1Affine>(key.bytes(&key.sections.b1), "B in G1 (section 6)", control)?;
    check_points::<E::G2Affine>(key.bytes(&key.sections.b2), "B in G2 (section 7)", control)?;
    check_points::<E::G1Affine>(key.bytes(&key.sections.c), "C (section 8)", control)?;
    check_points::<E::G1Affine>(key.bytes(&key.sections.h), "H (section 9)", control)
}

fn unsound<T>(what: impl Into<String>) -> Result<T, KeyError> {
    Err(KeyError::Unsound(what.into()))
}

/// That no proof can be forged for want of a second phase, and that beta and delta are the same in both groups.
fn check_header<E: Curve>(key: &ProvingKey<E>) -> Result<(), KeyError> {
    if key.gamma2 == key.delta2 {
        return unsound(
            "gamma equals delta, so anybody can forge proofs: the ceremony's second phase is missing \
             (`snarkjs zkey contribute`)",
        );
    }
    if !is_same_scalar::<E>(key.beta1, key.beta2) {
        return unsound("beta in G1 and beta in G2 are not the same multiple of the generators");
    }
    if !is_same_scalar::<E>(key.delta1, key.delta2) {
        return unsound("delta in G1 and delta in G2 are not the same multiple of the generators");
    }
    Ok(())
}

/// Whether e(p, g2) = e(g1, q): p and q are the same multiple of the generators.
fn is_same_scalar<E: Pairing>(p: E::G1Affine, q: E::G2Affine) -> bool {
    let (g1, g2) = (E::G1::generator(), E::G2::generator());
    E::pairing(p, g2) == E::pairing(g1, q)
}

fn check_points<A: RawPoint<BaseField: RawField>>(
    bytes: &[u8],
    section: &str,
    control: &Control,
) -> Result<(), KeyError> {
    let size = point_bytes::<A>();
    let subgroup = SubgroupCheck::of::<A>();
    bytes.par_chunks(POINTS_AT_ONCE * size).enumerate().try_for_each(|(chunk, bytes)| {
        control.check().map_err(KeyError::Stopped)?;
        for (i, point) in bytes.chunks_exact(size).enumerate() {
            if let Some(what) = wrong_with::<A>(point, subgroup) {
                return unsound(format!("point {} of {section} {what}", chunk * POINTS_AT_ONCE + i));
            }
        }
        Ok(())
    })?;
    if subgroup == SubgroupCheck::Together {
        let outside = subgroup::first_outside(RawPoints::<A>::new(bytes), control).map_err(KeyError::Stopped)?;
        if let Some(i) = outside {
            return unsound(format!("point {i} of {section} is not in its subgroup"));
        }
    }
    Ok(())
}

/// What is wrong with a point by itself. Infinity is good: it stands for wires that a matrix does not use.
fn wrong_with<A: RawPoint<BaseField: RawField>>(bytes: &[u8], subgroup: SubgroupCheck) -> Option<&'static str> {
    let (x, y) = bytes.split_at(A::BaseField::BYTES);
    let (Some(x), Some(y)) = (A::BaseField::from_montgomery(x), A::BaseField::from_montgomery(y)) else {
        return Some("has a coordinate that is not below q");
    };
    let Some(point) = point_from_coordinates::<A>(x, y) else {
        return Some("is not on its curve");
    };
    (subgroup == SubgroupCheck::Alone && !point.is_valid()).then_some("is not in its subgroup")
}
