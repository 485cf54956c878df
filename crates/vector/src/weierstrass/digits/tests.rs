use proptest::prelude::*;

use super::*;
use crate::lanes::Portable;
use crate::p256::{ORDER, Order};
use crate::radix52::from_words;
use crate::weierstrass::field::subtract;

/// Σ digit·2^position modulo 2²⁵⁶, with sign, from the top.
fn sum<const BITS: usize>(digits: &Digits<Portable, BITS>, width: usize, lane: usize) -> [u64; 4] {
    let mut sum = [0_u64; 4];
    for place in (0..BITS / width).rev() {
        let digit = digits.at(place * width, width);
        for _ in 0..width {
            let [a, b, c, d] = sum;
            sum = [a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63];
        }
        let value = [2 * digit.indices[lane] + 1, 0, 0, 0];
        let opposite = subtract([0; 4], value).0;
        sum = subtract(sum, if digit.negative >> lane & 1 == 1 { value } else { opposite }).0;
    }
    sum
}

fn scalar() -> impl Strategy<Value = [u64; 4]> {
    prop_oneof![
        prop::array::uniform4(any::<u64>()).prop_map(|k| if subtract(k, ORDER).1 { k } else { subtract(k, ORDER).0 }),
        (0_u64..3).prop_map(|near| subtract(ORDER, [near, 0, 0, 0]).0),
        (0_u64..70).prop_map(|small| [small, 0, 0, 0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// An odd scalar is the sum of its digits, an even one the sum and the order.
    #[test]
    fn digits_add_up(scalars in prop::array::uniform8(scalar())) {
        let limbs = from_words::<Portable>(&scalars);
        let (key, comb) = (Digits::<_, 260>::new::<Order>(&limbs), Digits::<_, 256>::new::<Order>(&limbs));
        for lane in 0..LANES {
            let k = scalars[lane];
            let expected = if k[0] & 1 == 1 { k } else { subtract(k, ORDER).0 };
            prop_assert_eq!(sum(&key, 5, lane), expected);
            prop_assert_eq!(sum(&key, 10, lane), expected);
            prop_assert_eq!(sum(&comb, 8, lane), expected);
        }
    }
}
