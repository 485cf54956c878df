//! SM2 signatures (GB/T 32918.2), a signature a lane.

use std::sync::LazyLock;

use crate::Unit;
use crate::lanes::{LANES, Lanes};
use crate::radix52::{BITS, from_words, limbs_of};
use crate::unit::on_lanes;
use crate::weierstrass::comb::answer_known;
use crate::weierstrass::field::{Modulus, Prime, negative_inverse, reduce_dense, subtract};
use crate::weierstrass::known::{self, Product, tables_of};
use crate::weierstrass::multiples::Packed;
use crate::weierstrass::tables;
use crate::weierstrass::{Curve, Question, answer, make_base_multiples, make_base_table};

pub use crate::weierstrass::Outcome;

/// p = 2²⁵⁶ − 2²²⁴ − 2⁹⁶ + 2⁶⁴ − 1, little-endian words.
pub const PRIME: [u64; 4] =
    [0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];
/// n, the order of the group.
pub const ORDER: [u64; 4] =
    [0x53bb_f409_39d5_4123, 0x7203_df6b_21c6_052b, 0xffff_ffff_ffff_ffff, 0xffff_fffe_ffff_ffff];

/// An SM2 signature to be verified; all numbers as little-endian words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The coordinates x and y of the key, below [`PRIME`]. Whether they are on the curve is found out here.
    pub key: [[u64; 4]; 2],
    /// e as a number, of any size.
    pub digest: [u64; 4],
    /// r, in 1..n.
    pub r: [u64; 4],
    /// s, in 1..n.
    pub s: [u64; 4],
}

impl Signature {
    /// Whether all numbers are in the ranges stated, and r + s is not 0 modulo n.
    pub fn is_in_range(&self) -> bool {
        Numbers::new(self).is_some()
    }
}

/// What the equation comes down to: s·G + t·Q with the abscissa r − e.
#[derive(Clone, Copy)]
struct Numbers {
    key: [[u64; 4]; 2],
    s: [u64; 4],
    t: [u64; 4],
    abscissa: [u64; 4],
}

impl Numbers {
    /// Something to fill lanes with.
    const FILLER: Self = Self { key: Sm2::BASE, s: [1, 0, 0, 0], t: [3, 0, 0, 0], abscissa: [0; 4] };

    /// `None` where a number is out of range or t is 0.
    fn new(signature: &Signature) -> Option<Self> {
        let Signature { key, digest, r, s } = *signature;
        let below = |number: [u64; 4], limit: [u64; 4]| subtract(number, limit).1;
        let scalar = |number: [u64; 4]| number != [0; 4] && below(number, ORDER);
        let t = add_modulo(r, s);
        let in_range = key.iter().all(|number| below(*number, PRIME)) && scalar(r) && scalar(s) && t != [0; 4];
        // One subtraction is enough: 2²⁵⁶ < 2n.
        let (less, borrow) = subtract(digest, ORDER);
        let (abscissa, below_digest) = subtract(r, if borrow { digest } else { less });
        let abscissa = if below_digest { add(abscissa, ORDER).0 } else { abscissa };
        in_range.then_some(Self { key, s, t, abscissa })
    }
}

/// Verifies signatures; outcome i is of signature i. Numbers out of range, and r + s ≡ 0, are
/// [`Outcome::Undecided`]. An inversion is shared by all of a call: some 64 signatures and more are economical.
pub fn verify(unit: Unit, signatures: &[Signature]) -> Vec<Outcome> {
    let numbers: Vec<Option<Numbers>> = signatures.iter().map(Numbers::new).collect();
    let outcomes = on_lanes!(unit, L => outcomes::<L>(&numbers));
    judged(&numbers, &outcomes)
}

/// A key's multiples, with which its signatures are verified several times as fast: 256 KiB.
pub type Table = tables::Table<Sm2>;
/// A signature of a key that has a table.
pub type KnownSignature<'a> = known::KnownSignature<'a, Sm2>;

/// As [`verify`], of keys that have tables.
pub fn verify_known(unit: Unit, signatures: &[KnownSignature<'_>]) -> Vec<Outcome> {
    let of = |signature: &KnownSignature<'_>| {
        let KnownSignature { digest, r, s, .. } = *signature;
        Numbers::new(&Signature { key: Sm2::BASE, digest, r, s })
    };
    let numbers: Vec<Option<Numbers>> = signatures.iter().map(of).collect();
    let outcomes = on_lanes!(unit, L => known_outcomes::<L>(signatures, &numbers));
    judged(&numbers, &outcomes)
}

