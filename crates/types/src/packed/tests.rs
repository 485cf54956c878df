use proptest::prelude::*;

use super::*;
use crate::{Output, Verdict};

fn columns(count: usize, varied: bool) -> ColumnBuf {
    let items: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; if varied { i % 5 } else { 32 }]).collect();
    ColumnBuf::from_items(&items)
}

fn verify(count: usize, identity: &'static [u8]) -> Arc<Work> {
    let identity = Bytes::from_static(identity);
    Arc::new(Work::Verify(SignatureWork {
        ruleset: Ruleset::FiscoSm2,
        options: SignatureOptions { identity, ..SignatureOptions::new(MessageForm::Message) },
        keys: Keys::Inline(columns(count, false)),
        signatures: columns(count, true),
        messages: columns(count, false),
    }))
}

fn packed(parts: &[Part]) -> Vec<u8> {
    packed_with(parts, &Marks::none())
}

fn packed_with(parts: &[Part], marks: &Marks) -> Vec<u8> {
    let mut bytes = vec![0xA5; packed_len(parts, marks)];
    pack(parts, marks, &mut bytes);
    bytes
}

/// The groups, of which none has marks.
fn unmarked(bytes: &[u8]) -> Vec<Work> {
    let groups = unpack(bytes).expect("what was packed");
    assert!(groups.iter().all(|(_, marks)| *marks == Marks::none()));
    groups.into_iter().map(|(work, _)| work).collect()
}

#[test]
fn like_parts_become_one_group_in_order() {
    let (one, other, apart) = (verify(9, b""), verify(4, b""), verify(3, b"ALICE"));
    let parts = [(one.clone(), 2..7), (other, 0..4), (apart, 1..3), (one, 0..1)];
    let works = unmarked(&packed(&parts));
    let items: Vec<usize> = works.iter().map(Work::items).collect();
    assert_eq!(items, [9, 2, 1]);
    let all: Vec<Vec<u8>> = works
        .iter()
        .flat_map(|work| (0..work.items()).map(|i| [signed(work).keys.item(i), signed(work).signature(i)].concat()))
        .collect();
    let given = parts.iter().flat_map(|(work, range)| {
        range.clone().map(|i| [signed(work).keys.item(i), signed(work).signature(i)].concat())
    });
    assert_eq!(all, given.collect::<Vec<_>>());
    assert_eq!(signed(&works[1]).options.identity, &b"ALICE"[..]);
}

#[test]
fn every_packable_kind_survives() {
    let kinds = [
        Work::Recover(SignatureWork { keys: Keys::Inline(ColumnBuf::empty()), ..signed(&verify(5, b"")).clone() }),
        Work::Hash(HashWork { algorithm: HashAlgorithm::Sm3, messages: columns(7, true) }),
        Work::Merkle(MerkleWork {
            tree: MerkleTree::Rfc6962,
            algorithm: HashAlgorithm::Sha256,
            leaves: columns(6, false),
            prove: Some(5),
        }),
        Work::EthereumTransactions(EthereumWork {
            transactions: columns(4, true),
            chain_id: Some(1),
            allow_high_s: true,
        }),
    ];
    for work in kinds {
        assert!(is_packable(work.operation()));
        let items = work.items();
        let text = format!("{work:?}");
        let works = unmarked(&packed(&[(Arc::new(work), 0..items)]));
        assert_eq!(format!("{:?}", works[0]), text);
    }
}

#[test]
fn indexed_keys_travel_by_value() {
    let Work::Verify(work) = &*verify(3, b"") else { unreachable!() };
    let set = Arc::new(columns(3, false));
    let indexed = SignatureWork { keys: Keys::Indexed { set: set.clone(), indices: vec![2, 0, 2] }, ..work.clone() };
    let works = unmarked(&packed(&[(Arc::new(Work::Verify(indexed)), 0..3)]));
    let keys: Vec<&[u8]> = (0..3).map(|i| signed(&works[0]).keys.item(i)).collect();
    assert_eq!(keys, [set.view().item(2), set.view().item(0), set.view().item(2)]);
}

