//! Curves y² = x³ − 3x + b over primes of 256 bits, a signature a lane: the equation s·G + t·Q = R, of which the
//! abscissa is known.
//!
//! **Method.** Both scalars are recoded into signed odd digits, of [`KEY_WIDTH`] and [`BASE_WIDTH`] bits, so that all
//! lanes add at the same places and none ever adds nothing; one chain of 255 doublings serves both (Straus). The 16
//! odd multiples of Q up to 31·Q are made affine by an inversion shared by the whole batch; those of G are a static
//! table. The abscissa is compared as x·Z² = X: no inversion at the end.
//!
//! **What the formulas leave out.** Sums of equal or opposite points turn Z into 0 for good; such lanes, which only
//! chosen keys and scalars bring about, are [`Outcome::Undecided`], and the caller asks a scalar engine.

use std::fmt::Debug;

use crate::lanes::{LANES, Lanes, Mask};
use crate::radix52::limbs_of;

pub(crate) mod comb;
pub(crate) mod digits;
pub(crate) mod field;
pub(crate) mod inversion;
pub(crate) mod known;
pub(crate) mod multiples;
pub(crate) mod point;
pub(crate) mod tables;
pub(crate) mod tree;

use crate::scratch::Scratch;
use digits::Digits;
use field::{Element, Modulus, Prime, splats};
use inversion::invert_all;
use multiples::{Multiple, Packed, odd_multiples, pack_by_lane, unpack};
use point::{Affine, Point, add_all, double_all};
use tables::Table;

/// What lanes found of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The equation holds.
    Valid,
    /// It does not.
    Invalid,
    /// The key is no point of the curve.
    OffCurve,
    /// An exceptional case of the formulas: ask a scalar engine.
    Undecided,
}

/// A curve with a = −3 and a group of prime order.
pub(crate) trait Curve: Prime {
    /// The order of the group.
    type Order: Modulus;
    /// b.
    const B: [u64; 4];
    /// The coordinates of G.
    const BASE: [[u64; 4]; 2];

    /// The odd multiples of G, [`BASE_MULTIPLES`] of them, made once: 32 KiB.
    fn base_multiples() -> &'static [Packed];

    /// The table of G for keys that have tables, made once: 256 KiB.
    fn base_table() -> &'static Table<Self>;
}

/// Bits of a digit of the key's scalar: 16 multiples a key.
const KEY_WIDTH: usize = 5;
/// Bits of a digit of G's scalar: at every other place of the key's digits.
const BASE_WIDTH: usize = 2 * KEY_WIDTH;
const KEY_MULTIPLES: usize = 1 << (KEY_WIDTH - 1);
/// How many odd multiples of G there are.
pub(crate) const BASE_MULTIPLES: usize = 1 << (BASE_WIDTH - 1);
/// Bits over which scalars are recoded: the first multiple of both widths above 256.
const SCALAR_BITS: usize = 260;
/// Groups of lanes that walk the chain side by side, so that one's waiting is the other's work.
const ABREAST: usize = 2;

/// The questions of eight lanes, plain numbers: is x the abscissa of `base_scalar`·G + `key_scalar`·Q?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<L> {
    /// x and y of Q, below p.
    pub(crate) key: [[L; 5]; 2],
    /// Up to and including the order.
    pub(crate) base_scalar: [L; 5],
    /// Up to and including the order.
    pub(crate) key_scalar: [L; 5],
    /// Below the order. The order more, where that is below p, is an answer too.
    pub(crate) abscissa: [L; 5],
}

