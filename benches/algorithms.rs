//! The references on one thread: a batch of signatures for each ruleset, a batch of messages for each hash function.
//! `cargo bench -p outrigger --bench algorithms [NAME]`. Comparisons with other libraries are `outrigger bench`.

#[allow(dead_code, reason = "the benches need signers alone")]
#[path = "../tests/support/signers.rs"]
mod signers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use outrigger_types::{
    ColumnBuf, HashAlgorithm, HashWork, Keys, Ruleset, SignatureOptions, SignatureWork, Verdict, Work,
};

use signers::{Signed, Signer, form};

/// Items of a batch: a few pieces of a thread.
const BATCH: usize = 64;
/// Bytes of a message to hash: two field elements for Poseidon, a Merkle node for the others.
const MESSAGE_BYTES: usize = 64;

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(10);
    for &ruleset in Ruleset::ALL {
        let items: Vec<Signed> = (0..BATCH as u64).map(|i| Signer::new(ruleset, i).sign(&[i as u8; 32])).collect();
        let column = |of: fn(&Signed) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(of).collect::<Vec<_>>());
        let work = Work::Verify(SignatureWork {
            ruleset,
            options: SignatureOptions::new(form(ruleset)),
            keys: Keys::Inline(column(|item| &item.key)),
            signatures: column(|item| &item.signature),
            messages: column(|item| &item.message),
        });
        assert_eq!(outrigger_algorithms::run(&work, 0..BATCH).verdicts, [Verdict::Valid; BATCH], "{ruleset}");
        group.bench_function(ruleset.name(), |bencher| bencher.iter(|| outrigger_algorithms::run(&work, 0..BATCH)));
    }
    group.finish();
}

fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    group.throughput(Throughput::Bytes((BATCH * MESSAGE_BYTES) as u64)).sample_size(20);
    for &algorithm in HashAlgorithm::ALL {
        let message = |i: usize| {
            let mut message = [0_u8; MESSAGE_BYTES];
            message[MESSAGE_BYTES - 1] = i as u8;
            message
        };
        let messages = ColumnBuf::from_items(&(0..BATCH).map(message).collect::<Vec<_>>());
        let work = Work::Hash(HashWork { algorithm, messages });
        assert_eq!(outrigger_algorithms::run(&work, 0..BATCH).verdicts, [Verdict::Valid; BATCH], "{algorithm}");
        group.bench_function(algorithm.name(), |bencher| bencher.iter(|| outrigger_algorithms::run(&work, 0..BATCH)));
    }
    group.finish();
}

criterion_group!(benches, verify, hash);
criterion_main!(benches);
