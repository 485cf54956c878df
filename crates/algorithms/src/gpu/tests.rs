//! Marked items in all rooms that have combs of known signers: whatever is marked, and whatever happens to combs, the
//! answers are those without.

use std::sync::Arc;

use outrigger_types::packed::{self, Marks};
use outrigger_types::{
    ColumnBuf, Keys, MessageForm, Operation, Output, Ruleset, SignatureOptions, SignatureWork, Work,
};

use super::combs::COMB_BYTES;
use super::on_host::Here;
use super::{CombStats, Resident, Session, answer};
use crate::known_keys::kind_of;
use crate::planted::{self, Plant};
use crate::registry;

/// A ruleset of each kernel that takes combs, with the name of its room's.
const EACH: [(Ruleset, &str); 5] = [
    (Ruleset::Fabric, "p256"),
    (Ruleset::Sm2Message, "sm2"),
    (Ruleset::Bitcoin, "secp256k1"),
    (Ruleset::FiscoSecp256k1, "secp256k1"),
    (Ruleset::Bip340, "secp256k1"),
];

/// Which items are marked.
type IsMarked = fn(usize) -> bool;

/// Different keys among the planted items of a ruleset.
const KEYS: usize = 5;

/// Items of the five keys by turns, every fourth of them with another message, none of them malformed.
fn planted_work(ruleset: Ruleset, items: usize) -> SignatureWork {
    let plants: Vec<Plant> = (0..items).map(|i| if i % 4 == 2 { Plant::OtherMessage } else { Plant::Good }).collect();
    match planted::work(Operation::Verify(ruleset), &plants) {
        Some(Work::Verify(work)) => work,
        _ => panic!("nothing to plant for {ruleset}"),
    }
}

/// The items with these keys alone.
fn of_keys(work: &SignatureWork, keys: &[usize]) -> Work {
    let picked: Vec<usize> = (0..work.signatures.len()).filter(|item| keys.contains(&(item % KEYS))).collect();
    let column =
        |part: &dyn Fn(usize) -> Vec<u8>| ColumnBuf::from_items(&picked.iter().map(|&i| part(i)).collect::<Vec<_>>());
    Work::Verify(SignatureWork {
        ruleset: work.ruleset,
        options: work.options.clone(),
        keys: Keys::Inline(column(&|i| work.keys.item(i).to_vec())),
        signatures: column(&|i| work.signature(i).to_vec()),
        messages: column(&|i| work.message(i).to_vec()),
    })
}

fn expected(work: &Work) -> Output {
    registry::run(work, 0..work.items())
}

fn all(items: usize) -> Marks {
    (0..items).map(|_| true).collect()
}

#[test]
fn no_answer_depends_on_marks() {
    let here = Here::new(Resident::default());
    for &ruleset in Ruleset::ALL.iter().filter(|&&ruleset| kind_of(ruleset).is_some()) {
        let work = planted::work(Operation::Verify(ruleset), &planted::mixed(41)).expect("planted");
        let expected = expected(&work);
        let sorts: [(&str, IsMarked); 6] = [
            ("none", |_| false),
            ("all", |_| true),
            ("every other", |item| item % 2 == 0),
            ("all but a few", |item| item % 9 > 0),
            ("a few", |item| item % 9 == 0),
            ("the last", |item| item == 40),
        ];
        for (name, is_marked) in sorts {
            let marks = (0..41).map(is_marked).collect();
            assert_eq!(here.run(&work, &marks), expected, "{ruleset}, marked: {name}");
            // More by combs, or without, than there are lanes for, and fewer.
            assert_eq!(here.run_in_parts(&work, &marks), expected, "{ruleset}, marked: {name}, in parts");
        }
    }
}

