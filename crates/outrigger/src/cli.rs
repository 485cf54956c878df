//! The command line as people and scripts see it.

mod proofs;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use outrigger_groth16::engine::device::sums::SumTuning;
use outrigger_types::{Backend, Curve, HashAlgorithm, MerkleTree, Priority, Ruleset};
use serde::Serialize;

use crate::bench::Mix;

pub(crate) use proofs::{
    AddArgs, CircuitsArgs, CircuitsCommand, FilesArgs, JobArgs, JobsArgs, JobsCommand, ListArgs, NamedArgs, ProveArgs,
    SetupArgs, ShowArgs, VerifyProofArgs,
};

/// A sidecar that carries a chain node's heavy cryptography.
#[derive(Parser)]
#[command(name = "outrigger", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the sidecar
    Serve(ConfigArgs),
    /// Start a sidecar, play ten seconds of a chain's day against it, and check every verdict
    Demo(DemoArgs),
    /// Verify signatures, a block or raw Ethereum transactions
    Verify(VerifyArgs),
    /// Recover public keys and addresses from signatures
    Recover(RecoverArgs),
    /// Hash messages
    Hash(HashArgs),
    /// Build a Merkle tree: its root, and a proof for one leaf
    Merkle(MerkleArgs),
    /// Add, list, show and remove circuits of a store
    Circuits(CircuitsArgs),
    /// Make a Groth16 proof from a witness, or from inputs
    Prove(ProveArgs),
    /// Ask after proofs that were submitted, follow them, or give them up
    Jobs(JobsArgs),
    /// Verify a Groth16 proof
    VerifyProof(VerifyProofArgs),
    /// Make a proving key for development from an .r1cs: INSECURE, whoever runs it could forge proofs
    Setup(SetupArgs),
    /// Measure this machine, side by side with the best library for each algorithm
    Bench(BenchArgs),
    /// Show how a running sidecar fares, live
    Top(TopArgs),
    /// Measure this machine and write a profile for it
    Tune(TuneArgs),
    /// Show the engines of this machine and what they can do
    Devices(DevicesArgs),
    /// Check a configuration and say what it means; all errors at once
    CheckConfig(ConfigArgs),
    /// Drive an OpenCL device: started by the sidecar, one process a device
    #[command(hide = true)]
    DeviceWorker(DeviceWorkerArgs),
    /// The server that `bench grpc` measures: real but for its engine, which echoes
    #[command(hide = true)]
    BenchEcho(BenchEchoArgs),
}

