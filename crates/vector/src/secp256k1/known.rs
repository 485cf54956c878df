//! Signatures of keys that have tables.

use std::sync::LazyLock;

use super::field::{Fe, Loose, PRIME, pair_to_rows, rows_to_pair};
use super::point::{Affine, double_mirrored};
use super::scalar::ORDER;
use super::table::{GENERATOR_X, GENERATOR_Y, odd_multiples};
use super::{
    Nonce, Number, Verdict, column, halved, is_below, is_scalar, mask_of, nonce_x, points, to_affine, wrapped,
};
use crate::Unit;
use crate::lanes::{LANES, Lanes, Mask};
use crate::radix52::{from_words, limbs_of};
use crate::scratch::Words;
use crate::unit::on_lanes;
use crate::weierstrass::field::{Element, Modulus, negative_inverse, reduce_dense};
use crate::weierstrass::known::{KnownCurve, Product, add_up, quotients, tables_of};
use crate::weierstrass::multiples::Packed;
use crate::weierstrass::tables::{self, MULTIPLES, PLACES, Tabled, WIDTH};
use crate::weierstrass::tree::{Coordinate, Summand, Tree};

/// The curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secp256k1;

#[cfg(test)]
impl Secp256k1 {
    /// G.
    pub(crate) const BASE: [Number; 2] = [GENERATOR_X, GENERATOR_Y];
}

/// A key's multiples, with which its signatures are verified several times as fast: 256 KiB.
pub type Table = tables::Table<Secp256k1>;

/// An ECDSA signature of a key that has a table; numbers as in [`super::Item`].
#[derive(Clone, Copy, Debug)]
pub struct KnownSignature<'a> {
    /// The key's table.
    pub table: &'a Table,
    /// The digest; need not be below n.
    pub digest: Number,
    /// r, below n and not zero: anything else is [`Verdict::Invalid`].
    pub r: Number,
    /// s, likewise.
    pub s: Number,
    /// What R must be.
    pub nonce: Nonce,
}

/// A Schnorr signature of a key that has a table; numbers as in [`super::Schnorr`].
#[derive(Clone, Copy, Debug)]
pub struct KnownSchnorr<'a> {
    /// The table of one of the two points at the key's x, whichever.
    pub table: &'a Table,
    /// The x of R, compared as it is.
    pub r: Number,
    /// s; one of n and more is [`Verdict::Invalid`].
    pub s: Number,
    /// The challenge e; need not be below n.
    pub challenge: Number,
}

