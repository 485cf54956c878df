//! Random signatures, most of them damaged, judged by `k256`: the textbook for ECDSA, its own verifier for BIP 340.

use k256::{ProjectivePoint, Scalar};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::parse::{self, HALF_ORDER, ORDER, PRIME};
use super::textbook::{self, Signature, coordinates, small};
use super::*;

const ROUNDS: usize = 1500;

/// Numbers that break arithmetic.
fn special(random: &mut StdRng) -> [u8; 32] {
    let below_order = textbook::negated(&small(1));
    let above_order = textbook::sum(&ORDER, &small(1)).expect("below 2^256");
    let above_half = textbook::sum(&HALF_ORDER, &small(1)).expect("below 2^256");
    let wrapping = small(random.random_range(2..30));
    let all = [
        [0; 32],
        small(1),
        wrapping,
        below_order,
        ORDER,
        above_order,
        HALF_ORDER,
        above_half,
        PRIME,
        [0xff; 32],
        [0x80; 32],
    ];
    all[random.random_range(0..all.len())]
}

/// A signed digest, and something done to it.
struct Case {
    digest: [u8; 32],
    signature: Signature,
    key: [u8; 64],
}

fn case(random: &mut StdRng) -> Case {
    let secret = match random.random_range(0..10) {
        0 => Scalar::from(random.random_range(1..5_u32)),
        1 => -Scalar::from(random.random_range(1..5_u32)),
        _ => textbook::reduced(&random.random()),
    };
    let digest = if random.random_range(0..8) == 0 { special(random) } else { random.random() };
    let signature = textbook::sign(&digest, &secret, &textbook::reduced(&random.random()));
    let mut case = Case { digest, signature, key: coordinates(&(ProjectivePoint::GENERATOR * secret)) };
    damage(&mut case, random);
    case
}

fn damage(case: &mut Case, random: &mut StdRng) {
    let bit = random.random_range(0..256_usize);
    let (byte, mask) = (bit / 8, 1_u8 << (bit % 8));
    let signature = &mut case.signature;
    match random.random_range(0..14) {
        0 => signature.r[byte] ^= mask,
        1 => signature.s[byte] ^= mask,
        2 => case.digest[byte] ^= mask,
        3 => case.key[byte] ^= mask,
        4 => case.key[32 + byte] ^= mask,
        5 => signature.r = special(random),
        6 => signature.s = special(random),
        7 => signature.recovery_id ^= 1,
        8 => signature.recovery_id ^= 2,
        9 => {
            // The same signature in its other form.
            signature.s = textbook::negated(&signature.s);
            signature.recovery_id ^= 1;
        }
        10 => signature.s = textbook::negated(&signature.s),
        11 => {
            // Special numbers with the key that they recover to, if there is one.
            signature.r = special(random);
            signature.s = special(random);
            signature.recovery_id = random.random_range(0..4);
            case.key = textbook::recover(&case.digest, signature).unwrap_or(case.key);
        }
        _ => {}
    }
}

/// What the page of a ruleset with r‖s‖v says, by the textbook.
fn expected_recoverable(ruleset: Ruleset, case: &Case) -> Verdict {
    let takes_wrapped = ruleset == Ruleset::FiscoSecp256k1;
    if textbook::point_of(&case.key).is_none() || (case.signature.recovery_id > 1 && !takes_wrapped) {
        return Verdict::Malformed;
    }
    let is_refused = ruleset == Ruleset::EthereumTransaction && case.signature.s > HALF_ORDER;
    let recovered = textbook::recover(&case.digest, &case.signature);
    Verdict::from_equation(!is_refused && recovered == Some(case.key))
}

#[test]
fn recoverable_signatures_are_judged_as_by_the_textbook() {
    lanes_now_and_then(8);
    let mut random = StdRng::seed_from_u64(1);
    let mut counts = [0_usize; 4];
    for round in 0..ROUNDS {
        let case = case(&mut random);
        let Signature { r, s, recovery_id } = case.signature;
        for ruleset in RECOVERABLE {
            let expected = expected_recoverable(ruleset, &case);
            let v = recovery_id + if ruleset != Ruleset::FiscoSecp256k1 && round % 2 == 0 { 27 } else { 0 };
            for key in [case.key.to_vec(), [&[4], &case.key[..]].concat()] {
                let verdict = judge(ruleset, &triple(key, joined(&r, &s, v), case.digest));
                assert_eq!(verdict, expected, "{ruleset}, round {round}");
            }
            counts[expected as usize] += 1;
            // An address cannot be malformed, so what differs is the key off the curve.
            let by_address = triple(textbook::address(&case.key), joined(&r, &s, v), case.digest);
            let is_point = textbook::point_of(&case.key).is_some();
            let expected = if is_point || recovery_id > 1 && ruleset != Ruleset::FiscoSecp256k1 {
                expected
            } else {
                Verdict::Invalid
            };
            assert_eq!(judge(ruleset, &by_address), expected, "{ruleset} by address, round {round}");
            check_recovery(ruleset, &case, v);
        }
    }
    assert!(counts[1..].iter().all(|&count| count > ROUNDS / 10), "all verdicts are met: {counts:?}");
}

