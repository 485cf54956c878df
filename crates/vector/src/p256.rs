//! ECDSA on P-256 (FIPS 186-5, the curve secp256r1), a signature a lane.

use std::sync::LazyLock;

use crate::Unit;
use crate::lanes::{LANES, Lanes};
use crate::radix52::{BITS, from_words, limbs_of};
use crate::unit::on_lanes;
use crate::weierstrass::comb::answer_known;
use crate::weierstrass::field::{Modulus, Prime, negative_inverse, reduce_dense, subtract};
use crate::weierstrass::known::{self, Product, quotients, tables_of};
use crate::weierstrass::multiples::Packed;
use crate::weierstrass::tables;
use crate::weierstrass::{Curve, Question, answer, make_base_multiples, make_base_table};

pub use crate::weierstrass::Outcome;

/// p = 2²⁵⁶ − 2²²⁴ + 2¹⁹² + 2⁹⁶ − 1, little-endian words.
pub const PRIME: [u64; 4] = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];
/// n, the order of the group.
pub const ORDER: [u64; 4] =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

/// An ECDSA signature to be verified; all numbers as little-endian words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The coordinates x and y of the key, below [`PRIME`]. Whether they are on the curve is found out here.
    pub key: [[u64; 4]; 2],
    /// The digest as a number, of any size.
    pub digest: [u64; 4],
    /// r, in 1..n.
    pub r: [u64; 4],
    /// s, in 1..n.
    pub s: [u64; 4],
}

impl Signature {
    /// A signature over e = 0 of the key G with r = s = 1: something to fill lanes with.
    const FILLER: Self = Self { key: P256::BASE, digest: [1, 0, 0, 0], r: [1, 0, 0, 0], s: [1, 0, 0, 0] };

    /// Whether all numbers are in the ranges stated.
    pub fn is_in_range(&self) -> bool {
        let below = |number: &[u64; 4], limit: [u64; 4]| subtract(*number, limit).1;
        let scalar = |number: &[u64; 4]| *number != [0; 4] && below(number, ORDER);
        self.key.iter().all(|number| below(number, PRIME)) && scalar(&self.r) && scalar(&self.s)
    }
}

/// Verifies signatures, high S being valid; outcome i is of signature i. Numbers out of range are
/// [`Outcome::Undecided`]. An inversion is shared by all of a call: some 64 signatures and more are economical.
pub fn verify(unit: Unit, signatures: &[Signature]) -> Vec<Outcome> {
    on_lanes!(unit, L => verify_in::<L>(signatures))
}

/// A key's multiples, with which its signatures are verified several times as fast: 256 KiB.
pub type Table = tables::Table<P256>;
/// A signature of a key that has a table.
pub type KnownSignature<'a> = known::KnownSignature<'a, P256>;

