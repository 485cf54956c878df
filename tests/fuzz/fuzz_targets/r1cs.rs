//! Constraints: read, held against witnesses of snarkjs, and where they are few, made into a key that is then read.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use outrigger_groth16::formats::wtns;
use outrigger_groth16::{Control, R1cs, ReadyKey, setup};

/// A setup costs a scalar multiplication a wire and an element of the domain: more would slow the search.
const WIRES_MAX: usize = 64;

const WITNESSES: [&[u8]; 2] = [
    include_bytes!("../../../crates/groth16/vectors/product/bn128/product.wtns"),
    include_bytes!("../../../crates/groth16/vectors/product/bls12381/product.wtns"),
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(r1cs) = R1cs::parse(bytes) else { return };
    let control = Control::default();
    for witness in WITNESSES {
        let witness = wtns::parse(witness).expect("a good witness");
        let _ = r1cs.check(&witness, &control);
    }
    if r1cs.wires > WIRES_MAX || r1cs.constraints() > WIRES_MAX {
        return;
    }
    let mut key = Vec::new();
    if setup::insecure_setup(&r1cs, &mut key, &control).is_ok() {
        let key = ReadyKey::of_source(Arc::new(key)).expect("our own key");
        assert_eq!(key.check(&control), Ok(()), "our own key");
        assert_eq!(key.summary().wires, r1cs.wires);
    }
});
