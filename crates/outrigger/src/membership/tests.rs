use outrigger_witness::{WitnessLimits, WitnessProgram};

use super::*;

#[test]
fn what_is_drawn_satisfies_the_circuit() {
    let drawn = Membership::draw().expect("randomness");
    let program = WitnessProgram::compile(WASM).expect("the witness program");
    let control = Control::default();
    let witness = program.calculate(&drawn.inputs, &WitnessLimits::default(), &control).expect("a witness");
    assert_eq!(witness.public_signals(1), drawn.root);
    let r1cs = R1cs::parse(R1CS).expect("the constraints");
    assert_eq!(r1cs.check(&witness, &control), Ok(Ok(())));
    assert_ne!(drawn.root, Membership::draw().expect("randomness").root);
}

#[test]
fn a_key_is_made_once_and_again_when_it_is_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = key(folder.path()).expect("a key");
    let first = std::fs::read(&path).expect("the key");
    assert_eq!(key(folder.path()).expect("a key"), path);
    assert!(std::fs::read(&path).expect("the key") == first, "the key that is there is taken");
    let mut damaged = first.clone();
    damaged[1000] ^= 1;
    std::fs::write(&path, &damaged).expect("written");
    key(folder.path()).expect("a key");
    let again = std::fs::read(&path).expect("the key");
    assert!(again.len() == first.len() && again != first && again != damaged, "a fresh key, by fresh randomness");
}
