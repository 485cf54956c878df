//! A verifying key in JSON: what is read is written, and verifies or refuses a proof.

#![no_main]

use libfuzzer_sys::fuzz_target;
use outrigger_groth16::PreparedKey;
use outrigger_groth16::formats::json;

const PROOF: &[u8] = include_bytes!("../../../crates/groth16/vectors/product/bn128/proof.json");
const PUBLIC: &[u8] = include_bytes!("../../../crates/groth16/vectors/product/bn128/public.json");

fuzz_target!(|text: &[u8]| {
    let Ok(key) = json::read_verifying_key(text) else { return };
    let written = json::write_verifying_key(&key).expect("its points were checked");
    let again = json::read_verifying_key(written.as_bytes()).expect("what was written");
    assert_eq!((again.curve, &again.bytes), (key.curve, &key.bytes));
    let Ok(prepared) = PreparedKey::new(&key) else { return };
    let proof = json::read_proof(PROOF, PUBLIC).expect("a good proof");
    let _ = prepared.verify(&proof.bytes, &proof.public_signals);
});
