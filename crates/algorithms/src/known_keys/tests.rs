use std::sync::atomic::{AtomicBool, Ordering};

use outrigger_types::{MessageForm, SignatureOptions};
use proptest::prelude::*;

use super::*;

const TABLE_BYTES: usize = 1_000;
/// A table and its key of four bytes.
const ENTRY_BYTES: usize = TABLE_BYTES + 4;

/// Stands in for a curve's table.
struct Stand {
    key: Vec<u8>,
    intact: AtomicBool,
}

impl KeyTable for Stand {
    fn bytes(&self) -> usize {
        TABLE_BYTES
    }

    fn is_intact(&self) -> bool {
        self.intact.load(Ordering::SeqCst)
    }
}

struct Other;

impl KeyTable for Other {
    fn bytes(&self) -> usize {
        1
    }

    fn is_intact(&self) -> bool {
        true
    }
}

fn build(key: &[u8]) -> Option<Arc<dyn KeyTable>> {
    assert_ne!(key, b"boom", "a key that brings the builder down");
    (key != b"none").then(|| Arc::new(Stand { key: key.to_vec(), intact: AtomicBool::new(true) }) as Arc<dyn KeyTable>)
}

/// Of any length that a key may have, but for addresses.
fn name_of(key: &[u8]) -> Option<&[u8]> {
    (1..=192).contains(&key.len()).then_some(key).filter(|key| !key.starts_with(b"address"))
}

static KIND: KeyKind = KeyKind { name: "stand", sightings: 3, name_of, build };
static NEIGHBOUR: KeyKind = KeyKind { name: "neighbour", sightings: 3, name_of, build };

/// Sees a key once.
fn sight(known: &KnownKeys, tenant: &str, key: &[u8]) {
    known.sight(&KIND, tenant, [key].into_iter(), 1, false);
}

fn find(known: &KnownKeys, keys: &[&[u8]]) -> Vec<Option<Arc<Stand>>> {
    known.find_all::<Stand>(&KIND, keys.iter().copied())
}

fn has(known: &KnownKeys, key: &[u8]) -> bool {
    find(known, &[key])[0].is_some()
}

/// Sees a key until its table stands, and a little more.
fn make(known: &KnownKeys, tenant: &str, key: &[u8]) {
    known.sight(&KIND, tenant, [key].into_iter(), KIND.sightings, false);
    known.settle();
}

#[test]
fn a_table_comes_after_enough_sightings() {
    let known = KnownKeys::new(1 << 20);
    for _ in 0..2 {
        sight(&known, "a", b"key1");
    }
    known.settle();
    assert!(!has(&known, b"key1"));
    sight(&known, "a", b"key1");
    known.settle();
    let found = find(&known, &[b"key1", b"key2", b"key1"]);
    assert!(found[0].as_ref().is_some_and(|table| table.key == b"key1") && found[1].is_none() && found[2].is_some());
    assert!(known.find_all::<Stand>(&NEIGHBOUR, [&b"key1"[..]].into_iter())[0].is_none(), "rooms do not share keys");
    assert!(known.find_all::<Other>(&KIND, [&b"key1"[..]].into_iter())[0].is_none(), "nor types");
    let stats = known.stats();
    assert_eq!((stats.builds, stats.tables, stats.bytes), (1, 1, ENTRY_BYTES));
    assert_eq!((stats.hits, stats.misses), (3, 3));
}

#[test]
fn sightings_of_one_tenant_do_not_count_for_another() {
    let known = KnownKeys::new(1 << 20);
    for tenant in ["a", "b", "a", "b"] {
        sight(&known, tenant, b"key1");
    }
    known.settle();
    assert!(!has(&known, b"key1"));
}

#[test]
fn registered_keys_get_theirs_at_once_while_there_is_room() {
    let known = KnownKeys::new(4 * ENTRY_BYTES);
    for key in [b"key1", b"key2", b"key3", b"key4", b"key5"] {
        known.sight(&KIND, "a", [&key[..]].into_iter(), 1, true);
        known.settle();
    }
    assert_eq!(known.stats().tables, 3, "three quarters are given away like that");
    assert_eq!(known.stats().evictions, 0);
}

