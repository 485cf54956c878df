//! ECDSA and Schnorr signatures on secp256k1 (SEC 2, section 2.4.1), a signature a lane.
//!
//! All functions take items of any number, go through them in groups of eight, and share the inversions of all:
//! give them some hundred at once. Numbers are 256 bits as four words, the least first.
//!
//! An answer is final but for [`Verdict::Exceptional`] and [`Recovered::Exceptional`]: there the lane met a case that
//! the formulas leave out (no honest signature does), and who calls asks a scalar implementation.
//!
//! Per item of ECDSA: one product in four for the inverse of s, GLV halves of both scalars, a table of 16 odd multiples
//! of Q, 125 doublings, 51 additions for Q and 26 for G. With a [`Table`] of the key: 63 additions, in affine
//! coordinates, and nothing else.

#![allow(clippy::needless_range_loop, reason = "limbs, columns and lanes of several arrays go by one number")]

use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask};
use crate::unit::on_lanes;
use crate::weierstrass::inversion::invert_all;

mod field;
mod known;
mod multiply;
mod point;
mod scalar;
mod table;
#[cfg(test)]
mod tests;

use field::{Fe, PRIME};
use multiply::{Task, multiply};
use point::{Affine, Jacobian, right_side};
use scalar::{ORDER, Scalar};

pub use known::{KnownSchnorr, KnownSignature, Secp256k1, Table, verify_known, verify_schnorr_known};

/// 256 bits, words from the least.
pub type Number = [u64; 4];

/// The number of big-endian bytes.
pub fn number(bytes: &[u8; 32]) -> Number {
    let word = |at: usize| u64::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
    [word(24), word(16), word(8), word(0)]
}

/// The big-endian bytes of a number.
pub fn bytes(number: &Number) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(number.iter().rev()) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// What is known of R, the point that a signature's equation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonce {
    /// Its x modulo n is r, as in plain ECDSA.
    Any,
    /// R is one of two points, as in recoverable ECDSA.
    Point {
        /// Whether its x is r + n instead of r.
        x_is_above_order: bool,
        /// Whether its y is odd.
        y_is_odd: bool,
    },
}

/// An ECDSA signature with its key.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// The digest; need not be below n.
    pub digest: Number,
    /// r, below n and not zero: anything else is [`Verdict::Invalid`].
    pub r: Number,
    /// s, likewise.
    pub s: Number,
    /// The key's x; on the curve or not.
    pub x: Number,
    /// The key's y.
    pub y: Number,
    /// What R must be.
    pub nonce: Nonce,
}

/// The answer for one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature holds.
    Valid,
    /// It does not.
    Invalid,
    /// The key is no point: a coordinate is not below p, or it is off the curve.
    NoPoint,
    /// Nothing is known: ask a scalar implementation.
    Exceptional,
}

/// A recoverable ECDSA signature.
#[derive(Clone, Copy, Debug)]
pub struct Recoverable {
    /// The digest; need not be below n.
    pub digest: Number,
    /// r, below n and not zero: anything else gives [`Recovered::None`].
    pub r: Number,
    /// s, likewise.
    pub s: Number,
    /// Whether the x of R is r + n instead of r.
    pub x_is_above_order: bool,
    /// Whether the y of R is odd.
    pub y_is_odd: bool,
}

/// The key of a recoverable signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Its x and y.
    Key(Number, Number),
    /// There is none.
    None,
    /// Nothing is known: ask a scalar implementation.
    Exceptional,
}

/// A Schnorr signature as in BIP 340, its challenge hashed.
#[derive(Clone, Copy, Debug)]
pub struct Schnorr {
    /// The x of R, compared as it is.
    pub r: Number,
    /// s; one of n and more is [`Verdict::Invalid`].
    pub s: Number,
    /// The challenge e; need not be below n.
    pub challenge: Number,
    /// The key's x, lifted to the point with even y; [`Verdict::NoPoint`] where there is none.
    pub x: Number,
}

/// Verifies ECDSA signatures.
pub fn verify(unit: Unit, items: &[Item]) -> Vec<Verdict> {
    on_lanes!(unit, L => verify_in::<L>(items))
}

/// Recovers the keys of ECDSA signatures.
pub fn recover(unit: Unit, items: &[Recoverable]) -> Vec<Recovered> {
    on_lanes!(unit, L => recover_in::<L>(items))
}

/// Verifies Schnorr signatures.
pub fn verify_schnorr(unit: Unit, items: &[Schnorr]) -> Vec<Verdict> {
    on_lanes!(unit, L => verify_schnorr_in::<L>(items))
}

