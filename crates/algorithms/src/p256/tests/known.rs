//! Keys that have tables. (All other tests of the room run each of their items by table too.)

use std::sync::Arc;

use super::*;
use crate::known_keys::apart::within;
use crate::known_keys::{KeyTable, KnownKeys, kind_of};
use crate::registry;

/// Items of a few signers in no order, some of them bad.
fn items(random: &mut StdRng, count: usize) -> Vec<Item> {
    let secrets: Vec<_> =
        (0..3).map(|i| SigningKey::from_slice(&[i + 1; 32]).expect("a number below the order")).collect();
    (0..count)
        .map(|i| {
            let secret = &secrets[random.random_range(0..secrets.len())];
            let message = vec![i as u8; i * 11 % 300];
            let signature: ::p256::ecdsa::Signature =
                secret.sign_prehash(&Sha256::digest(&message)).expect("a signature");
            let key = secret.verifying_key().to_sec1_point(false).as_bytes().to_vec();
            let mut item = Item { key, signature: signature.normalize_s().to_der().as_bytes().to_vec(), message };
            if i % 9 == 4 {
                item.signature[20] ^= 1;
            }
            item
        })
        .collect()
}

fn table(key: &[u8]) -> Arc<dyn KeyTable> {
    (kind_of(Ruleset::Fabric).expect("tables").build)(&key[1..]).expect("a key")
}

/// What goes by table, and what does not.
#[test]
fn good_items_of_known_keys_go_by_table() {
    let mut random = StdRng::seed_from_u64(91);
    let kind = kind_of(Ruleset::Fabric).expect("tables");
    let items = items(&mut random, 100);
    let work = work(Ruleset::Fabric, MessageForm::Message, &items);
    let expected = run(&work, 0..100);
    assert_eq!(expected.iter().filter(|verdict| **verdict == Verdict::Valid).count(), 89);
    for unit in lanes::units() {
        let known = Arc::new(KnownKeys::new(1 << 30));
        known.put(kind, &items[0].key[1..], table(&items[0].key));
        let found = within(known.clone(), || lanes::run(unit, &work, 0..100));
        assert_eq!(found, expected);
        let of_first = items.iter().filter(|item| item.key == items[0].key).count() as u64;
        // Some of the bad ones are malformed, and so need no table.
        let stats = known.stats();
        assert!((of_first - 4..=of_first).contains(&stats.hits), "{stats:?} of {of_first}");
        assert_eq!((stats.damaged, stats.tables), (0, 1));
    }
}

/// One key in the forms of both rulesets is one table.
#[test]
fn both_rulesets_share_their_tables() {
    let kinds = [Ruleset::Fabric, Ruleset::EthereumP256Verify].map(|ruleset| kind_of(ruleset).expect("tables"));
    assert!(std::ptr::eq(kinds[0], kinds[1]));
    let mut random = StdRng::seed_from_u64(92);
    let (fabric, precompile) = (fabric_item(&mut random), precompile_item(&mut random));
    assert_eq!((kinds[0].name_of)(&fabric.key), Some(&fabric.key[1..]));
    assert_eq!((kinds[0].name_of)(&precompile.key), Some(&precompile.key[..]));
    let mut hybrid = fabric.key;
    hybrid[0] = 6;
    for no_key in [&hybrid[..], &hybrid[..64 - 31], &[], &[4; 20]] {
        assert_eq!((kinds[0].name_of)(no_key), None);
    }
    assert!((kinds[0].build)(&[7; 64]).is_none(), "off the curve");
    assert!((kinds[0].build)(&[0xff; 64]).is_none(), "no coordinates");
}

/// A table that answers for another key stands for one that was damaged in memory: nobody gets a wrong verdict, and it
/// is gone at once.
#[test]
fn a_damaged_table_decides_nothing() {
    let mut random = StdRng::seed_from_u64(93);
    let kind = kind_of(Ruleset::Fabric).expect("tables");
    let items = items(&mut random, 64);
    let work = work(Ruleset::Fabric, MessageForm::Message, &items);
    let expected = run(&work, 0..64);
    let other = items.iter().find(|item| item.key != items[0].key).expect("another signer");
    for unit in lanes::units() {
        let known = Arc::new(KnownKeys::new(1 << 30));
        known.put(kind, &items[0].key[1..], table(&other.key));
        known.put(kind, &other.key[1..], table(&other.key));
        assert_eq!(within(known.clone(), || lanes::run(unit, &work, 0..64)), expected);
        assert_eq!((known.stats().damaged, known.stats().tables), (1, 1));
        assert_eq!(within(known.clone(), || lanes::run(unit, &work, 0..64)), expected);
        assert_eq!(known.stats().damaged, 1);
    }
}

/// The rulesets that have tables are those of the rooms that say so.
#[test]
fn tables_are_of_these_rooms_alone() {
    for room in registry::ALL {
        for rules in room.rulesets {
            let has_tables = rules.lanes.as_ref().is_some_and(|lanes| lanes.known.is_some());
            assert_eq!(has_tables, ["p256", "secp256k1", "sm2"].contains(&room.name), "{}", rules.ruleset);
        }
    }
}
