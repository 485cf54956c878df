//! The lanes give the CPU's verdicts, set by set. The other tests of the room compare both too, on the unit that the
//! machine has; here are batches of all lengths, sets of many keys, and plain words.

use std::sync::LazyLock;

use outrigger_types::{Ruleset, SetMode, Verdict, Work};

use super::{BOTH, Set, aggregate, infinity, item_work, negative, run, run_items, run_sets, set_work, sign, signed};
use crate::Unit;

/// Sets of different keys and messages, of both rulesets.
static POOL: LazyLock<[Vec<Set>; 2]> =
    LazyLock::new(|| BOTH.map(|ruleset| (1..=24).map(|seed| signed(ruleset, seed, &[seed; 32])).collect()));

/// Each ruleset with its sets.
fn pools() -> impl Iterator<Item = (Ruleset, &'static [Set])> {
    BOTH.into_iter().zip(POOL.iter().map(Vec::as_slice))
}

#[test]
fn batches_of_all_lengths() {
    for (ruleset, pool) in pools() {
        for count in (0..=17).chain([24]) {
            let found = run_items(item_work(ruleset, &pool[..count]), 0..count);
            assert_eq!(found, vec![Verdict::Valid; count], "{ruleset}");
        }
    }
}

/// What can be wrong with a set, and the CPU's verdict on it.
fn spoiled(set: &Set) -> Vec<Set> {
    let with = |change: &dyn Fn(&mut Set)| {
        let mut set = set.clone();
        change(&mut set);
        set
    };
    // In points of G2, the first byte of the second half has no flags.
    let second_half = |point: &mut Vec<u8>| {
        let middle = point.len() / 2;
        point[middle] ^= 0x20;
    };
    vec![
        with(&|set| set.messages[0][0] ^= 1),
        with(&|set| set.signature = negative(&set.signature)),
        with(&|set| set.keys[0] = negative(&set.keys[0])),
        with(&|set| set.signature = infinity(&set.signature)),
        with(&|set| set.keys[0] = infinity(&set.keys[0])),
        with(&|set| set.signature[0] &= 0x7f),
        with(&|set| *set.signature.last_mut().expect("bytes") ^= 1),
        with(&|set| *set.keys[0].last_mut().expect("bytes") ^= 1),
        with(&|set| set.keys[0][1..].fill(0xff)),
        with(&|set| second_half(&mut set.signature)),
        with(&|set| second_half(&mut set.keys[0])),
        with(&|set| {
            set.signature[1..].fill(0);
            set.signature[0] = 0x80;
        }),
        with(&|set| {
            set.keys[0][1..].fill(0);
            set.keys[0][0] = 0x80;
        }),
        with(&|set| set.keys[0].truncate(47)),
        with(&|set| set.signature.push(0)),
    ]
}

#[test]
fn a_bad_set_in_every_lane() {
    let count = 11;
    for (ruleset, pool) in pools() {
        for at in 0..count {
            // One whose equation fails, and one that is not fine.
            let kinds = spoiled(&pool[at]);
            for kind in [at % 3, 3 + at % (kinds.len() - 3)] {
                let mut sets = pool[..count].to_vec();
                sets[at] = kinds[kind].clone();
                let found = run_items(item_work(ruleset, &sets), 0..count);
                let bad = found.iter().filter(|&&verdict| verdict != Verdict::Valid).count();
                assert_eq!(bad, 1, "{ruleset}: kind {kind} at {at}");
            }
        }
    }
}

/// More than are tried again in halves.
#[test]
fn many_bad_sets_of_all_kinds() {
    for (ruleset, pool) in pools() {
        let sets: Vec<Set> = pool.iter().take(3).flat_map(|set| [spoiled(set), vec![set.clone()]].concat()).collect();
        run_items(item_work(ruleset, &sets), 0..sets.len());
        run(&Work::VerifySets(set_work(ruleset, SetMode::Single, &sets)), 3..sets.len() - 2);
    }
}

/// Equal sets meet equal points in every sum.
#[test]
fn the_same_set_many_times() {
    for (ruleset, pool) in pools() {
        let mut sets = vec![pool[3].clone(); 19];
        assert_eq!(run_items(item_work(ruleset, &sets), 0..19), [Verdict::Valid; 19], "{ruleset}");
        sets[9].signature = negative(&sets[9].signature);
        let found = run_items(item_work(ruleset, &sets), 0..19);
        assert_eq!(found.iter().filter(|&&verdict| verdict != Verdict::Valid).count(), 1, "{ruleset}");
    }
}