/// Answers to [`Question`]s.
#[inline(always)]
pub(crate) fn answer<C: Curve, L: Lanes>(questions: &[Question<L>]) -> Vec<[Outcome; LANES]> {
    let mut multiples: Scratch<Multiple<C, L>> = Scratch::new(questions.len() * KEY_MULTIPLES);
    let mut on_curve: Vec<Mask> = Vec::with_capacity(questions.len());
    let mut inverses: Vec<Element<C, L>> = Vec::with_capacity(questions.len());
    for (question, multiples) in questions.iter().zip(multiples.chunks_exact_mut(KEY_MULTIPLES)) {
        let (key, mask) = decode::<C, L>(&question.key);
        on_curve.push(mask);
        inverses.push(odd_multiples(&key, multiples));
    }
    invert_all(&mut inverses, &mut Vec::with_capacity(questions.len()));
    let mut packed = vec![Packed::default(); ABREAST * KEY_MULTIPLES * LANES];
    let mut outcomes = Vec::with_capacity(questions.len());
    for (first, abreast) in questions.chunks(ABREAST).enumerate() {
        let first = first * ABREAST;
        for i in 0..abreast.len() {
            let multiples = &multiples[(first + i) * KEY_MULTIPLES..(first + i + 1) * KEY_MULTIPLES];
            let packed = &mut packed[i * KEY_MULTIPLES * LANES..(i + 1) * KEY_MULTIPLES * LANES];
            pack_by_lane(multiples, &inverses[first + i], packed);
        }
        let sums = combine::<C, L>(abreast, &packed);
        for (i, (question, sum)) in abreast.iter().zip(&sums).enumerate() {
            outcomes.push(judge(&question.abscissa, sum, on_curve[first + i]));
        }
    }
    outcomes
}

/// The points of coordinates below p, and where they are on the curve; elsewhere it is G.
#[inline(never)]
fn decode<C: Curve, L: Lanes>(key: &[[L; 5]; 2]) -> (Affine<C, L>, Mask) {
    L::enter(
        #[inline(always)]
        || {
            let [x, y] = [Element::<C, L>::from_plain(&key[0]), Element::from_plain(&key[1])];
            let slope = x.square().plus_modulus::<4>().minus(&constant([3, 0, 0, 0])).carry(); // < 5.1p
            // Below 1.1p + 1.4p + 2p.
            let difference = slope.mul(&x).plus(&constant(C::B)).plus_modulus::<2>().minus(&y.square().carry()).fold();
            let on_curve = difference.is_zero();
            let [base_x, base_y] = [constant::<C, L>(C::BASE[0]), constant(C::BASE[1])];
            (Affine { x: base_x.blend(on_curve, &x), y: base_y.blend(on_curve, &y) }, on_curve)
        },
    )
}

/// The same plain number in all lanes.
#[inline(always)]
fn constant<C: Curve, L: Lanes>(words: [u64; 4]) -> Element<C, L> {
    Element::from_plain(&splats(limbs_of(words)))
}

/// The sums of up to [`ABREAST`] questions; those left over are something.
#[inline(never)]
fn combine<C: Curve, L: Lanes>(questions: &[Question<L>], packed: &[Packed]) -> [Point<C, L>; ABREAST] {
    L::enter(
        #[inline(always)]
        || {
            let base_digits = recode::<C, L>(questions, |question| &question.base_scalar);
            let key_digits = recode::<C, L>(questions, |question| &question.key_scalar);
            let base_multiples = C::base_multiples();
            let count = questions.len();
            let mut position = SCALAR_BITS - KEY_WIDTH;
            let mut sums = [Point { x: Element::one(), y: Element::one(), z: Element::one() }; ABREAST];
            for (sum, term) in sums.iter_mut().zip(&of_keys::<C, L>(packed, &key_digits, position)) {
                *sum = start(term);
            }
            while position > 0 {
                position -= KEY_WIDTH;
                double_all(&mut sums[..count], KEY_WIDTH);
                add_all(&mut sums[..count], &of_keys(packed, &key_digits, position));
                if position.is_multiple_of(BASE_WIDTH) {
                    add_all(&mut sums[..count], &of_base(base_multiples, &base_digits, position));
                }
            }
            sums
        },
    )
}

/// A point for each group, and the lanes that subtract it.
type Terms<C, L> = [(Affine<C, L>, Mask); ABREAST];

/// Something to be overwritten.
#[inline(always)]
fn no_terms<C: Curve, L: Lanes>() -> Terms<C, L> {
    [(Affine { x: Element::one(), y: Element::one() }, 0); ABREAST]
}

/// The first term of a sum.
#[inline(always)]
fn start<C: Curve, L: Lanes>((Affine { x, y }, negative): &(Affine<C, L>, Mask)) -> Point<C, L> {
    let zero = Element::from_montgomery([L::zero(); 5]);
    let opposite = zero.loose().plus_modulus::<2>().minus(y).fold();
    Point { x: *x, y: y.blend(*negative, &opposite), z: Element::one() }
}

