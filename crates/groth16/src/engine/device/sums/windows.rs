//! From the sums of windows to the sums: the few additions that are left to the host.

use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Zero, batch_inversion};

use super::SumPoint;
use crate::curve::RawField;

/// The points that bytes hold in extended coordinates: x = X/ZZ, y = Y/ZZZ, infinity where ZZ is 0.
pub(super) fn read_extended<G: SumPoint>(bytes: &[u8]) -> Vec<G> {
    let size = G::BaseField::BYTES;
    let points: Vec<[G::BaseField; 4]> = bytes
        .chunks_exact(4 * size)
        .map(|point| std::array::from_fn(|i| G::BaseField::from_montgomery_unchecked(&point[i * size..(i + 1) * size])))
        .collect();
    let mut inverses: Vec<G::BaseField> = points.iter().map(|[_, _, zz, zzz]| *zz * zzz).collect();
    batch_inversion(&mut inverses);
    let affine = |([x, y, zz, zzz], inverse): (&[G::BaseField; 4], &G::BaseField)| {
        if zz.is_zero() { G::zero() } else { G::from_xy_unchecked(*x * zzz * inverse, *y * zz * inverse) }
    };
    points.iter().zip(&inverses).map(affine).collect()
}

/// The sum of 2^(bits·i) times window i.
pub(super) fn combine<G: AffineRepr>(windows: &[G], bits: u32) -> G::Group {
    let mut sum = G::Group::ZERO;
    for window in windows.iter().rev() {
        for _ in 0..bits {
            sum.double_in_place();
        }
        sum += window;
    }
    sum
}
