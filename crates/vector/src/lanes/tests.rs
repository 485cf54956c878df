//! Both implementations give the same words for every operation.

use proptest::prelude::*;

use super::*;
use crate::Unit;
use crate::unit::on_lanes;

type Words = [u64; LANES];

/// Every operation that needs no constant beyond those here, on words of all kinds.
#[inline(always)]
fn all<L: Lanes>(a: &Words, b: &Words, c: &Words) -> Vec<Words> {
    let table: Vec<u64> = (0..40).map(|i| i * i + 7).collect();
    let rows = [a, b, c, b, a, a, c, b];
    let (a, b, c) = (L::load(a), L::load(b), L::load(c));
    let few = c.and(L::splat(63));
    let mut found = vec![
        a.add(b),
        a.sub(b),
        a.and(b),
        a.not_and(b),
        a.or(b),
        a.xor(b),
        a.ternary::<0x96>(b, c),
        a.ternary::<0xca>(b, c),
        a.ternary::<0xd2>(b, c),
        a.ternary::<0x01>(b, c),
        a.shl::<0>(),
        a.shl::<13>(),
        a.shr::<52>(),
        a.shr::<0>(),
        a.sar::<52>(),
        a.rol::<0>(),
        a.rol::<63>(),
        a.shl_by(few),
        a.shr_by(few),
        a.shl_by(c),
        a.shr_by(c),
        a.mul32(b),
        a.mul64(b),
        a.madd_lo(b, c),
        a.madd_hi(b, c),
        a.blend(0b1010_0110, b),
        a.keep(0b0001_1111),
        L::gather(&table, few),
        L::gather(&table, c),
        a.pick(b, c),
        a.swap_bytes(),
    ];
    found.extend([a.eq(b), a.lt(b), a.test(b), a.eq(a)].map(|mask| L::splat(u64::from(mask))));
    found.extend(transpose([a, b, c, few, a.add(b), a.sub(b), b.xor(c), c.shr::<3>()]));
    found.extend(L::load_columns(rows));
    found.iter().map(|lanes| lanes.to_array()).collect()
}

fn on(unit: Unit, a: &Words, b: &Words, c: &Words) -> Vec<Words> {
    on_lanes!(unit, L => all::<L>(a, b, c))
}

/// Words near the borders of limbs as often as any.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (0_u32..64, 0_u64..3).prop_map(|(bit, near)| (1_u64 << bit).wrapping_sub(1).wrapping_add(near)),
        Just(u64::MAX),
    ]
}

proptest! {
    #[test]
    fn registers_agree_with_plain_words(
        a in prop::array::uniform8(word()),
        b in prop::array::uniform8(word()),
        c in prop::array::uniform8(word()),
    ) {
        let Some(unit) = Unit::detect() else {
            eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its lanes were not compared");
            return Ok(());
        };
        prop_assert_eq!(on(unit, &a, &b, &c), on(Unit::PORTABLE, &a, &b, &c));
    }
}

#[test]
fn transposing_turns_rows_into_columns() {
    let rows: [Words; LANES] = std::array::from_fn(|i| std::array::from_fn(|j| (8 * i + j) as u64));
    let columns = transpose(rows.map(|row| Portable::load(&row))).map(|column| column.to_array());
    for i in 0..LANES {
        for j in 0..LANES {
            assert_eq!(columns[j][i], rows[i][j]);
        }
    }
    for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
        let loaded = on_lanes!(unit, L => L::load_columns(rows.each_ref()).map(|column| column.to_array()));
        assert_eq!(loaded, columns, "{}", unit.name());
    }
}

/// Every length at every place, and nothing read beyond the bytes or written outside their place.
#[test]
fn bytes_land_at_their_place() {
    let bytes: Vec<u8> = (1..=80).collect();
    for length in 0..=bytes.len() {
        for at in 0..ROW_BYTES {
            let expected: [u8; ROW_BYTES] =
                std::array::from_fn(|i| i.checked_sub(at).and_then(|i| bytes[..length].get(i)).copied().unwrap_or(0));
            for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
                let words = on_lanes!(unit, L => L::load_bytes(&bytes[..length], at).to_array());
                let found: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(found, expected, "{length} bytes at {at}, {}", unit.name());
            }
        }
    }
}
