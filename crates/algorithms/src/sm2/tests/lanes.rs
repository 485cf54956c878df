//! Lanes beside the CPU: whole batches, on both units.

use ::sm2::dsa::signature::Signer;
use ::sm2::elliptic_curve::PrimeField;
use outrigger_types::{ColumnBuf, Keys, SignatureOptions, Work};

use super::adversarial::{joined, key_bytes, keys, made, scalars};
use super::*;
use crate::Unit;

/// Key, signature, message.
type Item = (Vec<u8>, Vec<u8>, Vec<u8>);

pub(super) fn work(ruleset: Ruleset, items: &[Item]) -> SignatureWork {
    let form = if ruleset == Ruleset::Sm2Message { MessageForm::Message } else { MessageForm::Digest };
    let column = |part: fn(&Item) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(part).collect::<Vec<_>>());
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(form),
        keys: Keys::Inline(column(|item| &item.0)),
        signatures: column(|item| &item.1),
        messages: column(|item| &item.2),
    }
}

/// The verdicts of lanes, of a range.
pub(super) fn run(unit: Unit, work: &SignatureWork, range: Range<usize>) -> Vec<Verdict> {
    crate::lanes::run(unit, &Work::Verify(work.clone()), range).verdicts
}

/// Both units, or one and a loud word.
fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so SM2 was tested on plain words alone");
    }
    [Some(Unit::PORTABLE), detected].into_iter().flatten().collect()
}

/// Compares all verdicts with the CPU's, and tells how many are valid.
fn agree(unit: Unit, ruleset: Ruleset, items: &[Item]) -> usize {
    let work = work(ruleset, items);
    let expected = crate::run(&Work::Verify(work.clone()), 0..items.len()).verdicts;
    if unit != Unit::PORTABLE {
        assert_eq!(gpu::run(&work), expected, "kernels");
    }
    assert_eq!(run(unit, &work, 0..items.len()), expected, "{}", unit.name());
    let (by_table, tables) = run_by_table(unit, &work).expect("this room has tables");
    assert_eq!(by_table.verdicts, expected, "{} by table", unit.name());
    assert_eq!(tables.damaged, 0);
    expected.iter().filter(|verdict| **verdict == Verdict::Valid).count()
}

/// Messages of many lengths, signed with the default identity.
fn signed(random: &mut StdRng, ruleset: Ruleset, count: usize) -> Vec<Item> {
    (0..count)
        .map(|i| {
            let secret = signer(random, "1234567812345678");
            let length = if ruleset == Ruleset::FiscoSm2 { 32 } else { i * 7 % 200 };
            let message: Vec<u8> = (0..length).map(|_| random.random()).collect();
            let signature: ::sm2::dsa::Signature = secret.sign(&message);
            let mut signature = signature.to_bytes().to_vec();
            if ruleset == Ruleset::FiscoSm2 && i % 2 == 1 {
                signature.extend(key_of(&secret));
            }
            let mut key = key_of(&secret).to_vec();
            if i % 3 == 1 {
                key.insert(0, 4);
            }
            (key, signature, message)
        })
        .collect()
}

/// Each item as it is and with one bit changed in each part.
#[test]
fn mutations_of_signed_items() {
    let mut random = StdRng::seed_from_u64(81);
    for unit in units() {
        let pool = if unit == Unit::PORTABLE { 8 } else { 200 };
        for ruleset in [Ruleset::Sm2Message, Ruleset::FiscoSm2] {
            let mut items = signed(&mut random, ruleset, pool);
            for i in 0..pool {
                for part in 0..3 {
                    let mut changed = items[i].clone();
                    let bytes = [&mut changed.0, &mut changed.1, &mut changed.2].into_iter().nth(part);
                    let bytes = bytes.expect("three parts");
                    if bytes.is_empty() {
                        continue;
                    }
                    let bit = random.random_range(0..bytes.len() * 8);
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    items.push(changed);
                }
            }
            assert_eq!(agree(unit, ruleset, &items), pool);
        }
    }
}

#[test]
fn every_length_and_every_position_of_a_bad_item() {
    let mut random = StdRng::seed_from_u64(82);
    let items = signed(&mut random, Ruleset::FiscoSm2, 17);
    for unit in units() {
        let lengths = if unit == Unit::PORTABLE { vec![1, 8, 9, 17] } else { (1..=17).collect() };
        for length in lengths {
            assert_eq!(agree(unit, Ruleset::FiscoSm2, &items[..length]), length);
        }
        let places = if unit == Unit::PORTABLE { vec![0, 7, 16] } else { (0..17).collect() };
        for place in places {
            // A bad digest, a key off the curve, an r beyond the order; two bad ones together.
            let mut bad = items.clone();
            bad[place].2[9] ^= 1;
            bad[(place + 5) % 17].0[63] ^= 1;
            bad[(place + 6) % 17].1[..32].fill(0xff);
            assert_eq!(agree(unit, Ruleset::FiscoSm2, &bad), 14);
        }
    }
}

