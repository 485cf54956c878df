//! The arithmetic against plain numbers, with values that random input never meets. Whole signatures are judged in
//! the room, by other libraries.

use proptest::prelude::*;

use super::multiply::{Task, multiply};
use super::point::{Jacobian, add_mirrored, double_mirrored};
use super::scalar::HALF_BITS;
use super::*;
use crate::lanes::Portable;
use crate::weierstrass::inversion::{Invertible, Modulus};

/// λ, the factor of the endomorphism: λ³ ≡ 1 mod n.
const LAMBDA: Number = [0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0];

/// a + b, which is below 2²⁵⁷, less the modulus where it is not below it. Both are below the modulus.
fn add(a: Number, b: Number, modulus: &Number) -> Number {
    let mut sum = [0; 4];
    let mut carry = 0;
    for i in 0..4 {
        let digit = u128::from(a[i]) + u128::from(b[i]) + carry;
        sum[i] = digit as u64;
        carry = digit >> 64;
    }
    if carry == 0 && is_below(&sum, modulus) { sum } else { subtract(sum, modulus) }
}

/// a − b modulo 2²⁵⁶.
fn subtract(a: Number, b: &Number) -> Number {
    let mut difference = [0; 4];
    let mut borrow = 0;
    for i in 0..4 {
        let digit = i128::from(a[i]) - i128::from(b[i]) + borrow;
        difference[i] = digit as u64;
        borrow = digit >> 64;
    }
    difference
}

/// a modulo the modulus, which is above 2²⁵⁵.
fn reduced(a: Number, modulus: &Number) -> Number {
    if is_below(&a, modulus) { a } else { subtract(a, modulus) }
}

/// a·b by doubling and adding.
fn mul(a: Number, b: Number, modulus: &Number) -> Number {
    let (a, b) = (reduced(a, modulus), reduced(b, modulus));
    (0..256).rev().fold([0; 4], |product, bit| {
        let doubled = add(product, product, modulus);
        if b[bit / 64] >> (bit % 64) & 1 == 1 { add(doubled, a, modulus) } else { doubled }
    })
}

fn negated(a: Number, modulus: &Number) -> Number {
    if a == [0; 4] { a } else { subtract(*modulus, &reduced(a, modulus)) }
}

/// Numbers near the borders of limbs and of both moduli as often as any.
fn any_number() -> impl Strategy<Value = Number> {
    let near = |modulus: Number| (0_u64..5).prop_map(move |less| subtract(modulus, &[less, 0, 0, 0]));
    let power = |bit: usize| {
        let mut number = [0; 4];
        number[bit / 64] = 1 << (bit % 64);
        number
    };
    prop_oneof![
        prop::array::uniform4(any::<u64>()),
        prop::array::uniform4(prop_oneof![Just(0), Just(u64::MAX), Just(1), Just(1 << 63)]),
        near(PRIME),
        near(ORDER),
        Just([u64::MAX; 4]),
        (0_usize..256, 0_u64..3).prop_map(move |(bit, less)| subtract(power(bit), &[less, 0, 0, 0])),
        (0_usize..5).prop_map(move |limb| subtract([0; 4], &power(52 * limb))),
        (0_u64..4).prop_map(|small| [small, 0, 0, 0]),
    ]
}

fn eight() -> impl Strategy<Value = [Number; LANES]> {
    prop::array::uniform8(any_number())
}

/// What the field gives of two numbers: product, square, sum and difference in loose forms, parity, equality.
#[inline(always)]
fn field_results<L: Lanes>(a: &[Number; LANES], b: &[Number; LANES]) -> Vec<[Number; LANES]> {
    let (x, y) = (Fe::<L>::from_numbers(a), Fe::<L>::from_numbers(b));
    let (p, q) = (x.factor(), y.factor());
    let bits = |mask: Mask| std::array::from_fn(|lane| [u64::from(mask >> lane & 1), 0, 0, 0]);
    vec![
        x.to_numbers(),
        x.mul(y).to_numbers(),
        p.square().reduce().to_numbers(),
        p.mul(q).plus(p.square()).doubled().reduce().to_numbers(),
        p.square().minus(q.square().doubled()).reduce().to_numbers(),
        p.wide_mul(q).doubled().plus_product(p, p).fold().reduce().to_numbers(),
        x.loose().minus(y.loose()).doubled().reduce().to_numbers(),
        p.square().tripled().plus(q.square().doubled().negated().tripled()).reduce().to_numbers(),
        p.square().quadrupled().reduce().to_numbers(),
        p.mul(q).negated_where(0b1010_0110).reduce().to_numbers(),
        x.negate_where(0b0110_0101).to_numbers(),
        bits(x.is_zero()),
        bits(x.is_odd()),
        bits(x.is(y)),
    ]
}

