//! `outrigger bench`: product and peer side by side in one run, medians of interleaved pairs.

mod adapters;
mod chain;
mod devices;
mod environment;
mod grpc;
mod hash;
mod known;
mod msm;
mod ntt;
mod pairs;
mod proofs;
mod prove;
mod provers;
mod raw;
mod report;
mod scaling;
mod verify;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use outrigger_groth16::engine::EngineChoice;
use outrigger_scheduler::{CoreEngine, CoreOptions};
use outrigger_types::{Backend, Engine};
use serde::Serialize;
use serde_json::json;

use crate::cli::{BenchArgs, Failure};
use crate::print;

pub(crate) use chain::{Maker, Mix};
pub(crate) use grpc::serve_echo;
pub(crate) use pairs::median;

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) suite: &'static str,
    pub(crate) algorithm: String,
    pub(crate) ruleset: Option<&'static str>,
    pub(crate) backend: String,
    pub(crate) device: String,
    pub(crate) batch: usize,
    /// Bytes of a message; of `prove`, constraints; of `msm`, points; of `ntt`, elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<usize>,
    pub(crate) threads: usize,
    pub(crate) items_per_second: f64,
    pub(crate) latency_us: Latency,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<Peer>,
    /// Product over peer: the median over pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// The lowest and the highest ratio of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<[f64; 2]>,
    /// What else the suite measures, by name with its unit.
    #[serde(flatten)]
    pub(crate) more: serde_json::Map<String, serde_json::Value>,
}

impl Record {
    /// A record of the backend `cpu` that has no figures yet.
    fn new(suite: &'static str, algorithm: &str, batch: usize, threads: usize) -> Self {
        Self::of(&cpu(1), suite, algorithm, batch, threads)
    }

    /// A record of the engine that proves here, without figures yet.
    fn of_prover(suite: &'static str, algorithm: &str, batch: usize, threads: usize) -> Self {
        let cores = cpu(threads);
        let vector = cores.vector().filter(|_| EngineChoice::fastest() == EngineChoice::Vector);
        Self::of(&vector.unwrap_or(cores), suite, algorithm, batch, threads)
    }

    /// A record of an engine that has no figures yet.
    fn of(engine: &CoreEngine, suite: &'static str, algorithm: &str, batch: usize, threads: usize) -> Self {
        Self {
            suite,
            algorithm: algorithm.to_owned(),
            ruleset: None,
            backend: engine.backend().name().to_owned(),
            device: engine.device().to_owned(),
            batch,
            size: None,
            threads,
            items_per_second: 0.0,
            latency_us: Latency::default(),
            peer: None,
            ratio: None,
            spread: None,
            more: serde_json::Map::new(),
        }
    }
}

/// Of one batch.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Who ran beside the product.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) items_per_second: f64,
}

