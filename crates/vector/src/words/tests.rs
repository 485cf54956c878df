//! Both implementations give the same words for every operation.

use proptest::prelude::*;

use super::*;
use crate::Unit;
use crate::unit::on_lanes;

type Array = [u32; WORDS];

#[inline(always)]
fn all<L: Words>(a: &Array, b: &Array) -> Vec<Array> {
    let (a, b) = (L::load32(a), L::load32(b));
    let mut found = vec![
        L::splat32(a.to_array32()[3]),
        a.add32(b),
        a.rol32::<0>(),
        a.rol32::<7>(),
        a.rol32::<31>(),
        a.shr32::<3>(),
        a.shr32::<0>(),
        a.swap_bytes32(),
        a.blend32(0b1010_0110_0001_1101, b),
        a.keep32(0b0001_1111_1000_0110),
        a.xor(b),
    ];
    let mut row = a;
    found.extend(L::transpose32(std::array::from_fn(|_| {
        row = row.rol32::<5>().add32(b);
        row
    })));
    found.iter().map(|words| words.to_array32()).collect()
}

proptest! {
    #[test]
    fn registers_agree_with_plain_words(a in any::<Array>(), b in any::<Array>()) {
        let Some(unit) = Unit::detect() else {
            eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its words were not compared");
            return Ok(());
        };
        let on = |unit: Unit| on_lanes!(unit, L => all::<L>(&a, &b));
        prop_assert_eq!(on(unit), on(Unit::PORTABLE));
    }
}

#[test]
fn words_are_halves_of_lanes() {
    for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
        let words: Array = std::array::from_fn(|i| i as u32 + 1);
        let lanes = on_lanes!(unit, L => L::load32(&words).to_array());
        assert_eq!(lanes, std::array::from_fn(|i| (2 * i as u64 + 1) | (2 * i as u64 + 2) << 32));
    }
}

#[test]
fn transposing_turns_rows_into_columns() {
    let rows: [Array; WORDS] = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as u32));
    for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
        let columns = on_lanes!(unit, L => L::transpose32(rows.map(|row| L::load32(&row))).map(|row| row.to_array32()));
        for i in 0..WORDS {
            for j in 0..WORDS {
                assert_eq!(columns[j][i], rows[i][j]);
            }
        }
    }
}
