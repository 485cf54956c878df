use super::*;
use crate::formats::{json, vectors};

#[test]
fn the_text_equals_that_of_snarkjs() {
    for vectors in vectors::ALL {
        let proof = json::read_proof(vectors.proof.as_bytes(), vectors.public.as_bytes()).expect("a good proof");
        assert_eq!(solidity(&proof), vectors.calldata.trim_end());
    }
}

#[test]
fn without_public_signals_the_last_list_is_empty() {
    let proof = json::read_proof(vectors::BN254.proof.as_bytes(), b"[]").expect("a good proof");
    assert!(solidity(&proof).ends_with("],[]"));
}

#[test]
fn the_arguments_are_the_same_words() {
    let vectors = vectors::BN254;
    let proof = json::read_proof(vectors.proof.as_bytes(), vectors.public.as_bytes()).expect("a good proof");
    let words: String = vectors
        .calldata
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| word.trim_start_matches("0x"))
        .collect();
    assert_eq!(hex::encode(arguments(&proof)), words);
}