/// As [`verify`], of keys that have tables.
pub fn verify_known(unit: Unit, signatures: &[KnownSignature<'_>]) -> Vec<Outcome> {
    on_lanes!(unit, L => verify_known_in::<L>(signatures))
}

#[inline(always)]
fn verify_known_in<L: Lanes>(signatures: &[KnownSignature<'_>]) -> Vec<Outcome> {
    let Some(first) = signatures.first() else { return Vec::new() };
    let of = |signature: &KnownSignature<'_>| Signature {
        key: P256::BASE,
        digest: signature.digest,
        r: signature.r,
        s: signature.s,
    };
    let plain: Vec<Signature> = signatures.iter().map(of).collect();
    let groups = grouped(&plain);
    let mut questions = Vec::with_capacity(groups.len());
    for ((group, scalars), known) in groups.iter().zip(scalars::<L>(&groups)).zip(signatures.chunks(LANES)) {
        let keys = tables_of(known, first.table, |signature| signature.table);
        let [base_scalar, key_scalar] = scalars;
        questions.push((Product { keys, base_scalar, key_scalar }, column(group, |signature| signature.r)));
    }
    judged(&plain, &answer_known::<P256, L>(&questions))
}

#[inline(always)]
fn verify_in<L: Lanes>(signatures: &[Signature]) -> Vec<Outcome> {
    let groups = grouped(signatures);
    let mut questions = Vec::with_capacity(groups.len());
    for (group, scalars) in groups.iter().zip(scalars::<L>(&groups)) {
        questions.push(Question {
            key: [column(group, |signature| signature.key[0]), column(group, |signature| signature.key[1])],
            base_scalar: scalars[0],
            key_scalar: scalars[1],
            abscissa: column(group, |signature| signature.r),
        });
    }
    judged(signatures, &answer::<P256, L>(&questions))
}

/// Signatures eight by eight, filled up.
fn grouped(signatures: &[Signature]) -> Vec<[Signature; LANES]> {
    let group = |chunk: &[Signature]| {
        std::array::from_fn(|lane| match chunk.get(lane) {
            Some(signature) if signature.is_in_range() => *signature,
            _ => Signature::FILLER,
        })
    };
    signatures.chunks(LANES).map(group).collect()
}

/// The outcomes of signatures that were [`grouped`].
fn judged(signatures: &[Signature], outcomes: &[[Outcome; LANES]]) -> Vec<Outcome> {
    let one = |(outcome, signature): (&Outcome, &Signature)| match signature.is_in_range() {
        true => *outcome,
        false => Outcome::Undecided,
    };
    outcomes.as_flattened().iter().zip(signatures).map(one).collect()
}

/// u₁ = e/s and u₂ = r/s of all, with one inversion.
#[inline(never)]
fn scalars<L: Lanes>(groups: &[[Signature; LANES]]) -> Vec<[[L; 5]; 2]> {
    L::enter(
        #[inline(always)]
        || {
            let mut fractions = Vec::with_capacity(groups.len());
            for group in groups {
                let [digest, r] = [column(group, |signature| signature.digest), column(group, |signature| signature.r)];
                fractions.push([digest, r, column(group, |signature| signature.s)]);
            }
            quotients::<Order, L>(&fractions)
        },
    )
}

/// One number of each signature of a group.
#[inline(always)]
fn column<L: Lanes>(group: &[Signature; LANES], of: fn(&Signature) -> [u64; 4]) -> [L; 5] {
    from_words(&group.map(|one| of(&one)))
}

/// The curve, and its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct P256;

/// Numbers modulo n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order;

impl Modulus for P256 {
    const WORDS: [u64; 4] = PRIME;

    /// p + 1 = 2⁹⁶ + 2¹⁹² + (2⁴⁸ − 2¹⁶)·2²⁰⁸ and −p⁻¹ ≡ 1 modulo 2⁵²: the digit of the quotient is the lowest column
    /// itself.
    #[inline(always)]
    fn reduce<L: Lanes>(mut columns: [L; 10]) -> [L; 5] {
        let (first, third, fourth) = (L::splat(1 << 44), L::splat(1 << 36), L::splat((1 << 48) - (1 << 16)));
        for k in 0..5 {
            let digit = columns[k];
            columns[k + 1] = columns[k + 1].add(digit.sar::<BITS>()).madd_lo(digit, first);
            columns[k + 2] = columns[k + 2].madd_hi(digit, first);
            columns[k + 3] = columns[k + 3].madd_lo(digit, third);
            columns[k + 4] = columns[k + 4].madd_hi(digit, third).madd_lo(digit, fourth);
            columns[k + 5] = columns[k + 5].madd_hi(digit, fourth);
        }
        let [.., a, b, c, d, e] = columns;
        [a, b, c, d, e]
    }
}

impl Prime for P256 {
    /// h·p less, for h the bits from 256 on: −p = 1 − 2⁹⁶ − 2¹⁹² + 2²²⁴ − 2²⁵⁶.
    #[inline(always)]
    fn fold<L: Lanes>([a, b, c, d, e]: [L; 5]) -> [L; 5] {
        let high = e.sar::<48>();
        [
            a.add(high),
            b.sub(high.shl::<44>()),
            c,
            d.sub(high.shl::<36>()),
            e.and(L::splat((1 << 48) - 1)).add(high.shl::<16>()),
        ]
    }
}

impl Curve for P256 {
    type Order = Order;
    const B: [u64; 4] = [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];
    const BASE: [[u64; 4]; 2] = [
        [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247],
        [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b],
    ];

    fn base_multiples() -> &'static [Packed] {
        static MULTIPLES: LazyLock<Vec<Packed>> = LazyLock::new(make_base_multiples::<P256>);
        &MULTIPLES
    }

    fn base_table() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(make_base_table::<P256>);
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
