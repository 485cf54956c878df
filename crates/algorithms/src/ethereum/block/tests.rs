//! Blocks put together here from signed transactions, in the shapes that nodes give them.

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, Transaction};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Signature, U256};
use outrigger_types::{ColumnBuf, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{
    answer, authorization, eip1559, eip2930, eip4844, eip7702, encoded, item, key, legacy, one_of_each, sign,
};
use super::super::transactions_root;
use super::*;

fn quantity(number: impl TryInto<U256>) -> Value {
    let number = number.try_into().unwrap_or_else(|_| panic!("a number of 256 bits"));
    json!(format!("{number:#x}"))
}

fn bytes(bytes: impl AsRef<[u8]>) -> Value {
    json!(format!("0x{}", hex::encode(bytes)))
}

fn json_of_access_list(list: &AccessList) -> Value {
    let entry = |entry: &alloy_eips::eip2930::AccessListItem| {
        let keys: Vec<Value> = entry.storage_keys.iter().map(bytes).collect();
        json!({"address": bytes(entry.address), "storageKeys": keys})
    };
    list.iter().map(entry).collect()
}

/// The JSON of a transaction as geth writes it, and its canonical encoding.
fn json_of<T>(transaction: &T) -> (Value, Vec<u8>)
where
    T: RlpEcdsaEncodableTx + SignableTransaction<Signature> + Transaction,
{
    let signature = sign(&key(1).0, &transaction.signature_hash().0);
    let raw = encoded(transaction, &signature);
    let parity = u64::from(signature.v());
    let kind = transaction.ty();
    let v = match transaction.chain_id() {
        Some(chain_id) if kind == 0 => U256::from(chain_id) * U256::from(2) + U256::from(35 + parity),
        None => U256::from(27 + parity),
        Some(_) => U256::from(parity),
    };
    let mut fields = json!({
        "blockHash": bytes([0x11; 32]), "blockNumber": "0x10", "transactionIndex": "0x0",
        "type": quantity(kind), "nonce": quantity(transaction.nonce()), "gas": quantity(transaction.gas_limit()),
        "to": transaction.to().map(bytes), "value": quantity(transaction.value()),
        "input": bytes(transaction.input()), "hash": bytes(alloy_primitives::keccak256(&raw)), "from": bytes(key(1).1),
        "v": quantity(v), "r": quantity(signature.r()), "s": quantity(signature.s()),
        // Nodes give the price that was paid, whatever the type.
        "gasPrice": quantity(transaction.gas_price().unwrap_or(1_000_000_007)),
    });
    if let Some(chain_id) = transaction.chain_id() {
        fields["chainId"] = quantity(chain_id);
    }
    if kind > 0 {
        fields["yParity"] = quantity(parity);
        fields["accessList"] = json_of_access_list(transaction.access_list().expect("a list"));
    }
    if kind > 1 {
        fields["maxFeePerGas"] = quantity(transaction.max_fee_per_gas());
        fields["maxPriorityFeePerGas"] = quantity(transaction.max_priority_fee_per_gas().expect("a fee"));
    }
    if kind == 3 {
        fields["maxFeePerBlobGas"] = quantity(transaction.max_fee_per_blob_gas().expect("a fee"));
        fields["blobVersionedHashes"] =
            transaction.blob_versioned_hashes().expect("hashes").iter().map(bytes).collect();
    }
    if kind == 4 {
        let list = transaction.authorization_list().expect("authorizations");
        fields["authorizationList"] = list
            .iter()
            .map(|signed| {
                json!({
                    "chainId": quantity(signed.chain_id), "address": bytes(signed.address),
                    "nonce": quantity(signed.nonce), "yParity": quantity(signed.y_parity()),
                    "r": quantity(signed.r()), "s": quantity(signed.s()),
                })
            })
            .collect();
    }
    (fields, raw)
}

fn transactions() -> Vec<(Value, Vec<u8>)> {
    vec![
        json_of(&legacy(Some(1))),
        json_of(&eip2930()),
        json_of(&eip1559()),
        json_of(&eip4844()),
        json_of(&eip7702(vec![authorization(1, 2), authorization(0, 3)])),
        json_of(&legacy(None)),
    ]
}

fn block_of(transactions: &[Value], root: [u8; 32]) -> Value {
    json!({
        "number": "0x10", "hash": bytes([0x11; 32]), "transactionsRoot": bytes(root), "transactions": transactions,
        "baseFeePerGas": "0x7", "withdrawals": [], "uncles": [],
    })
}

fn parse_value(value: &Value) -> Result<Block, BlockError> {
    parse(value.to_string().as_bytes())
}

/// What `parse` makes of a block of this one transaction.
fn parse_one(transaction: &Value) -> Result<BlockTransaction, BlockError> {
    Ok(parse_value(&block_of(std::slice::from_ref(transaction), [0; 32]))?.transactions.swap_remove(0))
}

fn raw_of(transaction: &Value) -> Vec<u8> {
    parse_one(transaction).expect("a transaction").raw.expect("an encoding")
}

fn error_of(transaction: &Value) -> String {
    parse_one(transaction).expect_err("an error").to_string()
}

#[test]
fn blocks_come_back_as_they_were_signed() {
    let (fields, raw): (Vec<Value>, Vec<Vec<u8>>) = transactions().into_iter().unzip();
    assert_eq!(raw, one_of_each());
    let root = transactions_root(ColumnBuf::from_items(&raw).view());
    let bare = block_of(&fields, root);
    let block = parse_value(&bare).expect("a block");
    assert_eq!((block.number, block.hash), (Some(16), Some([0x11; 32])));
    assert_eq!((block.chain_id, block.transactions_root), (Some(1), root));

    let found: Vec<Vec<u8>> = block.transactions.iter().map(|each| each.raw.clone().expect("an encoding")).collect();
    assert_eq!(found, raw);
    let output = answer(&found, block.chain_id, false);
    for (i, transaction) in block.transactions.iter().enumerate() {
        let item = item(&output, i);
        assert_eq!(item.verdict, Verdict::Valid);
        assert_eq!((transaction.claimed_hash, transaction.claimed_from), (Some(item.hash), Some(item.sender)));
        assert_eq!((transaction.transaction_type, transaction.reason), (item.transaction_type.into(), Reason::None));
    }

    for wrapped in [
        json!({"jsonrpc": "2.0", "id": 1, "result": bare}),
        json!({"jsonrpc": "2.0", "id": 1, "error": null, "result": bare}),
    ] {
        assert_eq!(parse_value(&wrapped), Ok(block.clone()));
    }
    let empty = parse_value(&block_of(&[], root)).expect("a block");
    assert_eq!((empty.chain_id, empty.transactions.len()), (None, 0));
}

#[test]
fn pending_blocks_have_no_number_and_no_hash() {
    let mut pending = block_of(&[], [1; 32]);
    pending["number"] = Value::Null;
    pending["hash"] = Value::Null;
    let block = parse_value(&pending).expect("a block");
    assert_eq!((block.number, block.hash), (None, None));
}

#[test]
fn nodes_differ_in_how_they_write_a_transaction() {
    type Change = fn(&mut Value);
    let changes: &[(usize, Change)] = &[
        // Older than types.
        (0, |fields| drop(fields.as_object_mut().expect("fields").remove("type"))),
        (0, |fields| drop(fields.as_object_mut().expect("fields").remove("chainId"))),
        (5, |fields| fields["chainId"] = Value::Null),
        (5, |fields| fields["chainId"] = json!("0x1")),
        // One of the two parities, or one that says something else beside the right one.
        (2, |fields| drop(fields.as_object_mut().expect("fields").remove("yParity"))),
        (2, |fields| drop(fields.as_object_mut().expect("fields").remove("v"))),
        (2, |fields| fields["v"] = json!("0x25")),
        (2, |fields| fields["accessList"] = Value::Null),
        (2, |fields| drop(fields.as_object_mut().expect("fields").remove("accessList"))),
        (1, |fields| drop(fields.as_object_mut().expect("fields").remove("to"))),
        (1, |fields| fields["to"] = json!("0x")),
        (1, |fields| fields["accessList"][0]["storageKeys"] = Value::Null),
        (3, |fields| {
            fields["data"] = fields["input"].take();
        }),
        (3, |fields| {
            fields["gasLimit"] = fields["gas"].take();
        }),
        (0, |fields| fields["nonce"] = json!("0x0009")),
        (0, |fields| fields["nonce"] = json!(9)),
        (1, |fields| fields["nonce"] = json!("0x")),
        (1, |fields| fields["nonce"] = json!("0x0000000000000000000000000000000000000000000000000000000000000000000")),
        (4, |fields| {
            let authorization = &mut fields["authorizationList"][0];
            authorization["v"] = authorization["yParity"].take();
        }),
    ];
    let transactions = transactions();
    for (i, (kind, change)) in changes.iter().enumerate() {
        let (mut fields, raw) = transactions[*kind].clone();
        change(&mut fields);
        assert_eq!(raw_of(&fields), raw, "change {i}");
    }
}

#[test]
fn scalars_with_leading_zeros() {
    let (mut fields, raw) = json_of(&legacy(Some(1)));
    for name in ["r", "s"] {
        let digits = fields[name].as_str().expect("digits")[2..].to_owned();
        fields[name] = json!(format!("0x{digits:0>64}"));
    }
    assert_eq!(raw_of(&fields), raw);
}

#[test]
fn claims_are_kept_and_not_believed() {
    let (mut fields, raw) = json_of(&eip1559());
    fields["from"] = bytes([9; 20]);
    fields["hash"] = Value::Null;
    let transaction = parse_one(&fields).expect("a transaction");
    assert_eq!(transaction.raw, Some(raw));
    assert_eq!((transaction.claimed_from, transaction.claimed_hash), (Some([9; 20]), None));
    // A parity that is none is the rules' to refuse.
    fields["yParity"] = json!("0x5");
    let item = item(&answer(&[raw_of(&fields)], None, false), 0);
    assert_eq!((item.verdict, item.reason), (Verdict::Malformed, Some(Reason::Decoding)));
}

#[test]
fn types_of_other_chains_are_kept_without_an_encoding() {
    for transaction_type in [5_u64, 0x6a, 0x7e, 0xff, 256] {
        let fields = json!({"type": quantity(transaction_type), "hash": bytes([3; 32]), "from": bytes([4; 20])});
        let transaction = parse_one(&fields).expect("a transaction");
        let kept = BlockTransaction {
            raw: None,
            claimed_hash: Some([3; 32]),
            claimed_from: Some([4; 20]),
            transaction_type,
            reason: Reason::UnknownType,
        };
        assert_eq!(transaction, kept);
    }
}

#[test]
fn chains_are_taken_from_what_is_signed() {
    let chain_of = |fields: &[Value]| parse_value(&block_of(fields, [0; 32])).expect("a block").chain_id;
    let (none, _) = json_of(&legacy(None));
    let (large, _) = json_of(&legacy(Some(u64::MAX)));
    let mut typed = eip1559();
    typed.chain_id = 137;
    let (typed, _) = json_of(&typed);
    assert_eq!(chain_of(std::slice::from_ref(&none)), None);
    assert_eq!(chain_of(&[none.clone(), large]), Some(u64::MAX));
    assert_eq!(chain_of(&[none, typed]), Some(137));
}

#[test]
fn answers_without_a_block_say_what_to_do() {
    let error = |text: &str| parse(text.as_bytes()).expect_err("an error").to_string();
    assert!(error("").starts_with("not JSON: "));
    assert!(error("<html>").starts_with("not JSON: "));
    assert!(error("{\"result\":").starts_with("not JSON: "));
    for text in ["[]", "1", "\"0x10\"", "{}", "{\"result\":[]}", "{\"result\":\"0x10\"}"] {
        assert!(error(text).contains("eth_getBlockByNumber(number, true)"), "{text}");
    }
    for text in ["null", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}"] {
        assert!(error(text).contains("does not have this block"), "{text}");
    }
    let refused = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no such method"}});
    assert_eq!(error(&refused.to_string()), "the node answered with error -32601: no such method");
    assert_eq!(error("{\"error\":\"busy\"}"), "the node answered with an error: \"busy\"");
    let hashes = block_of(&[bytes([1; 32])], [0; 32]);
    assert_eq!(parse_value(&hashes), Err(BlockError::HashesOnly));
    assert!(BlockError::HashesOnly.to_string().contains("eth_getBlockByNumber(number, true)"));
}

