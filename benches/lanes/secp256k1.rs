//! secp256k1 in lanes against libsecp256k1 (by its Rust binding, and keccak-asm for addresses), on one thread, a fresh
//! key an item: `cargo bench -p outrigger-algorithms --bench secp256k1`.

#[path = "pairs.rs"]
mod pairs;
#[path = "tables.rs"]
mod tables;

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use keccak_asm::Keccak256;
use outrigger_algorithms::{Unit, lanes};
use outrigger_types::{
    ColumnBuf, EthereumWork, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict, Work,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use secp256k1::ecdsa::RecoverableSignature;
use secp256k1::{Message, PublicKey, SecretKey, XOnlyPublicKey, schnorr};

const ITEMS: usize = 2048;
/// Keys that sign again and again.
const KEYS: usize = 64;

/// A signed digest by a key of its own.
struct Signed {
    secret: SecretKey,
    key: PublicKey,
    digest: [u8; 32],
    signature: RecoverableSignature,
}

impl Signed {
    fn new(random: &mut StdRng) -> Self {
        let secret = SecretKey::from_secret_bytes(random.random()).expect("a key");
        Self::by(secret, random)
    }

    fn by(secret: SecretKey, random: &mut StdRng) -> Self {
        let digest: [u8; 32] = random.random();
        let signature = RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest), &secret);
        let key = PublicKey::from_secret_key(&secret);
        Self { secret, key, digest, signature }
    }

    /// r‖s‖v.
    fn recoverable(&self) -> Vec<u8> {
        let (id, compact) = self.signature.serialize_compact();
        [&compact[..], &[id.to_u8()]].concat()
    }

    fn address(&self) -> [u8; 20] {
        Keccak256::digest(&self.key.serialize_uncompressed()[1..])[12..].try_into().expect("20 of 32 bytes")
    }
}

fn work(ruleset: Ruleset, items: &[Signed], parts: impl Fn(&Signed) -> (Vec<u8>, Vec<u8>)) -> SignatureWork {
    let (keys, signatures): (Vec<_>, Vec<_>) = items.iter().map(parts).unzip();
    let digests: Vec<_> = items.iter().map(|item| item.digest).collect();
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(ColumnBuf::from_items(&keys)),
        signatures: ColumnBuf::from_items(&signatures),
        messages: ColumnBuf::from_items(&digests),
    }
}

/// All items in lanes; every one must be valid.
fn ours(unit: Unit, work: &Work) {
    let output = lanes::run(unit, work, 0..ITEMS);
    assert!(output.verdicts.iter().all(|&verdict| verdict == Verdict::Valid));
}

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    let mut random = StdRng::seed_from_u64(0x5ec9);
    let items: Vec<Signed> = (0..ITEMS).map(|_| Signed::new(&mut random)).collect();
    verify(unit, &items);
    recover(unit, &items);
    schnorr(unit, &items);
    transactions(unit, &items);
    known(unit, &mut random);
}

fn verify(unit: Unit, items: &[Signed]) {
    let standard: Vec<_> = items.iter().map(|item| item.signature.to_standard()).collect();
    let peer = || {
        for (item, signature) in items.iter().zip(&standard) {
            assert!(signature.verify(Message::from_digest(item.digest), &item.key).is_ok());
        }
    };
    let bitcoin = |compressed: bool| {
        Work::Verify(work(Ruleset::Bitcoin, items, |item| {
            let key =
                if compressed { item.key.serialize().to_vec() } else { item.key.serialize_uncompressed().to_vec() };
            (key, item.signature.to_standard().serialize_der().to_vec())
        }))
    };
    let whole = bitcoin(false);
    pairs::compare("bitcoin, whole keys", ITEMS, || ours(unit, &whole), peer);
    let compressed = bitcoin(true);
    pairs::compare("bitcoin, compressed keys (the peer's are parsed)", ITEMS, || ours(unit, &compressed), peer);
    let by_key = Work::Verify(work(Ruleset::EthereumPrecompile, items, |item| {
        (item.key.serialize_uncompressed()[1..].to_vec(), item.recoverable())
    }));
    pairs::compare("ethereum-precompile, by key", ITEMS, || ours(unit, &by_key), peer);
}

