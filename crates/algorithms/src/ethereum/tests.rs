//! The judges: `k256` and `sha3` over signing payloads cut out of the raw bytes, alloy's types as encoders, and
//! transactions that others published.

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_rlp::{Encodable, Header};
use k256::ecdsa::{RecoveryId, SigningKey, VerifyingKey};
use outrigger_types::{ColumnBuf, EthereumWork, Operation, Output, Verdict, Work};
use proptest::prelude::*;
use sha3::{Digest, Keccak256};

use super::*;
use crate::Unit;

mod lanes;
mod malformed;
mod rules;

/// The order of secp256k1.
pub(super) const ORDER: U256 =
    U256::from_limbs([0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff]);

/// A key of the number `seed`, and its address.
pub(super) fn key(seed: u8) -> (SigningKey, [u8; 20]) {
    let mut secret = [0; 32];
    secret[31] = seed;
    let key = SigningKey::from_slice(&secret).expect("a small number is a key");
    let address = address_of(key.verifying_key());
    (key, address)
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

fn address_of(key: &VerifyingKey) -> [u8; 20] {
    keccak(&key.to_sec1_point(false).as_bytes()[1..])[12..].try_into().expect("20 bytes")
}

pub(super) fn sign(key: &SigningKey, digest: &[u8; 32]) -> Signature {
    let (signature, id) = key.sign_prehash_recoverable(digest);
    Signature::from_bytes_and_parity(&signature.to_bytes(), id.is_y_odd())
}

/// The canonical encoding of a transaction, signed by the key of `seed`.
pub(super) fn signed<T: RlpEcdsaEncodableTx + SignableTransaction<Signature>>(transaction: &T, seed: u8) -> Vec<u8> {
    encoded(transaction, &sign(&key(seed).0, &transaction.signature_hash().0))
}

pub(super) fn encoded<T: RlpEcdsaEncodableTx>(transaction: &T, signature: &Signature) -> Vec<u8> {
    let mut raw = Vec::new();
    transaction.eip2718_encode(signature, &mut raw);
    raw
}

pub(super) fn legacy(chain_id: Option<u64>) -> TxLegacy {
    TxLegacy {
        chain_id,
        nonce: 9,
        gas_price: 20_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0x35)),
        value: U256::from(10).pow(U256::from(18)),
        input: Bytes::new(),
    }
}

fn access_list() -> AccessList {
    let item = |byte, keys: usize| AccessListItem {
        address: Address::repeat_byte(byte),
        storage_keys: (0..keys).map(|i| B256::with_last_byte(i as u8)).collect(),
    };
    AccessList(vec![item(1, 0), item(2, 3)])
}

pub(super) fn eip2930() -> TxEip2930 {
    TxEip2930 {
        chain_id: 1,
        nonce: 0,
        gas_price: 7,
        gas_limit: 100_000,
        to: TxKind::Create,
        value: U256::ZERO,
        access_list: access_list(),
        input: Bytes::from(vec![0x60; 60]),
    }
}

pub(super) fn eip1559() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        nonce: 300,
        gas_limit: 30_000_000,
        max_fee_per_gas: u128::MAX,
        max_priority_fee_per_gas: 0,
        to: TxKind::Call(Address::repeat_byte(0xff)),
        value: U256::MAX,
        access_list: AccessList::default(),
        input: Bytes::from(vec![0x7f]),
    }
}

pub(super) fn eip4844() -> TxEip4844 {
    TxEip4844 {
        chain_id: 1,
        nonce: u64::MAX,
        gas_limit: 1,
        max_fee_per_gas: 2,
        max_priority_fee_per_gas: 1,
        to: Address::repeat_byte(4),
        value: U256::from(0x80),
        access_list: access_list(),
        blob_versioned_hashes: vec![B256::repeat_byte(1), B256::repeat_byte(2)],
        max_fee_per_blob_gas: 3,
        input: Bytes::from(vec![0x80]),
    }
}

pub(super) fn authorization(chain_id: u64, seed: u8) -> SignedAuthorization {
    let authorization = Authorization { chain_id: U256::from(chain_id), address: Address::repeat_byte(seed), nonce: 1 };
    // The digest by hand: EIP-7702's magic byte, then the list of the three fields.
    let mut payload = vec![];
    authorization.chain_id.encode(&mut payload);
    authorization.address.encode(&mut payload);
    authorization.nonce.encode(&mut payload);
    let signature = sign(&key(seed).0, &keccak(&[&[5], list(&payload).as_slice()].concat()));
    authorization.into_signed(signature)
}