fn check_recovery(ruleset: Ruleset, case: &Case, v: u8) {
    let Signature { r, s, recovery_id } = case.signature;
    let output = recover(ruleset, &triple([], joined(&r, &s, v), case.digest));
    let is_refused = ruleset == Ruleset::EthereumTransaction && s > HALF_ORDER;
    let key = textbook::recover(&case.digest, &case.signature).filter(|_| !is_refused);
    let expected = match key {
        _ if recovery_id > 1 && ruleset != Ruleset::FiscoSecp256k1 => Verdict::Malformed,
        Some(key) => {
            assert_eq!(output.fixed, [&key[..], &textbook::address(&key)].concat());
            Verdict::Valid
        }
        None => Verdict::Invalid,
    };
    assert_eq!(output.verdicts, [expected], "{ruleset}");
    let allow_high_s = ruleset == Ruleset::EthereumPrecompile;
    if recovery_id < 2 && ruleset != Ruleset::FiscoSecp256k1 {
        let address = recover_address(&case.digest, &r, &s, recovery_id == 1, allow_high_s);
        assert_eq!(address, key.map(|key| textbook::address(&key)));
    }
}

#[test]
fn bitcoin_signatures_are_judged_as_by_the_textbook() {
    lanes_now_and_then(8);
    let mut random = StdRng::seed_from_u64(2);
    let mut counts = [0_usize; 4];
    for round in 0..ROUNDS {
        let case = case(&mut random);
        let Signature { r, s, .. } = case.signature;
        let parity = case.key[63] & 1;
        let point = textbook::point_of(&case.key);
        let expected = match &point {
            Some(point) => Verdict::from_equation(textbook::verify(&case.digest, &r, &s, point)),
            None => Verdict::Malformed,
        };
        for prefix in [4, 6 + parity] {
            let item = triple([&[prefix], &case.key[..]].concat(), der(&r, &s), case.digest);
            assert_eq!(judge(Ruleset::Bitcoin, &item), expected, "round {round}");
        }
        let mut x = [0; 32];
        x.copy_from_slice(&case.key[..32]);
        let expected = match textbook::point(&x, parity) {
            Some(point) => Verdict::from_equation(textbook::verify(&case.digest, &r, &s, &point)),
            None => Verdict::Malformed,
        };
        let item = triple([&[2 + parity], &x[..]].concat(), der(&r, &s), case.digest);
        assert_eq!(judge(Ruleset::Bitcoin, &item), expected, "round {round}, compressed");
        counts[expected as usize] += 1;
    }
    assert!(counts[1..].iter().all(|&count| count > ROUNDS / 50), "all verdicts are met: {counts:?}");
}

#[test]
fn schnorr_signatures_are_judged_as_by_k256() {
    lanes_now_and_then(8);
    let mut random = StdRng::seed_from_u64(3);
    let mut counts = [0_usize; 4];
    for round in 0..ROUNDS {
        let mut message: Vec<u8> = (0..random.random_range(0..200)).map(|_| random.random()).collect();
        let key = k256::schnorr::SigningKey::from_slice(&random.random::<[u8; 32]>()).expect("a key");
        let mut signature = key.sign_raw(&message, &random.random()).expect("a signature").to_bytes();
        let mut x: [u8; 32] = key.verifying_key().to_bytes().into();
        let bit = random.random_range(0..256_usize);
        let (byte, mask) = (bit / 8, 1_u8 << (bit % 8));
        match random.random_range(0..8) {
            0 => signature[byte] ^= mask,
            1 => signature[32 + byte] ^= mask,
            2 => x[byte] ^= mask,
            3 => message.push(mask),
            4 => signature[..32].copy_from_slice(&special(&mut random)),
            5 => signature[32..].copy_from_slice(&special(&mut random)),
            _ => {}
        }
        let expected = schnorr_verdict(&x, &signature, &message);
        let mut work = work(Ruleset::Bip340, &[triple(x, signature, &message)]);
        work.options.message_form = MessageForm::Message;
        assert_eq!(verdicts(work), [expected], "round {round}");
        counts[expected as usize] += 1;
    }
    assert!(counts[1..].iter().all(|&count| count > ROUNDS / 50), "all verdicts are met: {counts:?}");
}

fn schnorr_verdict(x: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> Verdict {
    let (r, _) = parse::halves(signature);
    let Ok(key) = k256::schnorr::VerifyingKey::from_slice(x) else { return Verdict::Malformed };
    if *r >= PRIME {
        return Verdict::Malformed;
    }
    // Their decoding refuses s of 0 too, which would have to be a valid signature to differ.
    let signature = k256::schnorr::Signature::try_from(&signature[..]);
    Verdict::from_equation(signature.is_ok_and(|signature| key.verify_raw(message, &signature).is_ok()))
}
