//! SM2 in lanes beside RustCrypto's `sm2`, message in and verdict out, the same items, a fresh key an item, one
//! thread: `cargo bench -p outrigger-algorithms --bench lanes-sm2`.

use outrigger_algorithms::{Unit, lanes};
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sm2::dsa::signature::hazmat::PrehashVerifier;
use sm2::dsa::signature::{Signer, Verifier};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm3::{Digest, Sm3};

#[path = "pairs.rs"]
mod pairs;
#[path = "tables.rs"]
mod tables;

/// Four pieces.
const ITEMS: usize = 1_024;
const MESSAGE_BYTES: usize = 128;
/// Keys that sign again and again.
const KEYS: usize = 64;
const IDENTITY: &str = "1234567812345678";

struct Item {
    /// SEC 1, 65 bytes.
    key: Vec<u8>,
    /// The message, and a signature over it.
    message: Vec<u8>,
    signature: Vec<u8>,
    /// Its bare SM3, and a signature over that as FISCO BCOS makes it.
    digest: Vec<u8>,
    digest_signature: Vec<u8>,
}

fn secret(random: &mut StdRng) -> SigningKey {
    SigningKey::from_slice(IDENTITY, &random.random::<[u8; 32]>()).expect("a key")
}

fn item(random: &mut StdRng, secret: &SigningKey) -> Item {
    let message = random.random::<[u8; MESSAGE_BYTES]>().to_vec();
    let digest = Sm3::digest(&message).to_vec();
    let sign = |message: &[u8]| -> Vec<u8> {
        let signature: Signature = secret.sign(message);
        signature.to_bytes().to_vec()
    };
    Item {
        key: secret.verifying_key().to_sec1_bytes().to_vec(),
        signature: sign(&message),
        digest_signature: sign(&digest),
        message,
        digest,
    }
}

fn work(ruleset: Ruleset, form: MessageForm, columns: [Vec<&[u8]>; 3]) -> Work {
    let [keys, signatures, messages] = columns.map(|column| ColumnBuf::from_items(&column));
    Work::Verify(SignatureWork {
        ruleset,
        options: SignatureOptions::new(form),
        keys: Keys::Inline(keys),
        signatures,
        messages,
    })
}

/// Digests of `sm2-digest` here are not what was signed: as much work, another verdict.
fn run(unit: Unit, work: &Work, expected: Verdict) {
    let output = lanes::run(unit, work, 0..ITEMS);
    assert!(output.verdicts.iter().all(|verdict| *verdict == expected));
}

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512 IFMA");
        return;
    };
    let mut random = StdRng::seed_from_u64(1);
    let items: Vec<Item> = (0..ITEMS)
        .map(|_| {
            let secret = secret(&mut random);
            item(&mut random, &secret)
        })
        .collect();
    let column = |of: fn(&Item) -> &[u8]| items.iter().map(of).collect::<Vec<_>>();
    let message = work(
        Ruleset::Sm2Message,
        MessageForm::Message,
        [column(|item| &item.key), column(|item| &item.signature), column(|item| &item.message)],
    );
    let fisco = work(
        Ruleset::FiscoSm2,
        MessageForm::Digest,
        [column(|item| &item.key), column(|item| &item.digest_signature), column(|item| &item.digest)],
    );
    let digest = work(
        Ruleset::Sm2Digest,
        MessageForm::Digest,
        [column(|item| &item.key), column(|item| &item.signature), column(|item| &item.digest)],
    );
    let peer = |message: fn(&Item) -> &[u8], signature: fn(&Item) -> &[u8]| {
        for item in &items {
            let key = VerifyingKey::from_sec1_bytes(IDENTITY, &item.key).expect("a key");
            let signature = Signature::from_slice(signature(item)).expect("a signature");
            key.verify(message(item), &signature).expect("valid");
        }
    };
    pairs::compare(
        "sm2-message",
        ITEMS,
        || run(unit, &message, Verdict::Valid),
        || peer(|item| &item.message, |item| &item.signature),
    );
    pairs::compare(
        "fisco-sm2",
        ITEMS,
        || run(unit, &fisco, Verdict::Valid),
        || peer(|item| &item.digest, |item| &item.digest_signature),
    );
    let peer = || {
        for item in &items {
            let key = VerifyingKey::from_sec1_bytes(IDENTITY, &item.key).expect("a key");
            let signature = Signature::from_slice(&item.signature).expect("a signature");
            assert!(key.verify_prehash(&item.digest, &signature).is_err());
        }
    };
    pairs::compare("sm2-digest", ITEMS, || run(unit, &digest, Verdict::Invalid), peer);
    known(unit, &mut random);
}

/// Signatures of a few keys at random, before and after their tables are made. The peer's keys are parsed beforehand.
fn known(unit: Unit, random: &mut StdRng) {
    let secrets: Vec<SigningKey> = (0..KEYS).map(|_| secret(random)).collect();
    let items: Vec<Item> = (0..ITEMS)
        .map(|_| {
            let secret = &secrets[random.random_range(0..KEYS)];
            item(random, secret)
        })
        .collect();
    let column = |of: fn(&Item) -> &[u8]| items.iter().map(of).collect::<Vec<_>>();
    let work = work(
        Ruleset::Sm2Message,
        MessageForm::Message,
        [column(|item| &item.key), column(|item| &item.signature), column(|item| &item.message)],
    );
    let parsed: Vec<VerifyingKey> =
        items.iter().map(|item| VerifyingKey::from_sec1_bytes(IDENTITY, &item.key).expect("a key")).collect();
    let peer = || {
        for (item, key) in items.iter().zip(&parsed) {
            let signature = Signature::from_slice(&item.signature).expect("a signature");
            key.verify(&item.message, &signature).expect("valid");
        }
    };
    pairs::compare("sm2-message, 64 keys without tables", ITEMS, || run(unit, &work, Verdict::Valid), peer);
    tables::make(&work);
    pairs::compare("sm2-message, 64 keys with tables", ITEMS, || run(unit, &work, Verdict::Valid), peer);
}
