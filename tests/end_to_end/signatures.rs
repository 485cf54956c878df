//! Verification and recovery.

use outrigger_types::{Operation, Ruleset, Verdict};
use serde_json::{Value, json};
use sha3::{Digest, Keccak256};

use crate::support::command::outrigger;
use crate::support::sidecar::Sidecar;
use crate::support::signers::{Fault, Signed, Signer};
use crate::support::workload::{as_file, as_json, expected};

/// The verdicts of a file of items by the sidecar at `endpoint`, as `verify --json` prints them.
fn verify(endpoint: &str, ruleset: Ruleset, file: &str, more: &[&str]) -> Value {
    let command = ["verify", "--ruleset", ruleset.name(), "--items", "-", "--json", "--endpoint", endpoint];
    outrigger(&[&command[..], more].concat(), file).json()
}

fn names(verdicts: &[Verdict]) -> Value {
    json!({"verdicts": verdicts.iter().map(|verdict| verdict.name()).collect::<Vec<_>>()})
}

/// Good items with each fault between them, in an order that no sorting keeps.
fn sample(ruleset: Ruleset) -> Vec<Signed> {
    let signers = [Signer::new(ruleset, 1), Signer::new(ruleset, 2)];
    let faults = [None, Some(Fault::Truncated), None, Some(Fault::OtherMessage), Some(Fault::OtherKey), None, None];
    let sign = |(i, fault): (usize, &Option<Fault>)| {
        let mut signed = signers[i % 2].sign(&[i as u8 + 1; 32]);
        if let Some(fault) = fault {
            fault.apply(&mut signed, signers[(i + 1) % 2].key());
        }
        signed
    };
    faults.iter().enumerate().map(sign).collect()
}

#[test]
fn every_ruleset_judges_through_the_sidecar_and_in_process_alike() {
    let sidecar = Sidecar::start();
    for &ruleset in Ruleset::ALL {
        let items = sample(ruleset);
        let file = as_file(ruleset, &items);
        let wanted = names(&expected(&items));
        assert_eq!(verify(&sidecar.endpoint(), ruleset, &file, &[]), wanted, "{ruleset}");
        let local = ["verify", "--ruleset", ruleset.name(), "--items", "-", "--json", "--local"];
        assert_eq!(outrigger(&local, &file).json(), wanted, "{ruleset}, --local");
    }
    assert_eq!(sidecar.metric("outrigger_items_total", &["operation=\"verify\""]), 15.0 * 7.0);
}

/// Where a ruleset has lanes and the processor runs them; elsewhere forcing them is refused, and that is looked at.
#[test]
fn lanes_judge_as_the_reference_does() {
    let sidecar = Sidecar::start();
    let is_here = outrigger_algorithms::Unit::detect().is_some();
    if !is_here {
        println!("NOT RUN in lanes: this processor has no AVX-512 with IFMA");
    }
    for &ruleset in Ruleset::ALL {
        let items = sample(ruleset);
        let command = ["verify", "--ruleset", ruleset.name(), "--items", "-", "--json", "--backend", "vector"];
        for place in [&["--endpoint", &sidecar.endpoint()][..], &["--local"]] {
            let ran = outrigger(&[&command[..], place].concat(), &as_file(ruleset, &items));
            if is_here && outrigger_algorithms::lanes::supports(Operation::Verify(ruleset)) {
                assert_eq!(ran.json(), names(&expected(&items)), "{ruleset}");
            } else {
                assert_eq!(ran.status, 1, "{ruleset}: {}", ran.stderr);
                assert!(ran.stderr.contains("vector"), "{ruleset}: {}", ran.stderr);
            }
        }
    }
}

