//! Exit statuses and messages for input that cannot be worked on, and for work that cannot be done.

use serde_json::json;

use crate::support::command::outrigger;
use crate::support::sidecar::Sidecar;

/// A command with `input` that must end with this status, print nothing, and say all of `words`.
#[track_caller]
fn refused(arguments: &[&str], input: &str, status: i32, words: &[&str]) {
    let ran = outrigger(arguments, input);
    assert_eq!(ran.status, status, "{arguments:?}: {}", ran.stderr);
    assert_eq!(ran.stdout, "", "{arguments:?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{arguments:?} should say {word:?}: {}", ran.stderr);
    }
}

#[test]
fn bad_items_are_named_by_number_and_field() {
    let verify = |ruleset: &'static str| ["verify", "--ruleset", ruleset, "--items", "-", "--local"];
    refused(&verify("fabric"), "{", 2, &["JSON array of items"]);
    refused(&verify("fabric"), r#"{"public_key": "00"}"#, 2, &["JSON array of items"]);
    refused(&verify("fabric"), r#"[{"signature": "zz"}]"#, 2, &["item 0, signature", "not hex"]);
    refused(&verify("fabric"), r#"[{"public_key": "04"}]"#, 2, &["item 0, signature", "missing"]);
    refused(&verify("fabric"), r#"[{"signature": "30"}]"#, 2, &["item 0, public_key", "missing"]);
    let both = json!([{"signature": "30", "public_key": "04", "message": "", "digest": ""}]).to_string();
    refused(&verify("fabric"), &both, 2, &["item 0, message and digest", "not both"]);
    let message = json!([{"signature": "30", "public_key": "04", "message": ""}]).to_string();
    refused(&verify("bitcoin"), &message, 2, &["item 0, digest", "takes the digest"]);
    let digest = json!([{"signature": "30", "public_key": "04", "digest": ""}]).to_string();
    refused(&verify("solana-ed25519"), &digest, 2, &["item 0, message", "takes the message itself"]);
    let identity = json!([{"signature": "30", "public_key": "04", "message": "", "identity": "00"}]).to_string();
    refused(&verify("fabric"), &identity, 2, &["item 0, identity", "sm2-message"]);
    let set = json!([{"signature": "30", "public_keys": ["04"], "message": ""}]).to_string();
    refused(&verify("fabric"), &set, 2, &["item 0, public_keys", "BLS"]);
    let mode = json!([{"signature": "30", "public_keys": ["04"], "message": "", "mode": "best"}]).to_string();
    refused(&verify("bls-min-sig"), &mode, 2, &["item 0, mode", "fast-aggregate"]);
}

#[test]
fn bad_arguments_say_what_would_be_right() {
    refused(&["verify", "--ruleset", "monero", "--items", "-"], "[]", 2, &["unknown ruleset", "ed25519-zip215"]);
    refused(&["verify", "--items", "-", "--local"], "[]", 2, &["--ruleset"]);
    refused(&["verify", "--local"], "", 2, &["--items", "--ethereum-block"]);
    refused(&["hash", "--algorithm", "md5", "--items", "-"], "[]", 2, &["unknown hash algorithm", "keccak256"]);
    let fabric = ["verify", "--ruleset", "fabric", "--items", "-", "--local", "--allow-high-s"];
    refused(&fabric, "[]", 2, &["--allow-high-s", "ethereum-transaction"]);
    refused(&["recover", "--ruleset", "fabric", "--items", "-", "--local"], "[]", 2, &["fisco-secp256k1"]);
    refused(&["hash", "--algorithm", "sm3", "--items", "/nowhere", "--local"], "", 2, &["cannot read /nowhere"]);
    refused(&["hash", "--algorithm", "sm3", "--items", "-", "--local"], "[1]", 2, &["hex strings"]);
    refused(&["hash", "--algorithm", "sm3", "--items", "-", "--local"], r#"["0"]"#, 2, &["item 0", "not hex"]);
    let merkle = |more: &[&'static str]| [&["merkle", "--items", "-", "--local", "--tree"], more].concat();
    refused(&merkle(&["bitcoin", "--algorithm", "sm3"]), "[]", 2, &["takes sha256d"]);
    refused(&merkle(&["binary", "--prove", "2"]), r#"["00", "01"]"#, 2, &["2 leaves"]);
    refused(&merkle(&["ethereum-trie", "--prove", "0"]), r#"["00"]"#, 2, &["no proofs"]);
    refused(&["verify", "--ethereum-transactions", "-", "--local"], "{}", 2, &["not a list"]);
    refused(&["verify", "--ethereum-transactions", "-", "--local"], r#"["0xf"]"#, 2, &["[0]"]);
    refused(&["verify", "--ethereum-block", "-", "--local"], "null", 2, &["does not have this block"]);
    refused(&["demo", "--rate", "0"], "", 2, &["--rate"]);
    refused(&["hash", "--algorithm", "sm3", "--items", "-", "--endpoint", "tcp:1"], "[]", 2, &["unix:PATH"]);
    refused(&["nonsense"], "", 2, &["nonsense"]);
}

#[test]
fn a_sidecar_that_is_not_there_is_said_to_be_away() {
    let hash = ["hash", "--algorithm", "sm3", "--items", "-", "--endpoint", "unix:/nowhere/outrigger.sock"];
    refused(&hash, "[]", 1, &["cannot be reached"]);
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("outrigger.sock");
    let items = folder.path().join("items.json");
    std::fs::write(&items, "[]").expect("a file");
    let ran = crate::support::command::program()
        .args(["hash", "--algorithm", "sm3", "--items"])
        .arg(&items)
        .env("OUTRIGGER_LISTEN__UNIX", &socket)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(2), "{said}");
    assert!(said.contains("outrigger serve") && said.contains("--local"), "{said}");
}

#[test]
fn a_backend_that_is_absent_is_an_error_and_never_a_verdict() {
    let sidecar = Sidecar::start_with("[engines]\nvector = \"off\"\n");
    let endpoint = sidecar.endpoint();
    let hash = ["hash", "--algorithm", "sm3", "--items", "-", "--json"];
    refused(&[&hash[..], &["--endpoint", &endpoint, "--backend", "vector"]].concat(), r#"["00"]"#, 1, &["vector"]);
    // Without a sidecar, `opencl` is whatever this machine has, processors included.
    for (place, absent) in [(&["--endpoint", &endpoint][..], &["opencl", "cuda"][..]), (&["--local"], &["cuda"])] {
        for backend in absent {
            let arguments = [&hash[..], place, &["--backend", backend]].concat();
            refused(&arguments, r#"["00"]"#, 1, &[backend]);
        }
        let forced = outrigger(&[&hash[..], place, &["--backend", "cpu"]].concat(), r#"["616263"]"#).json();
        assert_eq!(forced["digests"][0], "0x66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    }
    refused(&[&hash[..], &["--local", "--backend", "fpga"]].concat(), "[]", 2, &["fpga", "opencl"]);
}

#[test]
fn a_request_over_the_limits_of_the_sidecar_says_which() {
    let sidecar = Sidecar::start_with("[limits]\nmessage_bytes_max = \"64KiB\"\nitems_max = 10\n");
    let endpoint = sidecar.endpoint();
    let hash = ["hash", "--algorithm", "sm3", "--items", "-", "--endpoint", &endpoint];
    let many = serde_json::Value::from_iter(std::iter::repeat_n("00", 11)).to_string();
    refused(&hash, &many, 1, &["10 items"]);
    let large = json!(["00".repeat(65 * 1024)]).to_string();
    refused(&hash, &large, 1, &["too large", "65536 bytes"]);
}
