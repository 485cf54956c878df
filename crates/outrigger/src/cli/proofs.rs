//! The part of the command line that is about Groth16.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use outrigger_types::CircuitId;

use super::TargetArgs;

#[derive(Args)]
pub(crate) struct CircuitsArgs {
    #[command(subcommand)]
    pub(crate) command: CircuitsCommand,
}

#[derive(Subcommand)]
pub(crate) enum CircuitsCommand {
    /// Add a circuit by its files; the SHA-256 of its proving key becomes its name
    Add(AddArgs),
    /// List the circuits
    List(ListArgs),
    /// Show a circuit; with --vk, write its verification_key.json
    Show(ShowArgs),
    /// Take a circuit out of the store
    Remove(NamedArgs),
}

#[derive(Args)]
pub(crate) struct AddArgs {
    /// What people call it
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The proving key
    #[arg(long, value_name = "K.zkey")]
    pub(crate) key: PathBuf,
    /// The constraints: then a witness that does not satisfy one is told its number
    #[arg(long, value_name = "C.r1cs")]
    pub(crate) r1cs: Option<PathBuf>,
    /// The witness program: then proofs can be made from inputs
    #[arg(long, value_name = "C.wasm")]
    pub(crate) wasm: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// The circuit
    #[arg(value_name = "HASH")]
    pub(crate) circuit: CircuitId,
    /// Write its verifying key here, as snarkjs has it
    #[arg(long, value_name = "V.json")]
    pub(crate) vk: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct NamedArgs {
    /// The circuit
    #[arg(value_name = "HASH")]
    pub(crate) circuit: CircuitId,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["key", "circuit"]))]
#[command(group = clap::ArgGroup::new("secret").required(true).args(["witness", "input"]))]
pub(crate) struct ProveArgs {
    /// The proving key; a sidecar that does not have it is sent it first
    #[arg(long, value_name = "K.zkey")]
    pub(crate) key: Option<PathBuf>,
    /// A circuit of the store, by the SHA-256 of its proving key
    #[arg(long, value_name = "HASH")]
    pub(crate) circuit: Option<CircuitId>,
    /// The witness
    #[arg(long, value_name = "W.wtns")]
    pub(crate) witness: Option<PathBuf>,
    /// The inputs in JSON; `-` reads standard input. Needs --wasm, or a --circuit that has its witness program
    #[arg(long, value_name = "I.json")]
    pub(crate) input: Option<PathBuf>,
    /// The witness program, run in this process in a sandbox
    #[arg(long, value_name = "C.wasm", requires = "input")]
    pub(crate) wasm: Option<PathBuf>,
    /// Keep the witness that this process makes of the inputs in a file for the owner alone: it is secret
    #[arg(long, value_name = "W.wtns", requires = "input")]
    pub(crate) save_witness: Option<PathBuf>,
    /// The constraints: then a witness that does not satisfy one is told its number
    #[arg(long, value_name = "C.r1cs", conflicts_with = "circuit")]
    pub(crate) r1cs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    /// Only hand the job in, and print its name for `outrigger jobs`; it survives a restart of the sidecar
    #[arg(long, conflicts_with_all = ["local", "proof", "public", "calldata"])]
    pub(crate) submit: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Where a proof is written. Each file appears whole or not at all.
#[derive(Args, Clone, Default)]
pub(crate) struct FilesArgs {
    /// Write the proof here, as snarkjs has it
    #[arg(long, value_name = "P.json")]
    pub(crate) proof: Option<PathBuf>,
    /// Write the public signals here, as snarkjs has them
    #[arg(long, value_name = "S.json")]
    pub(crate) public: Option<PathBuf>,
    /// Write the parameters of a Solidity verifier's call here
    #[arg(long, value_name = "FILE")]
    pub(crate) calldata: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) command: JobsCommand,
}

#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// Say how a job stands
    Show(JobArgs),
    /// Follow a job to its end
    Watch(JobArgs),
    /// Give a job up and have its witness wiped
    Cancel(JobArgs),
}

#[derive(Args)]
pub(crate) struct JobArgs {
    /// The job, as `prove --submit` named it
    #[arg(value_name = "ID")]
    pub(crate) job: String,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("of").required(true).args(["vk", "circuit"]))]
pub(crate) struct VerifyProofArgs {
    /// The verifying key
    #[arg(long, value_name = "V.json")]
    pub(crate) vk: Option<PathBuf>,
    /// A circuit of the store, by the SHA-256 of its proving key
    #[arg(long, value_name = "HASH")]
    pub(crate) circuit: Option<CircuitId>,
    /// The proof
    #[arg(long, value_name = "P.json")]
    pub(crate) proof: PathBuf,
    /// The public signals
    #[arg(long, value_name = "S.json")]
    pub(crate) public: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

#[derive(Args)]
pub(crate) struct SetupArgs {
    /// The constraints
    #[arg(long, value_name = "C.r1cs")]
    pub(crate) r1cs: PathBuf,
    /// Write the proving key here
    #[arg(long, value_name = "K.zkey")]
    pub(crate) key: PathBuf,
    /// Write its verifying key here, as snarkjs has it
    #[arg(long, value_name = "V.json")]
    pub(crate) vk: Option<PathBuf>,
    /// Overwrite files that are there
    #[arg(long)]
    pub(crate) force: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
