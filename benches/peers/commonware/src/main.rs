//! The adapter of commonware-cryptography-curve25519: ZIP 215 in one batch a thread, from bytes.
//!
//! The library signs the length of a namespace, the namespace and the message. With an empty namespace that is a zero
//! byte and the message, so messages must begin with a zero byte, which is taken off before they are handed over.

use std::io::{BufRead, stdin};

use commonware_codec::{Copying, DecodeExt};
use commonware_cryptography::{BatchEntry, BatchVerifier};
use commonware_cryptography_curve25519::signing::{Signature, VerifyingKey};
use commonware_parallel::Sequential;
use serde::Deserialize;

const RULESET: &str = "ed25519-zip215";

#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
enum Command {
    Load { items: Vec<HexItem>, ruleset: String, threads: usize },
    Run,
}

#[derive(Deserialize)]
struct HexItem {
    public_key: String,
    signature: String,
    message: String,
}

struct Item {
    key: Vec<u8>,
    signature: Vec<u8>,
    /// Without its first byte.
    message: Vec<u8>,
}

impl Item {
    fn new(item: &HexItem) -> Result<Self, String> {
        let bytes = |hex: &str| hex::decode(hex).map_err(|error| error.to_string());
        let (key, signature, message) = (bytes(&item.public_key)?, bytes(&item.signature)?, bytes(&item.message)?);
        match message.split_first() {
            Some((0, message)) => Ok(Self { key, signature, message: message.to_vec() }),
            _ => Err("a message that does not begin with a zero byte".into()),
        }
    }
}

/// All valid, or none is counted: one equation for all.
fn verify(items: &[Item]) -> usize {
    let mut parsed = Vec::with_capacity(items.len());
    for item in items {
        let key = VerifyingKey::decode(Copying(&item.key));
        let signature = Signature::decode(Copying(&item.signature));
        let (Ok(key), Ok(signature)) = (key, signature) else { return 0 };
        parsed.push((key, signature, &item.message[..]));
    }
    let holds = VerifyingKey::verify_batch(
        &mut rand::rng(),
        &parsed,
        |_, (public_key, signature, message)| BatchEntry { namespace: b"", message, public_key, signature },
        &Sequential,
    );
    if holds { items.len() } else { 0 }
}

fn run(items: &[Item], threads: usize) -> usize {
    std::thread::scope(|scope| {
        let shares = items.chunks(items.len().div_ceil(threads).max(1));
        let running: Vec<_> = shares.map(|share| scope.spawn(move || verify(share))).collect();
        running.into_iter().map(|share| share.join().expect("a share ends")).sum()
    })
}

fn main() {
    println!(r#"{{"name":"commonware-cryptography-curve25519","version":"2026.10.0","rulesets":["{RULESET}"]}}"#);
    let (mut loaded, mut on) = (Vec::new(), 1);
    for line in stdin().lock().lines() {
        let Ok(line) = line else { return };
        let answer = match serde_json::from_str(&line) {
            Ok(Command::Run) => Ok(format!(r#"{{"valid":{}}}"#, run(&loaded, on))),
            Ok(Command::Load { ruleset, .. }) if ruleset != RULESET => {
                Err("a ruleset that this adapter did not name".into())
            }
            Ok(Command::Load { items, threads, .. }) => {
                items.iter().map(Item::new).collect::<Result<_, _>>().map(|items| {
                    (loaded, on) = (items, threads.clamp(1, 256));
                    "{}".into()
                })
            }
            Err(error) => Err(error.to_string().replace('"', "'")),
        };
        println!("{}", answer.unwrap_or_else(|error: String| format!(r#"{{"error":"{error}"}}"#)));
    }
}
