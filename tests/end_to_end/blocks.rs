//! Ethereum transactions as they are, and blocks as nodes give them. The encodings, hashes, senders and roots to
//! compare with are put together here, from the yellow paper and the EIPs.

use k256::ecdsa::SigningKey;
use serde_json::{Value, json};

use crate::support::command::{Ran, outrigger};
use crate::support::sidecar::Sidecar;
use crate::support::transactions::{keccak, list, number, scalar, string};

const CHAIN: u64 = 1;
const TO: [u8; 20] = [0x35; 20];

/// A transaction, who signed it, and its fields as a node gives them.
struct Transaction {
    raw: Vec<u8>,
    from: [u8; 20],
    json: Value,
}

fn key() -> (SigningKey, [u8; 20]) {
    let key = SigningKey::from_slice(&[0x46; 32]).expect("a key");
    let address = keccak(&key.verifying_key().to_sec1_point(false).as_bytes()[1..])[12..].try_into().expect("20 bytes");
    (key, address)
}

fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn signature(digest: &[u8; 32]) -> (Vec<u8>, Vec<u8>, u64) {
    let (signature, id) = key().0.sign_prehash_recoverable(digest);
    let bytes = signature.to_bytes();
    (bytes[..32].to_vec(), bytes[32..].to_vec(), u64::from(id.to_byte()))
}

fn with_claims(mut json: Value, raw: &[u8]) -> Transaction {
    let from = key().1;
    json["hash"] = hex(&keccak(raw)).into();
    json["from"] = hex(&from).into();
    Transaction { raw: raw.to_vec(), from, json }
}

/// A legacy transaction by EIP-155.
fn legacy(nonce: u64) -> Transaction {
    let fields = [number(nonce), number(20_000_000_000), number(21_000), string(&TO), number(10), string(&[])];
    let digest = keccak(&list(&[&fields[..], &[number(CHAIN), number(0), number(0)]].concat()));
    let (r, s, parity) = signature(&digest);
    let v = CHAIN * 2 + 35 + parity;
    let raw = list(&[&fields[..], &[number(v), scalar(&r), scalar(&s)]].concat());
    let json = json!({
        "type": "0x0", "nonce": format!("{nonce:#x}"), "gasPrice": "0x4a817c800", "gas": "0x5208", "to": hex(&TO),
        "value": "0xa", "input": "0x", "v": format!("{v:#x}"), "r": hex(&r), "s": hex(&s), "chainId": "0x1",
    });
    with_claims(json, &raw)
}

/// A transaction by EIP-1559.
fn dynamic_fee(nonce: u64) -> Transaction {
    let fields = [
        number(CHAIN),
        number(nonce),
        number(1_000_000_000),
        number(30_000_000_000),
        number(21_000),
        string(&TO),
        number(10),
        string(&[0xca, 0xfe]),
        list(&[]),
    ];
    let digest = keccak(&[&[2], &list(&fields)[..]].concat());
    let (r, s, parity) = signature(&digest);
    let raw = [&[2], &list(&[&fields[..], &[number(parity), scalar(&r), scalar(&s)]].concat())[..]].concat();
    let json = json!({
        "type": "0x2", "chainId": "0x1", "nonce": format!("{nonce:#x}"), "maxPriorityFeePerGas": "0x3b9aca00",
        "maxFeePerGas": "0x6fc23ac00", "gas": "0x5208", "to": hex(&TO), "value": "0xa", "input": "0xcafe",
        "accessList": [], "yParity": format!("{parity:#x}"), "v": format!("{parity:#x}"), "r": hex(&r), "s": hex(&s),
    });
    with_claims(json, &raw)
}

/// The root of the trie of two transactions: the keys are 0x80 and 0x01, so a branch with two leaves of one nibble.
fn root_of_two(first: &[u8], second: &[u8]) -> [u8; 32] {
    let leaf = |nibble: u8, value: &[u8]| string(&keccak(&list(&[string(&[0x30 | nibble]), string(value)])));
    let mut branch = vec![string(&[]); 17];
    branch[8] = leaf(0, first);
    branch[0] = leaf(1, second);
    keccak(&list(&branch))
}

fn raw(sidecar: &Sidecar, transactions: &Value, more: &[&str]) -> Ran {
    let endpoint = sidecar.endpoint();
    let command = ["verify", "--ethereum-transactions", "-", "--json", "--endpoint", &endpoint];
    let ran = outrigger(&[&command[..], more].concat(), &transactions.to_string());
    let local = ["verify", "--ethereum-transactions", "-", "--json", "--local"];
    let here = outrigger(&[&local[..], more].concat(), &transactions.to_string());
    assert_eq!((ran.status, &ran.stdout), (here.status, &here.stdout), "{}{}", ran.stderr, here.stderr);
    ran
}