/// A column whose items all have one wrong length is a column all the same.
#[test]
fn an_item_is_malformed_whatever_its_company() {
    let sidecar = Sidecar::start();
    for &ruleset in Ruleset::ALL {
        let mut short_signature = Signer::new(ruleset, 1).sign(&[1; 32]);
        short_signature.signature.pop();
        let mut short_key = Signer::new(ruleset, 1).sign(&[1; 32]);
        short_key.key.pop();
        for item in [short_signature, short_key] {
            let file = as_file(ruleset, &[item.clone(), item]);
            let wanted = names(&[Verdict::Malformed; 2]);
            assert_eq!(verify(&sidecar.endpoint(), ruleset, &file, &[]), wanted, "{ruleset}");
            let local = ["verify", "--ruleset", ruleset.name(), "--items", "-", "--json", "--local"];
            assert_eq!(outrigger(&local, &file).json(), wanted, "{ruleset}, --local");
        }
    }
}

#[test]
fn high_s_is_judged_by_the_ruleset() {
    let sidecar = Sidecar::start();
    let judge = |ruleset: Ruleset, more: &[&str]| {
        let item = Signer::new(ruleset, 3).sign_high(&[7; 32]);
        verify(&sidecar.endpoint(), ruleset, &as_file(ruleset, &[item]), more)
    };
    assert_eq!(judge(Ruleset::EthereumTransaction, &[]), names(&[Verdict::Invalid]));
    assert_eq!(judge(Ruleset::EthereumTransaction, &["--allow-high-s"]), names(&[Verdict::Valid]));
    assert_eq!(judge(Ruleset::EthereumPrecompile, &[]), names(&[Verdict::Valid]));
    assert_eq!(judge(Ruleset::EthereumP256Verify, &[]), names(&[Verdict::Valid]));
    assert_eq!(judge(Ruleset::Bitcoin, &[]), names(&[Verdict::Valid]));
    assert_eq!(judge(Ruleset::Fabric, &[]), names(&[Verdict::Invalid]));
}

#[test]
fn items_of_several_forms_in_one_file_keep_their_order() {
    let sidecar = Sidecar::start();
    let signer = Signer::new(Ruleset::Fabric, 4);
    let (good, mut bad) = (signer.sign(&[1; 32]), signer.sign(&[2; 32]));
    Fault::OtherMessage.apply(&mut bad, &[]);
    let mut by_digest = as_json(Ruleset::Fabric, &good);
    let digest = sha2::Sha256::digest([1; 32]);
    let fields = by_digest.as_object_mut().expect("an object");
    fields.remove("message");
    fields.insert("digest".into(), format!("0x{}", hex::encode(digest)).into());
    let file = json!([by_digest, as_json(Ruleset::Fabric, &bad), as_json(Ruleset::Fabric, &good), by_digest]);
    let wanted = names(&[Verdict::Valid, Verdict::Invalid, Verdict::Valid, Verdict::Valid]);
    assert_eq!(verify(&sidecar.endpoint(), Ruleset::Fabric, &file.to_string(), &[]), wanted);
}

#[test]
fn an_address_stands_for_a_key_where_the_ruleset_says_so() {
    let sidecar = Sidecar::start();
    for ruleset in [Ruleset::EthereumTransaction, Ruleset::EthereumPrecompile, Ruleset::FiscoSecp256k1] {
        let mut item = Signer::new(ruleset, 5).sign(&[9; 32]);
        item.key = Keccak256::digest(&item.key)[12..].to_vec();
        let mut stranger = item.clone();
        stranger.key[0] ^= 1;
        let wanted = names(&[Verdict::Valid, Verdict::Invalid]);
        assert_eq!(verify(&sidecar.endpoint(), ruleset, &as_file(ruleset, &[item, stranger]), &[]), wanted);
    }
}

#[test]
fn sm2_heeds_the_identity_of_the_request() {
    let sidecar = Sidecar::start();
    let item = as_json(Ruleset::Sm2Message, &Signer::new(Ruleset::Sm2Message, 6).sign(b"to whom it may concern"));
    let with = |identity: &str| {
        let mut item = item.clone();
        item["identity"] = hex::encode(identity).into();
        item
    };
    let file = json!([with("somebody else"), item, with("1234567812345678")]).to_string();
    let wanted = names(&[Verdict::Invalid, Verdict::Valid, Verdict::Valid]);
    assert_eq!(verify(&sidecar.endpoint(), Ruleset::Sm2Message, &file, &[]), wanted);
}

