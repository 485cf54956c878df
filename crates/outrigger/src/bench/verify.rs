//! The suite `verify`: every ruleset on every backend, a fresh key an item, caches off; recovery where a ruleset has
//! it; and proofs. With `--known-keys`, signatures of a few keys that have tables: then rulesets with tables alone, and
//! SM2 beside AWS-LC's P-256 too, the fastest curve of its size in any library.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use outrigger_algorithms::{known_keys, registry};
use outrigger_scheduler::CoreEngine;
use outrigger_types::packed::Part;
use outrigger_types::{
    Backend, ColumnBuf, Engine, Job, Keys, Outcome, Output, Priority, Ruleset, SignatureWork, Verdict, Work,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{Record, adapters, announce, engines, known, pairs, proofs, raw, scaling, thread_counts};
use crate::cli::{BenchArgs, Failure};
use crate::workload::{self, Signed};

/// Items of a batch, unless the command line says otherwise: a block of a busy chain.
const BATCH: usize = 1_024;
/// For BLS, where an item costs a millisecond.
const BATCH_BLS: usize = 64;
/// Bytes of a message where the ruleset takes one.
const MESSAGE_BYTES: usize = 120;
/// Longer than any batch takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    let mut adapters = adapters::Adapters::find(args.peers.as_deref())?;
    for room in registry::ALL {
        for rules in room.rulesets {
            let is_wanted = args.ruleset.is_none_or(|ruleset| ruleset == rules.ruleset)
                && args.algorithm.as_deref().is_none_or(|name| name == room.name);
            if is_wanted {
                one(args, room.name, rules.ruleset, &mut adapters, &mut records)?;
            }
        }
    }
    if args.known_keys.is_none()
        && args.ruleset.is_none()
        && args.algorithm.as_deref().is_none_or(|name| name == proofs::NAME)
    {
        records.extend(proofs::run(args)?);
    }
    Ok(records)
}

fn one(
    args: &BenchArgs,
    algorithm: &'static str,
    ruleset: Ruleset,
    adapters: &mut adapters::Adapters,
    records: &mut Vec<Record>,
) -> Result<(), Failure> {
    if args.known_keys.is_some() {
        return with_tables(args, algorithm, ruleset, records);
    }
    announce(args, ruleset.name());
    let is_bls = matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig);
    let batch = args.batch.unwrap_or(if is_bls { BATCH_BLS } else { BATCH });
    let mut rng = StdRng::seed_from_u64(0x0074);
    let items = workload::fresh_keys(ruleset, batch, args.size.unwrap_or(MESSAGE_BYTES), &mut rng);
    let verify = workload::pack(ruleset, &items);
    let keys = Keys::Inline(ColumnBuf::empty());
    let recover = Arc::new(Work::Recover(SignatureWork { keys, ..verify.clone() }));
    let verify = Arc::new(Work::Verify(verify));
    for threads in thread_counts(args) {
        for engine in engines(args, threads) {
            let blank = |suite| Record {
                ruleset: Some(ruleset.name()),
                ..Record::of(&engine, suite, algorithm, batch, threads)
            };
            if engine.supports(verify.operation()) {
                let library = raw::verifier(ruleset);
                let mut record = blank("verify");
                beside(&mut record, args, &engine, &verify, &library, &items)?;
                scaling::measure(&mut record, args, &engine, &verify)?;
                records.push(record);
                for mut other in adapters.for_ruleset(ruleset, &items, threads)? {
                    let mut record = blank("verify");
                    let (name, version) = (other.name(), other.version());
                    let peer = pairs::Other { name, version, run: pairs::clocked(|| other.run()) };
                    pairs::measure(&mut record, args.pairs, pairs::clocked(|| good(&engine, &verify)), Some(peer))?;
                    records.push(record);
                }
            }
            if let Some(library) = raw::recoverer(ruleset).filter(|_| engine.supports(recover.operation())) {
                let mut record = blank("recover");
                beside(&mut record, args, &engine, &recover, &library, &items)?;
                scaling::measure(&mut record, args, &engine, &recover)?;
                records.push(record);
            }
        }
    }
    Ok(())
}