/// What a worker gets and gives: segments of two requests in one batch, marks across them.
#[test]
fn marks_travel_with_packed_work() {
    for (ruleset, room) in EACH {
        let here = Here::new(Resident::default());
        let work = Arc::new(Work::Verify(planted_work(ruleset, 40)));
        let parts = [(work.clone(), 3..30), (work.clone(), 0..20)];
        let marks = (0..47).map(|item| item % 6 > 0).collect();
        let mut input = vec![0; packed::packed_len(&parts, &marks)];
        packed::pack(&parts, &marks, &mut input);
        let mut output = vec![0; packed::answer_len(&parts)];
        let nonce = 0x5eed_0000_1111_2222;
        let answered = here.with_session(47, |session| {
            let mut own = Session::new(session.queue(), &here.resident, nonce);
            answer(&mut own, nonce, &input, &mut output)
        });
        let length = answered.expect("the device runs kernels");
        let found = packed::read_answer(nonce, work.operation(), 47, &output[..length]).expect("an answer");
        let mut wanted = registry::run(&work, 3..30);
        wanted.append(registry::run(&work, 0..20));
        assert_eq!(found, wanted, "{ruleset}");
        assert_eq!(here.resident.comb_stats(room).combs, KEYS, "{ruleset}: by combs");
    }
}

/// A comb in which bits flipped refuses what is valid. Nobody gets a wrong verdict, it is gone after the first batch,
/// and its key gets another.
#[test]
fn a_damaged_comb_decides_nothing() {
    for (ruleset, room) in EACH {
        let here = Here::new(Resident::default());
        let work = Work::Verify(planted_work(ruleset, 40));
        let expected = expected(&work);
        assert_eq!(here.run(&work, &all(40)), expected, "{ruleset}");
        assert_eq!(here.resident.comb_stats(room), CombStats { builds: 5, combs: 5, ..CombStats::default() });
        let damage = |session: &mut Session<'_>| {
            // A bit in each row of the first window of the third slot: all signatures meet one.
            let combs = here.resident.combs_of(room).expect("combs");
            let mut rows = vec![0; 128 * 64];
            session.queue().read(&combs, 2 * COMB_BYTES, &mut rows)?;
            rows.iter_mut().step_by(64).for_each(|byte| *byte ^= 4);
            session.queue().write(&combs, 2 * COMB_BYTES, &rows)?;
            session.queue().finish()
        };
        here.with_session(1, damage).expect("bytes are written");
        assert_eq!(here.run(&work, &all(40)), expected, "{ruleset}, damaged");
        let after = CombStats { builds: 5, damaged: 1, combs: 4, evictions: 0 };
        assert_eq!(here.resident.comb_stats(room), after, "{ruleset}");
        assert_eq!(here.run(&work, &all(40)), expected, "{ruleset}, built again");
        assert_eq!(here.resident.comb_stats(room), CombStats { builds: 6, combs: 5, ..after }, "{ruleset}");
    }
}

/// A comb of another key stands for one that was overwritten: signatures of its own key are refused, none of another's
/// is taken for valid.
#[test]
fn a_comb_of_another_key_decides_nothing() {
    for (ruleset, room) in EACH {
        let here = Here::new(Resident::default());
        let work = Work::Verify(planted_work(ruleset, 40));
        let expected = expected(&work);
        assert_eq!(here.run(&work, &all(40)), expected, "{ruleset}");
        let swap = |session: &mut Session<'_>| {
            let combs = here.resident.combs_of(room).expect("combs");
            let mut comb = vec![0; COMB_BYTES];
            session.queue().read(&combs, COMB_BYTES, &mut comb)?;
            session.queue().write(&combs, 0, &comb)?;
            session.queue().finish()
        };
        here.with_session(1, swap).expect("bytes are written");
        assert_eq!(here.run(&work, &all(40)), expected, "{ruleset}, overwritten");
        assert_eq!((here.resident.comb_stats(room).damaged, here.resident.comb_stats(room).combs), (1, 4), "{ruleset}");
    }
}

/// More keys than slots: who came first stays while it is used, and makes room when it is not.
#[test]
fn combs_make_room_for_others() {
    let here = Here::new(Resident::with_comb_bytes(2 * COMB_BYTES));
    let whole = planted_work(Ruleset::EthereumP256Verify, 40);
    let work = Work::Verify(whole.clone());
    for _ in 0..20 {
        assert_eq!(here.run(&work, &all(40)), expected(&work));
    }
    assert_eq!(here.resident.comb_stats("p256"), CombStats { builds: 2, combs: 2, ..CombStats::default() });
    // The first of the two is used on, the other is not.
    let others = of_keys(&whole, &[0, 3, 4]);
    for _ in 0..20 {
        assert_eq!(here.run(&others, &all(others.items())), expected(&others));
    }
    assert_eq!(here.resident.comb_stats("p256"), CombStats { builds: 3, evictions: 1, damaged: 0, combs: 2 });
    assert_eq!(here.run(&work, &all(40)), expected(&work));
}