/// The y of each point with this x and parity of y (`true` is odd); `None` where x is not below p or no point's.
pub fn lift(unit: Unit, points: &[(Number, bool)]) -> Vec<Option<Number>> {
    on_lanes!(unit, L => lift_in::<L>(points))
}

/// Whether a < b.
fn is_below(a: &Number, b: &Number) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn is_scalar(number: &Number) -> bool {
    is_below(number, &ORDER) && *number != [0; 4]
}

/// r + n where it is below p.
fn wrapped(r: &Number) -> Option<Number> {
    let mut sum = [0; 4];
    let mut carry = 0;
    for i in 0..4 {
        let digit = u128::from(r[i]) + u128::from(ORDER[i]) + carry;
        sum[i] = digit as u64;
        carry = digit >> 64;
    }
    (carry == 0 && is_below(&sum, &PRIME)).then_some(sum)
}

/// One number of each item of a group, of items that do not count 1.
#[inline(always)]
fn column<T>(items: &[T], counts: Mask, part: impl Fn(&T) -> Number) -> [Number; LANES] {
    let mut numbers = [[1, 0, 0, 0]; LANES];
    for (i, item) in items.iter().enumerate() {
        if counts >> i & 1 == 1 {
            numbers[i] = part(item);
        }
    }
    numbers
}

/// As [`column`], modulo n.
#[inline(always)]
fn scalars<L: Lanes, T>(items: &[T], counts: Mask, part: fn(&T) -> Number) -> Scalar<L> {
    Scalar::from_numbers(&column(items, counts, part))
}

/// The items of a group for which something holds.
#[inline(always)]
fn mask_of<T>(items: &[T], holds: impl Fn(&T) -> bool) -> Mask {
    items.iter().enumerate().fold(0, |mask, (i, item)| mask | Mask::from(holds(item)) << i)
}

#[inline(always)]
fn generator<L: Lanes>() -> Affine<L> {
    Affine::new(Fe::splat(table::GENERATOR_X), Fe::splat(table::GENERATOR_Y))
}

/// The point of a group at x and y, G where that is none; and the lanes in which it is one.
#[inline(always)]
fn points<L: Lanes>(x: &[Number; LANES], y: &[Number; LANES]) -> (Affine<L>, Mask) {
    let below = |number: &Number| is_below(number, &PRIME);
    let (fe_x, fe_y) = (Fe::<L>::from_numbers(x), Fe::from_numbers(y));
    let are_points = fe_y.square_times(1).is(right_side(fe_x)) & mask_of(x, below) & mask_of(y, below);
    (or_generator(Affine::new(fe_x, fe_y), are_points), are_points)
}

#[inline(always)]
fn or_generator<L: Lanes>(point: Affine<L>, are_points: Mask) -> Affine<L> {
    let generator = generator();
    Affine { x: generator.x.blend(are_points, point.x), y2: generator.y2.blend(are_points, point.y2) }
}

/// u₁ = a/d and u₂ = b/d for numerators a, b and denominators d of all groups, d not zero.
#[inline(always)]
fn quotients<L: Lanes>(
    numerators: &[(Scalar<L>, Scalar<L>)],
    denominators: &[Scalar<L>],
) -> Vec<(Scalar<L>, Scalar<L>)> {
    let mut inverses = Vec::with_capacity(denominators.len());
    for denominator in denominators {
        inverses.push(denominator.to_montgomery());
    }
    invert_all(&mut inverses, &mut Vec::with_capacity(denominators.len()));
    let mut quotients = Vec::with_capacity(denominators.len());
    for ((a, b), inverse) in numerators.iter().zip(&inverses) {
        quotients.push((a.montgomery_mul(inverse), b.montgomery_mul(inverse)));
    }
    quotients
}

/// The affine points of Jacobian ones, and the lanes in which there is one.
#[inline(always)]
fn to_affine<L: Lanes>(sums: &[Jacobian<L>]) -> Vec<(Fe<L>, Fe<L>, Mask)> {
    let mut inverses = Vec::with_capacity(sums.len());
    let mut points = Vec::with_capacity(sums.len());
    for sum in sums {
        let exceptional = sum.z.masked().is_zero();
        inverses.push(sum.z.masked().blend(exceptional, Fe::one()));
        points.push((sum.x.masked(), sum.y2.masked(), !exceptional));
    }
    invert_all(&mut inverses, &mut Vec::with_capacity(sums.len()));
    for ((x, y, _), inverse) in points.iter_mut().zip(&inverses) {
        let square = inverse.square_times(1);
        *x = x.mul_called(&square);
        *y = halved(y.mul_called(&inverse.mul_called(&square)));
    }
    points
}

/// Half of an element.
#[inline(always)]
fn halved<L: Lanes>(fe: Fe<L>) -> Fe<L> {
    // (p + 1)/2.
    fe.mul_called(&Fe::splat([0xffff_ffff_7fff_fe18, u64::MAX, u64::MAX, u64::MAX >> 1]))
}

