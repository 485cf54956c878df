//! Whether points of a curve are in its subgroup of order r, many at once where that is sound.
//!
//! Let E be the curve's group, G its subgroup of order r, and h = |E| / r the cofactor. A point P is in G where its class in E/G, a group of order h, is zero. For small random numbers cᵢ, the sum of cᵢ·Pᵢ is in G
//! where all Pᵢ are. Where some Pₖ is not, the class of Pₖ has an order d > 1 that divides h, so d is at least the
//! smallest prime factor of h. Given all the other cᵢ, the sum is in G for one value of cₖ modulo d at most. With cₖ
//! drawn uniformly from the numbers below 2^b, and no prime factor of h below 2^b, that is one of 2^b values: a point
//! outside passes with a probability of at most 2^-b, and with t independent sums of at most 2^(-b·t). Here b is 13
//! and t is 10: 2^-130.
//!
//! The twist of BN254 has the cofactor 10069 · 5864401 · 1875725156269 · …, whose smallest factor is above 2^13
//! (10069), so the test is good for its G2. BLS12-381 has cofactors with factors 3 and 13: there, each point is
//! checked alone. What holds is computed from the cofactor, not taken from this text.
//!
//! A sum with coefficients of 13 bits costs one addition a point (into the bucket of its coefficient) and 2^14
//! additions at the end, so ten of them cost far less than a scalar multiplication a point.

use ark_ec::{AffineRepr, CurveConfig};
use ark_ff::{AdditiveGroup, Zero};
use rayon::prelude::*;

use crate::curve::{Points, RawField, RawPoint, RawPoints};
use crate::{Control, Stop};

/// Bits of a coefficient.
const COEFFICIENT_BITS: u32 = 13;
/// Independent sums.
const SUMS: usize = 10;
/// Points in one set of sums: the 2^14 additions at the end of each sum should not count.
const POINTS_TOGETHER: usize = 1 << 16;
/// Below this many points, each is checked alone: the sums would cost more.
const POINTS_TOGETHER_MIN: usize = 1 << 12;
/// Points between two looks at the control.
const POINTS_AT_ONCE: usize = 1 << 10;

/// How a group's points are held against their subgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubgroupCheck {
    /// The whole curve is the group.
    None,
    /// Each point by itself.
    Alone,
    /// Many at once.
    Together,
}

impl SubgroupCheck {
    /// What is sound for this group, by its cofactor.
    pub(super) fn of<A: AffineRepr>() -> Self {
        let cofactor = <A::Config as CurveConfig>::COFACTOR;
        if is_one(cofactor) {
            Self::None
        } else if (2..1 << COEFFICIENT_BITS).any(|divisor| is_divisible(cofactor, divisor)) {
            Self::Alone
        } else {
            Self::Together
        }
    }
}

fn is_one(number: &[u64]) -> bool {
    number.split_first().is_some_and(|(first, rest)| *first == 1 && rest.iter().all(|limb| *limb == 0))
}

fn is_divisible(number: &[u64], divisor: u64) -> bool {
    let remainder = number.iter().rev().fold(0, |remainder: u64, limb| {
        let dividend = (u128::from(remainder) << 64) | u128::from(*limb);
        (dividend % u128::from(divisor)) as u64
    });
    remainder == 0
}

/// The number of the first point found outside the subgroup; points must be on the curve, and
/// [`SubgroupCheck::Together`] must hold for the group.
pub(super) fn first_outside<A: RawPoint<BaseField: RawField>>(
    points: RawPoints<'_, A>,
    control: &Control,
) -> Result<Option<usize>, Stop> {
    for start in (0..points.len()).step_by(POINTS_TOGETHER) {
        let end = points.len().min(start + POINTS_TOGETHER);
        if end - start >= POINTS_TOGETHER_MIN && are_inside(points, start..end, control)? {
            continue;
        }
        if let Some(outside) = first_outside_alone(points, start..end, control)? {
            return Ok(Some(outside));
        }
    }
    Ok(None)
}

/// Each point by itself.
fn first_outside_alone<A: RawPoint<BaseField: RawField>>(
    points: RawPoints<'_, A>,
    range: std::ops::Range<usize>,
    control: &Control,
) -> Result<Option<usize>, Stop> {
    let starts: Vec<usize> = range.clone().step_by(64).collect();
    let found: Result<Vec<Option<usize>>, Stop> = starts
        .into_par_iter()
        .map(|start| {
            control.check()?;
            Ok((start..range.end.min(start + 64)).find(|i| !points.point(*i).is_valid()))
        })
        .collect();
    Ok(found?.into_iter().flatten().next())
}

/// Whether all points are inside, with the probability that the module's text states.
fn are_inside<A: RawPoint<BaseField: RawField>>(
    points: RawPoints<'_, A>,
    range: std::ops::Range<usize>,
    control: &Control,
) -> Result<bool, Stop> {
    let inside: Result<Vec<bool>, Stop> =
        (0..SUMS).into_par_iter().map(|_| is_random_sum_inside(points, range.clone(), control)).collect();
    Ok(inside?.into_iter().all(|inside| inside))
}

fn is_random_sum_inside<A: RawPoint<BaseField: RawField>>(
    points: RawPoints<'_, A>,
    range: std::ops::Range<usize>,
    control: &Control,
) -> Result<bool, Stop> {
    let mut coefficients = vec![0u8; 2 * range.len()];
    if getrandom::fill(&mut coefficients).is_err() {
        // Without randomness there is no sum to trust: let each point be looked at by itself.
        return Ok(false);
    }
    let mut buckets = vec![A::Group::zero(); 1 << COEFFICIENT_BITS];
    for (n, (i, bytes)) in range.zip(coefficients.chunks_exact(2)).enumerate() {
        if n % POINTS_AT_ONCE == 0 {
            control.check()?;
        }
        let coefficient = u16::from_le_bytes([bytes[0], bytes[1]]) & ((1 << COEFFICIENT_BITS) - 1);
        buckets[usize::from(coefficient)] += points.point(i);
    }
    let sum: A::Group = sum_of_buckets(&buckets);
    Ok(A::from(sum).is_valid())
}

/// The sum of i × bucket i: by sums of the buckets from the last down, each of which counts bucket i once more.
fn sum_of_buckets<G: AdditiveGroup>(buckets: &[G]) -> G {
    let (mut running, mut sum) = (G::ZERO, G::ZERO);
    for bucket in buckets[1..].iter().rev() {
        running += bucket;
        sum += running;
    }
    sum
}

#[cfg(test)]
mod tests;
