//! What the tests at the top of the repository share: signers that know nothing of the rooms they test, a sidecar as
//! a child process, and the command line as scripts see it.

#![allow(dead_code, reason = "each of the test programs takes its own part")]

pub(crate) mod circuits;
pub(crate) mod command;
pub(crate) mod cuda;
pub(crate) mod device;
pub(crate) mod killed;
pub(crate) mod load;
pub(crate) mod overload;
pub(crate) mod sidecar;
pub(crate) mod signers;
pub(crate) mod transactions;
pub(crate) mod workload;
