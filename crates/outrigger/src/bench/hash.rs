//! The suite `hash`: every hash function on every backend, messages of equal length.

use std::sync::Arc;

use bytes::Bytes;
use outrigger_algorithms::registry;
use outrigger_scheduler::CoreEngine;
use outrigger_types::{ColumnBuf, Engine, HashAlgorithm, HashWork, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Record, announce, engines, pairs, raw, scaling, thread_counts, verify};
use crate::cli::{BenchArgs, Failure};

/// Items of a batch.
const BATCH: usize = 16_384;
/// Items of a Poseidon batch, where one costs microseconds.
const BATCH_POSEIDON: usize = 1_024;
/// Bytes of a message: two digests, and a small transaction.
const SIZES: [usize; 2] = [64, 1_024];

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    for rules in registry::ALL.iter().flat_map(|room| room.hashes) {
        if args.algorithm.as_deref().is_some_and(|name| name != rules.algorithm.name()) || args.ruleset.is_some() {
            continue;
        }
        let is_poseidon = rules.algorithm == HashAlgorithm::PoseidonBn254;
        let sizes = match (args.size, is_poseidon) {
            (Some(size), _) => vec![size],
            (None, true) => vec![64],
            (None, false) => SIZES.to_vec(),
        };
        for size in sizes {
            if is_poseidon && (size == 0 || size % 32 != 0 || size > 512) {
                return Err(Failure::input("--size: Poseidon takes 1 to 16 elements of 32 bytes"));
            }
            one(args, rules.algorithm, size, &mut records)?;
        }
    }
    Ok(records)
}

fn one(args: &BenchArgs, algorithm: HashAlgorithm, size: usize, records: &mut Vec<Record>) -> Result<(), Failure> {
    announce(args, &format!("{algorithm} of {size} bytes"));
    let is_poseidon = algorithm == HashAlgorithm::PoseidonBn254;
    let batch = args.batch.unwrap_or(if is_poseidon { BATCH_POSEIDON } else { BATCH });
    let mut bytes = vec![0; batch * size];
    StdRng::seed_from_u64(0x4a5).fill(&mut bytes[..]);
    if is_poseidon {
        // Below the modulus.
        bytes.iter_mut().step_by(32).for_each(|byte| *byte &= 0x0f);
    }
    let column = ColumnBuf::with_count(Bytes::from(bytes), batch).map_err(Failure::work)?;
    let work = Arc::new(Work::Hash(HashWork { algorithm, messages: column.clone() }));
    for threads in thread_counts(args) {
        for engine in engines(args, threads).iter().filter(|engine| engine.supports(work.operation())) {
            let library = raw::hasher(algorithm);
            let peer = pairs::Other {
                name: library.name.into(),
                version: library.version.into(),
                run: pairs::clocked(|| {
                    let view = column.view();
                    pairs::stripes(threads, view.len(), |range| (library.hash)(view.slice(range)));
                    Ok(())
                }),
            };
            let blank = Record::of(engine, "hash", algorithm.name(), batch, threads);
            let mut record = Record { size: Some(size), ..blank };
            pairs::measure(&mut record, args.pairs, pairs::clocked(|| hashed(engine, &work)), Some(peer))?;
            record.more.insert("gigabytes_per_second".into(), (record.items_per_second * size as f64 / 1e9).into());
            scaling::measure(&mut record, args, engine, &work)?;
            records.push(record);
        }
    }
    Ok(())
}

fn hashed(engine: &CoreEngine, work: &Arc<Work>) -> Result<(), Failure> {
    let output = verify::carry_out(engine, work)?;
    let is_whole = output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid);
    if is_whole { Ok(()) } else { Err(Failure::work("a message was not hashed")) }
}