#[test]
fn what_is_no_key_and_what_breaks_the_builder_is_survived() {
    let known = KnownKeys::new(1 << 20);
    for key in [&b"none"[..], b"boom", b"address", b"", &[1; 1_000]] {
        make(&known, "a", key);
        assert!(!has(&known, key));
    }
    make(&known, "a", b"key1");
    assert!(has(&known, b"key1"), "the builder lives");
}

#[test]
fn the_least_recently_used_makes_room() {
    let known = KnownKeys::new(3 * ENTRY_BYTES);
    for key in [b"key1", b"key2", b"key3"] {
        make(&known, "a", key);
    }
    assert!(has(&known, b"key1"));
    make(&known, "a", b"key4");
    assert!(has(&known, b"key1") && !has(&known, b"key2") && has(&known, b"key3") && has(&known, b"key4"));
    assert_eq!((known.stats().evictions, known.stats().bytes), (1, 3 * ENTRY_BYTES));
    // It must earn its place anew: one more sighting is not enough.
    sight(&known, "a", b"key2");
    known.settle();
    assert!(!has(&known, b"key2"));
}

/// A tenant with endless keys displaces its own, and leaves another at least an equal share.
#[test]
fn a_flood_of_keys_pushes_nobody_out() {
    let known = KnownKeys::new(8 * ENTRY_BYTES);
    let quiet: Vec<[u8; 4]> = (0..4_u8).map(|i| [b'q', b'q', b'q', i]).collect();
    quiet.iter().for_each(|key| make(&known, "quiet", key));
    for i in 0..100_u32 {
        make(&known, "flood", &i.to_be_bytes());
    }
    assert!(quiet.iter().all(|key| has(&known, key)), "half of the bound is theirs");
    assert_eq!(known.stats().tables, 8);
    // Nor can the quiet one be robbed by many tenants of more than what is fair.
    for tenant in ["c", "d", "e"] {
        (200..210_u32).for_each(|i| make(&known, tenant, &[&i.to_be_bytes()[..3], tenant.as_bytes()].concat()));
    }
    let left = quiet.iter().filter(|key| has(&known, &key[..])).count();
    assert!(left >= 1, "a fifth of the bound");
    assert!(known.stats().bytes <= 8 * ENTRY_BYTES);
}

#[test]
fn a_table_beyond_the_bound_is_not_kept() {
    let known = KnownKeys::new(TABLE_BYTES);
    make(&known, "a", b"key1");
    assert_eq!((known.stats().tables, known.stats().bytes, known.stats().builds), (0, 0, 1));
}

#[test]
fn a_damaged_table_is_found_and_dropped() {
    let known = KnownKeys::new(1 << 20);
    make(&known, "a", b"key1");
    find(&known, &[b"key1"])[0].as_ref().expect("a table").intact.store(false, Ordering::SeqCst);
    let served = (0..10_000).take_while(|_| has(&known, b"key1")).count();
    assert!(served < 4_096, "looked at once in 4096 uses: {served}");
    assert_eq!((known.stats().damaged, known.stats().tables, known.stats().bytes), (1, 0, 0));
    make(&known, "a", b"key1");
    assert!(has(&known, b"key1"), "and built anew");
}

/// Keys in a fixed order, of which a sample at fixed places would see a few alone.
#[test]
fn a_sample_comes_round_to_every_key() {
    let known = KnownKeys::new(1 << 20);
    let keys: Vec<[u8; 4]> = (0..64_u32).map(u32::to_be_bytes).collect();
    let columns: Vec<&[u8]> = (0..1_024).map(|i| &keys[i % 64][..]).collect();
    let work = SignatureWork {
        ruleset: Ruleset::Fabric,
        options: SignatureOptions::new(MessageForm::Message),
        keys: Keys::Inline(ColumnBuf::from_items(&columns)),
        signatures: ColumnBuf::from_items(&vec![[0; 4]; 1_024]),
        messages: ColumnBuf::from_items(&vec![[0; 4]; 1_024]),
    };
    for _ in 0..20 {
        known.see(&KIND, "a", &work);
    }
    known.settle();
    assert_eq!(known.stats().tables, 64);
    for (items, step) in [(1, 1), (5, 1), (64, 1), (65, 2), (1_000, 16)] {
        for turn in 0..100 {
            let sample: Vec<usize> = sample(turn, items, step).collect();
            assert!(sample.len() <= SAMPLE_MAX && sample.is_sorted(), "{items}: {sample:?}");
            assert!(sample.last().is_some_and(|last| *last < items) && sample[0] < step);
        }
    }
}

