//! The lanes give what the CPU gives, byte for byte. (All other tests of the room run through the lanes too.)

use super::*;
use crate::ethereum::canonical;
use crate::ethereum::transaction::{self, Decoded, Rules};

/// Transactions of all types, good and bad, with authorities, in several pieces, on both units and in any range.
#[test]
fn lanes_write_what_the_cpu_writes() {
    let good = one_of_each();
    let mut transactions = Vec::new();
    for round in 0..60_u8 {
        for raw in &good {
            let mut raw = raw.clone();
            let place = usize::from(round) * 7 % raw.len();
            match round % 5 {
                0 => {}
                1 => raw[place] ^= 1 << (round % 8),
                2 => raw.truncate(place),
                3 => *raw.last_mut().expect("not empty") ^= 1,
                _ => raw[0] = round,
            }
            transactions.push(raw);
        }
        let authorizations = (0..round % 4).map(|seed| authorization(1, seed + 1)).collect();
        transactions.push(signed(&eip7702(authorizations), round + 1));
    }
    let work = EthereumWork { transactions: ColumnBuf::from_items(&transactions), chain_id: None, allow_high_s: false };
    let work = Work::EthereumTransactions(work);
    let whole = crate::run(&work, 0..transactions.len());
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so only the portable lanes were compared");
    }
    if let Some(unit) = detected {
        assert_eq!(crate::lanes::run(unit, &work, 0..transactions.len()), whole);
    }
    for unit in std::iter::once(Unit::PORTABLE).chain(detected) {
        for range in [0..1, 3..20, 17..41] {
            let expected = whole.slice(Operation::EthereumTransactions, range.clone());
            assert_eq!(crate::lanes::run(unit, &work, range), expected, "{}", unit.name());
        }
    }
}

/// Whether the reader in place takes an encoding: exactly where the general decoder does, and then both say the same.
fn is_taken(raw: &[u8], rules: Rules) -> bool {
    let by_decoder = transaction::decode(raw, rules);
    let found = canonical::read(raw);
    if let Some(found) = &found {
        let digests: Vec<_> = found.payloads().map(|payload| keccak(&payload.parts().concat())).collect();
        let found = Decoded::of_canonical(found, rules, keccak(raw), &digests);
        assert_eq!(found, by_decoder, "{}", hex::encode(raw));
    } else {
        let reason = by_decoder.judge(|_| None).reason;
        let refused = [Reason::Decoding, Reason::UnknownType, Reason::PooledForm];
        assert!(refused.contains(&reason), "{}: {reason:?}", hex::encode(raw));
    }
    found.is_some()
}

/// Every byte of transactions of all types replaced, and every place cut out and doubled.
#[test]
fn the_reader_in_place_says_what_the_decoder_says() {
    let mut transactions = one_of_each();
    let input = |bytes: usize| Bytes::from(vec![0x61; bytes]);
    transactions
        .extend([54, 55, 56, 255, 256, 70_000].map(|bytes| signed(&TxEip1559 { input: input(bytes), ..eip1559() }, 1)));
    transactions.extend([0, 1, 0x7f, 0x80, u64::MAX].map(|chain| signed(&legacy(Some(chain)), 1)));
    for raw in &transactions {
        for chain_id in [None, Some(1)] {
            assert!(is_taken(raw, Rules { chain_id, allow_high_s: true }));
        }
    }
    let rules = Rules { chain_id: None, allow_high_s: true };
    let mut taken = 0;
    for raw in transactions.iter().filter(|raw| raw.len() < 1000) {
        for place in 0..raw.len() {
            for byte in [0, 1, 2, 0x1b, 0x7f, 0x80, 0x81, 0x94, 0xb7, 0xb8, 0xb9, 0xc0, 0xc1, 0xf7, 0xf8, 0xff] {
                let mut other = raw.clone();
                other[place] = byte;
                taken += usize::from(is_taken(&other, rules));
            }
            for change in [-1_i8, 1] {
                let mut other = raw.clone();
                other[place] = raw[place].wrapping_add_signed(change);
                taken += usize::from(is_taken(&other, rules));
            }
            taken += usize::from(is_taken(&[&raw[..place], &raw[place + 1..]].concat(), rules));
            taken += usize::from(is_taken(&[&raw[..=place], &raw[place..]].concat(), rules));
        }
    }
    assert!(taken > 1000, "{taken} of these are transactions still");
}

proptest! {
    /// Lists of items that look like fields.
    #[test]
    fn the_reader_in_place_takes_no_other_lists(
        first in 0_u8..6,
        items in proptest::collection::vec(
            prop_oneof![
                Just(vec![0x80]),
                Just(vec![0xc0]),
                Just([&[0x94][..], &[7; 20]].concat()),
                (1_u8..0x80).prop_map(|byte| vec![byte]),
                proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| {
                    let mut item = Vec::new();
                    bytes.as_slice().encode(&mut item);
                    item
                }),
            ],
            6..15,
        ),
    ) {
        let list = list(&items.concat());
        let raw = if first == 0 { list } else { [&[first], list.as_slice()].concat() };
        is_taken(&raw, Rules { chain_id: None, allow_high_s: false });
    }
}
