//! Signed Ethereum transactions, put together from the yellow paper and the EIPs alone.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SecretKey};
use sha3::{Digest, Keccak256};

/// Keccak-256.
pub(crate) fn keccak(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}

/// RLP of a byte string.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [byte] if *byte < 0x80 => vec![*byte],
        _ => [&head(0x80, bytes.len())[..], bytes].concat(),
    }
}

/// RLP of a number: without leading zeros.
pub(crate) fn number(number: u64) -> Vec<u8> {
    scalar(&number.to_be_bytes())
}

/// RLP of a number of any size, big-endian.
pub(crate) fn scalar(bytes: &[u8]) -> Vec<u8> {
    string(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..])
}

/// RLP of a list of what is encoded already.
pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let body = items.concat();
    [head(0xc0, body.len()), body].concat()
}

fn head(base: u8, length: usize) -> Vec<u8> {
    if length < 56 {
        return vec![base + length as u8];
    }
    let bytes = length.to_be_bytes();
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    [&[base + 55 + bytes.len() as u8], bytes].concat()
}

/// A signed transaction and who signed it.
pub(crate) struct Transaction {
    pub(crate) raw: Vec<u8>,
    pub(crate) sender: [u8; 20],
}

/// The chain of all of [`transactions`].
pub(crate) const CHAIN: u64 = 1;

/// `count` transactions, a key each, the same for the same seed: transfers and calls of tokens mostly, some swaps with
/// longer input, some lists of access, a quarter of them legacy ones.
pub(crate) fn transactions(count: usize, seed: u64) -> Vec<Transaction> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| transaction(&mut random)).collect()
}

fn transaction(random: &mut StdRng) -> Transaction {
    let secret = SecretKey::from_secret_bytes(random.random()).expect("a number below the order, but for bad luck");
    let key = PublicKey::from_secret_key(&secret).serialize_uncompressed();
    let sender = keccak(&key[1..])[12..].try_into().expect("20 of 32 bytes");
    let input_bytes = match random.random_range(0..10) {
        0..4 => 0,
        4..7 => 68,
        7..9 => random.random_range(100..300),
        _ => random.random_range(300..450),
    };
    let input: Vec<u8> = (0..input_bytes).map(|_| random.random()).collect();
    let nonce = number(random.random_range(0..5_000));
    let fee = number(random.random_range(1_000_000_000..100_000_000_000));
    let gas = number(21_000 + 16 * input_bytes as u64);
    let to = string(&random.random::<[u8; 20]>());
    let value = scalar(&random.random::<u128>().to_be_bytes()[random.random_range(0..16)..]);
    let body = [gas, to, value, string(&input)];
    let raw = match random.random_range(0..8) {
        0 | 1 => legacy(&secret, &[&[nonce, fee][..], &body].concat()),
        2 => typed(&secret, 1, &[&[number(CHAIN), nonce, fee][..], &body, &[access_list(random)]].concat()),
        kind => {
            let access = if kind == 3 { access_list(random) } else { list(&[]) };
            let priority = number(random.random_range(0..2_000_000_000));
            typed(&secret, 2, &[&[number(CHAIN), nonce, priority, fee][..], &body, &[access]].concat())
        }
    };
    Transaction { raw, sender }
}

fn access_list(random: &mut StdRng) -> Vec<u8> {
    let keys: Vec<_> = (0..random.random_range(0..3)).map(|_| string(&random.random::<[u8; 32]>())).collect();
    list(&[list(&[string(&random.random::<[u8; 20]>()), list(&keys)])])
}

/// By EIP-155.
fn legacy(secret: &SecretKey, fields: &[Vec<u8>]) -> Vec<u8> {
    let digest = keccak(&list(&[fields, &[number(CHAIN), number(0), number(0)]].concat()));
    let (parity, r, s) = signature(secret, digest);
    list(&[fields, &[number(CHAIN * 2 + 35 + parity), r, s]].concat())
}

/// By EIP-2718.
fn typed(secret: &SecretKey, kind: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    let (parity, r, s) = signature(secret, keccak(&[&[kind], &list(fields)[..]].concat()));
    [&[kind], &list(&[fields, &[number(parity), r, s]].concat())[..]].concat()
}

fn signature(secret: &SecretKey, digest: [u8; 32]) -> (u64, Vec<u8>, Vec<u8>) {
    let signature = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest), secret);
    let (id, compact) = signature.serialize_compact();
    let (r, s) = compact.split_at(32);
    (u64::from(id.to_u8()), scalar(r), scalar(s))
}
