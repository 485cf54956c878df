//! `outrigger setup`: a proving key for development.

use std::path::Path;
use std::process::ExitCode;

use outrigger_groth16::formats::json::write_verifying_key;
use outrigger_groth16::setup::insecure_setup;
use outrigger_groth16::{Control, R1cs, ReadyKey};
use serde_json::json;

use crate::cli::{Failure, SetupArgs};
use crate::{files, items, print};

/// Makes a proving key, and says loudly what it is worth.
pub(crate) fn run(args: &SetupArgs) -> Result<ExitCode, Failure> {
    for path in [Some(&args.key), args.vk.as_ref()].into_iter().flatten() {
        refuse_to_overwrite(path, args.force)?;
    }
    let r1cs = R1cs::parse(&items::read(&args.r1cs)?)
        .map_err(|error| Failure::input(format_args!("{}: {error}", args.r1cs.display())))?;
    eprintln!(
        "INSECURE: this key is for development. Whoever ran this setup can forge proofs; nobody can show that they \
         did not. For production take a key from a ceremony."
    );
    files::write_with(&args.key, |file| insecure_setup(&r1cs, file, &Control::default()))?;
    let key = ReadyKey::open(&args.key).map_err(Failure::work)?;
    if let Some(path) = &args.vk {
        files::write(path, write_verifying_key(key.verifying_key()).map_err(Failure::work)?.as_bytes())?;
    }
    let (circuit, summary) = (files::circuit_id(&args.key)?, key.summary());
    if args.json {
        print::json(&json!({
            "insecure": true,
            "circuit": circuit.to_string(),
            "curve": summary.curve.name(),
            "constraints": r1cs.constraints(),
            "wires": summary.wires,
            "public_signals": summary.public_signals,
            "domain": summary.domain,
            "proving_key_bytes": summary.bytes,
        }));
    } else {
        println!(
            "{}: {} constraints on {}, {}, circuit {circuit}",
            args.key.display(),
            r1cs.constraints(),
            summary.curve,
            print::bytes(summary.bytes as u64)
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A key that is replaced takes every proof made with it along: that must be meant.
fn refuse_to_overwrite(path: &Path, force: bool) -> Result<(), Failure> {
    if force || !path.exists() {
        return Ok(());
    }
    Err(Failure::input(format_args!(
        "{} is there already: name another file, or overwrite it with --force",
        path.display()
    )))
}