/// Runs a suite and prints its records.
pub(crate) fn run(args: &BenchArgs) -> Result<ExitCode, Failure> {
    if args.pairs == 0 || args.batch == Some(0) || args.threads.contains(&0) {
        return Err(Failure::input("--pairs, --batch and --threads must be at least 1"));
    }
    if args.suite == "report" {
        return report::run(args);
    }
    if !args.files.is_empty() {
        return Err(Failure::input("files are for bench report alone"));
    }
    if args.suite == "devices" {
        return devices::run(args);
    }
    check_backend(args)?;
    known::check(args)?;
    let environment = environment::Environment::now();
    let records = match args.suite.as_str() {
        "verify" => verify::run(args)?,
        "hash" => hash::run(args)?,
        "grpc" => grpc::run(args)?,
        "prove" => prove::run(args)?,
        "msm" => msm::run(args)?,
        "ntt" => ntt::run(args)?,
        _ => chain::run(args)?,
    };
    if records.is_empty() {
        return Err(Failure::input("nothing to measure: no algorithm or ruleset of this suite has these names"));
    }
    if args.json {
        print::json(&json!({"environment": environment, "records": records}));
    } else {
        print_people(&records);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the suite can be measured on the backend that was asked for.
fn check_backend(args: &BenchArgs) -> Result<(), Failure> {
    let Some(backend) = args.backend.filter(|backend| *backend != Backend::Cpu) else { return Ok(()) };
    match args.suite.as_str() {
        // They find devices by themselves, and say what is missing.
        "prove" | "msm" | "ntt" => Ok(()),
        "verify" | "hash" if engines(args, 1).iter().any(|engine| engine.backend() == backend) => Ok(()),
        "verify" | "hash" => Err(Failure::input(format_args!(
            "--backend {backend}: not on this machine; `outrigger devices` lists what is"
        ))),
        _ => Err(Failure::input(format_args!(
            "--backend {backend}: measured by the suites verify, hash, prove, msm and ntt alone"
        ))),
    }
}

/// The engines to measure, each on so many threads: the backend that was asked for, or all that are here.
fn engines(args: &BenchArgs, threads: usize) -> Vec<CoreEngine> {
    let cores = cpu(threads);
    let vector = cores.vector();
    let all = [Some(cores), vector].into_iter().flatten();
    all.filter(|engine| args.backend.is_none_or(|backend| backend == engine.backend())).collect()
}

/// The CPU engine with so many threads.
fn cpu(threads: usize) -> CoreEngine {
    CoreEngine::new(CoreOptions { threads: NonZeroUsize::new(threads), ..CoreOptions::default() })
}

/// Threads where nothing names a number.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The thread counts to measure: what was asked for, or one and two.
fn thread_counts(args: &BenchArgs) -> Vec<usize> {
    if args.threads.is_empty() { vec![1, 2] } else { args.threads.clone() }
}

/// Says on standard error what is being measured, so that standard output stays for records.
fn announce(args: &BenchArgs, what: &str) {
    if !args.json {
        eprintln!("measuring {what} …");
    }
}

fn print_people(records: &[Record]) {
    let headings =
        ["what", "backend", "threads", "batch", "items/s", "p50 µs", "p99 µs", "peer", "peer items/s", "ratio"];
    let mut table = print::table(&headings);
    for record in records {
        let what = match (record.ruleset, record.size) {
            (Some(ruleset), _) if record.suite == "verify" => match record.more.get(known::NAME) {
                Some(known) => format!("{ruleset}, {} known keys", known["keys"]),
                None => ruleset.to_owned(),
            },
            (Some(ruleset), _) if record.suite == "recover" => format!("{ruleset}, recovery"),
            (Some(_), _) => record.algorithm.clone(),
            (None, Some(size)) if record.suite == "hash" => format!("{} of {size} B", record.algorithm),
            (None, Some(size)) => {
                let is_cold = record.more.get("warm").is_some_and(|warm| warm == false);
                format!("{} of {size}{}", record.algorithm, if is_cold { ", cold" } else { "" })
            }
            (None, None) => record.algorithm.clone(),
        };
        let ratio =
            record.ratio.zip(record.spread).map(|(ratio, [low, high])| format!("{ratio:.3} ({low:.2}–{high:.2})"));
        table.add_row([
            what,
            record.backend.clone(),
            record.threads.to_string(),
            record.batch.to_string(),
            rate(record.items_per_second),
            format!("{:.1}", record.latency_us.p50),
            format!("{:.1}", record.latency_us.p99),
            record.peer.as_ref().map_or_else(String::new, |peer| format!("{} {}", peer.name, peer.version)),
            record.peer.as_ref().map_or_else(String::new, |peer| rate(peer.items_per_second)),
            ratio.unwrap_or_default(),
        ]);
    }
    println!("{table}");
    for record in records.iter().filter(|record| !record.more.is_empty()) {
        let what = record.ruleset.unwrap_or(&record.algorithm);
        println!("{what} on {} threads: {}", record.threads, serde_json::Value::Object(record.more.clone()));
    }
}

/// A rate with the digits that say something: proofs of large circuits take seconds.
fn rate(items_per_second: f64) -> String {
    if items_per_second < 100.0 { format!("{items_per_second:.2}") } else { format!("{items_per_second:.0}") }
}

/// A rayon pool of so many threads, for what runs in the pool that it is called in.
fn pool(threads: usize) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(Failure::work)
}