/// Where the configuration comes from; flags win over the environment, the environment over the file.
#[derive(Args, Clone, Default)]
pub(crate) struct ConfigArgs {
    /// The configuration file (TOML); OUTRIGGER_CONFIG names one too
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The hardware profile: a name, a file, or `auto`
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// Listen on this Unix socket; an empty path turns it off
    #[arg(long, value_name = "PATH", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) unix: Option<PathBuf>,
    /// Listen on this TCP address too (needs TLS, or --insecure-loopback on a loopback address)
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) tcp: Option<SocketAddr>,
    /// Allow TCP without TLS on a loopback address
    #[arg(long)]
    pub(crate) insecure_loopback: bool,
    /// Serve /livez, /readyz, /metrics and /version here
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) admin: Option<String>,
    /// Threads that verify; 0 takes every core
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// The vector engine: auto (where the processor has AVX-512 with IFMA) or off
    #[arg(long, value_name = "RULE")]
    pub(crate) vector: Option<String>,
    /// CUDA devices: auto (where outrigger-cuda is installed, with a driver) or off
    #[arg(long, value_name = "RULE")]
    pub(crate) cuda: Option<String>,
    /// OpenCL devices: auto (GPUs and accelerators), all (also processors) or off
    #[arg(long, value_name = "RULE")]
    pub(crate) opencl: Option<String>,
    /// Log level, or a filter such as `info,outrigger_service=debug`
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where work is done.
#[derive(Args, Clone)]
pub(crate) struct TargetArgs {
    /// The sidecar: unix:PATH, http://HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "ENDPOINT", env = "OUTRIGGER_ENDPOINT", conflicts_with = "local")]
    pub(crate) endpoint: Option<String>,
    /// Do it in this process, without a sidecar
    #[arg(long)]
    pub(crate) local: bool,
    /// Force a backend: cpu, vector, opencl, cuda
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<Backend>,
    /// How urgent it is: consensus, block, mempool, bulk
    #[arg(long, value_name = "CLASS", default_value = "mempool")]
    pub(crate) priority: Priority,
    /// Give up after this many milliseconds
    #[arg(long, value_name = "MS")]
    pub(crate) timeout_ms: Option<u64>,
    /// For https: PEM file of the authorities to trust
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// For https: PEM file of this client's certificate
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// For https: PEM file of this client's key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl TargetArgs {
    /// After which to give up.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("input").required(true).args(["items", "ethereum_block", "ethereum_transactions"]))]
pub(crate) struct VerifyArgs {
    /// The ruleset, for --items
    #[arg(long, value_name = "NAME", requires = "items")]
    pub(crate) ruleset: Option<Ruleset>,
    /// A JSON array of items: {"public_key", "signature", "message" or "digest"} in hex; `-` reads standard input
    #[arg(long, value_name = "FILE", requires = "ruleset")]
    pub(crate) items: Option<PathBuf>,
    /// A block as `eth_getBlockByNumber(number, true)` returns it
    #[arg(long, value_name = "FILE")]
    pub(crate) ethereum_block: Option<PathBuf>,
    /// A JSON array of raw transactions in hex
    #[arg(long, value_name = "FILE")]
    pub(crate) ethereum_transactions: Option<PathBuf>,
    /// Transactions must be for this chain
    #[arg(long, value_name = "ID")]
    pub(crate) chain_id: Option<u64>,
    /// Accept high-S, for Ethereum blocks before Homestead
    #[arg(long)]
    pub(crate) allow_high_s: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct RecoverArgs {
    /// The ruleset
    #[arg(long, value_name = "NAME")]
    pub(crate) ruleset: Ruleset,
    /// A JSON array of items: {"signature", "digest"} in hex; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) items: PathBuf,
    /// Accept high-S, for Ethereum blocks before Homestead
    #[arg(long)]
    pub(crate) allow_high_s: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct HashArgs {
    /// The hash function
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: HashAlgorithm,
    /// A JSON array of messages in hex; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) items: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct MerkleArgs {
    /// The shape of the tree: binary, rfc6962, bitcoin, poseidon, lean-imt, ethereum-trie
    #[arg(long, value_name = "NAME")]
    pub(crate) tree: MerkleTree,
    /// The hash function; may be left out where the tree takes only one, and is sha256 for the others
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<HashAlgorithm>,
    /// A JSON array of leaves in hex; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) items: PathBuf,
    /// Prove that leaf I (from 0) is in the tree
    #[arg(long, value_name = "I")]
    pub(crate) prove: Option<usize>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Verify this block first (JSON of `eth_getBlockByNumber`)
    #[arg(long, value_name = "FILE")]
    pub(crate) ethereum_block: Option<PathBuf>,
    /// Transactions a second
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) rate: u32,
    /// Seconds
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub(crate) seconds: u32,
    /// Which OpenCL devices its sidecar drives: auto, all, or off
    #[arg(long, value_name = "RULE", value_parser = ["auto", "all", "off"], default_value = "auto")]
    pub(crate) opencl: String,
    /// Have all transactions verified on this backend, once it is ready, instead of where they finish first
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<Backend>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// verify, hash, grpc, chain, prove, msm, ntt or devices; or report, which draws what they wrote
    #[arg(value_parser = ["verify", "hash", "grpc", "chain", "prove", "msm", "ntt", "devices", "report"])]
    pub(crate) suite: String,
    /// report: files that the suites wrote with --json, of one machine or several
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// report: write the page here
    #[arg(long, value_name = "PAGE.html", default_value = "report.html")]
    pub(crate) out: PathBuf,
    /// report: and all figures as comma-separated values here
    #[arg(long, value_name = "FIGURES.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Only this algorithm
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// Only this ruleset
    #[arg(long, value_name = "NAME")]
    pub(crate) ruleset: Option<Ruleset>,
    /// Only this backend
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<Backend>,
    /// Items of a batch
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<usize>,
    /// Bytes of a message, for `hash`; points or elements, for `msm` and `ntt`, where 2^K is understood too
    #[arg(long, value_name = "N|2^K", value_parser = size)]
    pub(crate) size: Option<usize>,
    /// Numbers of threads; one and two unless given
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub(crate) threads: Vec<usize>,
    /// verify: signatures of N keys, drawn at random for each item, their tables built before the clock starts; without
    /// it each item has a key of its own, and there are no tables
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) known_keys: Option<u32>,
    /// Interleaved pairs of measurements; the median counts
    #[arg(long, value_name = "N", default_value_t = 11)]
    pub(crate) pairs: usize,
    /// A folder of peer adapters (executables that speak the line protocols of benches/peers/README.md)
    #[arg(long, value_name = "DIR")]
    pub(crate) peers: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) proofs: ProofBenchArgs,
    #[command(flatten)]
    pub(crate) chain: ChainBenchArgs,
    #[command(flatten)]
    pub(crate) devices: DeviceBenchArgs,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `bench prove`, `bench msm` and `bench ntt` take beside the rest.
#[derive(Args)]
pub(crate) struct ProofBenchArgs {
    /// prove: a chain of 2^K constraints, made in place; may be repeated
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=26))]
    pub(crate) synthetic: Vec<u32>,
    /// prove: a proving key, with --witness; may be repeated
    #[arg(long, value_name = "K.zkey")]
    pub(crate) key: Vec<PathBuf>,
    /// prove: the witness for the --key of the same place
    #[arg(long, value_name = "W.wtns")]
    pub(crate) witness: Vec<PathBuf>,
    /// prove: what the record calls the --key of the same place; its file's name unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// msm, ntt: bn254 or bls12-381
    #[arg(long, value_name = "NAME", default_value = "bn254")]
    pub(crate) curve: Curve,
    /// msm: g1 or g2
    #[arg(long, value_name = "NAME", default_value = "g1")]
    pub(crate) group: Group,
    /// msm: what the scalars are; binary and 64-bit ones are what witnesses are made of
    #[arg(long, value_name = "KIND", default_value = "random")]
    pub(crate) scalars: Scalars,
}

