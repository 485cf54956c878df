use ark_bn254::Fr;
use ark_ff::{BigInteger, Field, PrimeField};
use light_poseidon::{Poseidon, PoseidonHasher};
use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Verdict, Work};
use proptest::prelude::*;
use serde::Deserialize;

use super::parameters::{FULL_ROUNDS, PARTIAL_ROUNDS, Parameters};
use super::{digest, element, element_bytes, hash_elements, reference};
use crate::hashing::judging::bytes32;
use crate::registry::run;

mod lanes;

#[derive(Deserialize)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    inputs: String,
    digest: String,
}

/// r, big-endian.
fn modulus_bytes() -> [u8; 32] {
    Fr::MODULUS.to_bytes_be().try_into().expect("32 bytes")
}

fn random_elements(count: usize, seed: u64) -> Vec<Fr> {
    // Powers of a number with a random look: no generator is needed to have inputs of full length.
    let base = Fr::from(seed) + Fr::from(0x9e37_79b9_7f4a_7c15_u64).square().square().square();
    (1..=count as u64).map(|i| base.pow([i + 40])).collect()
}

#[test]
fn all_widths_by_circomlibjs() {
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../vectors/poseidon_bn254/circomlibjs.json")).expect("vectors");
    assert_eq!(vectors.cases.len(), 4 * 16);
    for case in &vectors.cases {
        let inputs = hex::decode(&case.inputs).expect("hex");
        assert_eq!(digest(&inputs), Some(bytes32(&case.digest)), "{} elements", inputs.len() / 32);
    }
}

#[test]
fn widths_to_twelve_by_light_poseidon() {
    for count in 1..=12 {
        let mut judge = Poseidon::<Fr>::new_circom(count).expect("parameters");
        for seed in 0..5 {
            let inputs = random_elements(count, seed);
            assert_eq!(hash_elements(&inputs), judge.hash(&inputs).expect("a hash"), "{count} elements, seed {seed}");
        }
    }
}

#[test]
fn all_widths_by_the_readable_one() {
    for count in 1..=16 {
        let parameters = Parameters::generate(count + 1);
        for seed in 0..3 {
            let inputs = random_elements(count, seed);
            assert_eq!(hash_elements(&inputs), reference::hash(&parameters, &inputs), "{count} elements");
        }
    }
}

/// The first and last constant for two inputs and the first entry of the matrix, as circomlib prints them.
#[test]
fn parameters_of_two_inputs() {
    let parameters = Parameters::generate(3);
    assert_eq!(parameters.round_constants.len(), FULL_ROUNDS + PARTIAL_ROUNDS[1]);
    let first = "0ee9a592ba9a9518d05986d656f40c2114c4993c11bb29938d21d47304cd8e6e";
    assert_eq!(element_bytes(parameters.round_constants[0][0]), bytes32(first));
    let entry = "109b7f411ba0e4c9b2b70caf5c36a7b194be7c11ad24378bfedb68592ba8118b";
    assert_eq!(element_bytes(parameters.matrix[0][0]), bytes32(entry));
}

/// Each must be malformed with a digest of zeros, and leave its neighbours alone.
#[test]
fn malformed_messages() {
    let good = element_bytes(Fr::from(7_u64)).to_vec();
    let mut below = modulus_bytes();
    below[31] -= 1;
    let malformed = [
        Vec::new(),
        vec![0; 31],
        vec![0; 33],
        vec![0; 63],
        vec![0; 17 * 32],
        modulus_bytes().to_vec(),
        vec![0xff; 32],
        [&good[..], &modulus_bytes()].concat(),
        [&modulus_bytes()[..], &good].concat(),
        [&[0; 15 * 32][..], &[0xff; 32]].concat(),
    ];
    for bad in malformed {
        let messages = ColumnBuf::from_items(&[good.clone(), bad, below.to_vec()]);
        let work = Work::Hash(HashWork { algorithm: HashAlgorithm::PoseidonBn254, messages });
        let output = run(&work, 0..3);
        assert_eq!(output.verdicts, [Verdict::Valid, Verdict::Malformed, Verdict::Valid]);
        assert_eq!(output.fixed[..32], digest(&good).expect("a digest"));
        assert_eq!(output.fixed[32..64], [0; 32]);
        assert_eq!(output.fixed[64..], digest(&below).expect("a digest"));
    }
}

#[test]
fn ranges_of_a_batch() {
    let items: Vec<_> = (1..=16).map(|count| vec![1; count * 32]).collect();
    let work =
        Work::Hash(HashWork { algorithm: HashAlgorithm::PoseidonBn254, messages: ColumnBuf::from_items(&items) });
    let whole = run(&work, 0..16);
    assert_eq!(whole.verdicts, [Verdict::Valid; 16]);
    for range in [0..0, 0..1, 3..9, 15..16] {
        assert_eq!(run(&work, range.clone()).fixed, whole.fixed[range.start * 32..range.end * 32]);
    }
}

#[test]
fn elements_and_bytes() {
    assert_eq!(element(&modulus_bytes()), None);
    assert_eq!(element(&[0; 32]), Some(Fr::from(0_u64)));
    let mut below = modulus_bytes();
    below[31] -= 1;
    assert_eq!(element(&below), Some(-Fr::from(1_u64)));
    assert_eq!(element_bytes(-Fr::from(1_u64)), below);
}

#[test]
#[should_panic(expected = "1 to 16 elements")]
fn no_elements() {
    hash_elements(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes(bytes in any::<[u8; 32]>()) {
        // An element is taken exactly where it is below r, and comes back as it went.
        let is_below = bytes < modulus_bytes();
        let parsed = element(&bytes);
        prop_assert_eq!(parsed.is_some(), is_below);
        if let Some(parsed) = parsed {
            prop_assert_eq!(element_bytes(parsed), bytes);
        }
    }

    #[test]
    fn two_to_one_by_light_poseidon(left in any::<[u64; 3]>(), right in any::<[u64; 3]>()) {
        let inputs = [left, right].map(|[a, b, c]| Fr::from(a) * Fr::from(b).square() * Fr::from(c).square());
        let mut judge = Poseidon::<Fr>::new_circom(2).expect("parameters");
        prop_assert_eq!(hash_elements(&inputs), judge.hash(&inputs).expect("a hash"));
    }
}
