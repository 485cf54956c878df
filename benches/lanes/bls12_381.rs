//! Sets of a key, a message and a signature over BLS12-381, from bytes: lanes against blst's
//! `verify_multiple_aggregate_signatures` with 128-bit coefficients. Keys and messages all differ, and blst decodes and
//! validates keys and signatures as the lanes do.

use std::hint::black_box;

use blst::{BLST_ERROR, blst_scalar, min_pk};
use outrigger_algorithms::Unit;
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};

#[path = "pairs.rs"]
mod pairs;

const TAG: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    for count in [8, 32, 64, 128, 256] {
        let secrets: Vec<_> = (0..count)
            .map(|i| min_pk::SecretKey::key_gen(&[i as u8; 32], &(i as u32).to_be_bytes()).expect("a secret"))
            .collect();
        let messages: Vec<Vec<u8>> = (0..count as u32).map(|i| i.to_be_bytes().repeat(8)).collect();
        let keys: Vec<_> = secrets.iter().map(|secret| secret.sk_to_pk().compress()).collect();
        let signatures: Vec<_> =
            secrets.iter().zip(&messages).map(|(secret, message)| secret.sign(message, TAG, &[]).compress()).collect();
        let work = Work::Verify(SignatureWork {
            ruleset: Ruleset::EthereumConsensus,
            options: SignatureOptions::new(MessageForm::Message),
            keys: Keys::Inline(ColumnBuf::from_items(&keys)),
            signatures: ColumnBuf::from_items(&signatures),
            messages: ColumnBuf::from_items(&messages),
        });
        let parts: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        pairs::compare(
            "bls12-381, ethereum-consensus, distinct messages",
            count,
            || {
                let output = outrigger_algorithms::lanes::run(unit, &work, 0..count);
                assert!(output.verdicts.iter().all(|&verdict| verdict == Verdict::Valid));
            },
            || by_blst(black_box(&keys), &signatures, &parts),
        );
    }
}

fn by_blst(keys: &[[u8; 48]], signatures: &[[u8; 96]], messages: &[&[u8]]) {
    let keys: Vec<_> = keys.iter().map(|key| min_pk::PublicKey::key_validate(key).expect("a key")).collect();
    let signatures: Vec<_> = signatures
        .iter()
        .map(|signature| min_pk::Signature::sig_validate(signature, false).expect("a signature"))
        .collect();
    let mut bytes = vec![[0; 16]; keys.len()];
    getrandom::fill(bytes.as_flattened_mut()).expect("randomness");
    let coefficients: Vec<blst_scalar> = bytes
        .iter()
        .map(|bytes| {
            let mut coefficient = blst_scalar::default();
            coefficient.b[..16].copy_from_slice(bytes);
            coefficient
        })
        .collect();
    let error = min_pk::Signature::verify_multiple_aggregate_signatures(
        messages,
        TAG,
        &keys.iter().collect::<Vec<_>>(),
        false,
        &signatures.iter().collect::<Vec<_>>(),
        false,
        &coefficients,
        128,
    );
    assert_eq!(error, BLST_ERROR::BLST_SUCCESS);
}
