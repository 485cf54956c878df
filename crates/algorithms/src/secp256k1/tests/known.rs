//! Keys that have tables. (All other tests of the room run each of their items by table too.)

use std::sync::Arc;

use super::batches::items;
use super::*;
use crate::known_keys::apart::within;
use crate::known_keys::{KeyKind, KnownKeys, kind_of};

fn kind() -> &'static KeyKind {
    kind_of(Ruleset::Bitcoin).expect("tables")
}

/// x‖y of the generator, and its forms.
fn forms() -> ([u8; 64], Vec<u8>, Vec<u8>, Vec<u8>) {
    let key: [u8; 64] = bytes(concat!(
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    ));
    let with = |prefix: u8, rest: &[u8]| [&[prefix], rest].concat();
    (key, with(4, &key), with(2, &key[..32]), with(6, &key))
}

#[test]
fn keys_are_named_by_their_coordinates() {
    let name_of = kind().name_of;
    let (key, whole, compressed, hybrid) = forms();
    for form in [&key[..], &whole, &hybrid] {
        assert_eq!(name_of(form), Some(&key[..]));
    }
    assert_eq!(name_of(&compressed), Some(&compressed[..]));
    assert_eq!(name_of(&key[..32]), Some(&key[..32]), "of Schnorr signatures");
    let mut odd = hybrid;
    odd[0] = 7;
    for no_key in [&odd[..], &key[..20], &[], &[5; 33], &[8; 65], &[4; 66]] {
        assert_eq!(name_of(no_key), None);
    }
    for name in [&key[..], &compressed, &key[..32]] {
        assert!((kind().build)(name).is_some());
    }
    for name in [[7; 64].as_slice(), &[0xff; 64], &[0xff; 32], &[[2].as_slice(), &[0xff; 32]].concat()] {
        assert!((kind().build)(name).is_none(), "no point");
    }
}

/// Good items go by table, and what a table of another key refuses is verified once more and the table dropped: so
/// would one that was damaged in memory.
#[test]
fn tables_are_used_and_damaged_ones_decide_nothing() {
    for rules in ROOM.rulesets {
        let ruleset = rules.ruleset;
        let mut items: Vec<Triple> = items(ruleset).iter().cycle().take(48).cloned().collect();
        items[5].message[3] ^= 1;
        let work = Work::Verify(work(ruleset, &items));
        let expected = crate::run(&work, 0..48);
        let names: std::collections::BTreeSet<&[u8]> =
            items.iter().filter_map(|item| (kind().name_of)(&item.key)).collect();
        let (_, other, ..) = forms();
        for unit in [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten() {
            let known = Arc::new(KnownKeys::new(1 << 30));
            for name in &names {
                known.put(kind(), name, (kind().build)(name).expect("a key"));
            }
            assert_eq!(within(known.clone(), || crate::lanes::run(unit, &work, 0..48)), expected, "{ruleset}");
            let stats = known.stats();
            assert_eq!((stats.hits, stats.damaged, stats.tables), (48, 0, names.len()), "{ruleset}");
            let wrong = *names.first().expect("a key");
            known.put(kind(), wrong, (kind().build)(&other[1..]).expect("a key"));
            assert_eq!(within(known.clone(), || crate::lanes::run(unit, &work, 0..48)), expected, "{ruleset}");
            assert_eq!((known.stats().damaged, known.stats().tables), (1, names.len() - 1), "{ruleset}");
        }
    }
}

/// A piece of addresses alone has no keys to look up.
#[test]
fn addresses_have_no_tables() {
    let mut items = items(Ruleset::FiscoSecp256k1);
    for item in &mut items {
        item.key = textbook::address(&item.key[..].try_into().expect("x and y")).to_vec();
    }
    let work = work(Ruleset::FiscoSecp256k1, &items);
    let (output, tables) = run_by_table(Unit::PORTABLE, &work).expect("this room has tables");
    assert_eq!(output.verdicts, vec![Verdict::Valid; items.len()]);
    assert_eq!((tables.hits, tables.misses, tables.tables), (0, 0, 0));
}
