//! The commands that do one piece of work and print what came out.

pub(crate) mod circuits;
pub(crate) mod devices;
pub(crate) mod hash;
pub(crate) mod jobs;
pub(crate) mod merkle;
pub(crate) mod prove;
pub(crate) mod recover;
pub(crate) mod setup;
pub(crate) mod top;
pub(crate) mod verify;
pub(crate) mod verify_proof;

use std::process::ExitCode;

use outrigger_types::Verdict;

/// Exit status 0 when all items were processed, whatever the verdicts, else 3.
fn processed(verdicts: &[Verdict]) -> ExitCode {
    if verdicts.contains(&Verdict::Unprocessed) { ExitCode::from(3) } else { ExitCode::SUCCESS }
}
