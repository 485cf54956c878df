use proptest::prelude::*;

use super::*;
use crate::lanes::{LANES, Portable};
use crate::radix52::to_words;

/// A number of 512 bits mod L, bit by bit.
fn remainder(words: [u64; 8]) -> [u64; 4] {
    (0..512).rev().fold([0; 4], |rest, bit| {
        let bit = words[bit / 64] >> (bit % 64) & 1;
        let double = std::array::from_fn(|i| rest[i] << 1 | if i == 0 { bit } else { rest[i - 1] >> 63 });
        if is_reduced(&bytes(double)) { double } else { minus_order(double) }
    })
}

fn minus_order(a: [u64; 4]) -> [u64; 4] {
    let mut borrow = 0;
    std::array::from_fn(|i| {
        let difference = i128::from(a[i]) - i128::from(ORDER_WORDS[i]) - borrow;
        borrow = i128::from(difference < 0);
        difference as u64
    })
}

fn bytes(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, bytes) in words.iter().zip(bytes.chunks_exact_mut(8)) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn wide() -> impl Strategy<Value = [u64; 8]> {
    let near_multiple = (any::<[u64; 4]>(), 0..3_u64).prop_map(|(words, less)| {
        let product = times(words, ORDER_WORDS);
        let mut borrow = less;
        product.map(|word| {
            let (difference, borrowed) = word.overflowing_sub(borrow);
            borrow = u64::from(borrowed);
            difference
        })
    });
    prop_oneof![any::<[u64; 8]>(), Just([u64::MAX; 8]), Just([0; 8]), near_multiple]
}

fn times(a: [u64; 4], b: [u64; 4]) -> [u64; 8] {
    let mut product = [0_u64; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            let sum = u128::from(a[i]) * u128::from(b[j]) + u128::from(product[i + j]) + carry;
            product[i + j] = sum as u64;
            carry = sum >> 64;
        }
        product[i + 4] = carry as u64;
    }
    product
}

fn columns<const N: usize>(numbers: [[u64; N]; LANES]) -> [Portable; N] {
    std::array::from_fn(|i| Portable::load(&numbers.map(|words| words[i])))
}

#[test]
fn below_the_order_or_not() {
    assert!(is_reduced(&[0; 32]) && is_reduced(&bytes(minus_order([0, 0, 0, 1 << 61]))));
    let mut order = bytes(ORDER_WORDS);
    assert!(!is_reduced(&order) && !is_reduced(&[0xff; 32]));
    order[0] -= 1;
    assert!(is_reduced(&order));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn remainders_and_products(a in prop::array::uniform8(wide()), b in prop::array::uniform8(wide())) {
        let (x, y) = (Scalar::of_wide_words(&columns(a)), Scalar::of_wide_words(&columns(b)));
        let products = to_words(&x.times(&y).0);
        let (xs, ys) = (to_words(&x.0), to_words(&y.0));
        for lane in 0..LANES {
            prop_assert_eq!(xs[lane], remainder(a[lane]));
            prop_assert_eq!(ys[lane], remainder(b[lane]));
            prop_assert_eq!(products[lane], remainder(times(xs[lane], ys[lane])));
        }
    }

    /// Digits of both widths make up the number.
    #[test]
    fn digits_make_up_the_number(a in prop::array::uniform8(wide())) {
        let scalar = Scalar::of_wide_words(&columns(a));
        let words = to_words(&scalar.0);
        for (digits, width) in [(scalar.digits::<5>(), 5_u32), (scalar.digits::<10>(), 10)] {
            let digits = digits.map(Lanes::to_array);
            for lane in 0..LANES {
                // Modulo 2¹²⁷, which has all digits but the top ones, and of those the parity of a borrow.
                let mut low = 0_i128;
                for place in (0..120 / width).rev() {
                    let limb = (place * width / 50) as usize;
                    let raw = digits[limb][lane] >> (place * width % 50) & ((1 << width) - 1);
                    low = (low << width) + i128::from(raw) - (1 << (width - 1));
                }
                let expected = u128::from(words[lane][1]) << 64 | u128::from(words[lane][0]);
                prop_assert_eq!(low as u128 & ((1 << 120) - 1), expected & ((1 << 120) - 1));
            }
        }
    }

    #[test]
    fn signed_bytes_mod_the_order(low in any::<[u64; 2]>()) {
        let scalar = Scalar::of_signed_bytes(&columns([[low[0], low[1], 0, 0]; LANES]));
        // With the halves added again it is the bytes, mod L.
        let halves = [0x8080_8080_8080_8080, 0x8080_8080_8080_8080, 0, 0];
        let sum = to_words(&scalar.0)[0].into_iter().zip(halves).scan(0_u128, |carry, (a, b)| {
            let sum = u128::from(a) + b + *carry;
            *carry = sum >> 64;
            Some(sum as u64)
        });
        let sum: Vec<u64> = sum.collect();
        prop_assert_eq!(
            remainder([sum[0], sum[1], sum[2], sum[3], 0, 0, 0, 0]),
            remainder([low[0], low[1], 0, 0, 0, 0, 0, 0])
        );
    }
}
