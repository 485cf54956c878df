use std::sync::Arc;

use outrigger_groth16::Proof;
use outrigger_groth16::formats::json;
use outrigger_types::{ColumnBuf, Curve, Operation, ProofKey, Work};

use super::*;
use crate::registry;

/// What snarkjs made of one circuit: see `crates/groth16/vectors/product/README.md`.
macro_rules! made_by_snarkjs {
    ($curve:literal) => {
        [
            include_bytes!(concat!("../../../groth16/vectors/product/", $curve, "/verification_key.json")),
            include_bytes!(concat!("../../../groth16/vectors/product/", $curve, "/proof.json")),
            include_bytes!(concat!("../../../groth16/vectors/product/", $curve, "/public.json")),
        ] as [&[u8]; 3]
    };
}

fn vectors() -> [(Curve, [&'static [u8]; 3]); 2] {
    [(Curve::Bn254, made_by_snarkjs!("bn128")), (Curve::Bls12_381, made_by_snarkjs!("bls12381"))]
}

fn read([key, proof, public]: [&[u8]; 3]) -> (Arc<ProofKey>, Proof) {
    (Arc::new(json::read_verifying_key(key).unwrap()), json::read_proof(proof, public).unwrap())
}

fn work(key: &Arc<ProofKey>, proofs: &[Proof]) -> Work {
    let bytes: Vec<_> = proofs.iter().map(|proof| &proof.bytes).collect();
    let signals: Vec<_> = proofs.iter().map(|proof| &proof.public_signals).collect();
    Work::VerifyProofs(ProofWork {
        key: Arc::clone(key),
        proofs: ColumnBuf::from_items(&bytes),
        public_signals: ColumnBuf::from_items(&signals),
    })
}

#[test]
fn the_proofs_of_snarkjs_are_valid_and_others_are_not() {
    for (curve, files) in vectors() {
        let (key, good) = read(files);
        let (mut other_signal, mut off_curve) = (good.clone(), good.clone());
        *other_signal.public_signals.last_mut().unwrap() ^= 1;
        *off_curve.bytes.last_mut().unwrap() ^= 1;
        let work = work(&key, &[good.clone(), other_signal, good.clone(), off_curve, good]);
        assert_eq!(work.operation(), Operation::VerifyProofs(curve));
        let expected = [Verdict::Valid, Verdict::Invalid, Verdict::Valid, Verdict::Malformed, Verdict::Valid];
        assert_eq!(registry::run(&work, 0..5).verdicts, expected);
        for range in [0..0, 0..1, 1..3, 2..5, 4..5] {
            assert_eq!(registry::run(&work, range.clone()).verdicts, expected[range]);
        }
    }
}

#[test]
fn a_key_that_is_not_usable_judges_nothing() {
    let (key, good) = read(vectors()[0].1);
    let mut bytes = key.bytes.to_vec();
    bytes.truncate(bytes.len() - 1);
    let cut = Arc::new(ProofKey::new(key.curve, bytes.into()));
    assert_eq!(registry::run(&work(&cut, &[good]), 0..1).verdicts, [Verdict::Unprocessed]);
}
