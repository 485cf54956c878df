//! `outrigger verify-proof`.

use std::process::ExitCode;
use std::sync::Arc;

use outrigger_groth16::formats::json::{read_proof, read_verifying_key};
use outrigger_types::{ColumnBuf, ProofKey, ProofWork, Work};
use serde::Serialize;

use super::circuits::Circuits;
use crate::cli::{Failure, VerifyProofArgs};
use crate::runner::Runner;
use crate::{items, print};

#[derive(Serialize)]
struct Report {
    verdict: &'static str,
}

/// Verifies one proof.
pub(crate) fn run(args: &VerifyProofArgs) -> Result<ExitCode, Failure> {
    let proof = read_proof(&items::read(&args.proof)?, &items::read(&args.public)?).map_err(Failure::input)?;
    let key = verifying_key(args)?;
    if proof.curve != key.curve {
        return Err(Failure::input(format_args!(
            "the proof is on {}, the verifying key on {}",
            proof.curve, key.curve
        )));
    }
    let work = ProofWork {
        key,
        proofs: ColumnBuf::from_items(&[&proof.bytes]),
        public_signals: ColumnBuf::from_items(&[&proof.public_signals]),
    };
    let output = Runner::new(&args.target)?.run(Work::VerifyProofs(work))?;
    let verdict = output.verdicts[0];
    if args.target.json {
        print::json(&Report { verdict: verdict.name() });
    } else {
        println!("{}", print::verdict(verdict));
    }
    Ok(super::processed(&output.verdicts))
}

fn verifying_key(args: &VerifyProofArgs) -> Result<Arc<ProofKey>, Failure> {
    match (&args.vk, args.circuit) {
        (Some(path), _) => {
            let key = read_verifying_key(&items::read(path)?);
            key.map(Arc::new).map_err(|error| Failure::input(format_args!("{}: {error}", path.display())))
        }
        (None, Some(id)) => Circuits::of(&args.target)?.verifying_key(id),
        (None, None) => Err(Failure::input("name what verifies the proof: --vk or --circuit")),
    }
}
