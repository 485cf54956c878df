//! Hash functions and Merkle trees.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::command::outrigger;
use crate::support::sidecar::Sidecar;

/// Digests of "abc" as the specifications print them (FIPS 180-4, FIPS 202, GB/T 32905, RFC 7693's parameters with 32
/// bytes, BLAKE3's reference), Keccak's as Ethereum knows it.
const ABC: [(&str, &str); 7] = [
    ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("sha256d", "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"),
    ("keccak256", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    ("sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    ("blake2b-256", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
    ("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
];
/// Poseidon of the elements 1 and 2, by circomlibjs 0.1.7.
const POSEIDON_1_2: &str = "115cc0f5e7d690413df64c6b9662e9cf2a3617f2743245519e19607a4417189a";

/// The answer of the sidecar, which is the same in this process.
fn answer(sidecar: &Sidecar, command: &[&str], file: &Value) -> Value {
    let at =
        |place: &[&str]| outrigger(&[command, &["--items", "-", "--json"], place].concat(), &file.to_string()).json();
    let there = at(&["--endpoint", &sidecar.endpoint()]);
    assert_eq!(there, at(&["--local"]), "{command:?}");
    there
}

fn element(number: u8) -> String {
    format!("{:064x}", number)
}

#[test]
fn every_algorithm_gives_the_published_digest() {
    let sidecar = Sidecar::start();
    for (algorithm, digest) in ABC {
        let answer = answer(&sidecar, &["hash", "--algorithm", algorithm], &json!(["616263", "0x616263"]));
        assert_eq!(answer, json!({"digests": [format!("0x{digest}"), format!("0x{digest}")]}), "{algorithm}");
    }
    let modulus = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
    let file = json!([element(1) + &element(2), modulus, ""]);
    let wanted = json!({"digests": [format!("0x{POSEIDON_1_2}"), null, null]});
    assert_eq!(answer(&sidecar, &["hash", "--algorithm", "poseidon-bn254"], &file), wanted);
}

#[test]
fn messages_of_many_lengths_keep_their_order() {
    let sidecar = Sidecar::start();
    let messages: Vec<Vec<u8>> = (0..300_usize).map(|i| vec![i as u8; i * 7 % 271]).collect();
    let file = Value::from_iter(messages.iter().map(hex::encode));
    let digests = messages.iter().map(|message| format!("0x{}", hex::encode(Sha256::digest(message))));
    let wanted = json!({"digests": digests.collect::<Vec<_>>()});
    assert_eq!(answer(&sidecar, &["hash", "--algorithm", "sha256"], &file), wanted);
}

#[test]
fn a_proof_of_every_leaf_leads_to_the_root() {
    let sidecar = Sidecar::start();
    let leaves: Vec<Vec<u8>> = (0..7_u8).map(|i| vec![i; usize::from(i)]).collect();
    let file = Value::from_iter(leaves.iter().map(hex::encode));
    for (tree, leaf_prefix, node_prefix) in [("rfc6962", &[0_u8][..], &[1_u8][..]), ("binary", &[], &[])] {
        let mut roots = Vec::new();
        for (i, leaf) in leaves.iter().enumerate() {
            let answer = answer(&sidecar, &["merkle", "--tree", tree, "--prove", &i.to_string()], &file);
            let proof = &answer["proof"];
            let mut node = Sha256::digest([leaf_prefix, leaf].concat()).to_vec();
            assert_eq!(proof["leaf_hash"], format!("0x{}", hex::encode(&node)), "{answer}");
            assert_eq!((&answer["leaves"], &proof["index"]), (&json!(7), &json!(i)));
            for step in proof["siblings"].as_array().expect("siblings") {
                let sibling = hex::decode(&step["hash"].as_str().expect("hex")[2..]).expect("hex");
                let pair = match step["side"].as_str() {
                    Some("left") => [node_prefix, &sibling, &node].concat(),
                    Some("right") => [node_prefix, &node, &sibling].concat(),
                    side => panic!("a sibling on side {side:?}"),
                };
                node = Sha256::digest(pair).to_vec();
            }
            assert_eq!(answer["root"], format!("0x{}", hex::encode(&node)), "{tree}, leaf {i}");
            roots.push(answer["root"].clone());
        }
        assert!(roots.windows(2).all(|pair| pair[0] == pair[1]), "one tree has one root: {roots:?}");
    }
}

#[test]
fn trees_over_poseidon_and_bitcoins_agree_with_what_is_published() {
    let sidecar = Sidecar::start();
    for tree in ["poseidon", "lean-imt"] {
        let answer = answer(&sidecar, &["merkle", "--tree", tree], &json!([element(1), element(2)]));
        let wanted = json!({"verdict": "valid", "root": format!("0x{POSEIDON_1_2}"), "leaves": 2});
        assert_eq!(answer, wanted, "{tree}");
    }
    // Bitcoin's block 100000: transaction ids and root as explorers print them, bytes reversed.
    let reversed = |text: &str| {
        let bytes: Vec<u8> = hex::decode(text).expect("hex").into_iter().rev().collect();
        hex::encode(bytes)
    };
    let ids = [
        "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
    ]
    .map(reversed);
    let root = reversed("f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766");
    let whole = answer(&sidecar, &["merkle", "--tree", "bitcoin"], &json!(ids));
    assert_eq!(whole, json!({"verdict": "valid", "root": format!("0x{root}"), "leaves": 4}));
    // CVE-2012-2459: a list that repeats its last leaf has the root of the one that does not.
    let repeated = json!([ids[0], ids[1], ids[2], ids[2]]);
    for place in [&["--endpoint", &sidecar.endpoint()][..], &["--local"]] {
        let command = [&["merkle", "--tree", "bitcoin", "--items", "-", "--json"], place].concat();
        let trapped = outrigger(&command, &repeated.to_string());
        assert!(!trapped.stdout.contains(&root), "{place:?} gives the root of a list that has none");
    }
}