/// Points that are no signatures: the generators and their negatives, as key and as signature.
#[test]
fn generators() {
    let generator_1 = blst::min_pk::SecretKey::from_bytes(&one()).expect("one").sk_to_pk().compress().to_vec();
    let generator_2 = blst::min_sig::SecretKey::from_bytes(&one()).expect("one").sk_to_pk().compress().to_vec();
    for (ruleset, pool) in pools() {
        let (key, signature) = match ruleset {
            Ruleset::EthereumConsensus => (&generator_1, &generator_2),
            _ => (&generator_2, &generator_1),
        };
        let mut sets = pool[..8].to_vec();
        for (key, signature) in
            [(key.clone(), signature.clone()), (negative(key), signature.clone()), (key.clone(), negative(signature))]
        {
            sets.push(Set::single(key, vec![5; 32], signature));
        }
        let found = run_items(item_work(ruleset, &sets), 0..sets.len());
        assert_eq!(found[..8], [Verdict::Valid; 8], "{ruleset}");
        assert_eq!(found[8..], [Verdict::Invalid; 3], "{ruleset}");
    }
}

fn one() -> [u8; 32] {
    let mut one = [0; 32];
    one[31] = 1;
    one
}

/// A set of the keys of some seeds that all sign one message.
fn together(ruleset: Ruleset, seeds: &[u8], message: &[u8]) -> Set {
    let signatures: Vec<_> = seeds.iter().map(|&seed| sign(ruleset, seed, message)).collect();
    Set {
        keys: seeds.iter().map(|&seed| super::key(ruleset, seed)).collect(),
        messages: vec![message.to_vec()],
        signature: aggregate(ruleset, &signatures),
    }
}

/// Sets of 1 to 17 keys in one batch, and in each a bad one at another place.
#[test]
fn sets_of_all_numbers_of_keys() {
    for ruleset in BOTH {
        let seeds: Vec<u8> = (1..=17).collect();
        let good: Vec<Set> = (1..=17).map(|count| together(ruleset, &seeds[..count], &[count as u8])).collect();
        let work = set_work(ruleset, SetMode::FastAggregate, &good);
        assert_eq!(run_sets(work, 0..17), [Verdict::Valid; 17], "{ruleset}");
        let mut bad = good.clone();
        for (i, set) in bad.iter_mut().enumerate().filter(|(i, _)| i % 2 == 0) {
            let at = i / 2;
            match i % 8 {
                0 => set.keys[at] = super::key(ruleset, 99),
                2 => set.keys[at] = negative(&set.keys[at]),
                4 => set.keys[at] = infinity(&set.keys[at]),
                _ => set.keys[at][0] &= 0x7f,
            }
        }
        let expected = |i: usize| match i % 8 {
            0 | 2 | 4 => Verdict::Invalid,
            6 => Verdict::Malformed,
            _ => Verdict::Valid,
        };
        let found = run_sets(set_work(ruleset, SetMode::EthereumFastAggregate, &bad), 0..17);
        assert_eq!(found, (0..17).map(expected).collect::<Vec<_>>(), "{ruleset}");
    }
}

/// Keys that repeat, in patterns by which equal sums meet in every round of additions, and keys that cancel: all of
/// them, some of them, and so that two partial sums are opposite.
#[test]
fn keys_that_repeat_and_cancel() {
    use Verdict::{Invalid, Valid};
    for ruleset in BOTH {
        let message = b"root";
        let patterns: [&[u8]; 5] =
            [&[1; 2], &[1; 16], &[1; 13], &[1, 2, 3, 4, 1, 2, 3, 4], &[1, 1, 2, 2, 1, 1, 2, 2, 3]];
        let mut sets: Vec<Set> = patterns.iter().map(|seeds| together(ruleset, seeds, message)).collect();
        let mut expected = vec![Valid; sets.len()];
        let with = |base: &[u8], pairs: &[u8], interleaved: bool| {
            let mut set = together(ruleset, base, message);
            let opposite: Vec<_> = pairs.iter().map(|&seed| negative(&super::key(ruleset, seed))).collect();
            for (&seed, opposite) in pairs.iter().zip(opposite) {
                set.keys.insert(0, super::key(ruleset, seed));
                set.keys.insert(if interleaved { 1 } else { set.keys.len() }, opposite);
            }
            set
        };
        for interleaved in [false, true] {
            for base in [&[5_u8][..], &[5, 6, 7], &[5, 6, 7, 8]] {
                for pairs in [&[1_u8][..], &[1, 1], &[1, 2, 3], &[5]] {
                    sets.push(with(base, pairs, interleaved));
                    expected.push(Valid);
                }
            }
        }
        // Nothing is left: infinity is no key, whatever the signature.
        let mut nothing = with(&[5], &[1, 2, 3], true);
        nothing.keys.pop();
        sets.push(nothing.clone());
        nothing.signature = infinity(&nothing.signature);
        sets.push(nothing);
        expected.extend([Invalid; 2]);
        let count = sets.len();
        let found = run_sets(set_work(ruleset, SetMode::FastAggregate, &sets), 0..count);
        assert_eq!(found, expected, "{ruleset}");
    }
}

