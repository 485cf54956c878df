//! A witness: what is read is written as it was, up to the order of sections.

#![no_main]

use libfuzzer_sys::fuzz_target;
use outrigger_groth16::formats::wtns;

fuzz_target!(|bytes: &[u8]| {
    let Ok(witness) = wtns::parse(bytes) else { return };
    let written = wtns::write(&witness);
    assert!(written.len() <= bytes.len(), "a witness is not written larger than it was");
    let again = wtns::parse(&written).expect("what was written");
    assert_eq!((again.curve(), again.values()), (witness.curve(), witness.values()));
    assert_eq!(witness.public_signals(3).len(), 32 * witness.values().len().saturating_sub(1).min(3));
});
