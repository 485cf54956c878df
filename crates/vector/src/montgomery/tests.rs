//! Against plain big integers, on both implementations of the lanes, with numbers that random ones never are.

use proptest::prelude::*;

use super::*;
use crate::Unit;
use crate::lanes::Portable;
use crate::unit::on_lanes;

#[derive(Clone, Copy, Debug)]
struct Bn254Scalars;

impl Modulus<5> for Bn254Scalars {
    const LIMBS: [u64; 5] =
        constants::limbs(&[0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029]);
}

/// The greatest prime of 256 bits: four times p is the most that operands can be.
#[derive(Clone, Copy, Debug)]
struct Largest;

impl Modulus<5> for Largest {
    const LIMBS: [u64; 5] = constants::limbs(&[u64::MAX - 188, u64::MAX, u64::MAX, u64::MAX]);
}

#[derive(Clone, Copy, Debug)]
struct Bls12381;

impl Modulus<8> for Bls12381 {
    const LIMBS: [u64; 8] = constants::limbs(&[
        0xb9fe_ffff_ffff_aaab,
        0x1eab_fffe_b153_ffff,
        0x6730_d2a0_f6b0_f624,
        0x6477_4b84_f385_12bf,
        0x4b1b_a7b6_434b_acd7,
        0x1a01_11ea_397f_e69a,
    ]);
}

type Words = [u64; 8];

/// a − b and whether that is negative.
fn minus(a: &Words, b: &Words) -> (Words, bool) {
    let mut borrow = false;
    let difference = std::array::from_fn(|i| {
        let (first, under) = a[i].overflowing_sub(b[i]);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        borrow = under || again;
        second
    });
    (difference, borrow)
}

fn sum_mod(a: &Words, b: &Words, modulus: &Words) -> Words {
    let mut carry = 0;
    let sum: Words = std::array::from_fn(|i| {
        carry += u128::from(a[i]) + u128::from(b[i]);
        let word = carry as u64;
        carry >>= 64;
        word
    });
    reduced(sum, modulus)
}

/// By subtracting, so for numbers of a few times the modulus.
fn reduced(mut number: Words, modulus: &Words) -> Words {
    loop {
        let (less, negative) = minus(&number, modulus);
        if negative {
            return number;
        }
        number = less;
    }
}

/// By doubling and adding.
fn product_mod(a: &Words, b: &Words, modulus: &Words) -> Words {
    (0..512).rev().fold([0; 8], |sum, bit| {
        let double = sum_mod(&sum, &sum, modulus);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { sum_mod(&double, a, modulus) } else { double }
    })
}

fn modulus_words<M: Modulus<N>, const N: usize>() -> Words {
    Element::<Portable, M, N>::words_of_limbs(&M::LIMBS.map(Lanes::splat))[0]
}

/// Numbers below p: any, and those at its borders, at borders of limbs and of words.
fn numbers<M: Modulus<N>, const N: usize>() -> impl Strategy<Value = [Words; LANES]> {
    let modulus = modulus_words::<M, N>();
    let at_borders = |modulus: Words, kind: u64| {
        let small = [kind / 8, 0, 0, 0, 0, 0, 0, 0];
        let power = |bit: usize| std::array::from_fn(|i| if i == bit / 64 { 1 << (bit % 64) } else { 0 });
        let number: Words = match kind % 8 {
            0 => small,
            1 => minus(&modulus, &small).0,
            2 => power(52 * (kind as usize / 8 % N)),
            3 => minus(&power(52 * (kind as usize / 8 % N)), &[1, 0, 0, 0, 0, 0, 0, 0]).0,
            4 => power(64 * (kind as usize / 8 % 4)),
            5 => minus(&modulus, &power(52 * (kind as usize / 8 % N).min(N - 2))).0,
            6 => std::array::from_fn(|i| if i < 4 { u64::MAX >> u32::from(i == 3) } else { 0 }),
            _ => minus(&power(200), &small).0,
        };
        reduced(number, &modulus)
    };
    let any_below = move |mut words: Words| {
        let most = modulus.iter().rposition(|&word| word != 0).expect("a word");
        words[most + 1..].fill(0);
        words[most] %= modulus[most];
        words
    };
    let number = prop_oneof![
        prop::array::uniform8(any::<u64>()).prop_map(any_below),
        (0_u64..64).prop_map(move |kind| at_borders(modulus, kind)),
    ];
    prop::array::uniform8(number)
}

/// All that there is with two operands, as numbers.
#[inline(always)]
fn results<L: Lanes, M: Modulus<N>, const N: usize>(a: &[Words; LANES], b: &[Words; LANES]) -> Vec<[Words; LANES]> {
    let element = |numbers| Element::<L, M, N>::from_number(Element::<L, M, N>::limbs_of_words::<8>(numbers));
    let (x, y) = (element(a), element(b));
    let mut inverses = [x, y, x.mul(&y)];
    invert_all(&mut inverses);
    let two_products = Columns::product(&x, &y).plus(&y, &y);
    let [first, second] = Joined::product(&x, &y).plus(&y, &y).reduce_two(Joined::square(&x));
    let (product, square) = (Joined::product(&x, &y), Joined::square(&y));
    let [difference, sum] = product.plus_modulus().minus_all(&square).reduce_two(product.plus_all(&square));
    let found = [
        x,
        x.mul(&y),
        x.square(),
        x.add(&y),
        x.double(),
        x.sub::<2>(&y),
        x.neg::<2>(),
        x.halve(),
        x.weaken(),
        x.select(0b0110_0101, &y),
        two_products.reduce(),
        Columns::product(&x, &y).minus_all(&Columns::square(&y)).plus_multiple::<4>().reduce(),
        Columns::product(&x, &y).plus_all(&Columns::shifted(&x)).reduce(),
        x.pow(&[5]),
        x.mul(&inverses[0]),
        y.mul(&inverses[1]),
        x.mul(&y).mul(&inverses[2]),
        x.triple(),
        x.difference::<1, 1, 4>(&y),
        first,
        second,
        difference,
        sum,
    ];
    found.iter().map(|element| Element::<L, M, N>::words_of_limbs(&element.canonical())).collect()
}