#[test]
fn fields_that_are_wrong_are_named() {
    let mut block = block_of(&[], [0; 32]);
    block["transactions"] = json!({});
    assert_eq!(parse_value(&block).expect_err("an error").to_string(), "transactions is not an array");
    block["transactions"] = json!([1]);
    assert_eq!(parse_value(&block).expect_err("an error").to_string(), "transactions[0] is not an object");
    let mut block = block_of(&[], [0; 32]);
    block["transactionsRoot"] = json!("0x12");
    assert_eq!(parse_value(&block).expect_err("an error").to_string(), "transactionsRoot has 1 bytes instead of 32");

    let cases: &[(usize, &str, Value, &str)] = &[
        (0, "gas", json!("0x10000000000000000"), "is larger than 64 bits"),
        (0, "gasPrice", json!(format!("0x1{}", "0".repeat(32))), "is larger than 128 bits"),
        (0, "value", json!(format!("0x1{}", "0".repeat(64))), "is larger than 256 bits"),
        (0, "r", json!(format!("0x{}", "f".repeat(500))), "is larger than 256 bits"),
        (0, "nonce", json!("9"), "is not a quantity, a string of 0x and hexadecimal digits"),
        (0, "nonce", json!("0x_1"), "is not a quantity, a string of 0x and hexadecimal digits"),
        (0, "nonce", json!(-1), "is not a quantity, a string of 0x and hexadecimal digits"),
        (0, "nonce", Value::Null, "is missing"),
        (0, "input", json!("0x123"), "is not a string of an even number of hexadecimal digits"),
        (0, "input", Value::Null, "is missing"),
        (0, "to", json!("0x35"), "has 1 bytes instead of 20"),
        (0, "from", json!("0x35"), "has 1 bytes instead of 20"),
        (2, "type", Value::Null, "is missing"),
        (2, "chainId", Value::Null, "is missing"),
        (2, "maxFeePerGas", Value::Null, "is missing"),
        (2, "yParity", json!("0x100"), "is larger than 8 bits"),
        (3, "maxFeePerBlobGas", Value::Null, "is missing"),
    ];
    let transactions = transactions();
    for (kind, name, value, problem) in cases {
        let mut fields = transactions[*kind].0.clone();
        fields[*name] = value.clone();
        assert_eq!(error_of(&fields), format!("transactions[0].{name} {problem}"));
    }

    let mut fields = transactions[4].0.clone();
    fields["authorizationList"][1]["nonce"] = json!("0x10000000000000000");
    let expected = "transactions[0].authorizationList[1].nonce is larger than 64 bits";
    assert_eq!(error_of(&fields), expected);
    let mut fields = transactions[1].0.clone();
    fields["accessList"][1]["storageKeys"][2] = json!("0x00");
    assert_eq!(error_of(&fields), "transactions[0].accessList[1].storageKeys[2] has 1 bytes instead of 32");
    let (mut fields, _) = transactions[3].clone();
    fields["blobVersionedHashes"] = json!(["zz"]);
    assert!(error_of(&fields).starts_with("transactions[0].blobVersionedHashes[0] is not a string"));

    // The index is that of the block.
    let mut all: Vec<Value> = transactions.into_iter().map(|(fields, _)| fields).collect();
    all[3]["gas"] = json!("0xfffffffffffffffff");
    let error = parse_value(&block_of(&all, [0; 32])).expect_err("an error");
    assert_eq!(error.to_string(), "transactions[3].gas is larger than 64 bits");
}