/// What `bench chain` takes beside --backend.
#[derive(Args)]
pub(crate) struct ChainBenchArgs {
    /// chain: what blocks are made of; may be repeated, the first four unless given
    #[arg(long, value_name = "MIX")]
    pub(crate) mix: Vec<Mix>,
    /// chain: transactions a second; 10000 unless given, 500 of the mix `proofs`
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u32>,
    /// chain: milliseconds from block to block
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub(crate) block_ms: u32,
    /// chain: how long each mix is played
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub(crate) seconds: u32,
    /// chain: a block whose last verdict comes later than this after it was due is counted as a miss
    #[arg(long, value_name = "MS", default_value_t = 100)]
    pub(crate) deadline_ms: u32,
    /// chain: of a thousand transactions, so many are bad
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) bad_per_mille: u32,
    /// chain: of every ten blocks so many arrive together, 1 to 10
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) burst: u32,
    /// chain: then so many blocks as fast as they are answered
    #[arg(long, value_name = "BLOCKS", default_value_t = 0)]
    pub(crate) catch_up: u32,
    /// chain: clients that have proofs made meanwhile, without a pause
    #[arg(long, value_name = "CLIENTS", default_value_t = 0)]
    pub(crate) proofs_beside: u32,
}

/// What `bench devices` takes beside --backend, --ruleset and --algorithm (a part of an operation's name).
#[derive(Args)]
pub(crate) struct DeviceBenchArgs {
    /// devices: which of those that are found, CUDA's first
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) device: usize,
    /// devices: the part K of N parts of the operations
    #[arg(long, value_name = "K/N")]
    pub(crate) part: Option<Part>,
    /// devices: items of the largest batch
    #[arg(long, value_name = "N|2^K", value_parser = size, default_value = "2^20")]
    pub(crate) items_max: usize,
    /// devices: say on standard error what is being done, with --json too
    #[arg(long)]
    pub(crate) progress: bool,
}