#[test]
fn keys_and_addresses_are_recovered() {
    let sidecar = Sidecar::start();
    for ruleset in [Ruleset::EthereumTransaction, Ruleset::EthereumPrecompile, Ruleset::FiscoSecp256k1] {
        let good = Signer::new(ruleset, 7).sign(&[3; 32]);
        let mut bad = good.clone();
        bad.signature.pop();
        let file = as_file(ruleset, &[bad, good.clone()]);
        let endpoint = sidecar.endpoint();
        let command = ["recover", "--ruleset", ruleset.name(), "--items", "-", "--json", "--endpoint", &endpoint];
        let address = &Keccak256::digest(&good.key)[12..];
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let wanted = json!({"items": [
            {"verdict": "malformed", "public_key": null, "address": null},
            {"verdict": "valid", "public_key": hex(&good.key), "address": hex(address)},
        ]});
        assert_eq!(outrigger(&command, &file).json(), wanted, "{ruleset}");
        let local = ["recover", "--ruleset", ruleset.name(), "--items", "-", "--json", "--local"];
        assert_eq!(outrigger(&local, &file).json(), wanted, "{ruleset}, --local");
    }
}

#[test]
fn bls_sets_of_every_mode() {
    use blst::{BLST_ERROR, min_pk};
    let sidecar = Sidecar::start();
    let signers: Vec<_> = (10..13).map(|number| Signer::new(Ruleset::EthereumConsensus, number)).collect();
    let aggregate = |signatures: &[Vec<u8>]| {
        let parsed: Vec<_> =
            signatures.iter().map(|bytes| min_pk::Signature::from_bytes(bytes).expect("a signature")).collect();
        let whole: Result<_, BLST_ERROR> =
            min_pk::AggregateSignature::aggregate(&parsed.iter().collect::<Vec<_>>(), true);
        hex::encode(whole.expect("signatures").to_signature().compress())
    };
    let keys: Vec<_> = signers.iter().map(|signer| hex::encode(signer.key())).collect();
    let on_one: Vec<_> = signers.iter().map(|signer| signer.sign(b"one message").signature).collect();
    let messages: Vec<_> = (0..3_u8).map(|i| hex::encode([i; 5])).collect();
    let on_each: Vec<_> = signers.iter().zip(0_u8..).map(|(signer, i)| signer.sign(&[i; 5]).signature).collect();
    let one = hex::encode("one message");
    let infinity = format!("c0{}", "00".repeat(95));
    let file = json!([
        {"public_keys": keys, "signature": aggregate(&on_one), "message": one},
        {"public_keys": keys, "signature": aggregate(&on_each), "messages": messages},
        {"public_keys": keys[..2], "signature": aggregate(&on_one), "message": one},
        {"public_keys": [keys[0]], "signature": hex::encode(&on_one[0]), "message": one, "mode": "single"},
        {"public_keys": [], "signature": infinity, "message": one, "mode": "ethereum-fast-aggregate"},
        {"public_keys": [], "signature": infinity, "message": one, "mode": "fast-aggregate"},
        {"public_key": keys[0], "signature": hex::encode(&on_one[0]), "message": one},
    ]);
    let wanted = json!({"verdicts": ["valid", "valid", "invalid", "valid", "valid", "invalid", "valid"]});
    assert_eq!(verify(&sidecar.endpoint(), Ruleset::EthereumConsensus, &file.to_string(), &[]), wanted);
}

#[test]
fn people_get_a_summary_and_a_file_may_be_a_file() {
    let sidecar = Sidecar::start();
    let items = sample(Ruleset::SolanaEd25519);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.json");
    std::fs::write(&path, as_file(Ruleset::SolanaEd25519, &items)).expect("a file");
    let path = path.to_str().expect("a path in UTF-8");
    let endpoint = sidecar.endpoint();
    let ran = outrigger(&["verify", "--ruleset", "solana-ed25519", "--items", path, "--endpoint", &endpoint], "");
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("7 items: 4 valid, 2 invalid, 1 malformed"), "{}", ran.stdout);
    assert_eq!(verify(&endpoint, Ruleset::SolanaEd25519, "[]", &[]), json!({"verdicts": []}));
}
