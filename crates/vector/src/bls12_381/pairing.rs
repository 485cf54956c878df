//! Miller loops of the optimal ate pairing, eight products of pairings at a time.
//!
//! **Bounds.** All results are sums of a few products that were just reduced, so they do not grow from step to step:
//! parts of a value stay below 2048p, those of running points below 20p.

use super::base::{Fp, small};
use super::curve::{Affine, PARAMETER};
use super::field::Field;
use super::quadratic::Fp2;
use crate::lanes::{Lanes, Mask};

/// Eight elements of the field of p⁶: over v³ = 1 + i, lowest first.
pub(super) type Fp6<L> = [Fp2<L>; 3];

/// Eight elements of the field of p¹²: over w² = v.
pub(super) type Fp12<L> = [Fp6<L>; 2];

/// One group of pairs.
pub(super) struct Pair<L> {
    /// Points of G1: x, and y.
    key: Affine<Fp<L>>,
    /// Points of G2.
    message: Affine<Fp2<L>>,
    /// The running multiple of the message's point: (x/z, y/z).
    running: [Fp2<L>; 3],
    /// Lanes that count.
    active: Mask,
}

impl<L: Lanes> Pair<L> {
    #[inline(always)]
    pub(super) fn new(key: Affine<Fp<L>>, message: Affine<Fp2<L>>, active: Mask) -> Self {
        Self { key, message, running: [message.x, message.y, Fp2::one()], active }
    }
}

/// A line's value: 1, v and vw times these.
type Line<L> = [Fp2<L>; 3];

/// Lane by lane, the product of the Miller loops of all pairs. Its final exponentiation is the product of pairings.
#[inline(never)]
pub(super) fn miller_loops<L: Lanes>(pairs: &mut [Pair<L>]) -> Fp12<L> {
    L::enter(
        #[inline(always)]
        || {
            let zero = Fp2::zero();
            let mut value = [[Fp2::one(), zero, zero], [zero; 3]];
            for bit in (0..63).rev() {
                square(&mut value);
                for pair in pairs.iter_mut() {
                    let line = double(&mut pair.running);
                    multiply_by_line(&mut value, &pair.evaluate(&line));
                }
                if PARAMETER >> bit & 1 == 1 {
                    for pair in pairs.iter_mut() {
                        let line = add(&mut pair.running, &pair.message);
                        multiply_by_line(&mut value, &pair.evaluate(&line));
                    }
                }
            }
            // The parameter is negative: the inverse, up to what the final exponentiation removes.
            let [even, odd] = value;
            [even, sub_6::<L, 512>(&[zero; 3], &odd)]
        },
    )
}

impl<L: Lanes> Pair<L> {
    /// The line at the key's point, and 1 where a lane does not count.
    #[inline(always)]
    fn evaluate(&self, line: &Line<L>) -> Line<L> {
        let [c0, c1, c4] = line;
        let idle = !self.active;
        [
            c0.select(idle, &Fp2::one()),
            c1.scale(&self.key.x).select(idle, &Fp2::zero()),
            c4.scale(&self.key.y).select(idle, &Fp2::zero()),
        ]
    }
}

/// 2T, and the tangent at T (C. Costello, T. Lange, M. Naehrig, *Faster pairing computations on curves with high-degree
/// twists*, 2010).
#[inline(never)]
fn double<L: Lanes>(running: &mut [Fp2<L>; 3]) -> Line<L> {
    L::enter(
        #[inline(always)]
        || {
            let [x, y, z] = *running;
            let a = x.mul(&y);
            let a = Fp2 { c0: a.c0.halve(), c1: a.c1.halve() };
            let (b, c) = (y.square(), z.square());
            // 3·4(1 + i)·z².
            let e = c.scale(&Fp::constant(&const { small(12) })).times_residue::<16>();
            let f = e.double().add(&e);
            let g = b.add(&f);
            let g = Fp2 { c0: g.c0.halve(), c1: g.c1.halve() };
            let h = y.mul(&z).double();
            let ee = e.square();
            let three_xx = {
                let xx = x.square();
                xx.double().add(&xx)
            };
            *running = [a.mul(&b.sub::<128>(&f)), g.square().sub::<16>(&ee.double().add(&ee)), b.mul(&h)];
            [e.sub::<16>(&b), three_xx, h.neg::<16>()]
        },
    )
}

