//! Hashing to G2 (RFC 9380, BLS12381G2_XMD:SHA-256_SSWU_RO_), from the expanded message on.

use super::base::{Fp, Limbs, ROOT_OF_MINUS_5, from_wide_bytes, is_nought, is_odd, root_power, small};
use super::curve::{Affine, Jacobian, add, add_affines, double, times_parameter};
use super::field::Field;
use super::g2::{psi, psi_twice};
use super::points::{Points, are_finite, filled};
use super::quadratic::Fp2;
use crate::lanes::{LANES, Lanes, Mask};

/// The points of messages, which were expanded to two elements of two parts. What is not fine met an exceptional
/// case, as no message does that anybody knows.
pub(super) fn hash<L: Lanes>(messages: &[[u8; 256]]) -> Points<[Limbs; 2]> {
    let mut groups = Vec::with_capacity(messages.len().div_ceil(LANES));
    let mut inverses = Vec::with_capacity(2 * groups.capacity());
    for messages in messages.chunks(LANES) {
        let messages = filled(&messages.iter().collect::<Vec<_>>());
        let part = |at: usize| messages.map(|message| message[at * 64..].first_chunk().expect("64 bytes"));
        let group = [map::<L>(&[part(0), part(1)]), map::<L>(&[part(2), part(3)])];
        inverses.extend([group[0].denominator, group[1].denominator]);
        groups.push((messages.len(), group));
    }
    L::enter(
        #[inline(always)]
        || Fp2::invert_all(&mut inverses),
    );
    let mut points = Points::with_capacity(messages.len());
    for ((count, group), inverses) in groups.iter().zip(inverses.as_chunks::<2>().0) {
        points.push(*count, &finish(group, inverses), !0);
    }
    points.fine = are_finite::<L, Fp2<L>>(&points.points);
    points
}

/// Eight points of the isogenous curve y² = x³ + 240i·x + 1012(1 + i), before a division: x is `x`/d and y `y`/d².
#[derive(Clone, Copy, Debug)]
struct Mapped<L> {
    x: Fp2<L>,
    y: Fp2<L>,
    /// d.
    denominator: Fp2<L>,
    /// Lanes in which y must be odd.
    odd: Mask,
    /// Lanes in which the square root is one.
    fine: Mask,
}

/// The simplified SWU map of a field element, given as 128 bytes: real part first.
///
/// x₁ = −B/A·(1 + 1/(Z²u⁴ + Zu²)) and x₂ = Zu²·x₁ with Z = −(2 + i); one of both is the x of a point. With
/// x₁ = n/d, the value of the curve's polynomial is (…)/d³, so that w = (…)·d is a square exactly where the value is.
/// The norm of w tells, by the power that gives its root; where it is none, Z·w is a square, whose norm is 5 times
/// that of w, with a root that is √−5 times what came out.
#[inline(never)]
fn map<L: Lanes>(bytes: &[[&[u8; 64]; 8]; 2]) -> Mapped<L> {
    L::enter(
        #[inline(always)]
        || {
            let [c0, c1] = *bytes;
            let u = Fp2::<L> { c0: from_wide_bytes(c0), c1: from_wide_bytes(c1) };
            let odd = sign(&u);
            let zuu = times_z(&u.square());
            let sum = zuu.square().add(&zuu);
            let b = Fp::constant(&const { small(1012) });
            let n = Fp2::one().add(&sum).scale(&b).times_residue::<16>();
            // −A·sum, A being 240i.
            let d = sum.scale(&Fp::constant(&const { small(240) })).times_i::<16>().neg::<64>();
            let dd = d.square();
            // n³ + A·n·d² + B·d³.
            let a = Fp::constant(&const { small(240) });
            let terms = n.square().add(&dd.scale(&a).times_i::<16>()).mul(&n);
            let last = dd.mul(&d).scale(&b).times_residue::<16>();
            let w = terms.add(&last).mul(&d);
            let norm = w.norm();
            let root = Field::mul(&root_power(&norm), &norm);
            let is_square = Field::square(&root).equals::<16>(&norm);
            let chosen = times_z(&w).select(is_square, &w);
            let root = Field::mul(&root, &Fp::constant(&ROOT_OF_MINUS_5)).select(is_square, &root);
            let y = chosen.root_by_norm(&root);
            // Where d is 0, which no known message gives, x₁ is another formula.
            let fine = y.square().equals(&chosen) & !d.is_zero();
            Mapped {
                x: zuu.mul(&n).select(is_square, &n),
                y: zuu.mul(&u).mul(&y).select(is_square, &y),
                denominator: d,
                odd,
                fine,
            }
        },
    )
}

