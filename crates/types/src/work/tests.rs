use bytes::Bytes;

use super::{EthereumWork, Keys, SetMode, SetWork, Work};
use crate::{ColumnBuf, Ruleset};

/// One set of many keys must not be as cheap to admit as a set of one.
#[test]
fn a_set_counts_as_its_keys() {
    let sets = |key_ends: Vec<u32>| {
        let count = key_ends.len();
        Work::VerifySets(SetWork {
            ruleset: Ruleset::EthereumConsensus,
            mode: SetMode::FastAggregate,
            signatures: ColumnBuf::with_count(Bytes::from(vec![0; 96 * count]), count).unwrap(),
            keys: Keys::Inline(ColumnBuf::empty()),
            message_ends: (1..=count as u32).collect(),
            messages: ColumnBuf::with_count(Bytes::from(vec![0; 32 * count]), count).unwrap(),
            key_ends,
        })
    };
    assert_eq!(sets(vec![512]).units(), 512);
    assert_eq!(sets(vec![1, 2, 3]).units(), 3);
    assert_eq!(sets(vec![0, 0]).units(), 2);
}

/// One transaction of a megabyte holds tens of thousands of authorizations, each a recovery.
#[test]
fn a_long_transaction_counts_as_many() {
    let transactions = |lengths: &[usize]| {
        let items: Vec<_> = lengths.iter().map(|length| vec![0; *length]).collect();
        let transactions = ColumnBuf::from_items(&items);
        Work::EthereumTransactions(EthereumWork { transactions, chain_id: None, allow_high_s: false })
    };
    assert_eq!(transactions(&[110, 110, 110]).units(), 3);
    assert_eq!(transactions(&[1 << 20]).units(), 4_096);
}