#[test]
fn damaged_bytes_are_an_error_and_no_panic() {
    let marks = (0..9).map(|item| item % 2 == 0).collect();
    let bytes = packed_with(&[(verify(9, b"ALICE"), 0..9)], &marks);
    assert!(unpack(&bytes).is_ok());
    for end in 0..bytes.len() {
        assert!(unpack(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] = 0xFF;
        // Payload bytes may be anything; numbers may not bring it down.
        let _ = unpack(&damaged);
    }
}

/// A group has marks where one of its items is marked, and no other: lengths around a byte of them.
#[test]
fn marks_stay_with_their_items() {
    for count in [1, 7, 8, 9, 16, 17] {
        for place in 0..count {
            let parts = [(verify(4, b"ALICE"), 1..3), (verify(count, b""), 0..count), (verify(5, b"BOB"), 0..5)];
            let is_marked = |item: usize| item == 2 + place || item == 2 + count - 1;
            let marks: Marks = (0..count + 7).map(is_marked).collect();
            let bytes = packed_with(&parts, &marks);
            assert_eq!(bytes.len(), packed(&parts).len() + count.div_ceil(8));
            let groups = unpack(&bytes).expect("what was packed");
            assert_eq!((&groups[0].1, &groups[2].1), (&Marks::none(), &Marks::none()));
            assert_eq!(groups[1].1, (2..2 + count).map(is_marked).collect());
        }
    }
    // As many as there are: those that are not said are none.
    let short: Marks = [false, true].into_iter().collect();
    let groups = unpack(&packed_with(&[(verify(9, b""), 0..9)], &short)).expect("what was packed");
    assert_eq!((0..9).filter(|&item| groups[0].1.is_marked(item)).collect::<Vec<_>>(), [1]);
}

#[test]
fn marks_that_fit_no_item_are_damage() {
    let marks: Marks = [true; 9].into_iter().collect();
    let mut bytes = packed_with(&[(verify(9, b""), 0..9)], &marks);
    *bytes.last_mut().expect("marks") |= 2;
    assert_eq!(unpack(&bytes).map(drop), Err(Damaged("marks of more items than there are")));
    let recover =
        Work::Recover(SignatureWork { keys: Keys::Inline(ColumnBuf::empty()), ..signed(&verify(5, b"")).clone() });
    let parts = [(Arc::new(recover), 0..5)];
    assert_eq!(packed_with(&parts, &marks), packed(&parts), "what cannot be marked is not");
    let mut bytes = packed(&parts);
    bytes[16] |= 8;
    assert_eq!(unpack(&bytes).map(drop), Err(Damaged("marks on items without keys")));
}

#[test]
fn answers_survive_and_no_flipped_bit_does() {
    let operation = Operation::Recover(Ruleset::EthereumTransaction);
    let mut output = Output::unprocessed(operation, 3);
    output.verdicts = vec![Verdict::Valid, Verdict::Malformed, Verdict::Invalid];
    output.fixed[..84].iter_mut().enumerate().for_each(|(i, byte)| *byte = i as u8);
    let parts = [(verify(3, b""), 0..3)];
    assert_eq!(answer_len(&parts), 15);
    let mut bytes = vec![0; 3 * 89];
    let length = write_answer(9, &output, 84, &mut bytes).unwrap();
    assert_eq!(length, bytes.len());
    assert_eq!(read_answer(9, operation, 3, &bytes).unwrap(), output);
    assert!(read_answer(8, operation, 3, &bytes).is_err(), "another nonce");
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(read_answer(9, operation, 3, &damaged).is_err(), "bit {bit}");
    }
    assert!(write_answer(9, &output, 84, &mut bytes[..100]).is_err());
}

#[test]
fn the_variable_part_of_a_tree_is_tagged_too() {
    let operation = Operation::Merkle(MerkleTree::Binary, HashAlgorithm::Sha256);
    let mut output = Output::unprocessed(operation, 1);
    output.verdicts[0] = Verdict::Valid;
    output.variable = vec![7; 65];
    output.variable_ends[0] = 65;
    let mut bytes = vec![0; 4096];
    let length = write_answer(1, &output, 32, &mut bytes).unwrap();
    assert_eq!(read_answer(1, operation, 1, &bytes[..length]).unwrap(), output);
    bytes[length - 1] ^= 1;
    assert!(read_answer(1, operation, 1, &bytes[..length]).is_err());
}

proptest! {
    /// Any bytes, and what was packed with any bytes in place of some: no panic, and no more memory than they say.
    #[test]
    fn any_bytes(
        start in 0..200_usize,
        other in proptest::collection::vec(any::<u8>(), 0..40),
        marks in proptest::collection::vec(any::<bool>(), 9),
    ) {
        let _ = unpack(&other);
        let mut bytes = packed_with(&[(verify(9, b"ALICE"), 0..9)], &marks.into_iter().collect());
        for (byte, other) in bytes.iter_mut().skip(start).zip(other) {
            *byte = other;
        }
        let _ = unpack(&bytes);
    }
}
