use proptest::prelude::*;

use super::*;
use crate::Unit;
use crate::unit::on_lanes;

const P: [u64; 4] = [u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1];

/// Numbers that random input never meets among those that it does.
fn number() -> impl Strategy<Value = [u64; 4]> {
    let top = |words: [u64; 4]| [words[0], words[1], words[2], words[3] & (u64::MAX >> 1)];
    let near_p = (0..40_u64).prop_map(|less| [u64::MAX - less, u64::MAX, u64::MAX, u64::MAX >> 1]);
    let near_power = (0..255_u32, any::<bool>()).prop_map(|(bit, less)| {
        let mut words = [0; 4];
        words[bit as usize / 64] = 1 << (bit % 64);
        if less { minus(words, [1, 0, 0, 0]) } else { words }
    });
    prop_oneof![prop::array::uniform4(any::<u64>()).prop_map(top), near_p, near_power, Just([0; 4]), Just([1, 0, 0, 0])]
}

fn is_below(a: [u64; 4], b: [u64; 4]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

fn minus(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let difference = i128::from(a[i]) - i128::from(b[i]) - borrow;
        borrow = i128::from(difference < 0);
        difference as u64
    })
}

fn reduced(a: [u64; 4]) -> [u64; 4] {
    if is_below(a, P) { a } else { reduced(minus(a, P)) }
}

/// a + b mod p, of numbers below 2²⁵⁵.
fn sum(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut carry = 0;
    reduced(std::array::from_fn(|i| {
        let sum = u128::from(a[i]) + u128::from(b[i]) + carry;
        carry = sum >> 64;
        sum as u64
    }))
}

/// a·b mod p, bit by bit.
fn times(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    (0..256).rev().fold([0; 4], |product, bit| {
        let double = sum(product, product);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { sum(double, reduced(a)) } else { double }
    })
}

/// The words of limbs below 2⁵¹.
fn words(limbs: [[u64; LANES]; 5], lane: usize) -> [u64; 4] {
    let [a, b, c, d, e] = limbs.map(|limb| limb[lane]);
    [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12]
}

/// What the operations give of a and b: a·b, a², a − b, −a, 1/a, and whether a is 0 and odd.
#[inline(always)]
fn operations<L: Lanes>(a: [[u64; 4]; LANES], b: [[u64; 4]; LANES]) -> ([[[u64; LANES]; 5]; 5], Mask, Mask) {
    let load = |numbers: [[u64; 4]; LANES]| {
        let column = |i: usize| L::load(&numbers.map(|words| words[i]));
        Element::from_words([column(0), column(1), column(2), column(3)])
    };
    let (a, b) = (load(a), load(b));
    let difference = a.columns().minus(b.columns()).carry();
    let results = [a.mul(&b), a.square(), difference, a.negative(), inverse(&a)];
    let canonical = results.map(|result| result.canonical().0.map(L::to_array));
    (canonical, a.is_zero(), a.is_odd())
}

fn agree(a: [[u64; 4]; LANES], b: [[u64; 4]; LANES]) {
    for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
        let ([product, square, difference, negative, inverse], is_zero, is_odd) =
            on_lanes!(unit, L => operations::<L>(a, b));
        for lane in 0..LANES {
            let (a, b) = (a[lane], b[lane]);
            assert_eq!(words(product, lane), times(a, b), "{a:x?} times {b:x?}");
            assert_eq!(words(square, lane), times(a, a), "{a:x?} squared");
            assert_eq!(sum(words(difference, lane), b), reduced(a), "{a:x?} less {b:x?}");
            assert_eq!(sum(words(negative, lane), a), [0; 4], "{a:x?} negative");
            let is_zero_here = reduced(a) == [0; 4];
            assert_eq!(times(words(inverse, lane), a), [u64::from(!is_zero_here), 0, 0, 0], "{a:x?} inverse");
            assert_eq!(is_zero >> lane & 1 == 1, is_zero_here, "{a:x?}");
            assert_eq!(is_odd >> lane & 1 == 1, reduced(a)[0] & 1 == 1, "{a:x?}");
        }
    }
}

#[test]
fn all_ones_and_p() {
    let largest = [u64::MAX, u64::MAX, u64::MAX, u64::MAX >> 1];
    agree([largest, P, minus(P, [1, 0, 0, 0]), [0; 4], [1, 0, 0, 0], largest, P, [19, 0, 0, 0]], [largest; LANES]);
}

/// Limbs as large as they may be.
#[test]
fn the_largest_limbs() {
    let largest = Element([crate::lanes::Portable::splat(TIGHT - 1); 5]);
    let once = largest.canonical();
    let product = [largest.mul(&largest), largest.square()].map(|x| x.canonical().0.map(Lanes::to_array));
    let expected = [once.mul(&once), once.square()].map(|x| x.canonical().0.map(Lanes::to_array));
    assert_eq!(product, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn operations_are_those_of_plain_numbers(
        a in prop::array::uniform8(number()),
        b in prop::array::uniform8(number()),
    ) {
        agree(a, b);
    }
}