/// As [`super::verify`], of keys that have tables.
pub fn verify_known(unit: Unit, signatures: &[KnownSignature<'_>]) -> Vec<Verdict> {
    on_lanes!(unit, L => verify_known_in::<L>(signatures))
}

/// As [`super::verify_schnorr`], of keys that have tables.
pub fn verify_schnorr_known(unit: Unit, signatures: &[KnownSchnorr<'_>]) -> Vec<Verdict> {
    on_lanes!(unit, L => verify_schnorr_known_in::<L>(signatures))
}

/// Numbers modulo n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order;

impl Modulus for Order {
    const WORDS: [u64; 4] = ORDER;

    #[inline(always)]
    fn reduce<L: Lanes>(columns: [L; 10]) -> [L; 5] {
        reduce_dense::<Self, L>(columns, const { negative_inverse(limbs_of(ORDER)[0]) })
    }
}

impl Tabled for Secp256k1 {
    fn rows(unit: Unit, point: [[u64; 4]; 2]) -> Option<Vec<Packed>> {
        on_lanes!(unit, L => rows::<L>(point))
    }
}

impl KnownCurve for Secp256k1 {
    type Order = Order;
    type Affine<L: Lanes> = Affine<L>;

    fn base_table() -> &'static Table {
        static TABLE: LazyLock<Table> =
            LazyLock::new(|| Table::new(GENERATOR_X, GENERATOR_Y).expect("G is on the curve"));
        &TABLE
    }
}

/// The rows of a table. Eight places at once: the points 2^(8·i)·Q go into lanes, each with its odd multiples.
#[inline(always)]
fn rows<L: Lanes>([x, y]: [Number; 2]) -> Option<Vec<Packed>> {
    let (key, is_point) = points::<L>(&[x; LANES], &[y; LANES]);
    if is_point == 0 {
        return None;
    }
    let mut power = [key.to_jacobian(0)];
    let mut powers = Vec::with_capacity(PLACES / LANES);
    for _ in 0..PLACES / LANES {
        let mut lanes = power[0];
        for lane in 1..LANES {
            double_times(&mut power, WIDTH);
            lanes = lanes.blend(!0 << lane, &power[0]);
        }
        double_times(&mut power, WIDTH);
        powers.push(lanes);
    }
    let mut tops = Vec::with_capacity(powers.len());
    for (x, y, _) in to_affine(&powers) {
        tops.push(Affine::new(x, y));
    }
    let multiples = odd_multiples(&tops, MULTIPLES);
    let mut rows = vec![Packed::default(); PLACES * MULTIPLES];
    for (i, multiples) in multiples.chunks_exact(MULTIPLES).enumerate() {
        for (j, point) in multiples.iter().enumerate() {
            let lanes = pair_to_rows(point.x, point.y2);
            for (lane, words) in lanes.into_iter().enumerate() {
                words.store(&mut rows[(i * LANES + lane) * MULTIPLES + j].0);
            }
        }
    }
    Some(rows)
}

/// Doubles an even number of times, so that nothing is mirrored.
#[inline(never)]
fn double_times<L: Lanes>(point: &mut [super::Jacobian<L>; 1], times: usize) {
    debug_assert!(times.is_multiple_of(2));
    L::enter(
        #[inline(always)]
        || {
            for _ in 0..times {
                double_mirrored(point);
            }
        },
    );
}

// SAFETY: elements are arrays of lanes, which are words; points are two elements.
unsafe impl<L: Lanes> Words for Fe<L> {}
// SAFETY: as above.
unsafe impl<L: Lanes> Words for Affine<L> {}

impl<L: Lanes> Coordinate for Fe<L> {
    #[inline(always)]
    fn one() -> Self {
        Fe::one()
    }

    #[inline(always)]
    fn product(&self, other: &Self) -> Self {
        if L::IN_MEMORY { self.mul_called(other) } else { self.mul(*other) }
    }

    #[inline(always)]
    fn is_zero(&self) -> Mask {
        Fe::is_zero(*self)
    }

    #[inline(always)]
    fn blend(&self, mask: Mask, other: &Self) -> Self {
        Fe::blend(*self, mask, *other)
    }
}

impl<L: Lanes> Summand<L> for Affine<L> {
    type Coordinate = Fe<L>;

    #[inline(always)]
    fn unpack(rows: [&Packed; LANES], negative: Mask) -> Self {
        let mut words = [L::zero(); LANES];
        for (words, row) in words.iter_mut().zip(rows) {
            *words = L::load(&row.0);
        }
        let (x, y2) = rows_to_pair(words);
        Self { x, y2: y2.negate_where(negative) }
    }

    #[inline(always)]
    fn run(&self, other: &Self) -> Fe<L> {
        self.sum_denominator(*other)
    }

    #[inline(always)]
    fn add<const N: usize>(pairs: [&[Self; N]; 2], inverses: &[Fe<L>; N], sums: &mut [Self; N]) {
        Affine::add_each(pairs, inverses, sums);
    }
}

#[inline(always)]
fn verify_known_in<L: Lanes>(signatures: &[KnownSignature<'_>]) -> Vec<Verdict> {
    let Some(first) = signatures.first() else { return Vec::new() };
    let groups = signatures.len().div_ceil(LANES);
    let (mut fractions, mut ranges) = (Vec::with_capacity(groups), Vec::with_capacity(groups));
    for group in signatures.chunks(LANES) {
        let in_range = mask_of(group, |item| is_scalar(&item.r) && is_scalar(&item.s));
        let [digest, r] = [column(group, in_range, |item| item.digest), column(group, in_range, |item| item.r)];
        fractions.push([from_words(&digest), from_words(&r), from_words(&column(group, in_range, |item| item.s))]);
        ranges.push(in_range);
    }
    let mut products = Vec::with_capacity(groups);
    for (group, [base_scalar, key_scalar]) in signatures.chunks(LANES).zip(quotients::<Order, L>(&fractions)) {
        let keys = tables_of(group, first.table, |item| item.table);
        products.push(Product { keys, base_scalar, key_scalar });
    }
    let mut tree = add_up(&products);
    let open = signatures.iter().all(|item| item.nonce == Nonce::Any);
    if !open {
        tree.halve();
    }
    let mut verdicts = Vec::with_capacity(signatures.len());
    for (i, group) in signatures.chunks(LANES).enumerate() {
        let (holds, exceptional) =
            if open { hold_by_abscissa(&tree, i, group) } else { (hold(&tree, i, group), tree.exceptional[i]) };
        push(&mut verdicts, group.len(), ranges[i], exceptional, holds);
    }
    verdicts
}

fn push(verdicts: &mut Vec<Verdict>, count: usize, in_range: Mask, exceptional: Mask, holds: Mask) {
    for lane in 0..count {
        let is = |mask: Mask| mask >> lane & 1 == 1;
        verdicts.push(match () {
            () if !is(in_range) => Verdict::Invalid,
            () if is(exceptional) => Verdict::Exceptional,
            () if is(holds) => Verdict::Valid,
            () => Verdict::Invalid,
        });
    }
}

/// Where every item leaves R open but for its x, which is compared without another inversion: the lanes that hold, and
/// the exceptional ones.
#[inline(always)]
fn hold_by_abscissa<L: Lanes>(tree: &Tree<L, Affine<L>>, i: usize, group: &[KnownSignature<'_>]) -> (Mask, Mask) {
    let [a, b] = tree.pair(i);
    let run = a.run(b);
    let run_squared = run.square_times(1);
    let rise_squared = b.y2.loose().minus(a.y2.loose()).reduce().square_times(1);
    let others = a.x.loose().plus(b.x.loose());
    let mut holds = is_sum(&column(group, Mask::MAX, |item| item.r), others, run_squared, rise_squared);
    let wrapping = mask_of(group, |item| wrapped(&item.r).is_some());
    if wrapping != 0 {
        let x = column(group, wrapping, |item| wrapped(&item.r).unwrap_or_default());
        holds |= wrapping & is_sum(&x, others, run_squared, rise_squared);
    }
    (holds, tree.exceptional[i] | run.is_zero())
}

/// Whether x and the abscissas of two points add up to rise²/run².
#[inline(always)]
fn is_sum<L: Lanes>(x: &[Number; LANES], others: Loose<L>, run_squared: Fe<L>, rise_squared: Fe<L>) -> Mask {
    Fe::from_numbers(x).loose().plus(others).reduce().mul_called(&run_squared).is(rise_squared)
}

/// The lanes in which the sum is the R wanted.
#[inline(always)]
fn hold<L: Lanes>(tree: &Tree<L, Affine<L>>, i: usize, group: &[KnownSignature<'_>]) -> Mask {
    let sum = *tree.sum(i);
    let any = mask_of(group, |item| item.nonce == Nonce::Any);
    let odd = mask_of(group, |item| matches!(item.nonce, Nonce::Point { y_is_odd: true, .. }));
    let right_y = any | !(halved(sum.y2).is_odd() ^ odd);
    let wanted = |item: &KnownSignature<'_>| match item.nonce {
        Nonce::Any => Some(item.r),
        Nonce::Point { x_is_above_order, .. } => nonce_x(&item.r, x_is_above_order),
    };
    let possible = mask_of(group, |item| wanted(item).is_some());
    let x = Fe::from_numbers(&column(group, possible, |item| wanted(item).unwrap_or_default()));
    let mut right_x = possible & sum.x.is(x);
    let wrapping = any & mask_of(group, |item| wrapped(&item.r).is_some());
    if wrapping != 0 {
        let x = Fe::from_numbers(&column(group, wrapping, |item| wrapped(&item.r).unwrap_or_default()));
        right_x |= wrapping & sum.x.is(x);
    }
    right_x & right_y
}

/// Numbers modulo n, plain.
#[inline(always)]
fn scalar<L: Lanes>(numbers: &[Number; LANES]) -> Element<Order, L> {
    Element::from_montgomery(from_words(numbers)).subtract_once()
}

#[inline(always)]
fn verify_schnorr_known_in<L: Lanes>(signatures: &[KnownSchnorr<'_>]) -> Vec<Verdict> {
    let Some(first) = signatures.first() else { return Vec::new() };
    let mut products = Vec::with_capacity(signatures.len().div_ceil(LANES));
    for group in signatures.chunks(LANES) {
        let all = Mask::MAX;
        let challenge = scalar::<L>(&column(group, all, |item| item.challenge));
        // The sum is s·G − e·P, P being the point with even y.
        let upright = mask_of(group, |item| !item.table.y_is_odd());
        let opposite = challenge.loose().negated(!0).plus_modulus::<1>().carry();
        products.push(Product {
            keys: tables_of(group, first.table, |item| item.table),
            base_scalar: scalar(&column(group, all, |item| item.s)).montgomery(),
            key_scalar: challenge.blend(upright, &opposite).montgomery(),
        });
    }
    let mut tree = add_up(&products);
    tree.halve();
    let mut verdicts = Vec::with_capacity(signatures.len());
    for (i, group) in signatures.chunks(LANES).enumerate() {
        let in_range = mask_of(group, |item| is_below(&item.r, &PRIME) && is_below(&item.s, &ORDER));
        let sum = *tree.sum(i);
        let r = Fe::from_numbers(&column(group, in_range, |item| item.r));
        let holds = sum.x.is(r) & !halved(sum.y2).is_odd();
        push(&mut verdicts, group.len(), in_range, tree.exceptional[i], holds);
    }
    verdicts
}
