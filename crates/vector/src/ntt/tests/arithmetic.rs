//! Products, butterflies and reductions on numbers that data seldom are.

use super::*;
use crate::lanes::{LANES, Lanes};
use crate::montgomery::splat;
use crate::ntt::arithmetic::{
    LIMBS, Limbs, PRODUCT, STORED, Vector, butterfly, canonical, from_words, less_modulus, multiply, plain_butterfly,
    to_words, weaken,
};
use crate::ntt::factors::{Roots, power_of_two};
use crate::radix52::LIMB_MASK;
use crate::unit::on_lanes;

/// The number of limbs modulo p.
fn reduced(model: &Model, limbs: &Limbs) -> Number {
    let weight = model.pow(&[2, 0, 0, 0], 52);
    value(model, &limbs.map(|limb| [limb, 0, 0, 0]), &weight)
}

/// All ones, zero, random, and around multiples of p; the first `below` times p at most.
fn limbs<M: ScalarField>(random: &mut Random, below: u64) -> Limbs {
    let multiple = constants::multiple(&M::LIMBS, random.next() % below);
    match random.next() % 4 {
        0 => multiple,
        1 if multiple[0] < LIMB_MASK => [multiple[0] + 1, multiple[1], multiple[2], multiple[3], multiple[4]],
        2 if multiple[0] > 0 => [multiple[0] - 1, multiple[1], multiple[2], multiple[3], multiple[4]],
        _ => {
            let top = constants::multiple(&M::LIMBS, below)[4];
            [LIMB_MASK, random.next() & LIMB_MASK, LIMB_MASK, random.next() & LIMB_MASK, random.next() % top]
        }
    }
}

fn in_lanes<L: Lanes>(numbers: &[Limbs; LANES]) -> [L; LIMBS] {
    Vector(std::array::from_fn(|i| numbers.map(|number| number[i]))).load()
}

fn out_of<L: Lanes>(limbs: &[L; LIMBS]) -> [Limbs; LANES] {
    let rows = limbs.map(|limb| limb.to_array());
    std::array::from_fn(|lane| rows.map(|row| row[lane]))
}

fn products_are_right<L: Lanes, M: ScalarField>(unit: Unit, random: &mut Random) {
    let model = Model::new::<M>();
    let greatest = constants::multiple(&M::LIMBS, 1).map(|_| LIMB_MASK);
    let roots = Roots::<M>::new(unit, 10);
    let first = random.next();
    let factors = roots.factors(8, |i| (first >> (8 * i)) as i64);
    for factor in factors.iter().chain([&power_of_two::<M>(unit, -777), &power_of_two::<M>(unit, 3)]) {
        let mut y: [Limbs; LANES] = std::array::from_fn(|_| limbs::<M>(random, 34));
        y[3] = greatest;
        let x: [Limbs; LANES] = std::array::from_fn(|_| limbs::<M>(random, 24));
        let (in_x, in_y) = (in_lanes::<L>(&x), in_lanes::<L>(&y));
        let product = out_of(&multiply::<L, M>(&in_y, factor));
        let pair = butterfly::<L, M>(&in_x, &in_y, factor).map(|limbs| out_of(&limbs));
        let plain = plain_butterfly::<L, M, PRODUCT>(&in_x, &in_lanes(&product)).map(|limbs| out_of(&limbs));
        let weak = out_of(&weaken::<L, M>(&in_y));
        let words = out_of(&canonical::<L, M>(&in_y));
        let number = reduced(&model, &factor.number);
        for lane in 0..LANES {
            let (x, y) = (reduced(&model, &x[lane]), reduced(&model, &y[lane]));
            let expected = model.mul(&y, &number);
            assert_eq!(reduced(&model, &product[lane]), expected);
            for found in [&pair, &plain] {
                assert_eq!(reduced(&model, &found[0][lane]), model.add(&x, &expected));
                assert_eq!(reduced(&model, &found[1][lane]), model.sub(&x, &expected));
            }
            for [sum, difference] in [&pair, &plain].map(|found| [found[0][lane], found[1][lane]]) {
                let bound = constants::multiple(&M::LIMBS, STORED + PRODUCT);
                assert!([sum, difference].iter().all(|limbs| limbs.iter().rev().lt(bound.iter().rev())));
            }
            assert_eq!(reduced(&model, &weak[lane]), y);
            assert_eq!(words[lane], constants::limbs::<4, 5>(&y));
        }
    }
}

