//! The vocabulary that every room of Outrigger speaks: rulesets, verdicts, packed columns, work and its
//! results, limits, rejections, and the engine seam. No async, no I/O, no cryptography.

mod backend;
mod column;
mod engine;
mod hash;
pub mod packed;
mod policy;
mod priority;
mod proving;
mod rejection;
mod ruleset;
pub mod tag;
mod verdict;
mod work;

pub use backend::Backend;
pub use column::{Column, ColumnBuf, ColumnError, Layout, LayoutBuf};
pub use engine::{Completion, Engine, EngineError, Job, JobId, Outcome, Piece};
pub use hash::{HashAlgorithm, MerkleTree};
pub use policy::{BatchOptions, Call, CircuitRule, Quota, SchedulerOptions, TenantPolicy};
pub use priority::Priority;
pub use proving::{CircuitId, Curve, ProofKey};
pub use rejection::{FieldViolation, Rejection};
pub use ruleset::Ruleset;
pub use verdict::Verdict;
pub use work::{
    EthereumWork, HashWork, Keys, MerkleWork, MessageForm, Operation, Output, OutputShape, ProofWork, SetMode, SetWork,
    SignatureOptions, SignatureWork, Work,
};

/// Limits that hold before anything is allocated for a request. Named once, used by service, client and tests.
pub mod limits {
    /// Items of one request. A block of ten thousand transactions with six signatures each fits.
    pub const ITEMS_MAX: usize = 65_536;
    /// Bytes of one gRPC message; larger input takes a stream of chunks.
    pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
    /// Bytes of an SM2 identity: its length in bits is hashed as 16 bits.
    pub const IDENTITY_BYTES_MAX: usize = 8_191;
    /// Field elements of one Poseidon hash (circomlib's largest width is 17).
    pub const POSEIDON_INPUTS_MAX: usize = 16;
    /// Keys of one BLS set; a sync committee has 512, an Ethereum committee of all validators about 10^6.
    pub const SET_KEYS_MAX: usize = 1 << 20;
}
