use super::*;
use crate::p256::P256;
use crate::secp256k1::Secp256k1;
use crate::sm2::Sm2;

/// Tables made on both units are the same, and a changed bit anywhere is noticed.
#[test]
fn tables_are_the_same_on_both_units_and_intact() {
    fn check<C: Tabled + PartialEq>([x, y]: [[u64; 4]; 2]) {
        let mut table = Table::<C>::on(Unit::PORTABLE, [x, y]).expect("on the curve");
        match Unit::detect() {
            Some(unit) => assert_eq!(Table::on(unit, [x, y]).as_ref(), Some(&table)),
            None => eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its tables were not compared"),
        }
        assert!(table.is_intact());
        assert_eq!(table.bytes(), (256 << 10) + std::mem::size_of::<Table<C>>());
        for (row, word) in [(0, 0), (1_000, 3), (4_095, 7)] {
            table.rows[row].0[word] ^= 1 << 40;
            assert!(!table.is_intact());
            table.rows[row].0[word] ^= 1 << 40;
        }
        table.rows.swap(17, 18);
        assert!(!table.is_intact());
        assert_eq!(Table::<C>::new(x, [y[0] ^ 1, y[1], y[2], y[3]]), None);
        assert_eq!(Table::<C>::new([u64::MAX; 4], y), None);
        assert_eq!(Table::<C>::new(x, [u64::MAX; 4]), None);
        assert_eq!(Table::<C>::new([0; 4], [0; 4]), None);
    }
    check::<P256>(<P256 as crate::weierstrass::Curve>::BASE);
    check::<Sm2>(<Sm2 as crate::weierstrass::Curve>::BASE);
    check::<Secp256k1>(Secp256k1::BASE);
}
