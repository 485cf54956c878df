//! G1: points over the base field, y² = x³ + 4.

use super::base::{BETA, Fp, Limbs, from_bytes, is_larger, product, root_powers, small};
use super::curve::{Affine, Jacobian, affine_times_parameter, times_parameter};
use super::field::Field;
use super::points::{Points, filled};
use crate::lanes::{LANES, Lanes, Mask};

/// Points from their compressed form, checked.
pub(super) fn read<L: Lanes>(bytes: &[&[u8; 48]]) -> Points<Limbs> {
    let mut started = Vec::with_capacity(bytes.len().div_ceil(LANES));
    for bytes in bytes.chunks(LANES) {
        started.push(start::<L>(&filled(bytes)));
    }
    let mut powers = Vec::with_capacity(started.len());
    for started in &started {
        powers.push(started.square);
    }
    root_powers(&mut powers);
    let mut points = Points::with_capacity(bytes.len());
    for ((started, power), bytes) in started.iter().zip(&powers).zip(bytes.chunks(LANES)) {
        let (point, is_on_curve) = finish(started, power);
        let (fits, image) = in_subgroup(&point);
        points.push(bytes.len(), &Jacobian::from_affine(&point), started.fine & is_on_curve & fits);
        points.push_images(bytes.len(), &image);
    }
    points
}

/// P, zP, z²P and z³P, of P and \[|z|\]P.
#[inline(never)]
pub(super) fn powers<L: Lanes>(point: &Affine<Fp<L>>, image: &Affine<Fp<L>>) -> [Affine<Fp<L>>; 4] {
    L::enter(
        #[inline(always)]
        || {
            let beta = Fp::constant(&BETA);
            [
                *point,
                image.neg(),
                Affine { x: Field::mul(&point.x, &beta), y: point.y.neg::<128>() },
                Affine { x: Field::mul(&image.x, &beta), y: image.y },
            ]
        },
    )
}

/// Eight points of which x and y² are known.
struct Started<L> {
    x: Fp<L>,
    square: Fp<L>,
    /// Lanes with the larger y.
    larger: Mask,
    /// Lanes whose bytes are those of some x, and not of infinity.
    fine: Mask,
}

#[inline(never)]
fn start<L: Lanes>(bytes: &[&[u8; 48]; 8]) -> Started<L> {
    L::enter(
        #[inline(always)]
        || {
            let (mut plain, mut larger) = (0, 0);
            for (lane, bytes) in bytes.iter().enumerate() {
                // Compressed, and not infinity.
                plain |= Mask::from(bytes[0] >> 6 == 0b10) << lane;
                larger |= (bytes[0] >> 5 & 1) << lane;
            }
            let (x, below) = from_bytes::<L>(*bytes);
            let square = product(&Field::square(&x), &x).add(&Fp::constant(&const { small(4) }));
            Started { x, square, larger, fine: plain & below }
        },
    )
}

/// The points, from the power of y² that gives its root, and the lanes in which there is one. In others the point is
/// arbitrary.
#[inline(never)]
fn finish<L: Lanes>(started: &Started<L>, power: &Fp<L>) -> (Affine<Fp<L>>, Mask) {
    L::enter(
        #[inline(always)]
        || {
            let y = product(power, &started.square);
            let is_root = Field::square(&y).equals::<64>(&started.square);
            let turn = is_larger(&y.canonical()) ^ started.larger;
            (Affine { x: started.x, y: y.select(turn, &y.neg::<4>()) }, is_root)
        },
    )
}

/// Lanes in which a point is in the subgroup: φ(P) = −\[z²\]P (M. Scott, *A note on group membership tests for G1,
/// G2 and GT on BLS pairing-friendly curves*, 2021). Also \[|z|\]P.
#[inline(never)]
fn in_subgroup<L: Lanes>(point: &Affine<Fp<L>>) -> (Mask, Jacobian<L, Fp<L>>) {
    L::enter(
        #[inline(always)]
        || {
            let once = affine_times_parameter(point);
            let twice = times_parameter(&once);
            let image = Affine { x: point.x.mul(&Fp::constant(&BETA)), y: point.y.neg::<128>() };
            (twice.equals(&image) & !Field::is_zero(&twice.z), once)
        },
    )
}
