//! Beside plain arithmetic on words, on both units, with values that random input never meets.

use proptest::prelude::*;

use super::*;
use crate::lanes::{LANES, Lanes};
use crate::radix52::{from_words, to_words};
use crate::unit::on_lanes;
use crate::{Unit, p256, sm2};

type Number = [u64; 4];

/// (a·b) mod m, bit by bit.
fn times(a: Number, b: Number, m: Number) -> Number {
    (0..256).rev().fold([0; 4], |sum, bit| {
        let doubled = plus(sum, sum, m);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { plus(doubled, reduced(a, m), m) } else { doubled }
    })
}

/// a + b mod m, of numbers below m.
fn plus(a: Number, b: Number, m: Number) -> Number {
    let mut carry = false;
    let sum = std::array::from_fn(|i| {
        let (word, next) = a[i].carrying_add(b[i], carry);
        carry = next;
        word
    });
    let (less, borrow) = subtract(sum, m);
    if borrow && !carry { sum } else { less }
}

/// A number below 2²⁵⁶ < 2m.
fn reduced(a: Number, m: Number) -> Number {
    let (less, borrow) = subtract(a, m);
    if borrow { a } else { less }
}

fn minus(a: Number, b: Number, m: Number) -> Number {
    plus(a, subtract(m, reduced(b, m)).0, m)
}

/// A product, a square, a·b − c·d, a·b − 2c², and the inverses, of plain numbers.
#[inline(always)]
fn all<M: Prime, L: Lanes>([a, b, c, d]: &[[Number; LANES]; 4]) -> [[Number; LANES]; 6] {
    let [a, b, c, d] = [
        Element::<M, L>::from_plain(&from_words(a)),
        Element::from_plain(&from_words(b)),
        Element::from_plain(&from_words(c)),
        Element::from_plain(&from_words(d)),
    ];
    let one = Element::from_montgomery([L::splat(1), L::zero(), L::zero(), L::zero(), L::zero()]);
    let mut inverses = [a, b];
    inversion::invert_all(&mut inverses, &mut Vec::new());
    let results = [
        a.mul(&b).fold(),
        a.square().fold(),
        a.mul_minus_mul(&b, &c, &d).plus_modulus::<1>().fold(),
        a.mul_minus_twice_square(&b, &c).plus_modulus::<1>().fold(),
        inverses[0].mul(&a).fold(),
        // 15·a and more, taken down by folding.
        a.loose().tripled().doubled().doubled().plus_modulus::<2>().minus(&b).fold(),
    ];
    results.map(|result| to_words(&result.mul(&one).carry().subtract_once().montgomery()))
}

fn expected(m: Number, [a, b, c, d]: [Number; 4]) -> [Number; 6] {
    let product = times(a, b, m);
    let square = times(c, c, m);
    let twelve = [12, 0, 0, 0];
    let inverted = if reduced(a, m) == [0; 4] { [0; 4] } else { [1, 0, 0, 0] };
    [
        product,
        times(a, a, m),
        minus(product, times(c, d, m), m),
        minus(product, plus(square, square, m), m),
        inverted,
        minus(times(twelve, reduced(a, m), m), b, m),
    ]
}

/// Numbers of any kind: near m, near powers of two, all ones.
fn number(m: Number) -> impl Strategy<Value = Number> {
    prop_oneof![
        prop::array::uniform4(any::<u64>()),
        (0_usize..256, 0_u64..3).prop_map(|(bit, near)| {
            let mut number = [0; 4];
            number[bit / 64] = 1 << (bit % 64);
            subtract(number, [near, 0, 0, 0]).0
        }),
        (0_u64..4).prop_map(move |near| subtract(m, [near, 0, 0, 0]).0),
        Just([0; 4]),
        Just([u64::MAX; 4]),
    ]
}

fn check<M: Prime>(numbers: [[Number; LANES]; 4]) {
    for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
        let found = on_lanes!(unit, L => all::<M, L>(&numbers));
        // An inverse of 0 spoils all: callers see to it that there is none.
        let spoiled = numbers[..2].as_flattened().iter().any(|number| reduced(*number, M::WORDS) == [0; 4]);
        for lane in 0..LANES {
            let lanes = numbers.map(|number| number[lane]);
            for (i, (found, expected)) in found.iter().zip(expected(M::WORDS, lanes)).enumerate() {
                if i != 4 || !spoiled {
                    assert_eq!(found[lane], expected, "result {i} of {lanes:x?} on {}", unit.name());
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn p256_agrees_with_plain_words(
        numbers in prop::array::uniform4(prop::array::uniform8(number(p256::PRIME))),
    ) {
        check::<p256::P256>(numbers);
    }

    #[test]
    fn sm2_agrees_with_plain_words(
        numbers in prop::array::uniform4(prop::array::uniform8(number(sm2::PRIME))),
    ) {
        check::<sm2::Sm2>(numbers);
    }

    #[test]
    fn a_dense_modulus_agrees_with_plain_words(
        a in prop::array::uniform8(number(p256::ORDER)),
        b in prop::array::uniform8(number(p256::ORDER)),
    ) {
        let (x, y) = (from_words::<crate::lanes::Portable>(&a), from_words(&b));
        let product = Element::<p256::Order, _>::from_plain(&x).mul(&Element::from_montgomery(y));
        let found = to_words(&product.carry().subtract_once().montgomery());
        for lane in 0..LANES {
            prop_assert_eq!(found[lane], times(a[lane], b[lane], p256::ORDER));
        }
    }
}