/// Two queues with batches of different keys, as many as there are slots and more: combs in use are not overwritten.
#[test]
fn queues_share_combs() {
    let here = Here::new(Resident::with_comb_bytes(3 * COMB_BYTES));
    let whole = planted_work(Ruleset::Sm2Digest, 30);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (here, whole) = (&here, &whole);
            scope.spawn(move || {
                for round in 0..60 {
                    // Each key is left alone for so long now and then that its comb makes room.
                    let keys = [(thread + round / 20) % KEYS, (thread + 2 + round / 20) % KEYS];
                    let work = of_keys(whole, &keys);
                    assert_eq!(here.run(&work, &all(work.items())), expected(&work), "thread {thread}, round {round}");
                }
            });
        }
    });
    let stats = here.resident.comb_stats("sm2");
    assert_eq!((stats.damaged, stats.combs), (0, 3), "{stats:?}");
    assert!(stats.evictions > 0, "{stats:?}");
}

/// What a batch holds stays where it is, however long others ask for its room.
#[test]
fn combs_that_are_held_stay() {
    let here = Here::new(Resident::with_comb_bytes(COMB_BYTES));
    let whole = planted_work(Ruleset::EthereumP256Verify, 20);
    let (first, second) = (of_keys(&whole, &[1]), of_keys(&whole, &[2]));
    here.run(&first, &all(4));
    let kind = super::CombKind { name: "p256", kernel: "p256_signer_tables" };
    let held = here.with_session(1, |session| {
        let Work::Verify(work) = &first else { unreachable!("signatures") };
        let (words, _) = work.keys.item(0).as_chunks::<32>();
        let mut key = [0; 17];
        key[..8].copy_from_slice(&super::number(&words[0]));
        key[8..16].copy_from_slice(&super::number(&words[1]));
        session.combs(kind, &[key])
    });
    let held = held.expect("the device answers").expect("there is memory");
    assert_eq!(held.slots(), [Some(0)]);
    for _ in 0..40 {
        assert_eq!(here.run(&second, &all(4)), expected(&second));
    }
    assert_eq!(here.resident.comb_stats("p256"), CombStats { builds: 1, combs: 1, ..CombStats::default() });
    drop(held);
    assert_eq!(here.run(&second, &all(4)), expected(&second));
    assert_eq!(here.resident.comb_stats("p256"), CombStats { builds: 2, evictions: 1, damaged: 0, combs: 1 });
}

/// Where there is no memory for combs, everything goes on without.
#[test]
fn without_memory_there_are_no_combs() {
    let work = Work::Verify(planted_work(Ruleset::Fabric, 40));
    for (resident, memory) in [(Resident::default(), 4 << 20), (Resident::with_comb_bytes(8 << 20), 4 << 20)] {
        let here = Here::with_memory(memory, resident);
        assert_eq!(here.run(&work, &all(40)), expected(&work));
        assert_eq!(here.resident.comb_stats("p256"), CombStats::default());
    }
}

#[test]
fn keys_that_are_no_points_get_no_comb() {
    let options = SignatureOptions::new(MessageForm::Digest);
    let (signature, digest) = ([&[0; 31][..], &[1], &[0; 31], &[2]].concat(), [7; 32]);
    for (ruleset, room, key, others) in [
        (Ruleset::EthereumP256Verify, "p256", vec![5; 64], signature.clone()),
        (Ruleset::Sm2Digest, "sm2", vec![5; 64], signature.clone()),
        // No point has x = 5.
        (Ruleset::Bip340, "secp256k1", [&[0; 31][..], &[5]].concat(), signature),
    ] {
        let here = Here::new(Resident::default());
        let work = Work::Verify(SignatureWork {
            ruleset,
            options: options.clone(),
            keys: Keys::Inline(ColumnBuf::from_items(&vec![key; 9])),
            signatures: ColumnBuf::from_items(&vec![others; 9]),
            messages: ColumnBuf::from_items(&[digest; 9]),
        });
        assert_eq!(here.run(&work, &all(9)), expected(&work), "{ruleset}");
        assert_eq!(here.resident.comb_stats(room), CombStats::default(), "{ruleset}");
    }
}