/// The same by plain numbers, of one lane.
fn expected_field_results(a: Number, b: Number, lane: usize) -> Vec<Number> {
    let p = &PRIME;
    let plus = |a, b| add(a, b, p);
    let minus = |a, b| add(a, negated(b, p), p);
    let (x, y) = (reduced(a, p), reduced(b, p));
    let (xx, yy, xy) = (mul(x, x, p), mul(y, y, p), mul(x, y, p));
    let bit = |bit: bool| [u64::from(bit), 0, 0, 0];
    let negated_in = |mask: u8, number| if mask >> lane & 1 == 1 { negated(number, p) } else { number };
    let triple = |a| plus(plus(a, a), a);
    vec![
        x,
        xy,
        xx,
        plus(plus(xy, xx), plus(xy, xx)),
        minus(minus(xx, yy), yy),
        plus(plus(xy, xy), xx),
        minus(plus(x, x), plus(y, y)),
        minus(triple(xx), triple(plus(yy, yy))),
        plus(plus(xx, xx), plus(xx, xx)),
        negated_in(0b1010_0110, xy),
        negated_in(0b0110_0101, x),
        bit(x == [0; 4]),
        bit(x[0] & 1 == 1),
        bit(x == y),
    ]
}

/// The numbers of a signed half, modulo n: its digits of the given width, by their places.
fn sum_of_digits<L: Lanes>(half: &scalar::Half<L>, width: u32) -> [Number; LANES] {
    let mut sums = [[0; 4]; LANES];
    let base = [1 << width, 0, 0, 0];
    for position in (0..HALF_BITS).step_by(width as usize).rev() {
        let digit = half.digit(position, width);
        for (lane, sum) in sums.iter_mut().enumerate() {
            assert!(digit.index[lane] < 1 << (width - 1));
            let size = [2 * digit.index[lane] + 1, 0, 0, 0];
            let signed = if digit.negative >> lane & 1 == 1 { negated(size, &ORDER) } else { size };
            *sum = add(mul(*sum, base, &ORDER), signed, &ORDER);
        }
    }
    sums
}

/// Each scalar again from its halves and their digits.
fn rejoined<L: Lanes>(scalars: &[Number; LANES]) -> [Number; LANES] {
    let [first, second] = Scalar::<L>::from_numbers(scalars).split();
    let [first, second] = [sum_of_digits(&first, 5), sum_of_digits(&second, 10)];
    std::array::from_fn(|lane| add(first[lane], mul(second[lane], LAMBDA, &ORDER), &ORDER))
}

/// a·b/c modulo n by way of Montgomery's form; c not zero.
fn quotient_of<L: Lanes>(a: &[Number; LANES], c: &[Number; LANES]) -> [Number; LANES] {
    let (a, c) = (Scalar::<L>::from_numbers(a), Scalar::from_numbers(c));
    let (quotient, _) = quotients(&[(a, a), (a, a)], &[c, c])[1];
    // Below 2²⁵⁷: reduced by a product with 1 in Montgomery's form, then less n where that is needed.
    let one = Scalar::from_numbers(&[[1, 0, 0, 0]; LANES]);
    let plain = quotient.to_montgomery().montgomery_mul(&one);
    std::array::from_fn(|lane| {
        let limbs = plain.0.map(|limb| limb.to_array()[lane]);
        reduced(words_of(limbs), &ORDER)
    })
}

fn words_of([a, b, c, d, e]: [u64; 5]) -> Number {
    [a | b << 52, b >> 12 | c << 40, c >> 24 | d << 28, d >> 36 | e << 16]
}

fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so only the portable lanes were judged");
    }
    std::iter::once(Unit::PORTABLE).chain(detected).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_field_is_right(a in eight(), b in eight()) {
        for unit in units() {
            let found = on_lanes!(unit, L => field_results::<L>(&a, &b));
            for lane in 0..LANES {
                let expected = expected_field_results(a[lane], b[lane], lane);
                let found: Vec<Number> = found.iter().map(|lanes| lanes[lane]).collect();
                prop_assert_eq!(found, expected, "lane {} on {}", lane, unit.name());
            }
        }
    }

    #[test]
    fn scalars_are_the_sums_of_their_digits(scalars in eight()) {
        for unit in units() {
            let found = on_lanes!(unit, L => rejoined::<L>(&scalars));
            prop_assert_eq!(found, scalars.map(|scalar| reduced(scalar, &ORDER)), "{}", unit.name());
        }
    }

    #[test]
    fn quotients_are_right(a in eight(), c in eight()) {
        let c = c.map(|c| if reduced(c, &ORDER) == [0; 4] { [7, 0, 0, 0] } else { c });
        for unit in units() {
            let found = on_lanes!(unit, L => quotient_of::<L>(&a, &c));
            for lane in 0..LANES {
                prop_assert_eq!(mul(found[lane], c[lane], &ORDER), reduced(a[lane], &ORDER), "{}", unit.name());
            }
        }
    }

    #[test]
    fn inverses_are_right(number in any_number()) {
        for modulus in [PRIME, ORDER] {
            let number = reduced(number, &modulus);
            let inverse = Modulus::new(modulus).invert(number);
            let expected = if number == [0; 4] { [0; 4] } else { [1, 0, 0, 0] };
            prop_assert!(is_below(&inverse, &modulus));
            prop_assert_eq!(mul(number, inverse, &modulus), expected);
        }
    }

    #[test]
    fn roots_are_right(x in eight()) {
        for unit in units() {
            let points: Vec<_> = x.iter().map(|&x| (x, x[1] & 1 == 1)).collect();
            for ((x, odd), y) in points.iter().zip(lift(unit, &points)) {
                let cube = add(mul(mul(*x, *x, &PRIME), *x, &PRIME), [7, 0, 0, 0], &PRIME);
                if let Some(y) = y {
                    prop_assert!(is_below(x, &PRIME) && is_below(&y, &PRIME) && (y[0] & 1 == 1) == *odd);
                    prop_assert_eq!(mul(y, y, &PRIME), cube);
                } else if is_below(x, &PRIME) {
                    // Euler: what has no root gives −1 to the power of (p − 1)/2.
                    let mut power = [1, 0, 0, 0];
                    for bit in (1..256).rev() {
                        power = mul(power, power, &PRIME);
                        if PRIME[bit / 64] >> (bit % 64) & 1 == 1 {
                            power = mul(power, cube, &PRIME);
                        }
                    }
                    prop_assert_eq!(power, negated([1, 0, 0, 0], &PRIME));
                }
            }
        }
    }
}

/// The affine x and y of a point in every lane.
fn coordinates(point: &Jacobian<Portable>) -> Option<(Number, Number)> {
    let (x, y, regular) = to_affine(&[*point])[0];
    (regular == Mask::MAX).then(|| (x.to_numbers()[0], y.to_numbers()[0]))
}

/// u₁·G + u₂·G in all lanes.
fn multiple(generator_scalar: Number, scalar: Number) -> Option<(Number, Number)> {
    let scalars = |number| Scalar::<Portable>::from_numbers(&[number; LANES]);
    let task = Task { generator_scalar: scalars(generator_scalar), scalar: scalars(scalar), point: generator() };
    coordinates(&multiply(&[task])[0])
}

/// Small multiples of G by doubling and adding, against all of the chain.
#[test]
fn sums_are_right() {
    let mut sum = [generator::<Portable>().to_jacobian(0)];
    double_mirrored(&mut sum);
    for k in 3..20_u64 {
        add_mirrored(&mut sum, &[(generator(), if k % 2 == 1 { Mask::MAX } else { 0 })]);
        // An even k is the upright sum of k points: a doubling and k − 2 additions.
        let sign = if k % 2 == 1 { 0 } else { Mask::MAX };
        let expected = coordinates(&sum[0].negate_where(sign)).expect("no exception");
        let part = [k / 3, 0, 0, 0];
        assert_eq!(multiple(part, subtract([k, 0, 0, 0], &part)), Some(expected), "{k}");
        // With scalars far from small.
        let large = [k, 0x0123_4567, u64::MAX, 0x7fff_ffff];
        let rest = add([k, 0, 0, 0], negated(large, &ORDER), &ORDER);
        assert_eq!(multiple(large, rest), Some(expected), "{k}");
    }
}

/// A sum at infinity, a doubling met in an addition: Z is zero at the end.
#[test]
fn exceptions_are_seen() {
    let k = [0x1234_5678_9abc_def1, 5, 0, 1 << 60];
    assert_eq!(multiple(k, negated(k, &ORDER)), None);
    assert_eq!(multiple([0; 4], [0; 4]), None);
    let mut sum = [generator::<Portable>().to_jacobian(0)];
    add_mirrored(&mut sum, &[(generator(), 0)]);
    double_mirrored(&mut sum);
    add_mirrored(&mut sum, &[(generator(), 0)]);
    assert_eq!(sum[0].z.masked().is_zero(), Mask::MAX);
}

/// β is the root of unity that goes with λ.
#[test]
fn constants_are_right() {
    let beta = table::BETA;
    assert_eq!(mul(mul(beta, beta, &PRIME), beta, &PRIME), [1, 0, 0, 0]);
    assert_eq!(mul(mul(LAMBDA, LAMBDA, &ORDER), LAMBDA, &ORDER), [1, 0, 0, 0]);
    let (x, y) = multiple(LAMBDA, [0; 4]).unwrap_or_else(|| multiple([0; 4], LAMBDA).expect("λ·G"));
    assert_eq!((x, y), (mul(beta, table::GENERATOR_X, &PRIME), table::GENERATOR_Y));
    let one = generator::<Portable>().x.times(Fe::one());
    assert_eq!(one.to_numbers()[0], table::GENERATOR_X);
}