fn expected<M: Modulus<N>, const N: usize>(a: &Words, b: &Words, lane: usize) -> Vec<Words> {
    let p = modulus_words::<M, N>();
    let one = [1, 0, 0, 0, 0, 0, 0, 0];
    let times = |a: &Words, b: &Words| product_mod(a, b, &p);
    let negative = |a: &Words| reduced(minus(&p, a).0, &p);
    let is_one = |a: &Words| if *a == [0; 8] { [0; 8] } else { one };
    let half = {
        let a = if a[0] & 1 == 1 { std::array::from_fn(|i| (wide_sum(a, &p))[i]) } else { *a };
        std::array::from_fn(|i| a[i] >> 1 | a.get(i + 1).map_or(0, |next| next << 63))
    };
    let product = times(a, b);
    vec![
        *a,
        product,
        times(a, a),
        sum_mod(a, b, &p),
        sum_mod(a, a, &p),
        sum_mod(a, &negative(b), &p),
        negative(a),
        half,
        *a,
        if 0b0110_0101 >> lane & 1 == 1 { *b } else { *a },
        sum_mod(&product, &times(b, b), &p),
        sum_mod(&product, &negative(&times(b, b)), &p),
        sum_mod(&product, a, &p),
        times(a, &times(&times(a, a), &times(a, a))),
        is_one(a),
        is_one(b),
        is_one(&product),
        sum_mod(a, &sum_mod(a, a, &p), &p),
        sum_mod(&sum_mod(a, a, &p), &negative(&sum_mod(b, b, &p)), &p),
        sum_mod(&product, &times(b, b), &p),
        times(a, a),
        sum_mod(&product, &negative(&times(b, b)), &p),
        sum_mod(&product, &times(b, b), &p),
    ]
}

fn wide_sum(a: &Words, b: &Words) -> Words {
    sum_mod(a, b, &[u64::MAX; 8])
}

fn check<M: Modulus<N>, const N: usize>(a: &[Words; LANES], b: &[Words; LANES]) {
    let units = [Some(Unit::PORTABLE), Unit::detect()];
    if units[1].is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its fields were not checked");
    }
    for unit in units.into_iter().flatten() {
        let found = on_lanes!(unit, L => results::<L, M, N>(a, b));
        for lane in 0..LANES {
            let found: Vec<Words> = found.iter().map(|numbers| numbers[lane]).collect();
            assert_eq!(found, expected::<M, N>(&a[lane], &b[lane], lane), "lane {lane}, {}", unit.name());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn bn254(a in numbers::<Bn254Scalars, 5>(), b in numbers::<Bn254Scalars, 5>()) {
        check::<Bn254Scalars, 5>(&a, &b);
    }

    #[test]
    fn a_modulus_of_all_its_bits(a in numbers::<Largest, 5>(), b in numbers::<Largest, 5>()) {
        check::<Largest, 5>(&a, &b);
    }

    #[test]
    fn bls12_381(a in numbers::<Bls12381, 8>(), b in numbers::<Bls12381, 8>()) {
        check::<Bls12381, 8>(&a, &b);
    }

    #[test]
    fn comparisons(a in numbers::<Bls12381, 8>(), b in numbers::<Bls12381, 8>()) {
        let limbs = |numbers| Element::<Portable, Bls12381, 8>::limbs_of_words::<8>(numbers);
        let (x, y) = (limbs(&a), limbs(&b));
        for lane in 0..LANES {
            prop_assert_eq!(below(&x, &y) >> lane & 1 == 1, minus(&a[lane], &b[lane]).1);
            prop_assert_eq!(equal(&x, &y) >> lane & 1 == 1, a[lane] == b[lane]);
        }
        prop_assert_eq!(equal(&x, &x), 0xff);
    }
}

/// Operands at the most that is allowed, made of the same number in another representation.
#[test]
fn bounds_are_reached() {
    let a: [Words; LANES] = std::array::from_fn(|lane| {
        minus(&modulus_words::<Bn254Scalars, 5>(), &[lane as u64 + 1, 0, 0, 0, 0, 0, 0, 0]).0
    });
    let x = Element::<Portable, Bn254Scalars, 5>::from_number(Element::<Portable, Bn254Scalars, 5>::limbs_of_words(&a));
    let large = x.sub::<7>(&Element::zero());
    assert_eq!(
        large.mul(&large).canonical().map(|limb| limb.to_array()),
        x.square().canonical().map(|limb| limb.to_array())
    );
}
