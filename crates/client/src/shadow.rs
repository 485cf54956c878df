//! Shadow mode: a sample of the sidecar's answers is compared with this process's own.

use std::fmt;
use std::sync::Arc;

use outrigger_types::{Operation, Output, Verdict};

/// Called for each item whose two answers differ, from a task or a thread of this client. Must not block.
pub type MismatchHook = Arc<dyn Fn(&Mismatch) + Send + Sync>;

/// How answers are compared.
#[derive(Clone)]
pub struct ShadowOptions {
    /// The share of calls (for single calls: of their batches) that are compared, 0.0 to 1.0.
    pub sample_rate: f64,
    /// Give the caller of a compared call this process's answer, which it then waits for.
    pub use_local: bool,
    /// Told of every mismatch.
    pub on_mismatch: Option<MismatchHook>,
}

impl ShadowOptions {
    /// Compares this share of calls, and gives callers the sidecar's answer.
    pub const fn new(sample_rate: f64) -> Self {
        Self { sample_rate, use_local: false, on_mismatch: None }
    }
}

impl fmt::Debug for ShadowOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShadowOptions")
            .field("sample_rate", &self.sample_rate)
            .field("use_local", &self.use_local)
            .finish_non_exhaustive()
    }
}

/// An item whose two answers differ. Holds no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was done.
    pub operation: Operation,
    /// The number of the item in its call.
    pub index: usize,
    /// The sidecar's verdict.
    pub sidecar: Verdict,
    /// This process's verdict. The same as the sidecar's where only other bytes of the answer differ (a digest, an
    /// address).
    pub local: Verdict,
}

/// The items that differ. An item that this process did not process is no judgement, so it never differs.
pub(crate) fn compare(operation: Operation, sidecar: &Output, local: &Output) -> Vec<Mismatch> {
    (0..sidecar.verdicts.len().max(local.verdicts.len()))
        .filter_map(|index| {
            let verdict = |output: &Output| output.verdicts.get(index).copied().unwrap_or_default();
            let mismatch = Mismatch { operation, index, sidecar: verdict(sidecar), local: verdict(local) };
            let differs = mismatch.sidecar != mismatch.local || !same_bytes(operation, sidecar, local, index);
            (mismatch.local != Verdict::Unprocessed && differs).then_some(mismatch)
        })
        .collect()
}

/// Both outputs have an item of this number.
fn same_bytes(operation: Operation, a: &Output, b: &Output, index: usize) -> bool {
    let stride = operation.output_shape().stride;
    // The type of an Ethereum transaction does not travel in the answer, so its byte is left out.
    let compared = if operation == Operation::EthereumTransactions { stride - 1 } else { stride };
    let fixed =
        |output: &Output| output.fixed.get(index * stride..).and_then(|rest| rest.get(..compared)).map(<[u8]>::to_vec);
    let variable = |output: &Output| (index < output.variable_ends.len()).then(|| output.variable_item(index).to_vec());
    fixed(a) == fixed(b) && variable(a) == variable(b)
}