/// One message, or one key, for many sets: each different pairing is made once.
#[test]
fn what_is_shared_is_paired_once() {
    for ruleset in BOTH {
        let of_one_message: Vec<Set> = (1..=11).map(|seed| signed(ruleset, seed, b"same")).collect();
        let of_one_key: Vec<Set> = (1..=11).map(|message| signed(ruleset, 7, &[message])).collect();
        let mixed = [of_one_message.clone(), of_one_key.clone()].concat();
        for good in [of_one_message, of_one_key, mixed] {
            let count = good.len();
            assert_eq!(run_items(item_work(ruleset, &good), 0..count), vec![Verdict::Valid; count], "{ruleset}");
            let mut bad = good.clone();
            bad.swap(0, 1);
            bad[count - 1].signature = good[0].signature.clone();
            let found = run_items(item_work(ruleset, &bad), 0..count);
            assert_eq!(found.iter().filter(|&&verdict| verdict != Verdict::Valid).count(), 1, "{ruleset}");
        }
    }
}

/// Aggregates over messages, some of them with equal keys or messages.
#[test]
fn aggregates_of_many_messages() {
    for (ruleset, pool) in pools() {
        let aggregate_of = |parts: &[Set]| Set {
            keys: parts.iter().flat_map(|part| part.keys.clone()).collect(),
            messages: parts.iter().flat_map(|part| part.messages.clone()).collect(),
            signature: aggregate(ruleset, &parts.iter().map(|part| part.signature.clone()).collect::<Vec<_>>()),
        };
        let mut sets: Vec<Set> = (1..=9).map(|count| aggregate_of(&pool[..count])).collect();
        sets.push(aggregate_of(&[signed(ruleset, 1, b"a"), signed(ruleset, 1, b"b"), signed(ruleset, 2, b"c")]));
        let count = sets.len();
        let found = run_sets(set_work(ruleset, SetMode::Aggregate, &sets), 0..count);
        assert_eq!(found, vec![Verdict::Valid; count], "{ruleset}");
        for (i, set) in sets.iter_mut().enumerate().skip(1).step_by(2) {
            set.messages.swap(i % set.keys.len(), (i + 1) % set.keys.len());
        }
        let found = run_sets(set_work(ruleset, SetMode::Aggregate, &sets), 0..count);
        // The last has the same key for both messages that were swapped.
        assert_eq!(found.iter().filter(|&&verdict| verdict == Verdict::Invalid).count(), 4, "{ruleset}");
    }
}

/// All of it once more on plain words, in one batch that fails and one that does not.
#[test]
fn plain_words() {
    for (ruleset, pool) in pools() {
        let mut sets = pool[..6].to_vec();
        let mut work = set_work(ruleset, SetMode::FastAggregate, &sets);
        for (count, expected) in [(6, Verdict::Valid), (9, Verdict::Invalid)] {
            if count == 9 {
                sets.push(together(ruleset, &[1, 2, 1, 2, 3], b"root"));
                sets.push(together(ruleset, &[4, 5], b"root"));
                sets.push(Set { keys: vec![sets[0].keys[0].clone(), negative(&sets[0].keys[0])], ..sets[0].clone() });
                sets[4].messages[0][0] ^= 1;
                work = set_work(ruleset, SetMode::FastAggregate, &sets);
            }
            let work = Work::VerifySets(work.clone());
            let found = crate::lanes::run(Unit::PORTABLE, &work, 0..count).verdicts;
            assert_eq!(found, crate::run(&work, 0..count).verdicts, "{ruleset}");
            assert_eq!(found[4], expected, "{ruleset}");
        }
    }
}
