//! `outrigger jobs`: proofs that were submitted.

use std::process::ExitCode;

use outrigger_client::ProofEvent;
use serde_json::{Map, Value, json};

use super::prove::{Progress, follow, proof_fields, write};
use crate::cli::{Failure, JobArgs, JobsArgs, JobsCommand};
use crate::print;
use crate::runner::Caller;

/// Does what is asked with a job.
pub(crate) fn run(args: &JobsArgs) -> Result<ExitCode, Failure> {
    let (JobsCommand::Show(job) | JobsCommand::Watch(job) | JobsCommand::Cancel(job)) = &args.command;
    if job.target.local {
        return Err(Failure::input("--local: jobs are a sidecar's; name it with --endpoint"));
    }
    let caller = Caller::connect(&job.target)?;
    match &args.command {
        JobsCommand::Show(job) => show(&caller, job),
        JobsCommand::Watch(job) => watch(&caller, job),
        JobsCommand::Cancel(job) => cancel(&caller, job),
    }?;
    Ok(ExitCode::SUCCESS)
}

fn show(caller: &Caller, args: &JobArgs) -> Result<(), Failure> {
    let event = caller.wait(caller.client.proof(&args.job))?;
    let is_wanted = [&args.files.proof, &args.files.public, &args.files.calldata].iter().any(|path| path.is_some());
    match &event {
        ProofEvent::Done { proof, .. } => write(&args.files, proof)?,
        _ if is_wanted => {
            return Err(Failure::work(format_args!(
                "there is no proof to write: job {} {}; `outrigger jobs watch` waits for it",
                args.job,
                in_words(&event)
            )));
        }
        _ => {}
    }
    if args.target.json {
        print::json(&state(&args.job, &event)?);
    } else {
        println!("job {} {}", args.job, in_words(&event));
    }
    Ok(())
}

fn watch(caller: &Caller, args: &JobArgs) -> Result<(), Failure> {
    let progress = Progress::new(!args.target.json);
    let stream = caller.wait(caller.client.watch_proof(&args.job))?;
    let end = follow(caller, stream, &progress);
    progress.finish();
    let (proof, stages) = end?;
    write(&args.files, &proof)?;
    if args.target.json {
        print::json(&state(&args.job, &ProofEvent::Done { proof, stages })?);
    } else {
        println!("job {} is proved", args.job);
    }
    Ok(())
}

fn cancel(caller: &Caller, args: &JobArgs) -> Result<(), Failure> {
    caller.wait(caller.client.cancel_proof(&args.job))?;
    if args.target.json {
        print::json(&json!({"job": args.job, "state": "cancelled"}));
    } else {
        println!("job {} is given up", args.job);
    }
    Ok(())
}

/// A job as JSON.
fn state(job: &str, event: &ProofEvent) -> Result<Value, Failure> {
    let mut state = Map::new();
    state.insert("job".into(), job.into());
    match event {
        ProofEvent::Queued { position } => {
            state.insert("state".into(), "queued".into());
            state.insert("position".into(), (*position).into());
        }
        ProofEvent::Running { stage, percent } => {
            state.insert("state".into(), "running".into());
            state.insert("stage".into(), stage.as_str().into());
            state.insert("percent".into(), (*percent).into());
        }
        ProofEvent::Done { proof, .. } => {
            state.insert("state".into(), "done".into());
            state.extend(proof_fields(proof)?);
        }
        ProofEvent::Failed(error) => {
            state.insert("state".into(), "failed".into());
            state.insert("error".into(), error.to_string().into());
        }
        ProofEvent::Cancelled => {
            state.insert("state".into(), "cancelled".into());
        }
    }
    Ok(Value::Object(state))
}

fn in_words(event: &ProofEvent) -> String {
    match event {
        ProofEvent::Queued { position } => format!("waits; {position} go before it"),
        ProofEvent::Running { stage, percent } => format!("runs: {stage}, {percent} %"),
        ProofEvent::Done { .. } => "is proved".to_owned(),
        ProofEvent::Failed(error) => format!("failed: {error}"),
        ProofEvent::Cancelled => "was given up".to_owned(),
    }
}
