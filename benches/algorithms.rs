//! The references and the lanes on one thread: a batch of signatures for each ruleset, a fresh key an item, and a batch
//! of messages for each hash function. `cargo bench -p outrigger --bench algorithms [NAME]`. Comparisons with other
//! libraries are `outrigger bench`.

#[allow(dead_code, reason = "the benches need signers alone")]
#[path = "../tests/support/signers.rs"]
mod signers;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use outrigger_algorithms::{Unit, lanes};
use outrigger_types::{
    ColumnBuf, HashAlgorithm, HashWork, Keys, Ruleset, SignatureOptions, SignatureWork, Verdict, Work,
};

use signers::{Signed, Signer, form};

/// Items of a batch of the references, and of BLS, where an item costs a millisecond.
const BATCH: usize = 64;
/// Items of a batch of the lanes: a few pieces of a thread.
const LANES_BATCH: usize = 1_024;
/// Bytes of a message to hash: two field elements for Poseidon, a Merkle node for the others.
const MESSAGE_BYTES: usize = 64;

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(10);
    for &ruleset in Ruleset::ALL {
        let is_bls = matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig);
        let sign = |i: u64| Signer::new(ruleset, i).sign(&[i as u8; 32]);
        let items: Vec<Signed> = (0..if is_bls { BATCH } else { LANES_BATCH } as u64).map(sign).collect();
        let column = |of: fn(&Signed) -> &Vec<u8>| ColumnBuf::from_items(&items.iter().map(of).collect::<Vec<_>>());
        let work = Work::Verify(SignatureWork {
            ruleset,
            options: SignatureOptions::new(form(ruleset)),
            keys: Keys::Inline(column(|item| &item.key)),
            signatures: column(|item| &item.signature),
            messages: column(|item| &item.message),
        });
        both(&mut group, ruleset.name(), &work);
    }
    group.finish();
}

fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    group.sample_size(20);
    for &algorithm in HashAlgorithm::ALL {
        let message = |i: usize| {
            let mut message = [0_u8; MESSAGE_BYTES];
            message[MESSAGE_BYTES - 2..].copy_from_slice(&(i as u16).to_be_bytes());
            message
        };
        let messages = ColumnBuf::from_items(&(0..LANES_BATCH).map(message).collect::<Vec<_>>());
        both(&mut group, algorithm.name(), &Work::Hash(HashWork { algorithm, messages }));
    }
    group.finish();
}

/// The reference on some of the items of a piece of work, and the lanes, where they are, on all.
fn both(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, work: &Work) {
    group.throughput(Throughput::Elements(BATCH as u64));
    assert_eq!(outrigger_algorithms::run(work, 0..BATCH).verdicts, [Verdict::Valid; BATCH], "{name}");
    group.bench_function(BenchmarkId::new(name, "cpu"), |bencher| {
        bencher.iter(|| outrigger_algorithms::run(work, 0..BATCH));
    });
    let Some(unit) = Unit::detect().filter(|_| lanes::supports(work.operation())) else { return };
    let all = 0..work.items();
    group.throughput(Throughput::Elements(all.len() as u64));
    assert_eq!(lanes::run(unit, work, all.clone()).verdicts, vec![Verdict::Valid; all.len()], "{name}");
    group.bench_function(BenchmarkId::new(name, "vector"), |bencher| {
        bencher.iter(|| lanes::run(unit, work, all.clone()));
    });
}

criterion_group!(benches, verify, hash);
criterion_main!(benches);
