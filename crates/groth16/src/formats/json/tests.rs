use super::*;
use crate::formats::vectors;
use crate::key::KeySource;
use crate::{ReadyKey, formats::vectors::Vectors};
use std::sync::Arc;

fn key_of(vectors: &Vectors) -> Arc<ProofKey> {
    let source: KeySource = Arc::new(vectors.zkey);
    Arc::clone(ReadyKey::of_source(source).expect("a good key").verifying_key())
}

#[test]
fn a_verifying_key_equals_that_of_snarkjs() {
    for vectors in vectors::ALL {
        let key = key_of(&vectors);
        assert_eq!(write_verifying_key(&key).expect("a good key"), vectors.verifying_key);
    }
}

#[test]
fn a_verifying_key_is_read() {
    for vectors in vectors::ALL {
        let key = read_verifying_key(vectors.verifying_key.as_bytes()).expect("a good key");
        assert_eq!(key.curve, vectors.curve);
        assert_eq!(key.bytes, key_of(&vectors).bytes);
        assert_eq!(key.public_signals(), Some(3));
    }
}

#[test]
fn proofs_and_signals_are_read_and_written_as_snarkjs_does() {
    for vectors in vectors::ALL {
        let proof = read_proof(vectors.proof.as_bytes(), vectors.public.as_bytes()).expect("a good proof");
        assert_eq!(proof.curve, vectors.curve);
        assert_eq!(proof.bytes.len(), vectors.curve.proof_bytes());
        assert_eq!(proof.public_signals.len(), 3 * SCALAR_BYTES);
        assert_eq!(write_proof(&proof), vectors.proof);
        assert_eq!(write_public(&proof), vectors.public);
    }
}

#[test]
fn infinity_has_its_own_form() {
    let mut proof = read_proof(vectors::BN254.proof.as_bytes(), b"[]").expect("a good proof");
    proof.bytes.fill(0);
    let text = write_proof(&proof);
    assert_eq!(read_proof(text.as_bytes(), b"[]").expect("a proof of infinities").bytes, proof.bytes);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["pi_a"], serde_json::json!(["0", "1", "0"]));
    assert_eq!(value["pi_b"], serde_json::json!([["0", "0"], ["1", "0"], ["0", "0"]]));
}

#[test]
fn a_proof_of_too_few_bytes_is_written_without_a_panic() {
    let mut proof = read_proof(vectors::BN254.proof.as_bytes(), b"[]").expect("a good proof");
    while proof.bytes.pop().is_some() {
        write_proof(&proof);
    }
}

/// The proof of the vectors with a part replaced.
fn refusal_of_proof(part: &str, value: serde_json::Value) -> String {
    let mut json: serde_json::Value = serde_json::from_str(vectors::BN254.proof).expect("JSON");
    *json.pointer_mut(part).expect("a part of the proof") = value;
    let text = json.to_string();
    read_proof(text.as_bytes(), b"[]").expect_err("a bad proof").message
}

#[test]
fn bad_proofs_are_refused() {
    let q = Decimal::of_bytes(&super::super::primes::base_prime(CurveId::Bn254).into_iter().rev().collect::<Vec<_>>());
    for (part, value) in [
        ("/protocol", "plonk".into()),
        ("/curve", "bls12377".into()),
        ("/curve", "bls12381".into()),
        ("/pi_a/0", "1".into()),
        ("/pi_a/0", "0x1".into()),
        ("/pi_a/0", "-1".into()),
        ("/pi_a/0", "01".into()),
        ("/pi_a/0", "".into()),
        ("/pi_a/0", "1".repeat(1000).into()),
        ("/pi_a/0", 1.into()),
        ("/pi_a/0", q.into_text().into()),
        ("/pi_a/2", "0".into()),
        ("/pi_a/2", "2".into()),
        ("/pi_a", serde_json::json!(["0", "0", "1"])),
        ("/pi_a", serde_json::json!(["0", "0", "0"])),
        ("/pi_a", serde_json::json!(["1", "2"])),
        ("/pi_b/0", serde_json::json!(["1", "2"])),
        ("/pi_b/0", serde_json::json!(["1"])),
        ("/pi_c", serde_json::Value::Null),
        ("/pi_c", "a".repeat(10_000).into()),
        ("/curve", "a".repeat(10_000).into()),
    ] {
        let message = refusal_of_proof(part, value);
        assert!(!message.is_empty() && message.len() < 300, "{part}: {message}");
    }
}