/// Keys beside G and scalars of few digits: where the chain meets equal, opposite and infinite points.
#[test]
fn exceptional_points() {
    let mut items = Vec::new();
    for key in keys() {
        for s in scalars() {
            for t in scalars() {
                if let Some((e, r)) = made(s, t, key) {
                    let signature = joined(&r.to_repr(), &s.to_repr()).to_vec();
                    items.push((key_bytes(key).to_vec(), signature, e.to_repr().to_vec()));
                }
            }
        }
    }
    let valid = items.len();
    assert!(valid > 3_300, "{valid}");
    let wrong = |item: &Item| {
        let mut item = item.clone();
        item.2[31] ^= 1;
        item
    };
    items.extend(items.clone().iter().step_by(7).map(wrong));
    for unit in units() {
        if unit == Unit::PORTABLE {
            let few: Vec<_> = items[..valid].iter().step_by(29).cloned().collect();
            assert_eq!(agree(unit, Ruleset::Sm2Digest, &few), few.len());
        } else {
            assert_eq!(agree(unit, Ruleset::Sm2Digest, &items), valid);
        }
    }
}

/// Signatures of keys with tables: ordinary ones, keys beside G with chosen scalars, and wrong ones.
#[test]
fn known_keys() {
    use outrigger_vector::sm2::{KnownSignature, Outcome, Table, verify_known};

    let mut random = StdRng::seed_from_u64(83);
    let mut items: Vec<([u8; 64], [u8; 64], [u8; 32])> = Vec::new();
    for _ in 0..4 {
        use ::sm2::dsa::signature::hazmat::PrehashSigner;
        let secret = signer(&mut random, "");
        let e: [u8; 32] = random.random();
        let signature: ::sm2::dsa::Signature = secret.sign_prehash(&e).expect("a signature");
        items.push((key_of(&secret), signature.to_bytes().into(), e));
    }
    let (keys, scalars) = (keys(), scalars());
    for (i, key) in keys.iter().enumerate().step_by(3) {
        for (j, s) in scalars.iter().enumerate().step_by(2) {
            let t = scalars[(i + j * 5) % scalars.len()];
            if let Some((e, r)) = made(*s, t, *key) {
                items.push((key_bytes(*key), joined(&r.to_repr(), &s.to_repr()), e.to_repr().into()));
            }
        }
    }
    let mut wrong = items.clone();
    wrong.iter_mut().for_each(|item| item.2[4] ^= 1);
    items.extend(wrong);
    let number = |bytes: &[u8]| -> [u64; 4] {
        std::array::from_fn(|i| u64::from_be_bytes(bytes[24 - 8 * i..32 - 8 * i].try_into().expect("8 bytes")))
    };
    let make = |item: &([u8; 64], _, _)| Table::new(number(&item.0[..32]), number(&item.0[32..])).expect("a key");
    let tables: Vec<_> = items.iter().map(make).collect();
    let signatures: Vec<_> = items
        .iter()
        .zip(&tables)
        .map(|((_, signature, e), table)| KnownSignature {
            table,
            digest: number(e),
            r: number(&signature[..32]),
            s: number(&signature[32..]),
        })
        .collect();
    for unit in units() {
        let mut undecided = 0;
        for ((key, signature, e), outcome) in items.iter().zip(verify_known(unit, &signatures)) {
            match outcome {
                Outcome::Undecided => undecided += 1,
                outcome => assert_eq!(outcome == Outcome::Valid, judged(key, e, signature) == Verdict::Valid),
            }
        }
        assert!(undecided < items.len() / 2, "{undecided} of {}", items.len());
        let out_of_range = KnownSignature { s: [0; 4], ..signatures[0] };
        assert_eq!(verify_known(unit, &[out_of_range, signatures[1]]), [Outcome::Undecided, Outcome::Valid]);
        assert_eq!(verify_known(unit, &[]), []);
    }
    assert_eq!(Table::new([5, 0, 0, 0], [7, 0, 0, 0]), None);
}

/// Z that stands with a table is of the default identity: with another it must not be used.
#[test]
fn identities_are_told_apart_by_table() {
    let mut random = StdRng::seed_from_u64(84);
    let named = "ALICE123@YAHOO.COM";
    for (identity, expected) in [("1234567812345678", [true, true, false]), (named, [false, false, true])] {
        let secret = signer(&mut random, identity);
        let items: Vec<Item> = (0..20_u8)
            .map(|i| {
                let message = vec![i; 5 * usize::from(i)];
                let signature: ::sm2::dsa::Signature = secret.sign(&message);
                (key_of(&secret).to_vec(), signature.to_bytes().to_vec(), message)
            })
            .collect();
        for (asked, is_good) in ["", "1234567812345678", named].into_iter().zip(expected) {
            let mut work = work(Ruleset::Sm2Message, &items);
            work.options.identity = asked.as_bytes().to_vec().into();
            let verdicts = vec![Verdict::from_equation(is_good); 20];
            assert_eq!(crate::run(&Work::Verify(work.clone()), 0..20).verdicts, verdicts);
            assert_eq!(gpu::run(&work), verdicts, "{asked}");
            for unit in units() {
                assert_eq!(run(unit, &work, 0..20), verdicts, "{asked}");
                let (by_table, tables) = run_by_table(unit, &work).expect("this room has tables");
                assert_eq!((by_table.verdicts, tables.hits, tables.damaged), (verdicts.clone(), 20, 0), "{asked}");
            }
        }
    }
}
