//! The gRPC contract, generated at build time from `proto/outrigger/v1`.

/// Version 1 of the contract. Additive only.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("outrigger.v1");
}

/// The encoded file descriptors, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