#[inline(always)]
fn known_outcomes<L: Lanes>(signatures: &[KnownSignature<'_>], numbers: &[Option<Numbers>]) -> Vec<[Outcome; LANES]> {
    let Some(first) = signatures.first() else { return Vec::new() };
    let mut questions = Vec::with_capacity(numbers.len().div_ceil(LANES));
    for (chunk, known) in numbers.chunks(LANES).zip(signatures.chunks(LANES)) {
        let group = grouped(chunk);
        let keys = tables_of(known, first.table, |signature| signature.table);
        let (base_scalar, key_scalar) = (column(&group, |numbers| numbers.s), column(&group, |numbers| numbers.t));
        questions.push((Product { keys, base_scalar, key_scalar }, column(&group, |numbers| numbers.abscissa)));
    }
    answer_known::<Sm2, L>(&questions)
}

/// Eight lanes, filled up.
fn grouped(chunk: &[Option<Numbers>]) -> [Numbers; LANES] {
    std::array::from_fn(|lane| chunk.get(lane).copied().flatten().unwrap_or(Numbers::FILLER))
}

/// The outcomes of numbers that were [`grouped`].
fn judged(numbers: &[Option<Numbers>], outcomes: &[[Outcome; LANES]]) -> Vec<Outcome> {
    let one = |(outcome, numbers): (&Outcome, &Option<Numbers>)| match numbers {
        Some(_) => *outcome,
        None => Outcome::Undecided,
    };
    outcomes.as_flattened().iter().zip(numbers).map(one).collect()
}

#[inline(always)]
fn outcomes<L: Lanes>(numbers: &[Option<Numbers>]) -> Vec<[Outcome; LANES]> {
    let mut questions = Vec::with_capacity(numbers.len().div_ceil(LANES));
    for chunk in numbers.chunks(LANES) {
        let group = grouped(chunk);
        questions.push(Question {
            key: [column(&group, |numbers| numbers.key[0]), column(&group, |numbers| numbers.key[1])],
            base_scalar: column(&group, |numbers| numbers.s),
            key_scalar: column(&group, |numbers| numbers.t),
            abscissa: column(&group, |numbers| numbers.abscissa),
        });
    }
    answer::<Sm2, L>(&questions)
}

/// One number of each signature of a group.
#[inline(always)]
fn column<L: Lanes>(group: &[Numbers; LANES], of: fn(&Numbers) -> [u64; 4]) -> [L; 5] {
    from_words(&group.map(|one| of(&one)))
}

/// a + b modulo 2²⁵⁶, and whether it was more.
fn add(a: [u64; 4], b: [u64; 4]) -> ([u64; 4], bool) {
    let mut carry = false;
    let sum = std::array::from_fn(|i| {
        let (word, next) = a[i].carrying_add(b[i], carry);
        carry = next;
        word
    });
    (sum, carry)
}

/// a + b modulo n, of numbers below n.
fn add_modulo(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let (sum, carry) = add(a, b);
    let (less, borrow) = subtract(sum, ORDER);
    if borrow && !carry { sum } else { less }
}

/// The curve, and its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sm2;

/// Numbers modulo n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order;

impl Modulus for Sm2 {
    const WORDS: [u64; 4] = PRIME;

    /// p + 1 = 2⁶⁴ − 2⁹⁶ + (2⁴⁸ − 2¹⁶)·2²⁰⁸ and −p⁻¹ ≡ 1 modulo 2⁵²: the digit of the quotient is the lowest column
    /// itself.
    #[inline(always)]
    fn reduce<L: Lanes>(mut columns: [L; 10]) -> [L; 5] {
        let (first, fourth) = (L::splat((1 << 44) - (1 << 12)), L::splat((1 << 48) - (1 << 16)));
        for k in 0..5 {
            let digit = columns[k];
            let less = L::zero().madd_lo(digit, first);
            columns[k + 1] = columns[k + 1].add(digit.sar::<BITS>()).sub(less);
            columns[k + 2] = columns[k + 2].sub(L::zero().madd_hi(digit, first));
            columns[k + 4] = columns[k + 4].madd_lo(digit, fourth);
            columns[k + 5] = columns[k + 5].madd_hi(digit, fourth);
        }
        let [.., a, b, c, d, e] = columns;
        [a, b, c, d, e]
    }
}

impl Prime for Sm2 {
    /// h·p less, for h the bits from 256 on: −p = 1 − 2⁶⁴ + 2⁹⁶ + 2²²⁴ − 2²⁵⁶.
    #[inline(always)]
    fn fold<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 5] {
        let high = e.sar::<48>();
        [
            a.add(high),
            b.add(high.shl::<44>().sub(high.shl::<12>())),
            c,
            d,
            e.and(L::splat((1 << 48) - 1)).add(high.shl::<16>()),
        ]
    }
}

impl Curve for Sm2 {
    type Order = Order;
    const B: [u64; 4] = [0xddbc_bd41_4d94_0e93, 0xf397_89f5_15ab_8f92, 0x4d5a_9e4b_cf65_09a7, 0x28e9_fa9e_9d9f_5e34];
    const BASE: [[u64; 4]; 2] = [
        [0x715a_4589_334c_74c7, 0x8fe3_0bbf_f266_0be1, 0x5f99_0446_6a39_c994, 0x32c4_ae2c_1f19_8119],
        [0x02df_32e5_2139_f0a0, 0xd0a9_877c_c62a_4740, 0x59bd_cee3_6b69_2153, 0xbc37_36a2_f4f6_779c],
    ];

    fn base_multiples() -> &'static [Packed] {
        static MULTIPLES: LazyLock<Vec<Packed>> = LazyLock::new(make_base_multiples::<Sm2>);
        &MULTIPLES
    }

    fn base_table() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(make_base_table::<Sm2>);
        &TABLE
    }
}

impl Modulus for Order {
    const WORDS: [u64; 4] = ORDER;

    #[inline(always)]
    fn reduce<L: Lanes>(columns: [L; 10]) -> [L; 5] {
        reduce_dense::<Self, L>(columns, const { negative_inverse(limbs_of(ORDER)[0]) })
    }
}