#[test]
fn products_and_butterflies_are_right_modulo_p() {
    let mut random = Random(4);
    for unit in units() {
        for _ in 0..4 {
            on_lanes!(unit, L => products_are_right::<L, Bn254Scalars>(unit, &mut random));
            on_lanes!(unit, L => products_are_right::<L, Bls12381Scalars>(unit, &mut random));
        }
    }
}

#[test]
fn words_become_limbs_and_limbs_words() {
    let mut random = Random(5);
    for unit in units() {
        let words: [Number; LANES] = std::array::from_fn(|_| std::array::from_fn(|_| random.next()));
        let mut found = [[0; 4]; LANES];
        let limbs = on_lanes!(unit, L => {
            let limbs = from_words::<L>(&words);
            to_words(&limbs, &mut found);
            out_of(&limbs)
        });
        assert_eq!(found, words);
        assert_eq!(limbs, words.map(|words| constants::limbs::<4, 5>(&words)));
    }
}

/// Quotients of factors are exact, also for 1 and p − 1.
#[test]
fn factors_are_roots_with_their_quotients() {
    let model = Model::new::<Bn254Scalars>();
    for unit in units() {
        let roots = Roots::<Bn254Scalars>::new(unit, 4);
        let factors = roots.factors(33, |i| i as i64 - 16);
        let root = model.root(5);
        for (i, factor) in factors.iter().enumerate() {
            let expected = model.pow(&root, (i as u64 + 16) % 32);
            assert_eq!(factor.number, constants::limbs::<4, 5>(&expected));
            // number·R = quotient·p + remainder, the remainder being number·R mod p.
            let remainder = reduced_shift(&model, &expected);
            let sum = model_sum(&factor.quotient, &remainder);
            assert_eq!(
                sum,
                [
                    0,
                    0,
                    0,
                    0,
                    0,
                    factor.number[0],
                    factor.number[1],
                    factor.number[2],
                    factor.number[3],
                    factor.number[4]
                ]
            );
        }
    }
}

/// number·2²⁶⁰ mod p, as limbs.
fn reduced_shift(model: &Model, number: &Number) -> Limbs {
    constants::limbs::<4, 5>(&model.mul(number, &model.pow(&[2, 0, 0, 0], 260)))
}

/// quotient·p + remainder, in ten limbs.
fn model_sum(quotient: &Limbs, remainder: &Limbs) -> [u64; 10] {
    let mut columns = [0_u128; 11];
    for i in 0..5 {
        columns[i] += u128::from(remainder[i]);
        for j in 0..5 {
            let product = u128::from(quotient[i]) * u128::from(Bn254Scalars::LIMBS[j]);
            columns[i + j] += product & u128::from(LIMB_MASK);
            columns[i + j + 1] += product >> 52;
        }
    }
    std::array::from_fn(|i| {
        columns[i + 1] += columns[i] >> 52;
        columns[i] as u64 & LIMB_MASK
    })
}

#[test]
fn subtraction_of_the_modulus_stops_at_zero() {
    for unit in units() {
        let p = Bn254Scalars::LIMBS;
        let less = on_lanes!(unit, L => out_of(&less_modulus::<L, Bn254Scalars>(&splat(&p))));
        assert_eq!(less[0], [0; 5]);
        let below = [p[0] - 1, p[1], p[2], p[3], p[4]];
        let less = on_lanes!(unit, L => out_of(&less_modulus::<L, Bn254Scalars>(&splat(&below))));
        assert_eq!(less[7], below);
    }
}
