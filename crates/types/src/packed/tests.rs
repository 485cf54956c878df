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
    let mut bytes = vec![0xA5; packed_len(parts)];
    pack(parts, &mut bytes);
    bytes
}

#[test]
fn like_parts_become_one_group_in_order() {
    let (one, other, apart) = (verify(9, b""), verify(4, b""), verify(3, b"ALICE"));
    let parts = [(one.clone(), 2..7), (other, 0..4), (apart, 1..3), (one, 0..1)];
    let works = unpack(&packed(&parts)).unwrap();
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
        let works = unpack(&packed(&[(Arc::new(work), 0..items)])).unwrap();
        assert_eq!(format!("{:?}", works[0]), text);
    }
}

#[test]
fn indexed_keys_travel_by_value() {
    let Work::Verify(work) = &*verify(3, b"") else { unreachable!() };
    let set = Arc::new(columns(3, false));
    let indexed = SignatureWork { keys: Keys::Indexed { set: set.clone(), indices: vec![2, 0, 2] }, ..work.clone() };
    let works = unpack(&packed(&[(Arc::new(Work::Verify(indexed)), 0..3)])).unwrap();
    let keys: Vec<&[u8]> = (0..3).map(|i| signed(&works[0]).keys.item(i)).collect();
    assert_eq!(keys, [set.view().item(2), set.view().item(0), set.view().item(2)]);
}

#[test]
fn damaged_bytes_are_an_error_and_no_panic() {
    let bytes = packed(&[(verify(9, b"ALICE"), 0..9)]);
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
