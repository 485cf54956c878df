//! Items do not touch each other, wherever their keys come from and however the range is cut.

use std::ops::Range;
use std::sync::Arc;

use k256::{ProjectivePoint, Scalar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::textbook::{self, coordinates};
use super::*;

const ITEMS: usize = 13;

/// Good items of a ruleset, each with a key of its own.
pub(super) fn items(ruleset: Ruleset) -> Vec<Triple> {
    let mut random = StdRng::seed_from_u64(0xba7c);
    (0..ITEMS)
        .map(|_| {
            let (secret, digest) = (random.random::<[u8; 32]>(), random.random::<[u8; 32]>());
            if ruleset == Ruleset::Bip340 {
                let key = k256::schnorr::SigningKey::from_slice(&secret).expect("a key");
                let signature = key.sign_raw(&digest, &[0; 32]).expect("a signature");
                return triple(key.verifying_key().to_bytes(), signature.to_bytes(), digest);
            }
            let secret = textbook::reduced(&secret);
            let mut signature = textbook::sign(&digest, &secret, &textbook::reduced(&random.random()));
            if parse::is_high(&signature.s) {
                signature.s = textbook::negated(&signature.s);
                signature.recovery_id ^= 1;
            }
            let key = coordinates(&(ProjectivePoint::GENERATOR * secret));
            if ruleset == Ruleset::Bitcoin {
                return triple([&[4], &key[..]].concat(), der(&signature.r, &signature.s), digest);
            }
            triple(key, joined(&signature.r, &signature.s, signature.recovery_id), digest)
        })
        .collect()
}

fn run(work: SignatureWork, range: Range<usize>) -> Output {
    crate::run(&Work::Verify(work), range)
}

/// One bad item at each place costs that item alone.
#[test]
fn a_bad_item_is_found_at_each_place() {
    for rules in ROOM.rulesets {
        let good = items(rules.ruleset);
        for place in 0..ITEMS {
            for (bad, expected) in [(Some(1), Verdict::Invalid), (None, Verdict::Malformed)] {
                let mut items = good.clone();
                match bad {
                    Some(bit) => items[place].message[0] ^= bit,
                    None => items[place].signature.truncate(6),
                }
                let mut all = vec![Verdict::Valid; ITEMS];
                all[place] = expected;
                assert_eq!(run(work(rules.ruleset, &items), 0..ITEMS).verdicts, all, "{} at {place}", rules.ruleset);
            }
        }
    }
}

/// Keys of a registered set give what keys in the request give, in another order and repeated.
#[test]
fn indexed_keys_are_as_inline_ones() {
    for rules in ROOM.rulesets {
        let mut items = items(rules.ruleset);
        items[3].message[9] ^= 0x40;
        let mut indexed = work(rules.ruleset, &items);
        let reversed: Vec<_> = items.iter().rev().map(|item| &item.key).collect();
        let indices = (0..ITEMS as u32).rev().collect();
        indexed.keys = Keys::Indexed { set: Arc::new(ColumnBuf::from_items(&reversed)), indices };
        let inline = run(work(rules.ruleset, &items), 0..ITEMS);
        assert_eq!(run(indexed.clone(), 0..ITEMS), inline, "{}", rules.ruleset);
        assert_eq!(inline.verdicts.iter().filter(|&&verdict| verdict == Verdict::Valid).count(), ITEMS - 1);
        // All items by the first one's key: only the first is valid.
        if let Keys::Indexed { indices, .. } = &mut indexed.keys {
            indices.fill(ITEMS as u32 - 1);
        }
        let verdicts = run(indexed, 0..ITEMS).verdicts;
        assert_eq!(verdicts[0], Verdict::Valid, "{}", rules.ruleset);
        assert_eq!(verdicts[1..], [Verdict::Invalid; ITEMS - 1], "{}", rules.ruleset);
    }
}

/// A part of the range gives that part of the whole: catches places counted from the wrong end of the range.
#[test]
fn a_range_gives_its_part_of_the_whole() {
    for rules in ROOM.rulesets {
        let mut items = items(rules.ruleset);
        for place in [0, 4, 5, 12] {
            items[place].signature[place % 2 * 40 + 4] ^= 8;
        }
        items[7].signature.push(0);
        let verify = Work::Verify(work(rules.ruleset, &items));
        let recover = rules.recover.map(|_| Work::Recover(work(rules.ruleset, &items)));
        for work in [Some(verify), recover].into_iter().flatten() {
            let whole = crate::run(&work, 0..ITEMS);
            for (start, end) in [(0, 0), (0, 1), (4, 8), (7, 8), (5, 13), (12, 13), (13, 13)] {
                let part = crate::run(&work, start..end);
                assert_eq!(part, whole.slice(work.operation(), start..end), "{} {start}..{end}", rules.ruleset);
            }
        }
    }
}

/// Recovery gives the signer's key and address, and zeros for every other item.
#[test]
fn recovery_fills_its_places() {
    for ruleset in RECOVERABLE {
        let mut items = items(ruleset);
        items[2].signature.pop();
        items[6].signature[..32].fill(0);
        let mut work = work(ruleset, &items);
        work.keys = Keys::Inline(ColumnBuf::empty());
        let output = crate::run(&Work::Recover(work), 0..ITEMS);
        for (i, (item, fixed)) in items.iter().zip(output.fixed.chunks(84)).enumerate() {
            let expected = match i {
                2 => (Verdict::Malformed, vec![0; 84]),
                6 => (Verdict::Invalid, vec![0; 84]),
                _ => {
                    let key = item.key[..].try_into().expect("64 bytes");
                    (Verdict::Valid, [&item.key[..], &textbook::address(key)].concat())
                }
            };
            assert_eq!((output.verdicts[i], fixed.to_vec()), expected, "{ruleset} at {i}");
        }
    }
}

/// No bit of key, signature or digest can change: not in a valid item of any ruleset.
#[test]
fn every_bit_counts() {
    lanes_now_and_then(8);
    for rules in ROOM.rulesets {
        let good = items(rules.ruleset).swap_remove(1);
        let parts = [good.key.len(), good.signature.len(), good.message.len()];
        let mut damaged = Vec::new();
        for (part, bytes) in parts.into_iter().enumerate() {
            for bit in 0..bytes * 8 {
                let mut item = good.clone();
                let bytes = [&mut item.key, &mut item.signature, &mut item.message][part].as_mut_slice();
                bytes[bit / 8] ^= 1 << (bit % 8);
                damaged.push(item);
            }
        }
        // But for the hybrid form of the same key, one bit from 04, which Bitcoin takes.
        let hybrid = [&[6], &good.key[1..]].concat();
        damaged.retain(|item| rules.ruleset != Ruleset::Bitcoin || item.key != hybrid);
        let verdicts = verdicts(work(rules.ruleset, &damaged));
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Invalid | Verdict::Malformed)));
        assert_eq!(judge(rules.ruleset, &good), Verdict::Valid);
    }
}

/// The scalar arithmetic of the tests agrees with `k256`'s signer.
#[test]
fn the_textbook_signs_as_others_verify() {
    use k256::ecdsa::signature::hazmat::PrehashVerifier;
    let (secret, digest) = (Scalar::from(99_u32), [7; 32]);
    let signature = textbook::sign(&digest, &secret, &Scalar::from(3_u32));
    let key = coordinates(&(ProjectivePoint::GENERATOR * secret));
    let verifier = k256::ecdsa::VerifyingKey::from_sec1_bytes(&[&[4], &key[..]].concat()).expect("a key");
    let theirs = k256::ecdsa::Signature::from_scalars(signature.r, signature.s).expect("in range").normalize_s();
    verifier.verify_prehash(&digest, &theirs).expect("a valid signature");
    assert_eq!(textbook::recover(&digest, &signature), Some(key));
}
