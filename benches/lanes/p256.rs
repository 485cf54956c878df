//! P-256 in lanes beside AWS-LC, the same items, a fresh key an item, one thread:
//! `cargo bench -p outrigger-algorithms --bench lanes-p256`.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use outrigger_algorithms::{Unit, lanes};
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

#[path = "pairs.rs"]
mod pairs;
#[path = "tables.rs"]
mod tables;

/// Four pieces.
const ITEMS: usize = 1_024;
const MESSAGE_BYTES: usize = 128;
/// Keys that sign again and again.
const KEYS: usize = 64;

struct Item {
    /// SEC 1, 65 bytes.
    key: Vec<u8>,
    message: Vec<u8>,
    digest: Digest,
    der: Vec<u8>,
    fixed: Vec<u8>,
}

fn secret(random: &mut StdRng) -> SigningKey {
    SigningKey::from_slice(&random.random::<[u8; 32]>()).expect("a key, but for once in 2^32 times")
}

fn item(random: &mut StdRng, secret: &SigningKey) -> Item {
    let message = random.random::<[u8; MESSAGE_BYTES]>().to_vec();
    let digest = digest(&SHA256, &message);
    let signature: p256::ecdsa::Signature = secret.sign_prehash(digest.as_ref()).expect("a signature");
    let signature = signature.normalize_s();
    Item {
        key: secret.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        message,
        digest,
        der: signature.to_der().as_bytes().to_vec(),
        fixed: signature.to_bytes().to_vec(),
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

fn run(unit: Unit, work: &Work) {
    let output = lanes::run(unit, work, 0..ITEMS);
    assert!(output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid));
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
    let fabric = work(
        Ruleset::Fabric,
        MessageForm::Message,
        [column(|item| &item.key), column(|item| &item.der), column(|item| &item.message)],
    );
    let precompile = work(
        Ruleset::EthereumP256Verify,
        MessageForm::Digest,
        [column(|item| &item.key[1..]), column(|item| &item.fixed), column(|item| item.digest.as_ref())],
    );
    let peer = |hashed: bool| {
        for item in &items {
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &item.key).expect("a key");
            let verified = match hashed {
                true => key.verify_digest_sig(&item.digest, &item.der),
                false => key.verify_sig(&item.message, &item.der),
            };
            verified.expect("a signature");
        }
    };
    pairs::compare("fabric", ITEMS, || run(unit, &fabric), || peer(false));
    pairs::compare("ethereum-p256verify", ITEMS, || run(unit, &precompile), || peer(true));
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
        Ruleset::EthereumP256Verify,
        MessageForm::Digest,
        [column(|item| &item.key[1..]), column(|item| &item.fixed), column(|item| item.digest.as_ref())],
    );
    let parsed: Vec<ParsedPublicKey> =
        items.iter().map(|item| ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &item.key).expect("a key")).collect();
    let peer = || {
        for (item, key) in items.iter().zip(&parsed) {
            key.verify_digest_sig(&item.digest, &item.der).expect("a signature");
        }
    };
    pairs::compare("ethereum-p256verify, 64 keys without tables", ITEMS, || run(unit, &work), peer);
    tables::make(&work);
    pairs::compare("ethereum-p256verify, 64 keys with tables", ITEMS, || run(unit, &work), peer);
}