/// What the digits at a position pick of the keys' multiples.
#[inline(always)]
fn of_keys<C: Curve, L: Lanes>(
    packed: &[Packed],
    digits: &[Digits<L, SCALAR_BITS>; ABREAST],
    position: usize,
) -> Terms<C, L> {
    let mut terms = no_terms();
    for (i, term) in terms.iter_mut().enumerate() {
        let digit = digits[i].at(position, KEY_WIDTH);
        let of_group = &packed[i * KEY_MULTIPLES * LANES..(i + 1) * KEY_MULTIPLES * LANES];
        let rows = std::array::from_fn(|lane| &of_group[digit.indices[lane] as usize * LANES + lane]);
        *term = (unpack(rows), digit.negative);
    }
    terms
}

/// What the digits at a position pick of G's multiples.
#[inline(always)]
fn of_base<C: Curve, L: Lanes>(
    multiples: &[Packed],
    digits: &[Digits<L, SCALAR_BITS>; ABREAST],
    position: usize,
) -> Terms<C, L> {
    let mut terms = no_terms();
    for (digits, term) in digits.iter().zip(&mut terms) {
        let digit = digits.at(position, BASE_WIDTH);
        *term = (unpack(digit.indices.map(|index| &multiples[index as usize])), digit.negative);
    }
    terms
}

/// The digits of one of the scalars; those left over are something.
#[inline(always)]
fn recode<C: Curve, L: Lanes>(
    questions: &[Question<L>],
    scalar: fn(&Question<L>) -> &[L; 5],
) -> [Digits<L, SCALAR_BITS>; ABREAST] {
    let mut digits = [Digits::new::<C::Order>(scalar(&questions[0])); ABREAST];
    for (digits, question) in digits.iter_mut().zip(questions).skip(1) {
        *digits = Digits::new::<C::Order>(scalar(question));
    }
    digits
}

/// Compares the sum with an abscissa.
#[inline(never)]
fn judge<C: Curve, L: Lanes>(number: &[L; 5], sum: &Point<C, L>, on_curve: Mask) -> [Outcome; LANES] {
    L::enter(
        #[inline(always)]
        || {
            let abscissa = Element::<C, L>::from_plain(number);
            let z_squared = sum.z.square().carry(); // < 2p
            let difference = abscissa.mul(&z_squared).plus_modulus::<2>().minus(&sum.x).fold();
            verdicts(&Verdicts {
                on_curve,
                exceptional: z_squared.loose().fold().is_zero(),
                holds: difference.is_zero(),
                abscissa: *number,
            })
        },
    )
}

/// What was found of eight lanes.
struct Verdicts<L> {
    on_curve: Mask,
    exceptional: Mask,
    holds: Mask,
    /// What was compared, plain.
    abscissa: [L; 5],
}

#[inline(always)]
fn verdicts<L: Lanes>(found: &Verdicts<L>) -> [Outcome; LANES] {
    // The order more is below p for abscissas below 2¹²⁸ or so: nobody meets that but by choosing it.
    let small = found.abscissa[3].or(found.abscissa[4]).eq(L::zero());
    let mut outcomes = [Outcome::Invalid; LANES];
    for (lane, outcome) in outcomes.iter_mut().enumerate() {
        let in_lane = |mask: Mask| mask >> lane & 1 == 1;
        *outcome = match () {
            () if !in_lane(found.on_curve) => Outcome::OffCurve,
            () if in_lane(found.exceptional) => Outcome::Undecided,
            () if in_lane(found.holds) => Outcome::Valid,
            () if in_lane(small) => Outcome::Undecided,
            () => Outcome::Invalid,
        };
    }
    outcomes
}

/// The odd multiples of G.
pub(crate) fn make_base_multiples<C: Curve>() -> Vec<Packed> {
    use crate::lanes::Portable;

    let [x, y] = C::BASE.map(constant::<C, Portable>);
    let mut multiples = vec![Multiple::empty(); BASE_MULTIPLES];
    let mut inverse = [odd_multiples(&Affine { x, y }, &mut multiples)];
    invert_all(&mut inverse, &mut Vec::new());
    let mut packed = vec![Packed::default(); BASE_MULTIPLES * LANES];
    pack_by_lane(&multiples, &inverse[0], &mut packed);
    packed.into_iter().step_by(LANES).collect()
}

/// The table of G.
pub(crate) fn make_base_table<C: Curve>() -> Table<C> {
    // Not on the unit of whoever asks first: it is the same table.
    Table::new(C::BASE[0], C::BASE[1]).expect("G is on the curve")
}