#[inline(always)]
fn verify_in<L: Lanes>(items: &[Item]) -> Vec<Verdict> {
    let groups = items.len().div_ceil(LANES);
    let (mut numerators, mut denominators, mut points_of) =
        (Vec::with_capacity(groups), Vec::with_capacity(groups), Vec::with_capacity(groups));
    for group in items.chunks(LANES) {
        let in_range = mask_of(group, |item| is_scalar(&item.r) && is_scalar(&item.s));
        numerators
            .push((scalars::<L, _>(group, in_range, |item| item.digest), scalars(group, in_range, |item| item.r)));
        denominators.push(scalars(group, in_range, |item| item.s));
        let all = Mask::MAX;
        let (point, are_points) = points::<L>(&column(group, all, |item| item.x), &column(group, all, |item| item.y));
        points_of.push((point, in_range, are_points));
    }
    let quotients = quotients(&numerators, &denominators);
    let mut tasks = Vec::with_capacity(groups);
    for (&(generator_scalar, scalar), &(point, ..)) in quotients.iter().zip(&points_of) {
        tasks.push(Task { generator_scalar, scalar, point });
    }
    let sums = multiply(&tasks);
    let nonces = Nonces::of(items, &sums);
    let mut verdicts = Vec::with_capacity(items.len());
    for (i, group) in items.chunks(LANES).enumerate() {
        let (_, in_range, are_points) = points_of[i];
        let exceptional = sums[i].z.masked().is_zero();
        let holds = nonces.hold(i, group, &sums[i]);
        for lane in 0..group.len() {
            let is = |mask: Mask| mask >> lane & 1 == 1;
            verdicts.push(match () {
                () if !is(are_points) => Verdict::NoPoint,
                () if !is(in_range) => Verdict::Invalid,
                () if is(exceptional) => Verdict::Exceptional,
                () if is(holds) => Verdict::Valid,
                () => Verdict::Invalid,
            });
        }
    }
    verdicts
}

/// How R is compared: where every item leaves it open, without another inversion.
enum Nonces<L> {
    Projective,
    Affine(Vec<(Fe<L>, Fe<L>, Mask)>),
}

impl<L: Lanes> Nonces<L> {
    #[inline(always)]
    fn of(items: &[Item], sums: &[Jacobian<L>]) -> Self {
        if items.iter().all(|item| item.nonce == Nonce::Any) { Self::Projective } else { Self::Affine(to_affine(sums)) }
    }

    /// The lanes of group `i` whose R is the one wanted.
    #[inline(always)]
    fn hold(&self, i: usize, group: &[Item], sum: &Jacobian<L>) -> Mask {
        let any = mask_of(group, |item| item.nonce == Nonce::Any);
        let mut holds = 0;
        if any != 0 {
            holds = any & has_x(sum, &column(group, any, |item| item.r));
            let wrapping = mask_of(group, |item| item.nonce == Nonce::Any && wrapped(&item.r).is_some());
            if wrapping != 0 {
                let x = column(group, wrapping, |item| wrapped(&item.r).unwrap_or_default());
                holds |= wrapping & has_x(sum, &x);
            }
        }
        if let Self::Affine(points) = self {
            let (x, y, _) = points[i];
            let wanted = |item: &Item| match item.nonce {
                Nonce::Any => None,
                Nonce::Point { x_is_above_order, .. } => nonce_x(&item.r, x_is_above_order),
            };
            let possible = mask_of(group, |item| wanted(item).is_some());
            let odd = mask_of(group, |item| matches!(item.nonce, Nonce::Point { y_is_odd: true, .. }));
            let wanted = Fe::from_numbers(&column(group, possible, |item| wanted(item).unwrap_or_default()));
            holds |= possible & x.is(wanted) & !(y.is_odd() ^ odd);
        }
        holds
    }
}

/// The lanes in which the point is at x.
#[inline(always)]
fn has_x<L: Lanes>(point: &Jacobian<L>, x: &[Number; LANES]) -> Mask {
    Fe::from_numbers(x).mul_called(&point.z.masked().square_times(1)).is(point.x.masked())
}