mod splitting {
    use super::*;

    /// What a table of a key or a plain verification says of an item: the item itself, so that places show.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Said {
        Valid,
        Invalid,
        Exceptional,
        Malformed,
    }

    const SPLIT: ByTable<Said> = ByTable { kind: &KIND, valid: Said::Valid, invalid: Said::Invalid };

    /// Verifies items that are valid but for those that `plain` names, by tables that say what `by_table` does of an
    /// item. Gives the outcomes, and which items went where.
    fn split(
        known: &KnownKeys,
        keys: &[&[u8]],
        by_table: impl Fn(usize) -> Said,
        plain: impl Fn(usize) -> Said,
    ) -> (Vec<Said>, Vec<usize>, Vec<usize>) {
        let (mut tables, mut plainly) = (Vec::new(), Vec::new());
        let outcomes = SPLIT.verify_with(
            known,
            keys,
            |items: &[(usize, &Stand)]| {
                assert!(items.iter().all(|(item, table)| table.key == keys[*item]), "each its own table");
                tables.extend(items.iter().map(|(item, _)| *item));
                items.iter().map(|(item, _)| by_table(*item)).collect()
            },
            |items| {
                plainly.extend_from_slice(items);
                items.iter().map(|item| plain(*item)).collect()
            },
        );
        (outcomes, tables, plainly)
    }

    #[test]
    fn known_keys_go_by_table_and_the_others_plainly() {
        let known = KnownKeys::new(1 << 20);
        make(&known, "a", b"key1");
        let keys: Vec<&[u8]> = (0..20).map(|i| if i % 2 == 0 { &b"key1"[..] } else { b"key2" }).collect();
        let plain = |item| if item == 3 { Said::Malformed } else { Said::Valid };
        let (outcomes, tables, plainly) = split(&known, &keys, |_| Said::Valid, plain);
        assert_eq!(tables, (0..20).step_by(2).collect::<Vec<_>>());
        assert_eq!(plainly, (1..20).step_by(2).collect::<Vec<_>>());
        assert_eq!(outcomes, (0..20).map(plain).collect::<Vec<_>>());
        // Too few to spare a group of lanes: nobody goes by table. All of few do.
        let (outcomes, tables, _) = split(&known, &keys[..14], |_| Said::Valid, plain);
        assert_eq!((outcomes.len(), tables.len()), (14, 0));
        let (_, tables, plainly) = split(&known, &[&b"key1"[..]; 3], |_| Said::Valid, plain);
        assert_eq!((tables.len(), plainly.len()), (3, 0));
        assert!(split(&known, &[], |_| Said::Valid, plain).0.is_empty());
    }

    /// A table is never the one who says no.
    #[test]
    fn what_a_table_refuses_is_verified_again() {
        let known = KnownKeys::new(1 << 20);
        make(&known, "a", b"key1");
        let keys = [&b"key1"[..]; 16];
        let bad = |item| if item % 5 == 0 { Said::Invalid } else { Said::Valid };
        let (outcomes, _, plainly) = split(&known, &keys, bad, bad);
        assert_eq!(plainly, [0, 5, 10, 15]);
        assert_eq!(outcomes, (0..16).map(bad).collect::<Vec<_>>());
        assert_eq!(known.stats().damaged, 0, "it was right");
        let exceptional = |item| if item == 7 { Said::Exceptional } else { Said::Valid };
        let (outcomes, _, plainly) = split(&known, &keys, exceptional, |_| Said::Valid);
        assert_eq!((outcomes, plainly), (vec![Said::Valid; 16], vec![7]));
        assert_eq!(known.stats().damaged, 0, "it did not say that it was invalid");
    }

    #[test]
    fn a_table_that_refuses_a_good_signature_is_dropped() {
        let known = KnownKeys::new(1 << 20);
        make(&known, "a", b"key1");
        make(&known, "a", b"key2");
        let keys: Vec<&[u8]> = (0..16).map(|i| if i < 8 { &b"key1"[..] } else { b"key2" }).collect();
        let wrong = |item| if item == 9 || item == 12 { Said::Invalid } else { Said::Valid };
        let (outcomes, ..) = split(&known, &keys, wrong, |_| Said::Valid);
        assert_eq!(outcomes, [Said::Valid; 16]);
        assert!(has(&known, b"key1") && !has(&known, b"key2"));
        assert_eq!(known.stats().damaged, 1, "once");
        make(&known, "a", b"key2");
        assert!(has(&known, b"key2"), "and built anew");
    }
}

