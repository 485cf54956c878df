//! Ed25519 in lanes beside ed25519-dalek's `verify_strict` and ed25519-zebra's batches, on one thread: the whole way
//! from columns to verdicts, a fresh key an item.

use ed25519_dalek::{Signer, SigningKey};
use outrigger_algorithms::lanes;
use outrigger_types::{ColumnBuf, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Work};
use outrigger_vector::Unit;

#[path = "pairs.rs"]
mod pairs;

struct Item {
    key: [u8; 32],
    signature: [u8; 64],
    message: Vec<u8>,
}

fn items(count: usize) -> Vec<Item> {
    let item = |n: usize| {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(n as u64).to_le_bytes());
        let key = SigningKey::from_bytes(&seed);
        let message = seed.repeat(4);
        Item { key: key.verifying_key().to_bytes(), signature: key.sign(&message).to_bytes(), message }
    };
    (0..count).map(item).collect()
}

fn work(ruleset: Ruleset, items: &[Item]) -> Work {
    Work::Verify(SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Message),
        keys: Keys::Inline(ColumnBuf::from_items(&items.iter().map(|item| item.key).collect::<Vec<_>>())),
        signatures: ColumnBuf::from_items(&items.iter().map(|item| item.signature).collect::<Vec<_>>()),
        messages: ColumnBuf::from_items(&items.iter().map(|item| &item.message).collect::<Vec<_>>()),
    })
}

fn dalek(items: &[Item]) {
    for item in items {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&item.key).expect("a key");
        key.verify_strict(&item.message, &item.signature.into()).expect("a valid signature");
    }
}

fn zebra(items: &[Item]) {
    let mut batch = ed25519_zebra::batch::Verifier::new();
    for item in items {
        let signature = ed25519_zebra::Signature::from_bytes(&item.signature);
        batch.queue((ed25519_zebra::VerificationKeyBytes::from(item.key), signature, &item.message));
    }
    batch.verify(rand::rng()).expect("valid signatures");
}

fn main() {
    let Some(unit) = Unit::detect() else {
        println!("NOT RUN: this machine has no AVX-512");
        return;
    };
    let items = items(1_024);
    for count in [8, 64, 256] {
        let strict = work(Ruleset::SolanaEd25519, &items[..count]);
        pairs::compare(
            "strict, ed25519-dalek",
            count,
            || drop(std::hint::black_box(lanes::run(unit, &strict, 0..count))),
            || dalek(&items[..count]),
        );
    }
    for count in [64, 256, 1_024] {
        let zip215 = work(Ruleset::Ed25519Zip215, &items[..count]);
        pairs::compare(
            "ZIP 215, ed25519-zebra",
            count,
            || drop(std::hint::black_box(lanes::run(unit, &zip215, 0..count))),
            || zebra(&items[..count]),
        );
    }
}