#[inline(always)]
fn recover_in<L: Lanes>(items: &[Recoverable]) -> Vec<Recovered> {
    let groups = items.len().div_ceil(LANES);
    let (mut numerators, mut denominators, mut nonces) =
        (Vec::with_capacity(groups), Vec::with_capacity(groups), Vec::with_capacity(groups));
    for group in items.chunks(LANES) {
        let nonce_x = |item: &Recoverable| nonce_x(&item.r, item.x_is_above_order);
        let possible = mask_of(group, |item| is_scalar(&item.r) && is_scalar(&item.s) && nonce_x(item).is_some());
        numerators.push((
            scalars::<L, _>(group, possible, |item| item.digest).negated(),
            scalars(group, possible, |item| item.s),
        ));
        denominators.push(scalars(group, possible, |item| item.r));
        let x = Fe::from_numbers(&column(group, possible, |item| nonce_x(item).unwrap_or_default()));
        let (y, are_points) = lift_group(x, mask_of(group, |item| item.y_is_odd));
        let found = are_points & possible;
        nonces.push((or_generator(Affine::new(x, y), found), found));
    }
    let quotients = quotients(&numerators, &denominators);
    let mut tasks = Vec::with_capacity(groups);
    for (&(generator_scalar, scalar), &(point, _)) in quotients.iter().zip(&nonces) {
        tasks.push(Task { generator_scalar, scalar, point });
    }
    let keys = to_affine(&multiply(&tasks));
    let mut recovered = Vec::with_capacity(items.len());
    for (i, group) in items.chunks(LANES).enumerate() {
        let (x, y, regular) = keys[i];
        let (x, y) = (x.to_numbers(), y.to_numbers());
        for lane in 0..group.len() {
            let is = |mask: Mask| mask >> lane & 1 == 1;
            recovered.push(match () {
                () if !is(nonces[i].1) => Recovered::None,
                () if !is(regular) => Recovered::Exceptional,
                () => Recovered::Key(x[lane], y[lane]),
            });
        }
    }
    recovered
}

/// The x of R, where it is below p.
fn nonce_x(r: &Number, is_above_order: bool) -> Option<Number> {
    if is_above_order { wrapped(r) } else { Some(*r) }
}

/// The y at x with the parity of the mask, and the lanes in which x is a point's.
#[inline(always)]
fn lift_group<L: Lanes>(x: Fe<L>, odd: Mask) -> (Fe<L>, Mask) {
    let square = right_side(x);
    let root = square.root_candidate();
    let are_points = root.square_times(1).is(square);
    (root.negate_where(root.is_odd() ^ odd), are_points)
}

#[inline(always)]
fn lift_in<L: Lanes>(points: &[(Number, bool)]) -> Vec<Option<Number>> {
    let mut lifted = Vec::with_capacity(points.len());
    for group in points.chunks(LANES) {
        let below = mask_of(group, |(x, _)| is_below(x, &PRIME));
        let x = Fe::<L>::from_numbers(&column(group, below, |(x, _)| *x));
        let (y, are_points) = lift_group(x, mask_of(group, |&(_, y_is_odd)| y_is_odd));
        let (found, y) = (are_points & below, y.to_numbers());
        lifted.extend((0..group.len()).map(|lane| (found >> lane & 1 == 1).then_some(y[lane])));
    }
    lifted
}

#[inline(always)]
fn verify_schnorr_in<L: Lanes>(items: &[Schnorr]) -> Vec<Verdict> {
    let mut tasks = Vec::with_capacity(items.len().div_ceil(LANES));
    let mut keys = Vec::with_capacity(tasks.capacity());
    for group in items.chunks(LANES) {
        let below = mask_of(group, |item| is_below(&item.x, &PRIME));
        let x = Fe::from_numbers(&column(group, below, |item| item.x));
        let (y, are_points) = lift_group(x, 0);
        let found = are_points & below;
        keys.push(found);
        let all = Mask::MAX;
        tasks.push(Task {
            generator_scalar: Scalar::<L>::from_numbers(&column(group, all, |item| item.s)),
            scalar: Scalar::from_numbers(&column(group, all, |item| item.challenge)).negated(),
            point: or_generator(Affine::new(x, y), found),
        });
    }
    let nonces = to_affine(&multiply(&tasks));
    let mut verdicts = Vec::with_capacity(items.len());
    for (i, group) in items.chunks(LANES).enumerate() {
        let (x, y, regular) = nonces[i];
        let in_range = mask_of(group, |item| is_below(&item.r, &PRIME) && is_below(&item.s, &ORDER));
        let r = Fe::from_numbers(&column(group, in_range, |item| item.r));
        let holds = x.is(r) & !y.is_odd();
        for lane in 0..group.len() {
            let is = |mask: Mask| mask >> lane & 1 == 1;
            verdicts.push(match () {
                () if !is(keys[i]) => Verdict::NoPoint,
                () if !is(in_range) => Verdict::Invalid,
                () if !is(regular) => Verdict::Exceptional,
                () => {
                    if is(holds) {
                        Verdict::Valid
                    } else {
                        Verdict::Invalid
                    }
                }
            });
        }
    }
    verdicts
}
