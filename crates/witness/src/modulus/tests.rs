use super::*;

const BN254_DECIMAL: &str = "21888242871839275222246405745257275088548364400416034343698204186575808495617";
const BLS12_381_DECIMAL: &str = "52435875175126190479447740508185965837690552500527637822603658699938581184513";

#[test]
fn orders_are_those_of_the_curves() {
    for (modulus, decimal) in [(BN254, BN254_DECIMAL), (BLS12_381, BLS12_381_DECIMAL)] {
        assert_eq!(modulus.number(decimal), Some([0; 4]));
        assert_eq!(Modulus::of(&modulus.order), Some(modulus));
        assert!(!modulus.contains(&modulus.order));
        assert!(modulus.contains(&modulus.number("-1").unwrap()));
    }
    assert_eq!(Modulus::of(&[1, 0, 0, 0]), None);
}

#[test]
fn numbers_are_taken_modulo_the_order() {
    let number = |text: &str| BN254.number(text);
    assert_eq!(number("0"), Some([0; 4]));
    assert_eq!(number("-0"), Some([0; 4]));
    assert_eq!(number(" +7\n"), Some([7, 0, 0, 0]));
    assert_eq!(number("18446744073709551616"), Some([0, 1, 0, 0]));
    assert_eq!(number("0xFfffffffffffffff0"), Some([u64::MAX << 4, 0xf, 0, 0]));
    assert_eq!(number("0b101"), Some([5, 0, 0, 0]));
    assert_eq!(number("0o17"), Some([15, 0, 0, 0]));
    assert_eq!(number(&format!("{BN254_DECIMAL}0")), Some([0; 4]));
    // 2^256 − 1 less five times the order.
    let all_ones = number(&format!("0x{}", "f".repeat(64))).unwrap();
    let plus_one = number(&format!("0x1{}", "0".repeat(64))).unwrap();
    assert_eq!(subtract(&plus_one, &all_ones), ([1, 0, 0, 0], false));
    // r − 1, by its digits and by its sign.
    assert_eq!(number(&BN254_DECIMAL.replace("5617", "5616")), number("-1"));
}

#[test]
fn what_is_no_number_is_refused() {
    for text in ["", " ", "-", "+", "0x", "0xg", "1.5", "1e3", "--1", "-0x1", "1_000", "0x-1", "²", "seven", "é1"] {
        assert_eq!(BN254.number(text), None, "{text:?}");
    }
}
