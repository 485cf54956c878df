use super::*;
use crate::p256::P256;
use crate::sm2::Sm2;

/// Tables made on both units are the same, and a changed bit anywhere is noticed.
#[test]
fn tables_are_the_same_on_both_units_and_intact() {
    fn check<C: Curve>() {
        let mut comb = Comb::new::<C>(Unit::PORTABLE, C::BASE).expect("on the curve");
        match Unit::detect() {
            Some(unit) => assert_eq!(Comb::new::<C>(unit, C::BASE).as_ref(), Some(&comb)),
            None => eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its tables were not compared"),
        }
        assert!(comb.is_intact());
        assert_eq!(comb.bytes(), (256 << 10) + std::mem::size_of::<Comb>());
        for (row, word) in [(0, 0), (1_000, 3), (4_095, 7)] {
            comb.rows[row][word] ^= 1 << 40;
            assert!(!comb.is_intact());
            comb.rows[row][word] ^= 1 << 40;
        }
        comb.rows.swap(17, 18);
        assert!(!comb.is_intact());
        let [x, mut y] = C::BASE;
        y[0] ^= 1;
        assert_eq!(Comb::new::<C>(Unit::PORTABLE, [x, y]), None);
    }
    check::<P256>();
    check::<Sm2>();
}
