//! Programs that circom wrote, judged by snarkjs.

use std::thread;

use sha2::{Digest, Sha256};

use super::*;

mod hostile;

const MERKLE: &[u8] = include_bytes!("../../../groth16/circuits/merkle-membership.wasm");
const MERKLE_INPUT: &str = include_str!("../../vectors/merkle-membership.input.json");
const MERKLE_WTNS_SHA256: &str = include_str!("../../vectors/merkle-membership.wtns.sha256");

fn merkle(json: &str) -> Result<Witness, WitnessError> {
    WitnessProgram::compile(MERKLE)?.calculate(json.as_bytes(), &WitnessLimits::default(), &Control::default())
}

/// The SHA-256 of a `.wtns` for BN254.
fn wtns_sha256(witness: &Witness) -> String {
    const PRIME: [u64; 4] =
        [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];
    let values = witness.values();
    let bytes = |limbs: &[u64; 4]| limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect::<Vec<_>>();
    let mut hash = Sha256::new();
    hash.update(b"wtns\x02\0\0\0\x02\0\0\0\x01\0\0\0\x28\0\0\0\0\0\0\0\x20\0\0\0");
    hash.update(bytes(&PRIME));
    hash.update((values.len() as u32).to_le_bytes());
    hash.update(b"\x02\0\0\0");
    hash.update((32 * values.len() as u64).to_le_bytes());
    values.iter().for_each(|value| hash.update(bytes(value)));
    hex::encode(hash.finalize())
}

#[test]
fn witness_is_that_of_snarkjs() {
    let witness = merkle(MERKLE_INPUT).unwrap();
    assert_eq!(witness.curve(), Curve::Bn254);
    assert_eq!(wtns_sha256(&witness), MERKLE_WTNS_SHA256.trim());
}

#[test]
fn values_may_be_nested_and_written_in_other_ways() {
    let flat: serde_json::Value = serde_json::from_str(MERKLE_INPUT).unwrap();
    let siblings = flat["siblings"].as_array().unwrap();
    let json = serde_json::json!({
        "leaf": "0xab54a98ceb1f0ad2",
        "path": [flat["path"]],
        "root": flat["root"],
        "siblings": [siblings[..16], [siblings[16..]]],
    });
    assert_eq!(wtns_sha256(&merkle(&json.to_string()).unwrap()), MERKLE_WTNS_SHA256.trim());
}

#[test]
fn inputs_of_the_wrong_shape_are_refused_by_name() {
    let inputs: serde_json::Value = serde_json::from_str(MERKLE_INPUT).unwrap();
    let mut cases = Vec::new();
    let mut case = |change: &dyn Fn(&mut serde_json::Value), expected| {
        let mut changed = inputs.clone();
        change(&mut changed);
        cases.push((changed, expected));
    };
    case(&|it| drop(it["siblings"].as_array_mut().unwrap().pop()), "\"siblings\": the circuit takes 32 values, and 31");
    case(&|it| it["path"].as_array_mut().unwrap().push(0.into()), "\"path\": the circuit takes 32 values, and 33");
    case(&|it| it["leaf"] = serde_json::json!([]), "\"leaf\": the circuit takes 1 values, and 0");
    case(&|it| it["extra"] = 1.into(), "\"extra\": the circuit has no such input");
    case(&|it| drop(it.as_object_mut().unwrap().remove("leaf")), "takes 66 values in all, and 65 are given");
    case(&|it| it["leaf"] = serde_json::Value::Null, "\"leaf\": value 0 is not a whole number");
    for (json, expected) in cases {
        let Err(WitnessError::Inputs(message)) = merkle(&json.to_string()) else { panic!("accepted: {expected}") };
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn failed_assertions_say_where_and_show_no_values() {
    let wrong_root =
        MERKLE_INPUT.replace("16492934956199237310307986229502752407871087681629591172653028367433177928933", "1");
    let not_a_bit = MERKLE_INPUT.replacen("\"path\": [\n  1", "\"path\": [\n  2", 1);
    for (json, line) in [(wrong_root, 32), (not_a_bit, 23)] {
        assert_ne!(json, MERKLE_INPUT);
        let expected = format!("an assertion of the circuit fails: Error in template MerkleMembership_1 line: {line}");
        assert_eq!(merkle(&json).unwrap_err(), WitnessError::Inputs(expected));
    }
}

#[test]
fn calls_are_independent() {
    let program = WitnessProgram::compile(MERKLE).unwrap();
    let limits = WitnessLimits::default();
    thread::scope(|scope| {
        let call = || program.calculate(MERKLE_INPUT.as_bytes(), &limits, &Control::default()).unwrap();
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(call)).collect();
        for call in calls {
            assert_eq!(wtns_sha256(&call.join().unwrap()), MERKLE_WTNS_SHA256.trim());
        }
    });
    // A failed call leaves nothing behind.
    assert!(program.calculate(b"{\"leaf\": 1}", &limits, &Control::default()).is_err());
    let again = program.calculate(MERKLE_INPUT.as_bytes(), &limits, &Control::default()).unwrap();
    assert_eq!(wtns_sha256(&again), MERKLE_WTNS_SHA256.trim());
}
