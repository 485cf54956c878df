//! One room per algorithm, and the registry of them.
//!
//! A room holds the rules that it enforces, with their sources; the reference, a well-kept library that judges
//! every faster engine; and its tests. It fills one [`Algorithm`]: plain data and function pointers. Tests,
//! benches, metrics labels and the capability call walk [`registry::ALL`].

pub mod blake2b;
pub mod blake3;
pub mod bls12_381;
pub mod ed25519;
pub mod ethereum;
pub mod gpu;
pub mod groth16;
pub mod keccak;
pub mod known_keys;
pub mod lanes;
pub mod merkle;
pub mod p256;
pub mod planted;
pub mod poseidon_bn254;
pub mod registry;
pub mod secp256k1;
pub mod sha256;
pub mod sm2;
pub mod sm3;

mod hashing;
mod room;

pub use outrigger_vector::{Unit, calibration};
pub use registry::{hash_rules, rules, run, supports};
pub use room::{
    Algorithm, HashKernels, HashLanes, HashRules, RulesetRules, SetFn, SetLanesFn, SignatureFn, SignatureKernels,
    SignatureKernelsFn, SignatureLanes, SignatureLanesFn,
};
