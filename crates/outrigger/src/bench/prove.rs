//! The suite `prove`: whole proofs, warm and cold, this prover beside arkworks and beside provers that are not crates
//! of ours.
//!
//! Each circuit's first record of several threads also says how they scale, and all warm ones what the first proof took
//! of memory.
//!
//! What is compared is the time of a proof alone, from a witness in memory: the check of one's own proof, which not
//! every prover does, is left out on both sides and stands in `stages_ms`. Cold is a key file that nothing was prepared
//! from: opened, parsed, prepared, and one proof with it.

mod adapters;
mod circuits;
mod memory;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use outrigger_algorithms::Unit;
use outrigger_groth16::engine::{EngineChoice, ProofEngine};
use outrigger_groth16::formats::wtns;
use outrigger_groth16::{Control, PreparedKey, Proved, ReadyKey, Stage, Wanted, Witness};
use outrigger_types::Verdict;
use serde_json::json;

use self::adapters::Prover;
use self::circuits::Subject;
use self::memory::Memory;
use super::adapters::programs;
use super::{Record, announce, pairs, pool, provers, scaling, thread_counts};
use crate::cli::{BenchArgs, Failure};
use crate::commands::prove::stages_ms;

/// Pairs of cold measurements: they take seconds each, and differ by far more than the machine's noise.
const COLD_PAIRS_MAX: usize = 3;

/// Proofs that are made together: what a sidecar does unless it is told otherwise.
const TOGETHER: usize = 4;

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::work)?;
    let programs = programs(args.peers.as_deref(), true)?;
    let proved_on = provers::Subject::of(args)?;
    let mut records = Vec::new();
    for subject in circuits::asked_for(args, folder.path())? {
        announce(args, &format!("{}: opening the key", subject.name));
        let idle = memory::begin();
        let since = Instant::now();
        let key = ReadyKey::open(&subject.key).map_err(Failure::input)?;
        let (open, witness) = (since.elapsed(), subject.witness()?);
        let mut bench = Bench { args, subject: &subject, on: &proved_on, open, key, witness, memory: None };
        bench.memory = bench.first_proof(idle)?;
        for threads in thread_counts(args) {
            let pool = pool(threads)?;
            let mut beside_reference = bench.warm_reference(&pool)?;
            if threads > 1 {
                bench.scaling(&mut beside_reference)?;
            }
            if proved_on.cores.is_some() {
                bench.rate_together(&mut beside_reference)?;
            }
            records.push(beside_reference);
            for program in &programs {
                records.extend(bench.beside(program, &pool)?);
            }
            if programs.is_empty() {
                records.push(bench.cold(&pool, None)?);
            }
        }
    }
    Ok(records)
}

/// One circuit under measurement.
struct Bench<'a> {
    args: &'a BenchArgs,
    subject: &'a Subject,
    on: &'a provers::Subject,
    /// What it took to open the key.
    open: Duration,
    key: ReadyKey,
    witness: Witness,
    /// What the first proof took of memory, where the system tells.
    memory: Option<Memory>,
}

