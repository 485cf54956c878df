//! Hashing to G2 (RFC 9380, BLS12381G2_XMD:SHA-256_SSWU_RO_), from the expanded message on.

use super::base::{Fp, Limbs, ROOT_OF_MINUS_5, from_wide_bytes, is_nought, is_odd, product, small};
use super::curve::{Affine, Jacobian, add, add_affines, double, times_parameter};
use super::field::Field;
use super::g2::{norm_roots, psi, psi_twice};
use super::points::{Points, are_finite, filled};
use super::quadratic::{Fp2, roots_by_norms};
use crate::lanes::{LANES, Lanes, Mask};

/// The points of messages, which were expanded to two elements of two parts. What is not fine met an exceptional
/// case, as no message does that anybody knows.
pub(super) fn hash<L: Lanes>(messages: &[[u8; 256]]) -> Points<[Limbs; 2]> {
    let count = 2 * messages.len().div_ceil(LANES);
    let (mut started, mut norms) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for messages in messages.chunks(LANES) {
        let messages = filled(&messages.iter().collect::<Vec<_>>());
        let part = |at: usize| messages.map(|message| message[at * 64..].first_chunk().expect("64 bytes"));
        for half in [0, 2] {
            let (element, norm) = start::<L>(&[part(half), part(half + 1)]);
            started.push(element);
            norms.push(norm);
        }
    }
    let mut roots = norm_roots(&norms);
    let mut squares = Vec::with_capacity(count);
    for ((started, norm), root) in started.iter_mut().zip(&norms).zip(&mut roots) {
        squares.push(choose(started, norm, root));
    }
    let roots = roots_by_norms(&squares, &roots);
    let mut inverses = Vec::with_capacity(count);
    for started in &started {
        inverses.push(started.d);
    }
    L::enter(
        #[inline(always)]
        || Fp2::invert_all(&mut inverses),
    );
    let mut points = Points::with_capacity(messages.len());
    for ((messages, place), inverses) in messages.chunks(LANES).zip((0..).step_by(2)).zip(inverses.as_chunks().0) {
        let both = place..place + 2;
        points.push(
            messages.len(),
            &finish(&started[both.clone()], &squares[both.clone()], &roots[both], inverses),
            !0,
        );
    }
    points.fine = are_finite::<L, Fp2<L>>(&points.points);
    points
}

/// Eight elements on their way by the simplified SWU map to the isogenous curve y² = x³ + 240i·x + 1012(1 + i).
///
/// x₁ = −B/A·(1 + 1/(Z²u⁴ + Zu²)) and x₂ = Zu²·x₁ with Z = −(2 + i); one of both is the x of a point. With
/// x₁ = n/d, the value of the curve's polynomial is (…)/d³, so that w = (…)·d is a square exactly where the value is.
/// The norm of w tells, by the power that gives its root; where it is none, Z·w is a square, whose norm is 5 times
/// that of w, with a root that is √−5 times what came out.
struct Started<L> {
    u: Fp2<L>,
    /// Zu².
    zuu: Fp2<L>,
    n: Fp2<L>,
    d: Fp2<L>,
    w: Fp2<L>,
    /// Lanes with the first candidate, once that is known.
    is_first: Mask,
}

/// From 128 bytes, real part first. Also the norm of w.
#[inline(never)]
fn start<L: Lanes>(bytes: &[[&[u8; 64]; 8]; 2]) -> (Started<L>, Fp<L>) {
    L::enter(
        #[inline(always)]
        || {
            let [c0, c1] = *bytes;
            let u = Fp2::<L> { c0: from_wide_bytes(c0), c1: from_wide_bytes(c1) };
            let zuu = times_z(&u.square());
            let sum = zuu.square().add(&zuu);
            let b = Fp::constant(&const { small(1012) });
            let n = Fp2::one().add(&sum).scale(&b).times_residue::<16>();
            // −A·sum, A being 240i.
            let a = Fp::constant(&const { small(240) });
            let d = sum.scale(&a).times_i::<16>().neg::<64>();
            let dd = d.square();
            // n³ + A·n·d² + B·d³.
            let terms = n.square().add(&dd.scale(&a).times_i::<16>()).mul(&n);
            let last = dd.mul(&d).scale(&b).times_residue::<16>();
            let w = terms.add(&last).mul(&d);
            (Started { u, zuu, n, d, w, is_first: 0 }, w.norm())
        },
    )
}

/// What is to have a root, w or Z·w, from the norm of w and what may be its root; that becomes the root of the norm.
#[inline(never)]
fn choose<L: Lanes>(started: &mut Started<L>, norm: &Fp<L>, root: &mut Fp<L>) -> Fp2<L> {
    L::enter(
        #[inline(always)]
        || {
            let is_first = Field::square(root).equals::<16>(norm);
            *root = product(root, &Fp::constant(&ROOT_OF_MINUS_5)).select(is_first, root);
            started.is_first = is_first;
            times_z(&started.w).select(is_first, &started.w)
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

impl<L: Lanes> Started<L> {
    /// The points, from roots and the inverse of d.
    #[inline(always)]
    fn points(&self, root: &Fp2<L>, inverse: &Fp2<L>) -> Affine<Fp2<L>> {
        let x = self.zuu.mul(&self.n).select(self.is_first, &self.n).mul(inverse);
        let y = self.zuu.mul(&self.u).mul(root).select(self.is_first, root).mul(&inverse.square());
        let turn = sign(&y) ^ sign(&self.u);
        Affine { x, y: y.select(turn, &y.neg::<16>()) }
    }
}

/// The point of the subgroup that two mapped elements give, from what has roots, these, and the inverses of d; z = 0
/// where a case is exceptional.
#[inline(never)]
fn finish<L: Lanes>(
    started: &[Started<L>],
    squares: &[Fp2<L>],
    roots: &[Fp2<L>],
    inverses: &[Fp2<L>; 2],
) -> Jacobian<L, Fp2<L>> {
    L::enter(
        #[inline(always)]
        || {
            let mut points = [Affine { x: Fp2::zero(), y: Fp2::zero() }; 2];
            let mut fine: Mask = !0;
            for i in 0..2 {
                points[i] = started[i].points(&roots[i], &inverses[i]);
                // Where d is 0, which no known message gives, x₁ is another formula.
                fine &= roots[i].square().equals(&squares[i]) & !started[i].d.is_zero();
            }
            let mut point = clear_cofactor(&isogeny(&add_affines(&points[0], &points[1])));
            point.z = Fp2::zero().select(fine, &point.z);
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