/// One of several parts of a run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (number, of) = text.split_once('/')?;
            Some(Self { number: number.parse().ok()?, of: of.parse().ok()? })
        };
        let part = read().filter(|part| (1..=part.of).contains(&part.number));
        part.ok_or_else(|| format!("{text:?} is not K/N, such as 1/3 for the first of three parts"))
    }
}

/// A group of a pairing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// The first.
    G1,
    /// The second.
    G2,
}

/// What scalars are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scalars {
    /// All of the field.
    Random,
    /// 0 and 1.
    Binary,
    /// Numbers below 2^64.
    #[value(name = "64-bit")]
    Bits64,
}

/// A number, or a power of two as 2^K.
fn size(text: &str) -> Result<usize, String> {
    let bad = || format!("{text:?} is neither a number nor 2^K");
    match text.strip_prefix("2^") {
        Some(power) => power.parse().ok().and_then(|power| 1_usize.checked_shl(power)).ok_or_else(bad),
        None => text.parse().map_err(|_| bad()),
    }
}

#[derive(Args)]
pub(crate) struct TopArgs {
    /// The sidecar's admin listener, or the page of its metrics
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9464")]
    pub(crate) metrics: String,
    /// The time between two looks, such as 1s or 500ms
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub(crate) interval: Duration,
    /// Look once and print it as text
    #[arg(long)]
    pub(crate) once: bool,
    /// Look once and print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time in seconds or milliseconds.
fn interval(text: &str) -> Result<Duration, String> {
    let bad = || format!("{text:?} is no time; write for example 1s or 500ms");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').ok_or_else(bad)?, 1_000),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).map(Duration::from_millis).ok_or_else(bad)
}

#[derive(Args)]
pub(crate) struct TuneArgs {
    /// Write the profile here; without it, what was found is only printed
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long)]
    pub(crate) force: bool,
    /// Begin with this profile instead of the one that suits the machine best
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) profile: Option<String>,
    /// Try nothing: measure this profile beside the one that it would begin with
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["out", "force"])]
    pub(crate) compare: Option<String>,
    /// Measure more values, each for longer: some ten minutes
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BenchEchoArgs {
    /// The socket to listen on
    #[arg(long, value_name = "PATH")]
    pub(crate) unix: PathBuf,
}

#[derive(Args)]
pub(crate) struct DevicesArgs {
    /// CUDA devices: auto (where outrigger-cuda is installed, with a driver) or off
    #[arg(long, value_name = "RULE")]
    pub(crate) cuda: Option<String>,
    /// OpenCL devices: auto (GPUs and accelerators), all (also processors) or off
    #[arg(long, value_name = "RULE")]
    pub(crate) opencl: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which device a worker drives, and how.
#[derive(Args)]
pub(crate) struct DeviceWorkerArgs {
    /// Print what devices there are, a JSON object a line, and end
    #[arg(long)]
    pub(crate) list: bool,
    /// The number of the device in that list
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) ordinal: u32,
    /// Bytes of its memory to hold at most; 0: what suits it
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) memory_bytes_max: u64,
    /// Work-items of a group at most; 0: as many as suit it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) group_max: u32,
    /// How sums of proofs are cut
    #[arg(long, value_name = "BITS,ENTRIES,COPIES", default_value_t)]
    pub(crate) sums: SumTuning,
    /// Keep compiled kernels here
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) kernel_cache: Option<PathBuf>,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The input is at fault: exit status 2, as for wrong flags.
    Input(String),
    /// The work was not done: exit status 1.
    Work(String),
}

impl Failure {
    /// A fault of the input.
    pub(crate) fn input(what: impl fmt::Display) -> Self {
        Self::Input(what.to_string())
    }

    /// Work that was not done.
    pub(crate) fn work(what: impl fmt::Display) -> Self {
        Self::Work(what.to_string())
    }

    /// The exit status of the process.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Work(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(what) | Self::Work(what) => f.write_str(what),
        }
    }
}