#[test]
fn skis_are_bought_when_renting_has_cost_as_much() {
    let us = Duration::from_micros;
    assert_eq!(sightings_to_build(us(100), us(10)), 10);
    assert_eq!(sightings_to_build(us(101), us(10)), 11);
    assert_eq!(sightings_to_build(us(1), us(10)), 2);
    assert_eq!(sightings_to_build(us(1), Duration::ZERO), 1_000);
}

proptest! {
    /// Whatever comes, the books balance and the bound holds.
    #[test]
    fn the_shelf_keeps_its_bound(
        moves in prop::collection::vec((0_u8..4, 0_u8..40, any::<bool>()), 1..300),
        places in 1_usize..12,
    ) {
        let mut shelf = Shelf::new(places * ENTRY_BYTES);
        let names = ["a", "b", "c", "d"];
        for (tenant, key, is_put) in moves {
            let key = [b'k', b'e', b'y', key];
            if is_put {
                let table = build(&key).expect("a table");
                shelf.put("stand", names[usize::from(tenant)], key.into(), table);
                prop_assert!(shelf.has("stand", &key));
            } else {
                let mut suspects = Vec::new();
                let found = shelf.take("stand", [&key[..]].into_iter(), &mut suspects);
                prop_assert_eq!(found[0].is_some(), shelf.has("stand", &key));
            }
            let stats = shelf.stats();
            prop_assert!(stats.bytes <= places * ENTRY_BYTES);
            prop_assert_eq!(stats.bytes, stats.tables * ENTRY_BYTES);
        }
    }
}

/// Marks stand where tables do, across requests and rulesets; to be marked is to be in use.
#[test]
fn marks_name_the_items_whose_keys_have_tables() {
    let kind = kind_of(Ruleset::EthereumP256Verify).expect("tables");
    let known = KnownKeys::new(3 * (TABLE_BYTES + 64));
    let key = |i: u8| vec![i; 64];
    let stand = |i: u8| Arc::new(Stand { key: key(i), intact: AtomicBool::new(true) });
    known.put(kind, &key(1), stand(1));
    known.put(kind, &key(3), stand(3));
    let verify = |ruleset, keys: &[Vec<u8>]| {
        Arc::new(Work::Verify(SignatureWork {
            ruleset,
            options: SignatureOptions::new(MessageForm::Digest),
            keys: Keys::Inline(ColumnBuf::from_items(keys)),
            signatures: ColumnBuf::from_items(&vec![[0; 64]; keys.len()]),
            messages: ColumnBuf::from_items(&vec![[0; 32]; keys.len()]),
        }))
    };
    let with_prefix = |i| [&[4], &key(i)[..]].concat();
    let p256 = verify(Ruleset::EthereumP256Verify, &[key(1), key(2), key(3), key(1), vec![], vec![3; 20]]);
    let fabric = verify(Ruleset::Fabric, &[with_prefix(3), with_prefix(2)]);
    let other = verify(Ruleset::Sm2Digest, &[key(1), key(3)]);
    let parts = [(p256.clone(), 0..6), (other, 0..2), (fabric, 0..2), (p256.clone(), 2..4)];
    let marks = known.marks(&parts);
    assert_eq!((0..12).filter(|&item| marks.is_marked(item)).collect::<Vec<_>>(), [0, 2, 3, 8, 10, 11]);
    assert_eq!((known.stats().hits, known.stats().misses), (6, 6));
    assert_eq!(known.marks(&[(p256.clone(), 1..2)]), Marks::none());
    // The first is marked once more; of three and a new one, the other of the two makes room.
    known.put(kind, &key(4), stand(4));
    assert!(known.marks(&[(p256.clone(), 0..1)]).any());
    known.put(kind, &key(5), stand(5));
    assert_eq!(known.marks(&[(p256, 0..3)]), [true, false, false].into_iter().collect());
}