pub(super) fn eip7702(authorization_list: Vec<SignedAuthorization>) -> TxEip7702 {
    TxEip7702 {
        chain_id: 1,
        nonce: 2,
        gas_limit: 90_000,
        max_fee_per_gas: 2,
        max_priority_fee_per_gas: 1,
        to: Address::repeat_byte(7),
        value: U256::from(1),
        access_list: access_list(),
        authorization_list,
        input: Bytes::from(vec![1, 2, 3]),
    }
}

/// One of each kind, all signed by the key of 1: kind 0 to 4 by type, and a legacy one without a chain at the end.
pub(super) fn one_of_each() -> Vec<Vec<u8>> {
    vec![
        signed(&legacy(Some(1)), 1),
        signed(&eip2930(), 1),
        signed(&eip1559(), 1),
        signed(&eip4844(), 1),
        signed(&eip7702(vec![authorization(1, 2), authorization(0, 3)]), 1),
        signed(&legacy(None), 1),
    ]
}

/// The list of these items.
pub(super) fn list(payload: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    Header { list: true, payload_length: payload.len() }.encode(&mut list);
    list.extend_from_slice(payload);
    list
}

pub(super) fn items_of(mut list: &[u8]) -> Vec<&[u8]> {
    let mut payload = Header::decode_bytes(&mut list, true).expect("a list");
    let mut items = Vec::new();
    while !payload.is_empty() {
        let mut rest = payload;
        let header = Header::decode(&mut rest).expect("an item");
        let length = payload.len() - rest.len() + header.payload_length;
        items.push(&payload[..length]);
        payload = &payload[length..];
    }
    items
}

fn integer(item: &[u8]) -> U256 {
    U256::from_be_slice(if item[0] < 0x80 { item } else { &item[1..] })
}

/// The sender, from the raw bytes alone: the last three items of the list are the signature, what stands before
/// them (for EIP-155 with the chain and two zeros) is signed.
fn sender_of(raw: &[u8]) -> [u8; 20] {
    let (prefix, fields) = if raw[0] >= 0xc0 { (&raw[..0], raw) } else { raw.split_at(1) };
    let items = items_of(fields);
    let (payload, signature) = items.split_at(items.len() - 3);
    let mut payload = payload.concat();
    let v: u64 = integer(signature[0]).to();
    let is_odd = match v {
        0 | 1 => v == 1,
        27 | 28 => v == 28,
        _ => {
            ((v - 35) / 2).encode(&mut payload);
            payload.extend_from_slice(&[0x80, 0x80]);
            v.is_multiple_of(2)
        }
    };
    let digest = keccak(&[prefix, &list(&payload)].concat());
    let compact = [integer(signature[1]), integer(signature[2])].map(|scalar| scalar.to_be_bytes::<32>()).concat();
    let signature = k256::ecdsa::Signature::from_slice(&compact).expect("scalars in range");
    let key = VerifyingKey::recover_from_prehash(&digest, &signature, RecoveryId::new(is_odd, false));
    address_of(&key.expect("a key"))
}

/// An item of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<Reason>,
    pub(super) hash: [u8; 32],
    pub(super) sender: [u8; 20],
    pub(super) transaction_type: u8,
    pub(super) authorities: Vec<u8>,
}

pub(super) fn item(output: &Output, i: usize) -> Item {
    let fixed = &output.fixed[i * STRIDE..(i + 1) * STRIDE];
    Item {
        verdict: output.verdicts[i],
        reason: Reason::from_byte(output.reasons[i]),
        hash: fixed[..32].try_into().expect("32 bytes"),
        sender: fixed[32..52].try_into().expect("20 bytes"),
        transaction_type: fixed[52],
        authorities: output.variable_item(i).to_vec(),
    }
}

pub(super) fn answer<T: AsRef<[u8]>>(raw: &[T], chain_id: Option<u64>, allow_high_s: bool) -> Output {
    let work = EthereumWork { transactions: ColumnBuf::from_items(raw), chain_id, allow_high_s };
    let mut output = Output::unprocessed(Operation::EthereumTransactions, raw.len());
    verify(&work, 0..raw.len(), &mut output);
    if let Some(unit) = Unit::detect() {
        assert_eq!(crate::lanes::run(unit, &Work::EthereumTransactions(work), 0..raw.len()), output, "lanes");
    }
    output
}

pub(super) fn answer_one(raw: &[u8]) -> Item {
    item(&answer(&[raw], None, false), 0)
}

/// An item that says nothing but verdict and reason.
pub(super) fn empty(verdict: Verdict, reason: Reason) -> Item {
    Item { verdict, reason: Some(reason), hash: [0; 32], sender: [0; 20], transaction_type: 0, authorities: vec![] }
}

