//! A proving key: read, checked, and where it is sound, used with a witness of snarkjs.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use outrigger_groth16::engine::EngineChoice;
use outrigger_groth16::formats::{json, wtns};
use outrigger_groth16::{Control, ReadyKey};

const WITNESSES: [&[u8]; 2] = [
    include_bytes!("../../../crates/groth16/vectors/product/bn128/product.wtns"),
    include_bytes!("../../../crates/groth16/vectors/product/bls12381/product.wtns"),
];

fuzz_target!(|bytes: &[u8]| {
    let size = bytes.len();
    let Ok(key) = ReadyKey::of_source(Arc::new(bytes.to_vec())) else { return };
    assert!(key.memory_bytes() <= 4096 + 8 * size, "{} bytes of memory for {size} of file", key.memory_bytes());
    json::write_verifying_key(key.verifying_key()).expect("the points of the header are good");
    if key.check(&Control::default()).is_err() {
        return;
    }
    for witness in WITNESSES {
        let witness = wtns::parse(witness).expect("a good witness");
        if let Ok(proved) = key.prove(&witness, None, &EngineChoice::Cpu, &Control::default()) {
            assert_eq!(proved.repeated, None, "the engine and the reference differ");
        }
    }
});
