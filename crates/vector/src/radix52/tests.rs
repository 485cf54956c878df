use proptest::prelude::*;

use super::*;
use crate::lanes::Portable;

fn number() -> impl Strategy<Value = [u64; 4]> {
    prop_oneof![prop::array::uniform4(any::<u64>()), Just([u64::MAX; 4]), Just([0; 4]), Just([LIMB_MASK; 4])]
}

/// Schoolbook on 64-bit words.
fn words_product(a: [u64; 4], b: [u64; 4]) -> [u64; 8] {
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

/// Columns of 52 bits as words of 64.
fn words_of_columns(columns: [[u64; LANES]; 10], lane: usize) -> [u64; 8] {
    let mut words = [0_u64; 9];
    for (k, column) in columns.iter().enumerate() {
        let (at, shift) = (k * 52 / 64, k * 52 % 64);
        let mut carry = u128::from(column[lane]) << shift;
        for word in &mut words[at..] {
            carry += u128::from(*word);
            *word = carry as u64;
            carry >>= 64;
        }
    }
    assert_eq!(words[8], 0);
    std::array::from_fn(|i| words[i])
}

proptest! {
    #[test]
    fn limbs_and_words_are_one_number(numbers in prop::array::uniform8(number())) {
        let limbs = from_words::<Portable>(&numbers);
        prop_assert_eq!(to_words(&limbs), numbers);
        prop_assert_eq!(limbs.map(|limb| limb.to_array()[3]), limbs_of(numbers[3]));
    }

    #[test]
    fn columns_sum_up_to_the_product(a in prop::array::uniform8(number()), b in prop::array::uniform8(number())) {
        let (x, y) = (from_words::<Portable>(&a), from_words::<Portable>(&b));
        let products: [Portable; 10] = product(&x, &y);
        let squares: [Portable; 10] = square(&x);
        for lane in 0..LANES {
            prop_assert_eq!(words_of_columns(products.map(Lanes::to_array), lane), words_product(a[lane], b[lane]));
            prop_assert_eq!(words_of_columns(squares.map(Lanes::to_array), lane), words_product(a[lane], a[lane]));
        }
    }
}