fn block(sidecar: &Sidecar, block: &Value) -> Ran {
    let endpoint = sidecar.endpoint();
    outrigger(&["verify", "--ethereum-block", "-", "--json", "--endpoint", &endpoint], &block.to_string())
}

#[test]
fn raw_transactions_yield_hash_sender_and_root() {
    let sidecar = Sidecar::start();
    let (first, second) = (legacy(9), dynamic_fee(10));
    let file = json!([hex(&first.raw), hex::encode(&second.raw)]);
    let row = |one: &Transaction| json!({"hash": hex(&keccak(&one.raw)), "from": hex(&one.from), "verdict": "valid"});
    let wanted = json!({
        "transactions": [row(&first), row(&second)],
        "transactions_root": hex(&root_of_two(&first.raw, &second.raw)),
    });
    assert_eq!(raw(&sidecar, &file, &["--chain-id", "1"]).json(), wanted);
    // No transactions: the root of the empty trie.
    let empty = json!({
        "transactions": [],
        "transactions_root": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    });
    assert_eq!(raw(&sidecar, &json!([]), &[]).json(), empty);
}

#[test]
fn an_unknown_type_is_unprocessed_and_leaves_no_root() {
    let sidecar = Sidecar::start();
    let known = legacy(1);
    let ran = raw(&sidecar, &json!([hex(&known.raw), "0x7dc0"]), &[]);
    assert_eq!(ran.status, 3, "{}", ran.stderr);
    let answer = ran.json_whatever_the_status();
    assert_eq!(answer["transactions"][0]["verdict"], "valid");
    let wanted = json!({"hash": null, "from": null, "verdict": "unprocessed", "reason": "unknown-type"});
    assert_eq!(answer["transactions"][1], wanted);
    assert_eq!(answer["transactions_root"], Value::Null);
    let reason = answer["transactions_root_reason"].as_str().expect("a reason");
    assert!(reason.contains("transaction 1"), "{reason}");
}

#[test]
fn bad_transactions_say_why() {
    let sidecar = Sidecar::start();
    let (good, mut cut) = (legacy(2).raw, legacy(3).raw);
    cut.pop();
    let answer = raw(&sidecar, &json!([hex(&good), hex(&cut)]), &["--chain-id", "5"]).json();
    let row = |i: usize| (answer["transactions"][i]["verdict"].clone(), answer["transactions"][i]["reason"].clone());
    assert_eq!(row(0), (json!("invalid"), json!("chain-id")));
    assert_eq!(row(1), (json!("malformed"), json!("decoding")));
    assert_eq!(answer["transactions"][0]["from"], Value::Null, "an invalid transaction has no sender");
    assert_eq!(answer["transactions_root"], Value::Null);
}

#[test]
fn a_block_is_checked_against_its_own_claims() {
    let sidecar = Sidecar::start();
    let (first, second) = (legacy(0), dynamic_fee(1));
    let root = hex(&root_of_two(&first.raw, &second.raw));
    let bare = json!({"number": "0x10", "transactionsRoot": root, "transactions": [first.json, second.json]});
    let wanted = json!({
        "transactions": [
            {"hash": first.json["hash"], "from": first.json["from"], "verdict": "valid"},
            {"hash": second.json["hash"], "from": second.json["from"], "verdict": "valid"},
        ],
        "transactions_root": root,
        "mismatches": [],
    });
    assert_eq!(block(&sidecar, &bare).json(), wanted);
    let wrapped = json!({"jsonrpc": "2.0", "id": 1, "result": bare});
    assert_eq!(block(&sidecar, &wrapped).json(), wanted);

    let mut forged = bare.clone();
    forged["transactions"][1]["from"] = hex(&TO).into();
    forged["transactionsRoot"] = hex(&[1; 32]).into();
    let mismatches = block(&sidecar, &forged).json()["mismatches"].clone();
    let mismatches: Vec<_> = mismatches.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(mismatches.len(), 2, "{mismatches:?}");
    assert!(mismatches[0].starts_with("transaction 1, from") && mismatches[1].starts_with("transactionsRoot"));
}

#[test]
fn a_block_with_hashes_only_gets_an_error_that_says_what_to_ask_for() {
    let sidecar = Sidecar::start();
    let hashes = json!({"number": "0x10", "transactionsRoot": hex(&[1; 32]), "transactions": [hex(&[2; 32])]});
    let ran = block(&sidecar, &hashes);
    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("eth_getBlockByNumber(number, true)"), "{}", ran.stderr);
}