/// T + Q, and the line through both.
#[inline(never)]
fn add<L: Lanes>(running: &mut [Fp2<L>; 3], other: &Affine<Fp2<L>>) -> Line<L> {
    L::enter(
        #[inline(always)]
        || {
            let [x, y, z] = *running;
            let theta = y.sub::<16>(&other.y.mul(&z));
            let lambda = x.sub::<16>(&other.x.mul(&z));
            let (c, d) = (theta.square(), lambda.square());
            let e = lambda.mul(&d);
            let f = z.mul(&c);
            let g = x.mul(&d);
            let h = e.add(&f).sub::<16>(&g.double());
            *running = [lambda.mul(&h), theta.mul(&g.sub::<64>(&h)).sub::<16>(&e.mul(&y)), z.mul(&e)];
            let j = theta.mul(&other.x).sub::<16>(&lambda.mul(&other.y));
            [j, theta.neg::<128>(), lambda]
        },
    )
}

/// By c0 + c1·v + c4·v·w, in thirteen products.
#[inline(never)]
fn multiply_by_line<L: Lanes>(value: &mut Fp12<L>, line: &Line<L>) {
    L::enter(
        #[inline(always)]
        || {
            let [c0, c1, c4] = line;
            let [even, odd] = *value;
            let a = by_two(&even, c0, c1);
            // Times c4·v.
            let b = [odd[2].mul(c4).times_residue::<16>(), odd[0].mul(c4), odd[1].mul(c4)];
            let sum = add_6(&even, &odd);
            let both = by_two(&sum, c0, &c1.add(c4));
            *value = [
                [a[0].add(&b[2].times_residue::<16>()), a[1].add(&b[0]), a[2].add(&b[1])],
                sub_6::<L, 64>(&sub_6::<L, 256>(&both, &a), &b),
            ];
        },
    );
}

/// By c0 + c1·v, in five products.
#[inline(always)]
fn by_two<L: Lanes>(value: &Fp6<L>, c0: &Fp2<L>, c1: &Fp2<L>) -> Fp6<L> {
    let [x0, x1, x2] = value;
    let (a, b) = (x0.mul(c0), x1.mul(c1));
    let low = x1.add(x2).mul(c1).sub::<16>(&b).times_residue::<64>().add(&a);
    let middle = x0.add(x1).mul(&c0.add(c1)).sub::<16>(&a).sub::<16>(&b);
    let high = x0.add(x2).mul(c0).sub::<16>(&a).add(&b);
    [low, middle, high]
}

/// By the complex method: two products of six.
#[inline(never)]
fn square<L: Lanes>(value: &mut Fp12<L>) {
    L::enter(
        #[inline(always)]
        || {
            let [even, odd] = *value;
            let both = multiply_6(&even, &odd);
            let sum = add_6(&even, &odd);
            // even + v·odd.
            let shifted = [even[0].add(&odd[2].times_residue::<16>()), even[1].add(&odd[0]), even[2].add(&odd[1])];
            let all = multiply_6(&sum, &shifted);
            // Minus both and v·both.
            let moved = [both[2].times_residue::<512>(), both[0], both[1]];
            *value = [sub_6::<L, 1024>(&sub_6::<L, 512>(&all, &both), &moved), add_6(&both, &both)];
        },
    );
}

/// a + b.
#[inline(always)]
fn add_6<L: Lanes>(a: &Fp6<L>, b: &Fp6<L>) -> Fp6<L> {
    [a[0].add(&b[0]), a[1].add(&b[1]), a[2].add(&b[2])]
}

/// a − b + K·p in each part. Takes b ≤ K·p.
#[inline(always)]
fn sub_6<L: Lanes, const K: u64>(a: &Fp6<L>, b: &Fp6<L>) -> Fp6<L> {
    [a[0].sub::<K>(&b[0]), a[1].sub::<K>(&b[1]), a[2].sub::<K>(&b[2])]
}

/// Karatsuba's six products.
#[inline(always)]
fn multiply_6<L: Lanes>(a: &Fp6<L>, b: &Fp6<L>) -> Fp6<L> {
    let (v0, v1, v2) = (a[0].mul(&b[0]), a[1].mul(&b[1]), a[2].mul(&b[2]));
    let c12 = cross([&a[1], &a[2]], [&b[1], &b[2]], &v1, &v2);
    let c01 = cross([&a[0], &a[1]], [&b[0], &b[1]], &v0, &v1);
    let c02 = cross([&a[0], &a[2]], [&b[0], &b[2]], &v0, &v2);
    [v0.add(&c12.times_residue::<64>()), c01.add(&v2.times_residue::<16>()), c02.add(&v1)]
}

/// a₀b₁ + a₁b₀, from the products of what has the same place.
#[inline(always)]
fn cross<L: Lanes>(a: [&Fp2<L>; 2], b: [&Fp2<L>; 2], first: &Fp2<L>, second: &Fp2<L>) -> Fp2<L> {
    a[0].add(a[1]).mul(&b[0].add(b[1])).sub::<16>(first).sub::<16>(second)
}
