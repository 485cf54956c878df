//! `outrigger prove`: from a witness or inputs to a proof, here or in a sidecar.

mod local;
mod progress;
mod remote;

use std::process::ExitCode;
use std::time::Duration;

use outrigger_groth16::Proof;
use outrigger_groth16::formats::{calldata, json};
use outrigger_types::{CircuitId, Curve};
use serde_json::{Map, Value};

use crate::cli::{Failure, FilesArgs, ProveArgs};
use crate::{files, print};

pub(super) use progress::Progress;
pub(super) use remote::follow;

/// A stage by name, and the time it took.
pub(super) type Stages = Vec<(String, Duration)>;

/// What came out.
struct Made {
    circuit: CircuitId,
    proof: Proof,
    stages: Stages,
    /// Whether the reference made it after the engine's own try failed, where that is known.
    repeated: Option<bool>,
}

/// Proves.
pub(crate) fn run(args: &ProveArgs) -> Result<ExitCode, Failure> {
    check(args)?;
    if args.submit {
        return remote::submit(args);
    }
    let progress = Progress::new(!args.target.json);
    let made = if args.target.local { local::prove(args, &progress) } else { remote::prove(args, &progress) };
    progress.finish();
    let made = made?;
    write(&args.files, &made.proof)?;
    if args.target.json {
        print::json(&report(&made)?);
    } else {
        print_people(&made);
    }
    Ok(ExitCode::SUCCESS)
}

/// What the parser of the command line cannot say.
fn check(args: &ProveArgs) -> Result<(), Failure> {
    if args.input.is_some() && args.wasm.is_none() && args.circuit.is_none() {
        return Err(Failure::input(
            "--input needs a witness program: name it with --wasm, or a --circuit that has one",
        ));
    }
    if args.save_witness.is_some() && args.wasm.is_none() && !args.target.local {
        return Err(Failure::input("--save-witness: the sidecar makes the witness; name --wasm to make it here"));
    }
    if !args.submit && !args.target.json && args.files.proof.is_none() {
        return Err(Failure::input("say where the proof goes: --proof P.json and --public S.json, or --json"));
    }
    Ok(())
}

/// Writes a proof where the flags say.
pub(super) fn write(to: &FilesArgs, proof: &Proof) -> Result<(), Failure> {
    if to.calldata.is_some() && proof.curve != Curve::Bn254 {
        return Err(Failure::input(format_args!("--calldata: verifiers of proofs on {} take none", proof.curve)));
    }
    type Writer = fn(&Proof) -> String;
    let files: [(_, Writer); 3] =
        [(&to.proof, json::write_proof), (&to.public, json::write_public), (&to.calldata, calldata::solidity)];
    for (path, text) in files {
        if let Some(path) = path {
            files::write(path, text(proof).as_bytes())?;
        }
    }
    Ok(())
}

/// A proof and its public signals as snarkjs has them.
pub(super) fn proof_fields(proof: &Proof) -> Result<Map<String, Value>, Failure> {
    let parse = |text: String| serde_json::from_str::<Value>(&text).map_err(Failure::work);
    let fields = [("proof", parse(json::write_proof(proof))?), ("public", parse(json::write_public(proof))?)];
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Stages as JSON, in milliseconds.
pub(crate) fn stages_ms<'a>(stages: impl IntoIterator<Item = (&'a str, Duration)>) -> Value {
    Value::Object(stages.into_iter().map(|(name, time)| (name.to_owned(), ms(time).into())).collect())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The time of the proof itself: all stages but the making of the witness.
fn prove_time(stages: &Stages) -> Duration {
    stages.iter().filter(|(stage, _)| stage != "witness").map(|(_, time)| *time).sum()
}

fn report(made: &Made) -> Result<Value, Failure> {
    let mut report = Map::new();
    report.insert("circuit".into(), made.circuit.to_string().into());
    report.extend(proof_fields(&made.proof)?);
    let stages = made.stages.iter().map(|(stage, time)| (stage.as_str(), *time));
    report.insert("stages_ms".into(), stages_ms(stages));
    report.insert("prove_ms".into(), ms(prove_time(&made.stages)).into());
    report.insert("repeated".into(), made.repeated.into());
    Ok(Value::Object(report))
}

fn print_people(made: &Made) {
    let signals = made.proof.public_signals.len() / 32;
    println!("proof of {} with {signals} public signals, in {:.1} ms", made.circuit, ms(prove_time(&made.stages)));
    let stages: Vec<_> = made.stages.iter().map(|(stage, time)| format!("{stage} {:.1}", ms(*time))).collect();
    if !stages.is_empty() {
        println!("ms by stage: {}", stages.join(", "));
    }
    if made.repeated == Some(true) {
        println!("the engine's own proof did not verify: this one comes from the reference");
    }
}
