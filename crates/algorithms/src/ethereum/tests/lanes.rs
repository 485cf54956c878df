//! The lanes give what the CPU gives, byte for byte. (All other tests of the room run through the lanes too.)

use super::*;

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
