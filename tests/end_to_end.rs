//! The whole way: signatures made by other libraries, the command line, gRPC over a private socket, verdicts back.

mod support;

#[path = "end_to_end/blocks.rs"]
mod blocks;
#[path = "end_to_end/cuda.rs"]
mod cuda;
#[path = "end_to_end/devices.rs"]
mod devices;
#[path = "end_to_end/hashes.rs"]
mod hashes;
#[path = "end_to_end/known_keys.rs"]
mod known_keys;
#[path = "end_to_end/planted.rs"]
mod planted;
#[path = "end_to_end/proofs.rs"]
mod proofs;
#[path = "end_to_end/refusals.rs"]
mod refusals;
#[path = "end_to_end/signatures.rs"]
mod signatures;
#[path = "end_to_end/surroundings.rs"]
mod surroundings;
#[path = "end_to_end/top.rs"]
mod top;
#[path = "end_to_end/traces.rs"]
mod traces;
