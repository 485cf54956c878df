use std::sync::Arc;

use bytes::Bytes;
use outrigger_types::{HashAlgorithm, MessageForm, Ruleset, SignatureOptions};

use super::*;

fn column(tag: u8, lengths: &[usize]) -> ColumnBuf {
    let items: Vec<Vec<u8>> = lengths.iter().enumerate().map(|(i, &length)| vec![tag ^ i as u8; length]).collect();
    ColumnBuf::from_items(&items)
}

fn made(tag: u8, count: usize) -> SignatureWork {
    SignatureWork {
        ruleset: Ruleset::Bitcoin,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(column(tag, &vec![33; count])),
        signatures: column(tag + 0x40, &(70..70 + count).collect::<Vec<_>>()),
        messages: column(tag + 0x80, &vec![32; count]),
    }
}

fn check(parts: &[(Work, Range<usize>)]) {
    assert!(parts.iter().all(|(work, _)| alike(&parts[0].0, work)));
    let Work::Verify(whole) = joined(parts.iter().map(|(work, range)| (work, range.clone()))) else { panic!("verify") };
    let mut place = 0;
    for (work, range) in parts {
        for i in range.clone() {
            assert_eq!(whole.keys.item(place), signed(work).keys.item(i));
            assert_eq!(whole.signature(place), signed(work).signature(i));
            assert_eq!(whole.message(place), signed(work).message(i));
            place += 1;
        }
    }
    assert_eq!((whole.signatures.len(), whole.messages.len()), (place, place));
}

#[test]
fn items_keep_their_bytes_and_their_order() {
    let verify = |tag, count| Work::Verify(made(tag, count));
    check(&[(verify(2, 4), 1..3), (verify(3, 1), 0..0), (verify(4, 1), 0..1), (verify(5, 9), 0..9)]);
}

#[test]
fn keys_of_one_set_stay_numbers() {
    let set = Arc::new(column(0x11, &[33; 5]));
    let indexed = |set: &Arc<ColumnBuf>, indices: &[u32]| {
        let keys = Keys::Indexed { set: set.clone(), indices: indices.to_vec() };
        Work::Verify(SignatureWork { keys, ..made(1, indices.len()) })
    };
    check(&[(indexed(&set, &[4, 0, 4]), 0..3), (indexed(&set, &[1, 2]), 1..2)]);
    let other = Arc::new(column(0x11, &[33; 5]));
    assert!(!alike(&indexed(&set, &[0]), &indexed(&other, &[0])), "another set, though it reads the same");
    assert!(!alike(&indexed(&set, &[0]), &Work::Verify(made(1, 1))));
}

#[test]
fn recovery_has_no_keys() {
    let bare = || SignatureWork { keys: Keys::Inline(ColumnBuf::empty()), ..made(1, 2) };
    let parts = [Work::Recover(bare()), Work::Recover(bare())];
    assert!(alike(&parts[0], &parts[1]));
    let Work::Recover(whole) = joined(parts.iter().map(|work| (work, 0..2))) else { panic!("recover") };
    assert!(matches!(&whole.keys, Keys::Inline(column) if column.is_empty()));
    assert_eq!(whole.signatures.len(), 4);
}

#[test]
fn what_differs_in_its_options_stays_apart() {
    let work = Work::Verify(made(1, 1));
    let other_identity = SignatureOptions { identity: Bytes::from_static(b"alice"), ..made(1, 1).options };
    let high = SignatureOptions { allow_high_s: true, ..made(1, 1).options };
    for options in [other_identity, high, SignatureOptions::new(MessageForm::Message)] {
        assert!(!alike(&work, &Work::Verify(SignatureWork { options, ..made(1, 1) })));
    }
    assert!(!alike(&work, &Work::Verify(SignatureWork { ruleset: Ruleset::Bip340, ..made(1, 1) })));
    assert!(!alike(&work, &Work::Recover(made(1, 1))));
    let hash = |algorithm| Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(&[Bytes::new(); 1]) });
    assert!(alike(&hash(HashAlgorithm::Sm3), &hash(HashAlgorithm::Sm3)));
    assert!(!alike(&hash(HashAlgorithm::Sm3), &hash(HashAlgorithm::Sha256)));
}
