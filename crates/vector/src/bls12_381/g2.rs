//! G2: points over the quadratic field, y² = x³ + 4(1 + i).

use super::base::{
    Fp, Limbs, PSI_SQUARED_X, PSI_X, PSI_Y_0, PSI_Y_1, from_bytes, is_larger, is_nought, product, root_powers, small,
};
use super::curve::{Affine, Jacobian, affine_times_parameter};
use super::field::Field;
use super::points::{Points, filled};
use super::quadratic::{Fp2, roots_by_norms};
use crate::lanes::{LANES, Lanes, Mask};

/// Points from their compressed form, checked.
pub(super) fn read<L: Lanes>(bytes: &[&[u8; 96]]) -> Points<[Limbs; 2]> {
    let groups = bytes.len().div_ceil(LANES);
    let mut started = Vec::with_capacity(groups);
    for bytes in bytes.chunks(LANES) {
        started.push(start::<L>(&filled(bytes)));
    }
    let (mut squares, mut norms) = (Vec::with_capacity(groups), Vec::with_capacity(groups));
    for started in &started {
        squares.push(started.square);
        norms.push(started.norm);
    }
    let roots = roots_by_norms(&squares, &norm_roots(&norms));
    let mut points = Points::with_capacity(bytes.len());
    for ((started, root), bytes) in started.iter().zip(&roots).zip(bytes.chunks(LANES)) {
        let (point, is_on_curve) = finish(started, root);
        points.push(bytes.len(), &Jacobian::from_affine(&point), started.fine & is_on_curve & in_subgroup(&point));
    }
    points
}

/// Square roots of norms, or of their negatives.
pub(super) fn norm_roots<L: Lanes>(norms: &[Fp<L>]) -> Vec<Fp<L>> {
    let mut roots = norms.to_vec();
    root_powers(&mut roots);
    for (root, norm) in roots.iter_mut().zip(norms) {
        *root = product(root, norm);
    }
    roots
}

/// P, zP, z²P and z³P.
#[inline(never)]
pub(super) fn powers<L: Lanes>(point: &Affine<Fp2<L>>) -> [Affine<Fp2<L>>; 4] {
    L::enter(
        #[inline(always)]
        || {
            let [x, y] = psi_twice(&point.x, &point.y);
            let second = Affine { x, y };
            [*point, psi_affine(point), second, psi_affine(&second)]
        },
    )
}

/// Eight points of which x and y² are known.
struct Started<L> {
    x: Fp2<L>,
    square: Fp2<L>,
    /// Of y².
    norm: Fp<L>,
    /// Lanes with the larger y.
    larger: Mask,
    /// Lanes whose bytes are those of some x, and not of infinity.
    fine: Mask,
}

#[inline(never)]
fn start<L: Lanes>(bytes: &[&[u8; 96]; 8]) -> Started<L> {
    L::enter(
        #[inline(always)]
        || {
            let (mut plain, mut larger) = (0, 0);
            for (lane, bytes) in bytes.iter().enumerate() {
                plain |= Mask::from(bytes[0] >> 6 == 0b10) << lane;
                larger |= (bytes[0] >> 5 & 1) << lane;
                // The three highest bits of the other half are no flags.
                plain &= !(Mask::from(bytes[48] >> 5 != 0) << lane);
            }
            // The imaginary part comes first.
            let half = |at: usize| bytes.map(|bytes| bytes[at..].first_chunk().expect("48 bytes"));
            let ((c1, below_1), (c0, below_0)) = (from_bytes::<L>(half(0)), from_bytes::<L>(half(48)));
            let x = Fp2 { c0, c1 };
            let four = Fp::constant(&const { small(4) });
            let square = x.square().mul(&x).add(&Fp2 { c0: four, c1: four });
            Started { x, norm: square.norm(), square, larger, fine: plain & below_0 & below_1 }
        },
    )
}

/// The points, from a root of y², and the lanes in which it is one. In others the point is arbitrary.
#[inline(never)]
fn finish<L: Lanes>(started: &Started<L>, y: &Fp2<L>) -> (Affine<Fp2<L>>, Mask) {
    L::enter(
        #[inline(always)]
        || {
            let is_root = y.square().equals(&started.square);
            let (real, imaginary) = (y.c0.canonical(), y.c1.canonical());
            let is_real = is_nought(&imaginary);
            let turn = (is_larger(&imaginary) & !is_real | is_larger(&real) & is_real) ^ started.larger;
            (Affine { x: started.x, y: y.select(turn, &y.neg::<16>()) }, is_root)
        },
    )
}

/// ψ, the endomorphism by Frobenius, which multiplies points of the subgroup by z.
#[inline(always)]
pub(super) fn psi<L: Lanes>(x: &Fp2<L>, y: &Fp2<L>) -> [Fp2<L>; 2] {
    let factor = Fp::constant(&PSI_X);
    let x = Fp2 { c0: x.c1, c1: x.c0 }.scale(&factor);
    let y = y.conjugate::<128>().mul(&Fp2 { c0: Fp::constant(&PSI_Y_0), c1: Fp::constant(&PSI_Y_1) });
    [x, y]
}

/// ψ of a point with z = 1.
#[inline(always)]
fn psi_affine<L: Lanes>(point: &Affine<Fp2<L>>) -> Affine<Fp2<L>> {
    let [x, y] = psi(&point.x, &point.y);
    Affine { x, y }
}

/// ψ twice: x by a factor, and −y.
#[inline(always)]
pub(super) fn psi_twice<L: Lanes>(x: &Fp2<L>, y: &Fp2<L>) -> [Fp2<L>; 2] {
    [x.scale(&Fp::constant(&PSI_SQUARED_X)), y.neg::<128>()]
}

/// Lanes in which a point is in the subgroup: ψ(P) = \[z\]P (M. Scott, 2021, as for G1).
#[inline(never)]
fn in_subgroup<L: Lanes>(point: &Affine<Fp2<L>>) -> Mask {
    L::enter(
        #[inline(always)]
        || {
            let multiple = affine_times_parameter(point);
            multiple.equals(&psi_affine(point).neg()) & !multiple.z.is_zero()
        },
    )
}