#[test]
fn published_transactions_have_their_senders() {
    let text = include_str!("../../vectors/ethereum/transactions.json");
    let vectors: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let vectors = vectors["transactions"].as_array().expect("a list");
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let raw = hex::decode(vector["raw"].as_str().expect("raw")).expect("hexadecimal");
        let found = item(&answer(&[&raw], vector["chain_id"].as_u64(), false), 0);
        assert_eq!((found.verdict, found.reason), (Verdict::Valid, Some(Reason::None)), "{}", vector["name"]);
        assert_eq!(hex::encode(found.sender), vector["sender"], "{}", vector["name"]);
        assert_eq!(u64::from(found.transaction_type), vector["type"], "{}", vector["name"]);
        assert_eq!(found.hash, keccak(&raw));
        if let Some(hash) = vector["hash"].as_str() {
            assert_eq!(hex::encode(found.hash), hash, "{}", vector["name"]);
        }
    }
}

#[test]
fn each_type_has_hash_sender_and_type() {
    let transactions = one_of_each();
    let output = answer(&transactions, Some(1), false);
    for (i, raw) in transactions.iter().enumerate() {
        let found = item(&output, i);
        assert_eq!((found.verdict, found.reason), (Verdict::Valid, Some(Reason::None)), "{i}");
        assert_eq!(found.hash, keccak(raw));
        assert_eq!(found.sender, key(1).1);
        assert_eq!(found.sender, sender_of(raw));
        assert_eq!(found.transaction_type as usize, i % 5);
        assert_eq!(found.authorities.is_empty(), i != 4);
    }
}

#[test]
fn a_range_writes_its_own_places() {
    // Catches an index of the column where the place in the output belongs, and the other way round.
    let transactions = one_of_each();
    let work = EthereumWork { transactions: ColumnBuf::from_items(&transactions), chain_id: None, allow_high_s: false };
    let whole = answer(&transactions, None, false);
    for begin in 0..=transactions.len() {
        for end in begin..=transactions.len() {
            let mut part = Output::unprocessed(Operation::EthereumTransactions, end - begin);
            verify(&work, begin..end, &mut part);
            assert_eq!(part, whole.slice(Operation::EthereumTransactions, begin..end), "{begin}..{end}");
        }
    }
}

#[test]
fn roots_are_those_of_the_trie() {
    let root = |items: &[Vec<u8>]| transactions_root(ColumnBuf::from_items(items).view());
    // The root of the empty trie is the hash of the empty string's RLP.
    assert_eq!(root(&[]), keccak(&[0x80]));
    assert_eq!(hex::encode(root(&[])), "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    // One leaf, by hand: a leaf node of both nibbles of 0x80, the RLP of index 0.
    let one = one_of_each().swap_remove(0);
    let mut leaf = Vec::new();
    [0x20, 0x80].as_slice().encode(&mut leaf);
    one.as_slice().encode(&mut leaf);
    assert_eq!(root(&[one]), keccak(&list(&leaf)));

    // Around 127 and 255 the RLP of an index grows, and the order of the leaves changes.
    for count in [2, 16, 17, 126, 127, 128, 129, 130, 255, 256, 257, 300] {
        let envelopes: Vec<alloy_consensus::TxEnvelope> = (0..count)
            .map(|nonce| {
                let transaction = TxEip1559 { nonce, ..eip1559() };
                transaction.into_signed(Signature::new(U256::from(1), U256::from(1), false)).into()
            })
            .collect();
        let raw: Vec<Vec<u8>> = envelopes.iter().map(alloy_eips::eip2718::Encodable2718::encoded_2718).collect();
        assert_eq!(root(&raw), alloy_consensus::proofs::calculate_transaction_root(&envelopes).0, "{count}");
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(raw in proptest::collection::vec(any::<u8>(), 0..200), first in 0_u8..6) {
        for raw in [raw.clone(), [&[first], raw.as_slice()].concat(), [&[first], list(&raw).as_slice()].concat()] {
            let found = answer_one(&raw);
            prop_assert!(found.verdict != Verdict::Valid);
            prop_assert_eq!(found.verdict == Verdict::Unprocessed, found.reason == Some(Reason::UnknownType));
        }
    }

    #[test]
    fn roots_of_any_leaves(leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 0..40)) {
        let root = transactions_root(ColumnBuf::from_items(&leaves).view());
        let mut other = leaves.clone();
        other.push(vec![1]);
        prop_assert_ne!(root, transactions_root(ColumnBuf::from_items(&other).view()));
    }

    #[test]
    fn signed_by_any_key(seed in 1_u8.., nonce: u64, input in proptest::collection::vec(any::<u8>(), 0..300)) {
        let raw = signed(&TxEip1559 { nonce, input: input.into(), ..eip1559() }, seed);
        prop_assert_eq!(answer_one(&raw).sender, key(seed).1);
        prop_assert_eq!(sender_of(&raw), key(seed).1);
    }
}
