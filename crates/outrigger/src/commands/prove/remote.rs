//! Proving in a sidecar.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use outrigger_client::{CircuitFiles, ClientError, ProofEvent, ProofSecret, ProofStream};
use outrigger_groth16::formats::wtns;
use outrigger_groth16::{Control, Proof, Stage};
use outrigger_types::CircuitId;
use serde_json::json;

use super::{Made, Progress, Stages, local};
use crate::cli::{Failure, ProveArgs};
use crate::runner::{Caller, blame, call_options};
use crate::{files, items, print};

/// Has the sidecar prove, and waits.
pub(super) fn prove(args: &ProveArgs, progress: &Progress) -> Result<Made, Failure> {
    let caller = Caller::connect(&args.target)?;
    let circuit = circuit(&caller, args, progress)?;
    let (secret, own) = secret(args, progress)?;
    let client = &caller.client;
    let stream = caller.wait(client.prove(circuit, &secret, call_options(&args.target)))?;
    let (proof, stages) = follow(&caller, stream, progress)?;
    Ok(Made { circuit, proof, stages: own.into_iter().chain(stages).collect(), repeated: None })
}

/// Hands a job in and prints its name.
pub(super) fn submit(args: &ProveArgs) -> Result<ExitCode, Failure> {
    let progress = Progress::new(!args.target.json);
    let caller = Caller::connect(&args.target)?;
    let circuit = circuit(&caller, args, &progress)?;
    let (secret, _) = secret(args, &progress)?;
    progress.finish();
    let job = caller.wait(caller.client.submit_proof(circuit, &secret, call_options(&args.target)))?;
    if args.target.json {
        print::json(&json!({"circuit": circuit.to_string(), "job": job}));
    } else {
        println!("{job}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Follows a proof to its end.
pub(crate) fn follow(
    caller: &Caller,
    mut stream: ProofStream,
    progress: &Progress,
) -> Result<(Proof, Stages), Failure> {
    loop {
        match caller.wait(stream.next())? {
            Some(ProofEvent::Queued { position }) => progress.tell(&format!("queued, {position} before"), 0),
            Some(ProofEvent::Running { stage, percent }) => progress.tell(&stage, percent.into()),
            Some(ProofEvent::Done { proof, stages }) => return Ok((proof, stages)),
            Some(ProofEvent::Failed(error)) => return Err(blame(error)),
            Some(ProofEvent::Cancelled) => return Err(Failure::work("the proof was given up")),
            None => return Err(Failure::work("the sidecar ended the call without a proof")),
        }
    }
}

/// The circuit of the flags. The sidecar is sent a key that it does not have.
fn circuit(caller: &Caller, args: &ProveArgs, progress: &Progress) -> Result<CircuitId, Failure> {
    let Some(key) = &args.key else {
        return args.circuit.ok_or_else(|| Failure::input("name a circuit: --key or --circuit"));
    };
    let id = files::circuit_id(key)?;
    let known = caller.wait(async {
        match caller.client.circuit(id).await {
            Err(ClientError::NotFound(_)) => Ok(None),
            known => known.map(Some),
        }
    })?;
    // Constraints that the sidecar lacks would be the only way to say which of them fails.
    let is_whole = known.as_ref().is_some_and(|(circuit, _)| circuit.has_r1cs || args.r1cs.is_none());
    if is_whole {
        return Ok(id);
    }
    progress.say(&format!("the sidecar does not have this circuit yet: sending {}", key.display()));
    let name = key.file_stem().unwrap_or_default().to_string_lossy();
    let files = CircuitFiles { name: &name, zkey: key, r1cs: args.r1cs.as_deref(), wasm: args.wasm.as_deref() };
    let added = caller.wait(caller.client.add_circuit(files))?;
    if added.id != id {
        return Err(Failure::work(format_args!("{} changed while it was sent: try again", key.display())));
    }
    Ok(id)
}

/// The secret, and the time that its making took where this process did it.
fn secret(
    args: &ProveArgs,
    progress: &Progress,
) -> Result<(ProofSecret, Option<(String, std::time::Duration)>), Failure> {
    if let Some(path) = &args.witness {
        return Ok((ProofSecret::Witness(files::read_secret(path)?), None));
    }
    let Some(wasm) = &args.wasm else {
        let path = args.input.as_deref().unwrap_or(Path::new("-"));
        return Ok((ProofSecret::Inputs(files::read_secret(path)?), None));
    };
    progress.tell(Stage::Witness.name(), 0);
    let since = Instant::now();
    let witness = local::calculate(args, &items::read(wasm)?, &Control::default())?;
    let took = (Stage::Witness.name().to_owned(), since.elapsed());
    Ok((ProofSecret::Witness(wtns::write(&witness)), Some(took)))
}
