//! Signed items in number, as files of the command line and as work of the client.

use std::sync::Arc;

use outrigger_types::{
    ColumnBuf, HashAlgorithm, HashWork, Keys, MessageForm, Ruleset, SignatureOptions, SignatureWork, Verdict, Work,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::signers::{Fault, Signed, Signer, form};

/// `count` items of a ruleset by a few signers, one in `bad_every` of them bad (0: none), the same for the same seed.
pub(crate) fn items(ruleset: Ruleset, count: usize, bad_every: usize, seed: u64) -> Vec<Signed> {
    const SIGNERS: usize = 8;
    let mut random = StdRng::seed_from_u64(seed ^ ruleset.number() as u64);
    let signers: Vec<_> = (0..SIGNERS.min(count + 1)).map(|_| Signer::new(ruleset, random.random())).collect();
    (0..count)
        .map(|i| {
            let mut signed = signers[i % signers.len()].sign(&random.random::<[u8; 32]>());
            if bad_every != 0 && random.random_range(0..bad_every) == 0 {
                let fault = Fault::ALL[random.random_range(0..Fault::ALL.len())];
                fault.apply(&mut signed, signers[(i + 1) % signers.len()].key());
            }
            signed
        })
        .collect()
}

/// The verdicts that items must get.
pub(crate) fn expected(items: &[Signed]) -> Vec<Verdict> {
    items.iter().map(|item| item.expected).collect()
}

/// One item as the command line takes it.
pub(crate) fn as_json(ruleset: Ruleset, item: &Signed) -> Value {
    let message = if form(ruleset) == MessageForm::Digest { "digest" } else { "message" };
    json!({"public_key": hex::encode(&item.key), "signature": hex::encode(&item.signature), message: hex::encode(&item.message)})
}

/// Items as a file of the command line.
pub(crate) fn as_file(ruleset: Ruleset, items: &[Signed]) -> String {
    Value::from_iter(items.iter().map(|item| as_json(ruleset, item))).to_string()
}

/// Items as a piece of work.
pub(crate) fn as_work(ruleset: Ruleset, items: &[Signed]) -> Arc<Work> {
    let column = |of: fn(&Signed) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(of).collect::<Vec<_>>());
    Arc::new(Work::Verify(SignatureWork {
        ruleset,
        options: SignatureOptions::new(form(ruleset)),
        keys: Keys::Inline(column(|item| &item.key)),
        signatures: column(|item| &item.signature),
        messages: column(|item| &item.message),
    }))
}

/// `count` messages of `bytes` bytes to hash: much work for few signatures.
pub(crate) fn hashing(algorithm: HashAlgorithm, count: usize, bytes: usize) -> Arc<Work> {
    let messages: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; bytes]).collect();
    Arc::new(Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(&messages) }))
}
