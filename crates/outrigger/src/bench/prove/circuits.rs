//! What is proved: the circuit that is built in, chains of any length, keys of the caller.

use std::path::{Path, PathBuf};

use outrigger_groth16::formats::wtns;
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, Witness};
use outrigger_types::Curve;
use outrigger_witness::{WitnessLimits, WitnessProgram};

use crate::bench::announce;
use crate::cli::{BenchArgs, Failure};
use crate::files;
use crate::membership::{self, Membership};

/// A key and a witness for it, as files, since peers read files.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) key: PathBuf,
    pub(super) wtns: PathBuf,
}

/// The circuits of the command line; the one that is built in where it names none. Made in `folder` where they must be.
pub(super) fn asked_for(args: &BenchArgs, folder: &Path) -> Result<Vec<Subject>, Failure> {
    let asked = &args.proofs;
    if asked.key.len() != asked.witness.len() || asked.name.len() > asked.key.len() {
        return Err(Failure::input("each --key needs a --witness at the same place, and each --name a --key"));
    }
    let mut subjects = Vec::new();
    if asked.key.is_empty() && asked.synthetic.is_empty() {
        announce(args, "making the key of merkle-membership, where it is not there yet");
        subjects.push(built_in(folder)?);
    }
    for &log2_size in &asked.synthetic {
        announce(args, &format!("making the key of a chain of 2^{log2_size} constraints"));
        subjects.push(chain(log2_size, args.proofs.curve, folder)?);
    }
    for (i, (key, wtns)) in asked.key.iter().zip(&asked.witness).enumerate() {
        let stem = || key.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = asked.name.get(i).cloned().unwrap_or_else(stem);
        subjects.push(Subject { name, key: key.clone(), wtns: wtns.clone() });
    }
    Ok(subjects)
}

fn built_in(folder: &Path) -> Result<Subject, Failure> {
    let key = membership::cached_key(folder)?;
    let program = WitnessProgram::compile(membership::WASM).map_err(Failure::work)?;
    let drawn = Membership::draw()?;
    let witness = program.calculate(&drawn.inputs, &WitnessLimits::default(), &Control::default());
    subject(membership::NAME.to_owned(), key, &witness.map_err(Failure::work)?, folder)
}

fn chain(log2_size: u32, curve: Curve, folder: &Path) -> Result<Subject, Failure> {
    if !(synthetic::LOG2_SIZE_MIN..=synthetic::LOG2_SIZE_MAX).contains(&log2_size) {
        return Err(Failure::input(format_args!(
            "--synthetic {log2_size}: from {} to {}",
            synthetic::LOG2_SIZE_MIN,
            synthetic::LOG2_SIZE_MAX
        )));
    }
    let (r1cs, witness) = synthetic::synthetic(log2_size, curve);
    let name = format!("chain-2^{log2_size}-{curve}");
    let key = folder.join(format!("{name}.zkey"));
    files::write_with(&key, |file| insecure_setup(&r1cs, file, &Control::default()))?;
    subject(name, key, &witness, folder)
}

fn subject(name: String, key: PathBuf, witness: &Witness, folder: &Path) -> Result<Subject, Failure> {
    let path = folder.join(format!("{name}.wtns"));
    files::write_secret(&path, &wtns::write(witness))?;
    Ok(Subject { name, key, wtns: path })
}
