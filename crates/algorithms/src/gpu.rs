//! The way from a piece of work to the kernels of its room, as [`crate::lanes`] is the vector engine's.
//!
//! A device's worker process runs [`answer`]: packed work in, a packed answer out, each item under its tag. A room's
//! `gpu.rs` parses items as its other engines do, gives the kernels columns of numbers through a [`Session`], and
//! makes verdicts of what they say.

use outrigger_device::DeviceError;
use outrigger_types::packed::{self, Damaged, Marks};
use outrigger_types::{HashAlgorithm, Operation, Output, Ruleset, Work};

use crate::registry::{hash_rules, rules};
use crate::room::{HashKernels, SignatureKernels};

mod by_comb;
mod combs;
#[cfg(test)]
pub(crate) mod on_host;
mod rooms;
mod rows;
mod session;

pub(crate) use by_comb::{ByComb, Judges, Kernels, Way};
pub use combs::CombStats;
pub(crate) use combs::{COMB_BYTES, COMB_WINDOWS, CombKind};
pub use rooms::{Rooms, build, code, header, operations};
pub(crate) use rows::{LENGTHS_VARY, Rows, halves, number, row};
pub use session::{Given, Resident, Results, Session};

/// Whether there are kernels for this operation.
pub fn supports(operation: Operation) -> bool {
    match operation {
        Operation::Verify(ruleset) => signature_kernels(ruleset).is_some(),
        Operation::Recover(ruleset) => signature_kernels(ruleset).is_some_and(|kernels| kernels.recover.is_some()),
        Operation::Hash(algorithm) => hash_kernels(algorithm).is_some(),
        Operation::Merkle(tree, algorithm) => hash_kernels(algorithm).is_some_and(|kernels| (kernels.takes_tree)(tree)),
        Operation::VerifySets(_) | Operation::EthereumTransactions | Operation::VerifyProofs(_) => false,
    }
}

/// The programs that an operation needs; none where it is not supported.
pub fn programs(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::Verify(ruleset) | Operation::Recover(ruleset) => {
            signature_kernels(ruleset).map_or(&[], |kernels| kernels.programs)
        }
        Operation::Hash(algorithm) | Operation::Merkle(_, algorithm) => {
            hash_kernels(algorithm).map_or(&[], |kernels| kernels.programs)
        }
        Operation::VerifySets(_) | Operation::EthereumTransactions | Operation::VerifyProofs(_) => &[],
    }
}

/// As [`run`], with marks on items whose keys are known: they are verified by tables that stay on the device, where the
/// room has such and there is memory for them. The answer is the same.
///
/// # Errors
/// As [`run`].
pub fn run_marked(session: &mut Session<'_>, work: &Work, marks: &Marks) -> Result<Output, DeviceError> {
    session.mark(marks);
    let output = run(session, work);
    session.mark(&Marks::none());
    output
}

/// Answers all items of a piece of work.
///
/// # Errors
/// [`DeviceError::Unsupported`] where there are no kernels for it; what the device reports.
pub fn run(session: &mut Session<'_>, work: &Work) -> Result<Output, DeviceError> {
    let operation = work.operation();
    let mut output = Output::unprocessed(operation, if operation.is_divisible() { work.items() } else { 1 });
    if work.items() == 0 && operation.is_divisible() {
        return Ok(output);
    }
    match work {
        Work::Verify(work) => {
            let kernels = signature_kernels(work.ruleset).ok_or(DeviceError::Unsupported)?;
            (kernels.verify)(session, work, &mut output)?;
        }
        Work::Recover(work) => {
            let kernels = signature_kernels(work.ruleset).and_then(|kernels| kernels.recover);
            kernels.ok_or(DeviceError::Unsupported)?(session, work, &mut output)?;
        }
        Work::Hash(work) => {
            let kernels = hash_kernels(work.algorithm).ok_or(DeviceError::Unsupported)?;
            (kernels.hash)(session, work, &mut output)?;
        }
        Work::Merkle(work) => {
            let kernels = hash_kernels(work.algorithm).filter(|kernels| (kernels.takes_tree)(work.tree));
            (kernels.ok_or(DeviceError::Unsupported)?.tree)(session, work, &mut output)?;
        }
        Work::VerifySets(_) | Work::EthereumTransactions(_) | Work::VerifyProofs(_) => {
            return Err(DeviceError::Unsupported);
        }
    }
    Ok(output)
}

/// What a worker does with a batch: packed work in, its answer with a tag for each item out. Gives back how many bytes
/// of `output` that took.
///
/// # Errors
/// [`DeviceError::Misuse`] where `input` is no packed work or the answer does not fit; what [`run`] reports.
pub fn answer(session: &mut Session<'_>, nonce: u64, input: &[u8], output: &mut [u8]) -> Result<usize, DeviceError> {
    let misuse = |damaged: Damaged| DeviceError::Misuse(damaged.to_string());
    let mut whole: Option<(Output, usize)> = None;
    for (work, marks) in packed::unpack(input).map_err(misuse)? {
        let part = run_marked(session, &work, &marks)?;
        match &mut whole {
            Some((whole, _)) => whole.append(part),
            None => whole = Some((part, work.operation().output_shape().stride)),
        }
    }
    let Some((whole, stride)) = whole else { return Ok(0) };
    packed::write_answer(nonce, &whole, stride, output).map_err(misuse)
}

fn signature_kernels(ruleset: Ruleset) -> Option<&'static SignatureKernels> {
    rules(ruleset)?.gpu.as_ref()
}

fn hash_kernels(algorithm: HashAlgorithm) -> Option<&'static HashKernels> {
    hash_rules(algorithm)?.gpu.as_ref()
}

#[cfg(test)]
mod tests;
