//! A proof and its public signals in JSON, a zero byte between the two: written again, compressed, verified.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use outrigger_groth16::PreparedKey;
use outrigger_groth16::formats::{calldata, encoding, json};
use outrigger_types::{Curve, Verdict};

const KEYS: [&[u8]; 2] = [
    include_bytes!("../../../crates/groth16/vectors/product/bn128/verification_key.json"),
    include_bytes!("../../../crates/groth16/vectors/product/bls12381/verification_key.json"),
];

/// The keys, and how many bytes the public signals of each have.
static PREPARED: LazyLock<[(PreparedKey, usize); 2]> = LazyLock::new(|| {
    KEYS.map(|text| {
        let key = json::read_verifying_key(text).expect("a good key");
        (PreparedKey::new(&key).expect("a sound key"), 32 * key.public_signals().expect("whole points"))
    })
});

fuzz_target!(|text: &[u8]| {
    let (proof, public) = match text.iter().position(|byte| *byte == 0) {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, b"[]".as_slice()),
    };
    // The compressed forms are read from the same bytes: nobody else would try them.
    for curve in Curve::ALL {
        if let Ok(proof) = encoding::decompress(curve, text, Vec::new()) {
            assert_eq!(encoding::compress(&proof).as_deref(), Ok(text), "one point has one compressed form");
        }
    }
    let Ok(proof) = json::read_proof(proof, public) else { return };
    let (text, signals) = (json::write_proof(&proof), json::write_public(&proof));
    assert_eq!(json::read_proof(text.as_bytes(), signals.as_bytes()).as_ref(), Ok(&proof));
    let compressed = encoding::compress(&proof).expect("its points are on their curve");
    let again = encoding::decompress(proof.curve, &compressed, proof.public_signals.clone());
    assert_eq!(again.as_ref(), Ok(&proof));
    assert!(!calldata::solidity(&proof).is_empty());
    let (key, signals_bytes) = &PREPARED[usize::from(proof.curve == Curve::Bls12_381)];
    let is_malformed = key.verify(&proof.bytes, &proof.public_signals) == Verdict::Malformed;
    assert_eq!(is_malformed, proof.public_signals.len() != *signals_bytes, "all else decodes");
});
