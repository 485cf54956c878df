//! G1: points over the base field, y² = x³ + 4.

use super::base::{BETA, Fp, Limbs, from_bytes, is_larger, root_power, small};
use super::curve::{Affine, Jacobian, affine_times_parameter, times_parameter};
use super::field::Field;
use super::points::{Points, filled};
use crate::lanes::{LANES, Lanes, Mask};

/// Points from their compressed form, checked.
pub(super) fn read<L: Lanes>(bytes: &[&[u8; 48]]) -> Points<Limbs> {
    let mut points = Points::with_capacity(bytes.len());
    for bytes in bytes.chunks(LANES) {
        let (point, decodes) = decode::<L>(&filled(bytes));
        let (fits, image) = in_subgroup(&point);
        points.push(bytes.len(), &Jacobian::from_affine(&point), decodes & fits);
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

/// Points from their compressed form, and the lanes in which it is one of a finite point on the curve. In others the
/// point is arbitrary.
#[inline(never)]
fn decode<L: Lanes>(bytes: &[&[u8; 48]; 8]) -> (Affine<Fp<L>>, Mask) {
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
            let square = Field::square(&x).mul(&x).add(&Fp::constant(&const { small(4) }));
            let y = root_power(&square).mul(&square);
            let is_root = Field::square(&y).equals::<64>(&square);
            let turn = is_larger(&y.canonical()) ^ larger;
            let y = y.select(turn, &y.neg::<4>());
            (Affine { x, y }, plain & below & is_root)
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
