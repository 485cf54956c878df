//! The lanes give the CPU's verdicts, set by set. The other tests of the room compare both too, on the unit that the
//! machine has; here are batches of all lengths, and plain words.

use std::sync::LazyLock;

use outrigger_types::{Ruleset, SetMode, Verdict, Work};

use super::{Set, infinity, item_work, negative, run, run_items, set_work, signed};
use crate::Unit;

const RULESET: Ruleset = Ruleset::EthereumConsensus;

/// Sets of different keys and messages.
static POOL: LazyLock<Vec<Set>> = LazyLock::new(|| (1..=40).map(|seed| signed(RULESET, seed, &[seed; 32])).collect());

#[test]
fn batches_of_all_lengths() {
    for count in (0..=17).chain([24, 40]) {
        let found = run_items(item_work(RULESET, &POOL[..count]), 0..count);
        assert_eq!(found, vec![Verdict::Valid; count]);
    }
}

/// What can be wrong with a set, and the CPU's verdict on it.
fn spoiled(set: &Set) -> Vec<Set> {
    let with = |change: &dyn Fn(&mut Set)| {
        let mut set = set.clone();
        change(&mut set);
        set
    };
    vec![
        with(&|set| set.messages[0][0] ^= 1),
        with(&|set| set.signature = negative(&set.signature)),
        with(&|set| set.keys[0] = negative(&set.keys[0])),
        with(&|set| set.signature = infinity(&set.signature)),
        with(&|set| set.keys[0] = infinity(&set.keys[0])),
        with(&|set| set.signature[0] &= 0x7f),
        with(&|set| set.signature[95] ^= 1),
        with(&|set| set.keys[0][47] ^= 1),
        with(&|set| set.keys[0][1..].fill(0xff)),
        with(&|set| set.signature[48] |= 0x20),
        with(&|set| set.signature[48..].fill(0xff)),
        with(&|set| set.keys[0].truncate(47)),
        with(&|set| set.signature.push(0)),
    ]
}

#[test]
fn a_bad_set_in_every_lane() {
    let count = 11;
    for (i, kind) in spoiled(&POOL[0]).iter().enumerate().take(3) {
        for at in 0..count {
            let mut sets = POOL[..count].to_vec();
            sets[at] = kind.clone();
            let found = run_items(item_work(RULESET, &sets), 0..count);
            assert_eq!(found.iter().filter(|&&verdict| verdict != Verdict::Valid).count(), 1, "kind {i} at {at}");
        }
    }
    for at in 0..count {
        let mut sets = POOL[..count].to_vec();
        let kinds = spoiled(&sets[at]);
        sets[at] = kinds[3 + at % (kinds.len() - 3)].clone();
        let found = run_items(item_work(RULESET, &sets), 0..count);
        assert_eq!(found.iter().filter(|&&verdict| verdict != Verdict::Valid).count(), 1, "at {at}");
    }
}

#[test]
fn many_bad_sets_of_all_kinds() {
    let sets: Vec<Set> = POOL.iter().take(5).flat_map(|set| [spoiled(set), vec![set.clone()]].concat()).collect();
    run_items(item_work(RULESET, &sets), 0..sets.len());
    run(&Work::VerifySets(set_work(RULESET, SetMode::Single, &sets)), 3..sets.len() - 2);
}

/// Equal sets meet equal points in every sum.
#[test]
fn the_same_set_many_times() {
    let sets = vec![POOL[3].clone(); 33];
    assert_eq!(run_items(item_work(RULESET, &sets), 0..33), [Verdict::Valid; 33]);
}

/// Points that are no signatures: the generators and their negatives, as key and as signature.
#[test]
fn generators() {
    let generator_1 = blst::min_pk::SecretKey::from_bytes(&one()).expect("one").sk_to_pk().compress().to_vec();
    let generator_2 = blst::min_sig::SecretKey::from_bytes(&one()).expect("one").sk_to_pk().compress().to_vec();
    let mut sets = POOL[..8].to_vec();
    for (key, signature) in [
        (generator_1.clone(), generator_2.clone()),
        (negative(&generator_1), generator_2.clone()),
        (generator_1.clone(), negative(&generator_2)),
    ] {
        sets.push(Set::single(key, vec![5; 32], signature));
    }
    let found = run_items(item_work(RULESET, &sets), 0..sets.len());
    assert_eq!(found[..8], [Verdict::Valid; 8]);
    assert_eq!(found[8..], [Verdict::Invalid; 3]);
}

fn one() -> [u8; 32] {
    let mut one = [0; 32];
    one[31] = 1;
    one
}

/// All of it once more on plain words, in one batch that fails and one that does not.
#[test]
fn plain_words() {
    let mut sets = POOL[..9].to_vec();
    for (expected, change) in [(Verdict::Valid, false), (Verdict::Invalid, true)] {
        if change {
            sets[4].messages[0][0] ^= 1;
        }
        let work = Work::Verify(item_work(RULESET, &sets));
        let found = crate::lanes::run(Unit::PORTABLE, &work, 0..9).verdicts;
        assert_eq!(found, crate::run(&work, 0..9).verdicts);
        assert_eq!(found[4], expected);
    }
}