/// Signatures of a few keys, on the engine that has tables of them.
fn with_tables(
    args: &BenchArgs,
    algorithm: &'static str,
    ruleset: Ruleset,
    records: &mut Vec<Record>,
) -> Result<(), Failure> {
    let (batch, bytes) = (args.batch.unwrap_or(BATCH), args.size.unwrap_or(MESSAGE_BYTES));
    let keys = args.known_keys.map_or(1, |keys| keys as usize);
    let mut rng = StdRng::seed_from_u64(0x0074);
    if known_keys::kind_of(ruleset).is_none() {
        return Ok(());
    }
    announce(args, &format!("{ruleset}, {keys} known keys"));
    let mut peers = vec![(ruleset, workload::few_keys(ruleset, batch, keys, bytes, &mut rng))];
    let items = peers[0].1.clone();
    let Some(tables) = known::warm(ruleset, items.iter().map(|item| &item.key[..]))? else { return Ok(()) };
    if algorithm == "sm2" {
        peers.push((Ruleset::Fabric, workload::few_keys(Ruleset::Fabric, batch, keys, bytes, &mut rng)));
    }
    let verify = Arc::new(Work::Verify(workload::pack(ruleset, &items)));
    for threads in thread_counts(args) {
        for engine in engines(args, threads).into_iter().filter(|engine| engine.backend() == Backend::Vector) {
            for (of, items) in &peers {
                let mut record = Record {
                    ruleset: Some(ruleset.name()),
                    ..Record::of(&engine, "verify", algorithm, batch, threads)
                };
                record.more.insert(known::NAME.into(), tables.clone());
                let mut library = raw::verifier(*of);
                if *of != ruleset {
                    library.name = "aws-lc-rs, P-256";
                }
                beside(&mut record, args, &engine, &verify, &library, items)?;
                records.push(record);
            }
        }
    }
    Ok(())
}

/// An engine beside a library on the same items, or on as many others.
fn beside(
    record: &mut Record,
    args: &BenchArgs,
    engine: &CoreEngine,
    work: &Arc<Work>,
    library: &raw::Verifier,
    items: &[Signed],
) -> Result<(), Failure> {
    let threads = record.threads;
    let peer = pairs::Other {
        name: library.name.into(),
        version: library.version.into(),
        run: pairs::clocked(|| {
            pairs::stripes(threads, items.len(), |range| {
                assert!((library.verify)(&items[range]), "the peer refuses a good signature");
            });
            Ok(())
        }),
    };
    pairs::measure(record, args.pairs, pairs::clocked(|| good(engine, work)), Some(peer))
}

/// Carries out work of good items.
pub(super) fn good(engine: &CoreEngine, work: &Arc<Work>) -> Result<(), Failure> {
    let output = carry_out(engine, work)?;
    if output.verdicts.iter().all(|verdict| *verdict == Verdict::Valid) {
        return Ok(());
    }
    Err(Failure::work("a good item was refused"))
}

/// Gives an engine one job and waits for all of it.
pub(super) fn carry_out(engine: &CoreEngine, work: &Arc<Work>) -> Result<Output, Failure> {
    carry_out_parts(engine, &[(work.clone(), 0..work.items())])
}

/// The same with a job of several parts, of one operation.
pub(super) fn carry_out_parts(engine: &CoreEngine, parts: &[Part]) -> Result<Output, Failure> {
    let operation = parts.first().map(|(work, _)| work.operation()).ok_or_else(|| Failure::work("no items"))?;
    let (sender, receiver) = mpsc::channel();
    let items = parts.iter().map(|(_, range)| range.len()).sum();
    let count = if operation.is_divisible() { items } else { 1 };
    let job = Job {
        segments: parts.to_vec(),
        output: Output::unprocessed(operation, count),
        deadline: None,
        priority: Priority::Block,
        completion: Arc::new(move |id| {
            let _ = sender.send(id);
        }),
    };
    let id = engine.submit(job).map_err(|(error, _)| Failure::work(error))?;
    let mut whole = Output::unprocessed(operation, count);
    let stride = operation.output_shape().stride;
    let mut put = |pieces: Vec<outrigger_types::Piece>| {
        for piece in pieces {
            let end = piece.start + piece.output.verdicts.len();
            whole.verdicts[piece.start..end].copy_from_slice(&piece.output.verdicts);
            whole.fixed[piece.start * stride..end * stride].copy_from_slice(&piece.output.fixed);
        }
    };
    loop {
        receiver.recv_timeout(PATIENCE).map_err(|_| Failure::work("the engine does not answer"))?;
        match engine.poll(id) {
            Outcome::Running(pieces) => put(pieces),
            Outcome::Done(pieces) => {
                put(pieces);
                return Ok(whole);
            }
            Outcome::Failed(_, error) => return Err(Failure::work(error)),
        }
    }
}