/// −(2 + i)·a: −2a₀ + a₁ − (a₀ + 2a₁)i.
#[inline(always)]
fn times_z<L: Lanes>(a: &Fp2<L>) -> Fp2<L> {
    Fp2 { c0: a.c1.sub::<128>(&a.c0.double()), c1: a.c0.add(&a.c1.double()).neg::<256>() }
}

/// Lanes in which an element is odd, in the sense of RFC 9380: by its real part, or the imaginary where that is 0.
#[inline(always)]
fn sign<L: Lanes>(element: &Fp2<L>) -> Mask {
    let (real, imaginary) = (element.c0.canonical(), element.c1.canonical());
    is_odd(&real) | is_nought(&real) & is_odd(&imaginary)
}

impl<L: Lanes> Mapped<L> {
    /// The point, from the inverse of the denominator.
    #[inline(always)]
    fn point(&self, inverse: &Fp2<L>) -> Affine<Fp2<L>> {
        let y = self.y.mul(&inverse.square());
        let turn = sign(&y) ^ self.odd;
        Affine { x: self.x.mul(inverse), y: y.select(turn, &y.neg::<16>()) }
    }
}

/// The point of the subgroup that two mapped elements give; z = 0 where a case is exceptional.
#[inline(never)]
fn finish<L: Lanes>(mapped: &[Mapped<L>; 2], inverses: &[Fp2<L>; 2]) -> Jacobian<L, Fp2<L>> {
    L::enter(
        #[inline(always)]
        || {
            let [first, second] = mapped;
            let sum = add_affines(&first.point(&inverses[0]), &second.point(&inverses[1]));
            let mut point = clear_cofactor(&isogeny(&sum));
            point.z = Fp2::zero().select(mapped[0].fine & mapped[1].fine, &point.z);
            point
        },
    )
}

/// The isogeny of degree three to the curve of G2. By w = x + 6 − 6i it is Vélu's, up to 1/9 and −1/27:
/// x ↦ (w + (−6 + 6i) + 48i/w + 16(1 + i)/w²)/9, y ↦ −y(1 − 48i/w² − 32(1 + i)/w³)/27; −3wz takes the factors in.
#[inline(always)]
fn isogeny<L: Lanes>(point: &Jacobian<L, Fp2<L>>) -> Jacobian<L, Fp2<L>> {
    let zz = point.z.square();
    let six = zz.scale(&Fp::constant(&const { small(6) }));
    // (6 − 6i)·z².
    let shift = Fp2 { c0: six.c0.add(&six.c1), c1: six.c1.sub::<16>(&six.c0) };
    let w = point.x.add(&shift);
    let ww = w.square();
    let z4 = zz.square();
    let z6 = z4.mul(&zz);
    let linear = z4.mul(&w).scale(&Fp::constant(&const { small(48) })).times_i::<16>();
    let constant = z6.scale(&Fp::constant(&const { small(16) })).times_residue::<16>();
    let x = ww.mul(&w.sub::<64>(&shift)).add(&linear).add(&constant);
    let y = ww.mul(&w).sub::<64>(&linear).sub::<128>(&constant.double()).mul(&point.y);
    let wz = w.mul(&point.z);
    let z = wz.add(&wz.double()).neg::<64>();
    // Back into the bounds of points.
    let one = Fp::one();
    Jacobian::new(x.scale(&one), y, z)
}

/// \[z² − z − 1\]P + \[z − 1\]ψ(P) + ψ²(2P): a multiple of the cofactor (A. Budroni, F. Pintore, *Efficient hash
/// maps to G2 on BLS curves*, 2017; RFC 9380, G.3).
#[inline(always)]
fn clear_cofactor<L: Lanes>(point: &Jacobian<L, Fp2<L>>) -> Jacobian<L, Fp2<L>> {
    let once = times_parameter(point).neg();
    let [x, y] = psi(&point.x, &point.y);
    let image = Jacobian::new(x, y, point.z.conjugate::<128>());
    let mut middle = once;
    add(&mut middle, &image);
    // z(zP + ψ(P)) − zP − ψ(P) − P + ψ²(2P).
    let mut sum = times_parameter(&middle).neg();
    add(&mut sum, &middle.neg());
    add(&mut sum, &point.neg());
    let mut twice = *point;
    double(&mut twice);
    let [x, y] = psi_twice(&twice.x, &twice.y);
    add(&mut sum, &Jacobian::new(x, y, twice.z));
    sum
}
