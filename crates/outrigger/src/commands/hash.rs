//! `outrigger hash`.

use std::process::ExitCode;

use outrigger_types::{HashWork, Verdict, Work};
use serde::Serialize;

use crate::cli::{Failure, HashArgs};
use crate::runner::Runner;
use crate::{items, print};

#[derive(Serialize)]
struct Report {
    /// `null` where a message is malformed (Poseidon alone).
    digests: Vec<Option<String>>,
}

/// Hashes a file of messages.
pub(crate) fn run(args: &HashArgs) -> Result<ExitCode, Failure> {
    let messages = items::hex_list(&items::read(&args.items)?)?;
    let runner = Runner::new(&args.target)?;
    let output = runner.run(Work::Hash(HashWork { algorithm: args.algorithm, messages }))?;
    let digests: Vec<_> = output
        .verdicts
        .iter()
        .zip(output.fixed.chunks(32))
        .map(|(verdict, digest)| (*verdict == Verdict::Valid).then(|| print::hex(digest)))
        .collect();
    if args.target.json {
        print::json(&Report { digests });
    } else {
        for (digest, verdict) in digests.iter().zip(&output.verdicts) {
            println!("{}", digest.clone().unwrap_or_else(|| print::verdict(*verdict)));
        }
    }
    Ok(super::processed(&output.verdicts))
}