#[test]
fn a_proof_of_rapidsnark_names_no_curve() {
    let mut json: serde_json::Value = serde_json::from_str(vectors::BN254.proof).expect("JSON");
    json.as_object_mut().expect("an object").remove("curve");
    let whole = read_proof(vectors::BN254.proof.as_bytes(), vectors::BN254.public.as_bytes());
    assert_eq!(read_proof(json.to_string().as_bytes(), vectors::BN254.public.as_bytes()), whole);
}

#[test]
fn bad_public_signals_are_refused() {
    let order =
        Decimal::of_bytes(&super::super::primes::scalar_prime(CurveId::Bn254).into_iter().rev().collect::<Vec<_>>());
    let order = format!("[\"{}\"]", order.into_text());
    for text in [order.as_str(), "[1]", "[\"a\"]", "{}", "[\"1\"", "[\"1\"] x", ""] {
        assert!(read_proof(vectors::BN254.proof.as_bytes(), text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn bad_verifying_keys_are_refused() {
    let good: serde_json::Value = serde_json::from_str(vectors::BN254.verifying_key).expect("JSON");
    for (part, value) in [
        ("/protocol", serde_json::json!("fflonk")),
        ("/curve", serde_json::json!("bls12381")),
        ("/nPublic", serde_json::json!(2)),
        ("/nPublic", serde_json::json!(-1)),
        ("/nPublic", serde_json::json!(1e30)),
        ("/IC", serde_json::json!([])),
        ("/IC/3/0", serde_json::json!("1")),
        ("/vk_delta_2/1", serde_json::json!(["1", "2"])),
    ] {
        let mut json = good.clone();
        *json.pointer_mut(part).expect("a part of the key") = value;
        assert!(read_verifying_key(json.to_string().as_bytes()).is_err(), "{part}");
    }
}

#[test]
fn a_point_outside_its_subgroup_is_refused() {
    use ark_bn254::{Fq2, G2Affine};
    let outside = (1u64..)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .expect("most points of the twist");
    let mut json: serde_json::Value = serde_json::from_str(vectors::BN254.verifying_key).expect("JSON");
    json["vk_delta_2"] =
        serde_json::to_value(G2Json::of_bytes(&point_to_bytes(&outside), 32)).expect("a point in JSON");
    assert!(read_verifying_key(json.to_string().as_bytes()).is_err());
}

#[test]
fn deep_and_huge_texts_are_refused() {
    let deep = "[".repeat(1 << 20);
    assert!(read_verifying_key(deep.as_bytes()).is_err());
    let hidden = format!("{{\"vk_alphabeta_12\": {deep}");
    assert!(read_verifying_key(hidden.as_bytes()).is_err());
    let huge = vec![b' '; PROOF_BYTES_MAX + 1];
    assert!(read_proof(&huge, b"[]").expect_err("too large").message.contains("at most"));
}

#[test]
fn decimals_are_those_of_arkworks() {
    use ark_ff::{BigInteger, UniformRand};
    let mut rng = rand_source();
    for _ in 0..200 {
        let element = ark_bls12_381::Fq::rand(&mut rng);
        let decimal = Decimal::of_bytes(&element.into_bigint().to_bytes_be());
        assert_eq!(decimal.element(), Some(element));
        assert_eq!(decimal.into_text(), element.to_string());
    }
    assert_eq!(Decimal::of_bytes(&[0; 32]).into_text(), "0");
    // A chunk of 19 digits that begins with zeros.
    let number = u128::from(10_000_000_000_000_000_000u64) + 7;
    assert_eq!(Decimal::of_bytes(&number.to_be_bytes()).into_text(), "10000000000000000007");
}

fn rand_source() -> impl ark_std::rand::Rng {
    ark_std::test_rng()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    /// Any text, and good texts with a character replaced, are read without a panic.
    #[test]
    fn no_text_panics(text in ".{0,200}", at in 0usize..4000, with in proptest::num::u8::ANY) {
        let _ = read_verifying_key(text.as_bytes());
        let _ = read_proof(text.as_bytes(), text.as_bytes());
        let vectors = vectors::BN254;
        let mut key = vectors.verifying_key.as_bytes().to_vec();
        let mut proof = vectors.proof.as_bytes().to_vec();
        let (in_key, in_proof) = (at % key.len(), at % proof.len());
        key[in_key] = with;
        proof[in_proof] = with;
        let _ = read_verifying_key(&key);
        let _ = read_proof(&proof, vectors.public.as_bytes());
    }
}
