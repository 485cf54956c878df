use bytes::Bytes;
use proptest::prelude::*;

use super::{ColumnBuf, ColumnError};

proptest! {
    /// A column gives back what was put in, whole and sliced: catches off-by-one in `ends`.
    #[test]
    fn items_survive(items in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..20), a in 0_usize..20, b in 0_usize..20) {
        let column = ColumnBuf::from_items(&items);
        prop_assert_eq!(column.len(), items.len());
        let seen: Vec<Vec<u8>> = column.view().iter().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(&seen, &items);
        let (a, b) = (a.min(items.len()), b.min(items.len()));
        let (a, b) = (a.min(b), a.max(b));
        let slice = column.view().slice(a..b);
        prop_assert_eq!(slice.byte_len(), items[a..b].iter().map(Vec::len).sum::<usize>());
        let seen: Vec<Vec<u8>> = slice.iter().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(&seen[..], &items[a..b]);
        // A slice of a slice: the start of the inner one must be relative to the outer.
        if b - a >= 2 {
            prop_assert_eq!(slice.slice(1..b - a).item(0), &items[a + 1][..]);
        }
    }
}

#[test]
fn bad_shapes_are_refused() {
    let bytes = Bytes::from_static(&[0; 10]);
    assert_eq!(ColumnBuf::with_count(bytes.clone(), 3), Err(ColumnError::Indivisible { bytes: 10, count: 3 }));
    assert_eq!(ColumnBuf::with_count(bytes.clone(), 0), Err(ColumnError::Indivisible { bytes: 10, count: 0 }));
    assert_eq!(ColumnBuf::with_lengths(bytes.clone(), &[4, 5]), Err(ColumnError::Sum { bytes: 10, sum: 9 }));
    assert_eq!(ColumnBuf::with_lengths(bytes, &[u32::MAX, 11]), Err(ColumnError::TooLong));
    assert_eq!(ColumnBuf::with_count(Bytes::new(), 4).unwrap().view().item(3), b"");
}