#[test]
fn lists_of_raw_transactions() {
    let raw = one_of_each();
    let list = json!([bytes(&raw[0]), hex::encode(&raw[1]), "0x", "", format!("0x{}", hex::encode_upper(&raw[2]))]);
    let expected = vec![raw[0].clone(), raw[1].clone(), vec![], vec![], raw[2].clone()];
    assert_eq!(parse_raw_list(list.to_string().as_bytes()), Ok(expected));
    assert_eq!(parse_raw_list(b"[]"), Ok(vec![]));

    let error = |text: &str| parse_raw_list(text.as_bytes()).expect_err("an error").to_string();
    assert!(error("{}").starts_with("not a list"));
    assert!(error("0x12").starts_with("not JSON: "));
    for second in ["\"0x1\"", "\"0xzz\"", "null", "1", "[]", "\"0x0x12\""] {
        let problem = "[1] is not a string of an even number of hexadecimal digits";
        assert_eq!(error(&format!("[\"0x12\",{second}]")), problem, "{second}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_block_or_an_error(text: Vec<u8>) {
        prop_assert!(parse(&text).is_err());
        let _ = parse_raw_list(&text);
    }

    #[test]
    fn any_value_in_any_field(kind in 0_usize..6, field in 0_usize..32, text in "(0x)?[0-9a-fA-Fx]{0,70}", shape in 0..4) {
        let (mut fields, _) = transactions().swap_remove(kind);
        let names: Vec<String> = fields.as_object().expect("fields").keys().cloned().collect();
        let name = &names[field % names.len()];
        fields[name.as_str()] = match shape {
            0 => json!(text),
            1 => json!([text]),
            2 => json!({"address": text}),
            _ => json!(text.len()),
        };
        if let Ok(transaction) = parse_one(&fields) {
            prop_assert_eq!(transaction.raw.is_none(), transaction.reason == Reason::UnknownType);
        }
    }
}
