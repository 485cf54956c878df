//! Fields and digits against arkworks, at the values where carries and borrows go wrong.

use ark_ff::{BigInteger256, Field, PrimeField, Zero};

use super::super::field::{Element, PRIME};
use super::super::scalar::{DIGITS, ORDER, Scalar};
use super::plain::{Fq, Fr};
use super::*;

/// Limbs around 0, the modulus, its half, multiples of 2^64 and of 2^32, all ones; and some random ones.
fn edges(modulus: [u64; 4]) -> Vec<[u64; 4]> {
    let half = std::array::from_fn(|i| modulus[i] >> 1 | modulus.get(i + 1).map_or(0, |next| next << 63));
    let mut around = vec![[0; 4], modulus, half, [u64::MAX; 4]];
    for bit in (32..256).step_by(32) {
        let mut power = [0; 4];
        power[bit / 64] = 1 << (bit % 64);
        around.push(power);
    }
    let mut edges: Vec<_> = around.iter().flat_map(|limbs| (-2..=2).map(|small| plus(*limbs, small))).collect();
    edges.extend((0..16).map(|set| std::array::from_fn(|i| if set >> i & 1 == 1 { u64::MAX } else { 0 })));
    let mut random = StdRng::seed_from_u64(21);
    edges.extend((0..20).map(|_| random.random::<[u64; 4]>()));
    edges
}

fn plus(limbs: [u64; 4], small: i64) -> [u64; 4] {
    let mut sum = [0; 4];
    let mut carry = i128::from(small);
    for i in 0..4 {
        carry += i128::from(limbs[i]);
        sum[i] = carry as u64;
        carry >>= 64;
    }
    sum
}

/// Pairs of the room's element and arkworks', both as numbers and as Montgomery forms at the edges.
fn elements() -> Vec<(Element, Fq)> {
    let to_montgomery_form = Fq::from(2).pow([256]);
    let mut elements = Vec::new();
    for limbs in edges(PRIME) {
        let Some(value) = Fq::from_bigint(BigInteger256::new(limbs)) else {
            assert!(Element::from_limbs(limbs).is_none(), "{limbs:x?}");
            continue;
        };
        for value in [value, value / to_montgomery_form] {
            let element = Element::from_limbs(value.into_bigint().0).expect("below p");
            elements.push((element, value));
        }
    }
    elements
}

fn same(element: Element, value: Fq) -> bool {
    element.to_limbs() == value.into_bigint().0
}

#[test]
fn field_operations_agree_with_arkworks() {
    let elements = elements();
    let two = Fq::from(2);
    for &(a, x) in &elements {
        assert!(same(a, x));
        assert!(same(a.double(), x * two) && same(a.halve(), x / two), "{x}");
        assert!(same(a.neg(), -x) && same(a.square(), x * x) && a.is_zero() == x.is_zero(), "{x}");
        assert!(same(a.invert(), x.inverse().unwrap_or_default()), "{x}");
        for &(b, y) in &elements {
            assert!(same(a.add(&b), x + y) && same(a.sub(&b), x - y) && same(a.mul(&b), x * y), "{x} {y}");
        }
    }
    assert!(same(Element::ONE, Fq::from(1)) && Element::ZERO.is_zero());
}

#[test]
fn field_operations_agree_with_arkworks_on_random_values() {
    let mut random = StdRng::seed_from_u64(22);
    for _ in 0..5_000 {
        let [x, y] = random.random::<[[u8; 32]; 2]>().map(|bytes| Fq::from_be_bytes_mod_order(&bytes));
        let [a, b] = [x, y].map(|value| Element::from_limbs(value.into_bigint().0).expect("below p"));
        assert!(same(a.mul(&b), x * y) && same(a.square(), x * x) && same(a.add(&b), x + y) && same(a.sub(&b), x - y));
    }
}

fn big_endian(limbs: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

fn scalars() -> Vec<(Scalar, Fr)> {
    let reduce = |limbs| {
        let bytes = big_endian(limbs);
        (Scalar::reduce(&bytes), Fr::from_be_bytes_mod_order(&bytes))
    };
    edges(ORDER).into_iter().map(reduce).collect()
}

#[test]
fn scalars_agree_with_arkworks() {
    let scalars = scalars();
    let value = |scalar: Scalar| scalar.representatives()[0].expect("itself");
    for &(a, x) in &scalars {
        assert_eq!((value(a), a.is_zero()), (x.into_bigint().0, x.is_zero()));
        for &(b, y) in &scalars {
            assert_eq!(value(a.add(&b)), (x + y).into_bigint().0);
            assert_eq!(value(a.sub(&b)), (x - y).into_bigint().0);
        }
    }
    for limbs in edges(ORDER) {
        let nonzero = Fr::from_bigint(BigInteger256::new(limbs)).filter(|value| !value.is_zero());
        assert_eq!(Scalar::decode_nonzero(&big_endian(limbs)).is_some(), nonzero.is_some(), "{limbs:x?}");
    }
}

/// The second representative of a number is n more, as long as that has 256 bits.
#[test]
fn representatives_of_a_residue() {
    let small = Scalar::reduce(&big_endian([5, 0, 0, 0]));
    assert_eq!(small.representatives(), [Some([5, 0, 0, 0]), Some(plus(ORDER, 5))]);
    let largest = Scalar::reduce(&big_endian(plus(ORDER, -1)));
    assert_eq!(largest.representatives(), [Some(plus(ORDER, -1)), None]);
}

#[test]
fn signed_digits_are_sparse_odd_and_add_up() {
    for (scalar, value) in scalars() {
        for width in [2, 4, 5, 6, 8, 12, 15] {
            let digits = scalar.signed_digits(width);
            let sum = digits.iter().rev().fold(Fr::from(0), |sum, digit| sum + sum + Fr::from(*digit));
            assert_eq!(sum, value, "width {width}");
            let places: Vec<_> = (0..DIGITS).filter(|i| digits[*i] != 0).collect();
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= width), "width {width}");
            assert!(places.iter().all(|i| digits[*i] % 2 != 0 && digits[*i].unsigned_abs() < 1 << (width - 1)));
        }
    }
}
