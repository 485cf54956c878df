//! Devices, as the rest of the house sees them: memory, programs, and queues of work. No cryptography.
//!
//! - [`Device`] and [`Queue`] are the seam that every backend fills: the host build of the kernels, OpenCL, CUDA.
//!   [`conformance`] holds them to it.
//! - [`serve`] is the main loop of a worker, a process that drives one device and carries out whole operations; a driver
//!   that crashes or hangs ends it and nothing else. [`WorkerHandle`] is its parent's end: it starts it, watches it,
//!   kills what hangs, starts it again, and answers every batch. Bytes lie in an [`Arena`] that both have mapped;
//!   a socket pair carries the words.

mod arena;
mod budget;
pub mod conformance;
mod error;
mod link;
mod narrow;
mod protocol;
mod seam;
mod serve;
mod worker;

pub use arena::{Arena, Region};
pub use budget::{Claim, MemoryBudget};
pub use error::DeviceError;
pub use narrow::NarrowQueue;
pub use protocol::{HEADER_BYTES_MAX, Timing};
pub use seam::{Api, Argument, Buffer, Device, DeviceInfo, OFFSET_ALIGNMENT, Queue, check_launch, check_range};
pub use serve::{EXIT_LOST, EXIT_PANICKED, Operations, ServeError, serve, socket_from_stdin};
pub use worker::{
    BatchError, Completion, Finished, Job, Refusal, Standing, Ticket, WorkerHandle, WorkerOptions, WorkerStats,
};
