//! Whole requests: order, ranges, keys of a set.

use std::sync::Arc;

use ::sm2::dsa::signature::hazmat::PrehashSigner;
use outrigger_types::{ColumnBuf, Keys, Operation, SignatureOptions, Work};

use super::*;

const ITEMS: usize = 9;

/// Keys, signatures and digests under `sm2-digest`.
type Columns = [Vec<Vec<u8>>; 3];

fn columns() -> Columns {
    let mut random = StdRng::seed_from_u64(51);
    let mut columns = Columns::default();
    for _ in 0..ITEMS {
        let secret = signer(&mut random, "");
        let e: [u8; 32] = random.random();
        let signature: ::sm2::dsa::Signature = secret.sign_prehash(&e).expect("a signature");
        columns[0].push(key_of(&secret).to_vec());
        columns[1].push(signature.to_bytes().to_vec());
        columns[2].push(e.to_vec());
    }
    columns
}

fn work([keys, signatures, digests]: &Columns) -> SignatureWork {
    SignatureWork {
        ruleset: Ruleset::Sm2Digest,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(ColumnBuf::from_items(keys)),
        signatures: ColumnBuf::from_items(signatures),
        messages: ColumnBuf::from_items(digests),
    }
}

fn run(work: &SignatureWork, range: Range<usize>) -> Vec<Verdict> {
    crate::run(&Work::Verify(work.clone()), range).verdicts
}

/// Catches an item whose verdict lands in another's place.
#[test]
fn a_bad_item_spoils_its_own_place_only() {
    let columns = columns();
    for place in 0..ITEMS {
        for (part, bad) in [(0, Verdict::Malformed), (1, Verdict::Invalid), (2, Verdict::Invalid)] {
            let mut changed = columns.clone();
            changed[part][place][11] ^= 1;
            let mut expected = [Verdict::Valid; ITEMS];
            expected[place] = bad;
            assert_eq!(run(&work(&changed), 0..ITEMS), expected);
        }
    }
}

/// Catches ranges that read from or write to the wrong offset.
#[test]
fn a_part_agrees_with_the_whole() {
    let mut columns = columns();
    columns[0][2].truncate(63);
    columns[1][6][0] ^= 1;
    let work = work(&columns);
    let whole = run(&work, 0..ITEMS);
    assert_eq!((whole[2], whole[6], whole[7]), (Verdict::Malformed, Verdict::Invalid, Verdict::Valid));
    for start in 0..=ITEMS {
        for end in start..=ITEMS {
            assert_eq!(run(&work, start..end), whole[start..end]);
        }
    }
}

#[test]
fn keys_of_a_set_give_the_same_verdicts() {
    let columns = columns();
    let set = Arc::new(ColumnBuf::from_items(&columns[0]));
    let picked = [8, 0, 0, 4];
    let pick = |part: usize| picked.iter().map(|&i: &usize| columns[part][i].clone()).collect();
    let inline = work(&[pick(0), pick(1), pick(2)]);
    let indexed = |indices: [u32; 4]| SignatureWork {
        keys: Keys::Indexed { set: set.clone(), indices: indices.to_vec() },
        ..inline.clone()
    };
    assert_eq!(run(&inline, 0..4), [Verdict::Valid; 4]);
    assert_eq!(run(&indexed([8, 0, 0, 4]), 0..4), [Verdict::Valid; 4]);
    assert_eq!(run(&indexed([8, 0, 1, 4]), 1..4), [Verdict::Valid, Verdict::Invalid, Verdict::Valid]);
}

#[test]
fn the_registry_finds_the_rulesets() {
    for ruleset in [Ruleset::FiscoSm2, Ruleset::Sm2Digest, Ruleset::Sm2Message] {
        assert!(crate::supports(Operation::Verify(ruleset)));
        assert_eq!(crate::registry::room_of(ruleset).map(|room| room.name), Some("sm2"));
    }
}
