//! Sets over BLS12-381, from bytes to verdicts: lanes against blst's `verify_multiple_aggregate_signatures` with 128-bit
//! coefficients. Both decode and validate every key and signature, and blst adds keys up where sets have many. All
//! messages differ, and so do all keys.

use std::hint::black_box;

use blst::{BLST_ERROR, blst_scalar, min_pk, min_sig};
use outrigger_algorithms::Unit;
use outrigger_types::{ColumnBuf, Keys, Ruleset, SetMode, SetWork, Verdict, Work};

#[path = "pairs.rs"]
mod pairs;

/// A bench of one arrangement: the same code over blst's two modules.
macro_rules! arrangement {
    ($name:ident, $module:ident, $ruleset:expr, $tag:literal) => {
        fn $name(unit: Unit, sets: usize, keys_each: usize) {
            const TAG: &[u8] = $tag;
            let secrets: Vec<_> = (0..(sets * keys_each) as u32)
                .map(|i| $module::SecretKey::key_gen(&[7; 32], &i.to_be_bytes()).expect("a secret"))
                .collect();
            let messages: Vec<Vec<u8>> = (0..sets as u32).map(|i| i.to_be_bytes().repeat(8)).collect();
            let keys: Vec<_> = secrets.iter().map(|secret| secret.sk_to_pk().compress()).collect();
            let signatures: Vec<_> = secrets
                .chunks(keys_each)
                .zip(&messages)
                .map(|(secrets, message)| {
                    let parts: Vec<_> = secrets.iter().map(|secret| secret.sign(message, TAG, &[])).collect();
                    let parts: Vec<_> = parts.iter().collect();
                    let sum = $module::AggregateSignature::aggregate(&parts, false).expect("signatures");
                    sum.to_signature().compress()
                })
                .collect();
            let work = Work::VerifySets(SetWork {
                ruleset: $ruleset,
                mode: SetMode::FastAggregate,
                signatures: ColumnBuf::from_items(&signatures),
                keys: Keys::Inline(ColumnBuf::from_items(&keys)),
                key_ends: (1..=sets).map(|set| (set * keys_each) as u32).collect(),
                messages: ColumnBuf::from_items(&messages),
                message_ends: (1..=sets as u32).collect(),
            });
            let parts: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let by_blst = || {
                let keys: Vec<_> = black_box(&keys)
                    .chunks(keys_each)
                    .map(|keys| {
                        let keys: Vec<_> =
                            keys.iter().map(|key| $module::PublicKey::key_validate(key).expect("a key")).collect();
                        let keys: Vec<_> = keys.iter().collect();
                        $module::AggregatePublicKey::aggregate(&keys, false).expect("keys").to_public_key()
                    })
                    .collect();
                let signatures: Vec<_> = signatures
                    .iter()
                    .map(|signature| $module::Signature::sig_validate(signature, false).expect("a signature"))
                    .collect();
                let error = $module::Signature::verify_multiple_aggregate_signatures(
                    &parts,
                    TAG,
                    &keys.iter().collect::<Vec<_>>(),
                    false,
                    &signatures.iter().collect::<Vec<_>>(),
                    false,
                    &coefficients(sets),
                    128,
                );
                assert_eq!(error, BLST_ERROR::BLST_SUCCESS);
            };
            let ruleset = $ruleset;
            pairs::compare(
                &format!("bls12-381, {ruleset}, sets of {keys_each} keys, distinct messages"),
                sets,
                || {
                    let output = outrigger_algorithms::lanes::run(unit, &work, 0..sets);
                    assert!(output.verdicts.iter().all(|&verdict| verdict == Verdict::Valid));
                },
                by_blst,
            );
        }
    };
}

arrangement!(min_key, min_pk, Ruleset::EthereumConsensus, b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_");
arrangement!(min_signature, min_sig, Ruleset::BlsMinSig, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_");

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    for sets in [1, 4, 8, 32, 64, 128] {
        min_key(unit, sets, 1);
        min_signature(unit, sets, 1);
    }
    // A sync committee, and aggregates of attestations.
    min_key(unit, 1, 512);
    min_key(unit, 16, 128);
    min_signature(unit, 4, 128);
}

fn coefficients(count: usize) -> Vec<blst_scalar> {
    let mut bytes = vec![[0; 16]; count];
    getrandom::fill(bytes.as_flattened_mut()).expect("randomness");
    let coefficient = |bytes: &[u8; 16]| {
        let mut coefficient = blst_scalar::default();
        coefficient.b[..16].copy_from_slice(bytes);
        coefficient
    };
    bytes.iter().map(coefficient).collect()
}