/// Signatures of a few keys at random, before and after their tables are made.
fn known(unit: Unit, random: &mut StdRng) {
    let secrets: Vec<SecretKey> =
        (0..KEYS).map(|_| SecretKey::from_secret_bytes(random.random()).expect("a key")).collect();
    let items: Vec<Signed> = (0..ITEMS)
        .map(|_| {
            let secret = secrets[random.random_range(0..KEYS)];
            Signed::by(secret, random)
        })
        .collect();
    let standard: Vec<_> = items.iter().map(|item| item.signature.to_standard()).collect();
    let peer = || {
        for (item, signature) in items.iter().zip(&standard) {
            assert!(signature.verify(Message::from_digest(item.digest), &item.key).is_ok());
        }
    };
    let work = Work::Verify(work(Ruleset::Bitcoin, &items, |item| {
        (item.key.serialize().to_vec(), item.signature.to_standard().serialize_der().to_vec())
    }));
    pairs::compare("bitcoin, 64 keys without tables", ITEMS, || ours(unit, &work), peer);
    tables::make(&work);
    pairs::compare("bitcoin, 64 keys with tables", ITEMS, || ours(unit, &work), peer);
}

/// libsecp256k1's recovery and the address.
fn recover_by_peer(items: &[Signed]) {
    for item in items {
        let key = item.signature.recover(Message::from_digest(item.digest)).expect("a key");
        std::hint::black_box(Keccak256::digest(&key.serialize_uncompressed()[1..]));
    }
}

fn recover(unit: Unit, items: &[Signed]) {
    let recovery = work(Ruleset::EthereumPrecompile, items, |item| (Vec::new(), item.recoverable()));
    let recovery = Work::Recover(recovery);
    pairs::compare("recover with address", ITEMS, || ours(unit, &recovery), || recover_by_peer(items));
    let by_address = work(Ruleset::EthereumPrecompile, items, |item| (item.address().to_vec(), item.recoverable()));
    let by_address = Work::Verify(by_address);
    pairs::compare("verify by address", ITEMS, || ours(unit, &by_address), || recover_by_peer(items));
}

fn schnorr(unit: Unit, items: &[Signed]) {
    let signatures: Vec<(schnorr::Signature, XOnlyPublicKey)> = items
        .iter()
        .map(|item| {
            let pair = item.secret.keypair();
            (schnorr::sign_no_aux_rand(&item.digest, &pair), pair.x_only_public_key().0)
        })
        .collect();
    let keys: Vec<_> = signatures.iter().map(|(_, key)| key.to_byte_array()).collect();
    let bytes: Vec<_> = signatures.iter().map(|(signature, _)| signature.to_byte_array()).collect();
    let digests: Vec<_> = items.iter().map(|item| item.digest).collect();
    let work = Work::Verify(SignatureWork {
        ruleset: Ruleset::Bip340,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(ColumnBuf::from_items(&keys)),
        signatures: ColumnBuf::from_items(&bytes),
        messages: ColumnBuf::from_items(&digests),
    });
    pairs::compare(
        "bip340",
        ITEMS,
        || ours(unit, &work),
        || {
            for (item, (signature, key)) in items.iter().zip(&signatures) {
                assert!(signature.verify(&item.digest, key).is_ok());
            }
        },
    );
}

/// Raw transactions, from bytes to senders; the peer only recovers and hashes the key.
fn transactions(unit: Unit, items: &[Signed]) {
    let raw: Vec<Vec<u8>> = items
        .iter()
        .enumerate()
        .map(|(nonce, item)| {
            let transaction = TxEip1559 {
                chain_id: 1,
                nonce: nonce as u64,
                gas_limit: 21_000,
                max_fee_per_gas: 30_000_000_000,
                max_priority_fee_per_gas: 1_000_000_000,
                to: TxKind::Call(Address::repeat_byte(0x35)),
                value: U256::from(10).pow(U256::from(18)),
                access_list: Default::default(),
                input: Bytes::new(),
            };
            let digest = Message::from_digest(transaction.signature_hash().0);
            let (id, compact) = RecoverableSignature::sign_ecdsa_recoverable(digest, &item.secret).serialize_compact();
            let mut raw = Vec::new();
            transaction.eip2718_encode(&Signature::from_bytes_and_parity(&compact, id.to_u8() == 1), &mut raw);
            raw
        })
        .collect();
    let transactions = ColumnBuf::from_items(&raw);
    let work = Work::EthereumTransactions(EthereumWork { transactions, chain_id: Some(1), allow_high_s: false });
    pairs::compare("raw transactions to senders", ITEMS, || ours(unit, &work), || recover_by_peer(items));
}
