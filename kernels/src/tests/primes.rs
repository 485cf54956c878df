//! Constants of the proving fields, made again from the numbers that define their curves.

use super::constants::{power_of_two, times_plus};
use super::curves::defined;

/// What BN254 is made from.
const U: u128 = 4_965_661_367_192_848_881;
/// What BLS12-381 is made from, without its sign.
const X: u128 = 0xD201_0000_0001_0000;

/// A polynomial with these coefficients, the highest first, at a place, in so many words.
fn polynomial(coefficients: &[u128], place: u128, words: usize) -> Vec<u64> {
    coefficients.iter().fold(vec![0; words], |value, coefficient| times_plus(&value, place, *coefficient))
}

/// a - b, for a not below b.
fn minus(a: &[u64], b: &[u64]) -> Vec<u64> {
    let mut borrow = 0;
    let digit = |(a, b): (&u64, &u64)| {
        let difference = *a as i64 - *b as i64 - borrow;
        borrow = i64::from(difference < 0);
        (difference & 0xFFFF_FFFF) as u64
    };
    a.iter().zip(b).map(digit).collect()
}

/// x^4 - x^2 + 1.
fn order_of_bls12_381(words: usize) -> Vec<u64> {
    minus(&polynomial(&[1, 0, 0, 0, 1], X, words), &polynomial(&[1, 0, 0], X, words))
}

/// (x - 1)^2 (x^4 - x^2 + 1) / 3 + x, where x is negative.
fn coordinates_of_bls12_381() -> Vec<u64> {
    assert_eq!((X + 1) % 3, 0, "the quotient is whole");
    let product = times_plus(&times_plus(&order_of_bls12_381(12), X + 1, 0), (X + 1) / 3, 0);
    minus(&product, &polynomial(&[X], 0, 12))
}

#[test]
fn proving_fields_follow_from_their_curves() {
    let fields = [
        ("bn254_q", polynomial(&[36, 36, 24, 6, 1], U, 8)),
        ("bn254_r", polynomial(&[36, 36, 18, 6, 1], U, 8)),
        ("bls12_381_q", coordinates_of_bls12_381()),
        ("bls12_381_r", order_of_bls12_381(8)),
    ];
    for (name, modulus) in fields {
        let file = format!("fields/{name}.inc");
        let words = |name: &str| -> Vec<u64> {
            defined(&file, name).iter().flat_map(|word| [word & 0xFFFF_FFFF, word >> 32]).collect()
        };
        let bits = 32 * modulus.len() as u32;
        assert_eq!(words("FIELD_MODULUS"), modulus, "{name}");
        assert!(modulus[modulus.len() - 1] >> 31 == 0, "{name}: its double has no more words");
        assert_eq!(words("FIELD_ONE"), power_of_two(bits, &modulus), "{name}");
        assert_eq!(words("FIELD_R_SQUARED"), power_of_two(2 * bits, &modulus), "{name}");
        let inverse = words("FIELD_NEGATED_INVERSE")[0] as u32;
        assert_eq!((modulus[0] as u32).wrapping_mul(inverse), u32::MAX, "{name}");
    }
}
