use std::sync::Arc;

use ::p256::ecdsa::SigningKey;
use ::p256::ecdsa::signature::hazmat::PrehashSigner;
use outrigger_types::{ColumnBuf, Keys, Operation, SignatureWork, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

use super::*;
use crate::known_keys::apart::run_by_table;

mod der;
mod edges;
mod gpu;
mod known;
mod lanes;
mod wycheproof;

/// One signed item, with everything that a ruleset may ask for.
#[derive(Clone, Debug)]
struct Item {
    key: Vec<u8>,
    signature: Vec<u8>,
    message: Vec<u8>,
}

/// A low-S signature over `message` and the 65-byte key, made by an independent library.
fn signed(random: &mut StdRng, message: &[u8]) -> (Vec<u8>, ::p256::ecdsa::Signature) {
    let secret = loop {
        if let Ok(secret) = SigningKey::from_slice(&random.random::<[u8; 32]>()) {
            break secret;
        }
    };
    let signature: ::p256::ecdsa::Signature = secret.sign_prehash(&Sha256::digest(message)).expect("a signature");
    let key = secret.verifying_key().to_sec1_point(false).as_bytes().to_vec();
    (key, signature.normalize_s())
}

fn fabric_item(random: &mut StdRng) -> Item {
    let message = random.random::<[u8; 48]>().to_vec();
    let (key, signature) = signed(random, &message);
    Item { key, signature: signature.to_der().as_bytes().to_vec(), message }
}

fn precompile_item(random: &mut StdRng) -> Item {
    let message = random.random::<[u8; 48]>();
    let (key, signature) = signed(random, &message);
    let digest = Sha256::digest(message).to_vec();
    Item { key: key[1..].to_vec(), signature: signature.to_bytes().to_vec(), message: digest }
}

fn fabric(item: &Item) -> Verdict {
    verdict(Ruleset::Fabric, MessageForm::Message, item)
}

fn fabric_digest(item: &Item) -> Verdict {
    verdict(Ruleset::Fabric, MessageForm::Digest, item)
}

fn precompile(item: &Item) -> Verdict {
    verdict(Ruleset::EthereumP256Verify, MessageForm::Digest, item)
}

/// The verdict of the CPU, which lanes and kernels must share.
fn verdict(ruleset: Ruleset, form: MessageForm, item: &Item) -> Verdict {
    let work = work(ruleset, form, std::slice::from_ref(item));
    let verdict = run(&work, 0..1)[0];
    assert_eq!(gpu::run(&work), [verdict]);
    if let Some(unit) = crate::Unit::detect() {
        assert_eq!(lanes::run(unit, &work, 0..1), [verdict]);
        let (by_table, _) = run_by_table(unit, &work).expect("this room has tables");
        assert_eq!(by_table.verdicts, [verdict]);
    }
    verdict
}

fn work(ruleset: Ruleset, form: MessageForm, items: &[Item]) -> SignatureWork {
    let column = |part: fn(&Item) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(part).collect::<Vec<_>>());
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(form),
        keys: Keys::Inline(column(|item| &item.key)),
        signatures: column(|item| &item.signature),
        messages: column(|item| &item.message),
    }
}

/// The verdicts of a range, by the way that requests take.
fn run(work: &SignatureWork, range: Range<usize>) -> Vec<Verdict> {
    crate::run(&Work::Verify(work.clone()), range).verdicts
}

/// Catches an item whose verdict lands in another's place.
#[test]
fn a_bad_item_spoils_its_own_place_only() {
    let mut random = StdRng::seed_from_u64(1);
    let fabric_items: Vec<_> = (0..7).map(|_| fabric_item(&mut random)).collect();
    let precompile_items: Vec<_> = (0..7).map(|_| precompile_item(&mut random)).collect();
    for (ruleset, form, good) in [
        (Ruleset::Fabric, MessageForm::Message, fabric_items),
        (Ruleset::EthereumP256Verify, MessageForm::Digest, precompile_items),
    ] {
        for place in 0..good.len() {
            let mut items = good.clone();
            items[place].message[5] ^= 1;
            let mut expected = vec![Verdict::Valid; items.len()];
            expected[place] = Verdict::Invalid;
            assert_eq!(run(&work(ruleset, form, &items), 0..items.len()), expected);
        }
    }
}

/// Catches ranges that read from or write to the wrong offset.
#[test]
fn a_part_agrees_with_the_whole() {
    let mut random = StdRng::seed_from_u64(2);
    let mut items: Vec<_> = (0..9).map(|_| fabric_item(&mut random)).collect();
    items[2].signature.truncate(20);
    items[6].message.push(0);
    let work = work(Ruleset::Fabric, MessageForm::Message, &items);
    let whole = run(&work, 0..9);
    assert_eq!((whole[2], whole[6]), (Verdict::Malformed, Verdict::Invalid));
    for start in 0..=9 {
        for end in start..=9 {
            assert_eq!(run(&work, start..end), whole[start..end]);
        }
    }
}

#[test]
fn keys_of_a_set_give_the_same_verdicts() {
    let mut random = StdRng::seed_from_u64(3);
    let items: Vec<_> = (0..4).map(|_| fabric_item(&mut random)).collect();
    let order = [3, 0, 0, 2, 1];
    let picked: Vec<_> = order.iter().map(|&i: &usize| items[i].clone()).collect();
    let inline = work(Ruleset::Fabric, MessageForm::Message, &picked);
    let set = ColumnBuf::from_items(&items.iter().map(|item| &item.key).collect::<Vec<_>>());
    let indexed = |indices: &[u32]| SignatureWork {
        keys: Keys::Indexed { set: Arc::new(set.clone()), indices: indices.to_vec() },
        ..inline.clone()
    };
    assert_eq!(run(&inline, 0..5), [Verdict::Valid; 5]);
    assert_eq!(run(&indexed(&[3, 0, 0, 2, 1]), 0..5), [Verdict::Valid; 5]);
    let wrong = run(&indexed(&[3, 0, 1, 2, 1]), 0..5);
    assert_eq!(wrong.iter().position(|verdict| *verdict == Verdict::Invalid), Some(2));
}

#[test]
fn the_registry_finds_both_rulesets() {
    for ruleset in [Ruleset::Fabric, Ruleset::EthereumP256Verify] {
        assert!(crate::supports(Operation::Verify(ruleset)));
        assert!(!crate::supports(Operation::Recover(ruleset)));
    }
}