impl Bench<'_> {
    /// The first proof with the key, in the largest of the pools, by its memory.
    fn first_proof(&self, idle: Option<u64>) -> Result<Option<Memory>, Failure> {
        let threads = thread_counts(self.args).into_iter().max().unwrap_or(1);
        pool(threads)?.install(|| self.prove(&*self.on.engine))?;
        let key = std::fs::metadata(&self.subject.key).map_err(Failure::input)?.len();
        Ok(idle.and_then(|idle| memory::end(idle, key)))
    }

    /// How several threads scale beside a loop in registers: one proof at a time, and several together, as proofs that
    /// wait are made, the check of all in one product included.
    fn scaling(&self, record: &mut Record) -> Result<(), Failure> {
        let Some(unit) = Unit::detect().filter(|_| self.on.is_vector()) else {
            return Ok(());
        };
        let (alone, all) = (pool(1)?, pool(record.threads)?);
        let rate = |pool: &rayon::ThreadPool| {
            let (mut proofs, mut time) = (0.0, Duration::ZERO);
            while time < scaling::SLICE {
                time += pool.install(|| self.prove(&EngineChoice::Vector))?.1;
                proofs += 1.0;
            }
            Ok(proofs / time.as_secs_f64())
        };
        let rounds = self.args.pairs;
        scaling::beside_loop(record, "scaling", rounds, unit, &mut || rate(&alone), &mut || rate(&all))?;
        let together = |pool: &rayon::ThreadPool| {
            let (mut proofs, since) = (0, Instant::now());
            while proofs == 0 || since.elapsed() < scaling::SLICE {
                proofs += pool.install(|| self.prove_together())?;
            }
            Ok(proofs as f64 / since.elapsed().as_secs_f64())
        };
        let (mut one, mut many) = (|| together(&alone), || together(&all));
        scaling::beside_loop(record, "scaling_together", rounds, unit, &mut one, &mut many)
    }

    /// Proofs a second of a device that gets several at a time, the check of all in one product included.
    fn rate_together(&self, record: &mut Record) -> Result<(), Failure> {
        let pool = pool(record.threads)?;
        let mut rates = Vec::new();
        for _ in 0..self.args.pairs {
            let since = Instant::now();
            let proofs = pool.install(|| self.prove_together())?;
            rates.push(proofs as f64 / since.elapsed().as_secs_f64());
        }
        record.more.insert("together".into(), json!(TOGETHER));
        record.more.insert("proofs_per_second_together".into(), json!(pairs::median(&mut rates)));
        Ok(())
    }

    /// Makes some proofs together; how many.
    fn prove_together(&self) -> Result<usize, Failure> {
        let control = Control::default();
        let wanted = [Wanted { witness: &self.witness, control: &control }; TOGETHER];
        for proved in self.key.prove_many(&wanted, None, &*self.on.engine) {
            if let Some(why) = proved.map_err(Failure::work)?.repeated {
                return Err(Failure::work(format_args!("the engine's own proof did not count: {why}")));
            }
        }
        Ok(TOGETHER)
    }

    /// Beside the reference engine, in the same process and pool.
    fn warm_reference(&self, pool: &rayon::ThreadPool) -> Result<Record, Failure> {
        let (choice, name, version) = match self.on.cores {
            None => (EngineChoice::Reference, "arkworks (the reference engine)".to_owned(), "0.6"),
            // What a device must beat.
            Some(choice) => (choice, format!("engine {} of the cores", choice.name()), env!("CARGO_PKG_VERSION")),
        };
        announce(self.args, &self.title(pool, &name));
        let run = Box::new(move || pool.install(|| self.prove(&choice)).map(|(_, alone)| alone));
        let peer = pairs::Other { name, version: version.into(), run };
        self.warm(pool, peer)
    }

    /// Beside a prover that is not ours: warm where it can keep a key, and cold.
    fn beside(&self, program: &std::path::Path, pool: &rayon::ThreadPool) -> Result<Vec<Record>, Failure> {
        let threads = pool.current_num_threads();
        let start = || Prover::start(program, &self.subject.key, &self.subject.wtns, threads);
        let mut prover = start()?;
        let (name, version) = (prover.name().to_owned(), prover.version().to_owned());
        announce(self.args, &self.title(pool, &name));
        let mut records = Vec::new();
        if prover.keeps_its_key() {
            let run = Box::new(|| prover.prove());
            records.push(self.warm(pool, pairs::Other { name: name.clone(), version: version.clone(), run })?);
            self.judge(&mut prover)?;
        }
        drop(prover);
        let run = Box::new(|| start()?.cold());
        records.push(self.cold(pool, Some(pairs::Other { name, version, run }))?);
        Ok(records)
    }

    fn warm(&self, pool: &rayon::ThreadPool, peer: pairs::Other<'_>) -> Result<Record, Failure> {
        let mut stages: BTreeMap<Stage, Vec<f64>> = BTreeMap::new();
        let product = || {
            let (proved, alone) = pool.install(|| self.prove(&*self.on.engine))?;
            for (stage, time) in proved.timings.iter() {
                stages.entry(stage).or_default().push(time.as_secs_f64());
            }
            Ok(alone)
        };
        let mut record = self.record(pool, true);
        pairs::measure(&mut record, self.args.pairs, Box::new(product), Some(peer))?;
        let medians = stages.iter_mut().map(|(stage, times)| (stage.name(), seconds(pairs::median(times))));
        record.more.insert("stages_ms".into(), stages_ms(medians));
        record.more.insert("open_ms".into(), json!(self.open.as_secs_f64() * 1e3));
        if let Some(memory) = &self.memory {
            record.more.insert("memory".into(), json!(memory));
        }
        Ok(record)
    }

    fn cold(&self, pool: &rayon::ThreadPool, peer: Option<pairs::Other<'_>>) -> Result<Record, Failure> {
        let product = || {
            let since = Instant::now();
            let (proved, _) = pool.install(|| {
                let key = ReadyKey::open(&self.subject.key).map_err(Failure::work)?;
                prove(&key, &self.subject.witness()?, &*self.on.engine)
            })?;
            Ok(since.elapsed().saturating_sub(proved.timings.of(Stage::Verify)))
        };
        let mut record = self.record(pool, false);
        pairs::measure(&mut record, self.args.pairs.min(COLD_PAIRS_MAX), Box::new(product), peer)?;
        record.more.insert("stages_ms".into(), json!({}));
        Ok(record)
    }

    /// A peer's last proof must be one: else its time says nothing.
    fn judge(&self, prover: &mut Prover) -> Result<(), Failure> {
        let proof = prover.last_proof()?;
        let key = PreparedKey::new(self.key.verifying_key()).map_err(Failure::work)?;
        match key.verify(&proof.bytes, &proof.public_signals) {
            Verdict::Valid => Ok(()),
            verdict => Err(Failure::work(format_args!("peer {}: its proof is {verdict}", prover.name()))),
        }
    }

    fn prove(&self, engine: &dyn ProofEngine) -> Result<(Proved, Duration), Failure> {
        prove(&self.key, &self.witness, engine)
    }

    fn record(&self, pool: &rayon::ThreadPool, is_warm: bool) -> Record {
        let summary = self.key.summary();
        let mut record = Record {
            size: Some(summary.constraints),
            ..self.on.record("prove", &self.subject.name, 1, pool.current_num_threads())
        };
        record.more.insert("warm".into(), json!(is_warm));
        record.more.insert("domain".into(), json!(summary.domain));
        record
    }

    fn title(&self, pool: &rayon::ThreadPool, peer: &str) -> String {
        format!("{} beside {peer}, {} threads", self.subject.name, pool.current_num_threads())
    }
}

/// A proof that the engine asked for has made itself, and the time of it without its check.
fn prove(key: &ReadyKey, witness: &Witness, engine: &dyn ProofEngine) -> Result<(Proved, Duration), Failure> {
    let since = Instant::now();
    let proved = key.prove(witness, None, engine, &Control::default()).map_err(Failure::work)?;
    let alone = since.elapsed().saturating_sub(proved.timings.of(Stage::Verify));
    match proved.repeated {
        Some(why) => Err(Failure::work(format_args!("the engine's own proof did not count: {why}"))),
        None => Ok((proved, alone)),
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

impl Subject {
    fn witness(&self) -> Result<Witness, Failure> {
        wtns::parse(&crate::files::read_secret(&self.wtns)?)
            .map_err(|error| Failure::input(format_args!("{}: {error}", self.wtns.display())))
    }
}
