use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::known_keys::apart::run_by_table;

mod adversarial;
mod arithmetic;
mod gpu;
mod lanes;
mod plain;
mod requests;
mod rulesets;

/// What the three judges say of one item; they must agree.
fn judged(key: &[u8; 64], e: &[u8; 32], signature: &[u8; 64]) -> Verdict {
    let expected = reference::verify(key, e, signature);
    let own = match engine::Key::decode(key) {
        Some(key) => engine::verify(&key, e, signature),
        None => Verdict::Malformed,
    };
    assert_eq!(own, expected, "{} {} {}", hex::encode(key), hex::encode(e), hex::encode(signature));
    let work = lanes::work(Ruleset::Sm2Digest, &[(key.to_vec(), signature.to_vec(), e.to_vec())]);
    if gpu::is_asked() {
        assert_eq!(gpu::run(&work), [expected], "{}", hex::encode(key));
    }
    if let Some(unit) = crate::Unit::detect() {
        assert_eq!(lanes::run(unit, &work, 0..1), [expected]);
        let (by_table, _) = run_by_table(unit, &work).expect("this room has tables");
        assert_eq!(by_table.verdicts, [expected]);
    }
    expected
}

/// As [`judged`], with the slow third judge.
fn judged_by_all(key: &[u8; 64], e: &[u8; 32], signature: &[u8; 64]) -> Verdict {
    let expected = judged(key, e, signature);
    assert_eq!(plain::verify(key, e, signature), expected, "{} {}", hex::encode(key), hex::encode(signature));
    expected
}

/// A signing key of an independent library.
fn signer(random: &mut StdRng, identity: &str) -> ::sm2::dsa::SigningKey {
    loop {
        if let Ok(secret) = ::sm2::dsa::SigningKey::from_slice(identity, &random.random::<[u8; 32]>()) {
            return secret;
        }
    }
}

/// Its key as x‖y.
fn key_of(secret: &::sm2::dsa::SigningKey) -> [u8; 64] {
    secret.verifying_key().to_sec1_bytes()[1..].try_into().expect("65 bytes")
}
