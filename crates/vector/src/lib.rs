//! Signatures, hashes and fields, eight lanes at a time.
//!
//! All algorithms here are written once, over [`lanes::Lanes`]: eight 64-bit words and the operations of
//! AVX-512 IFMA on them. One implementation is a register of AVX-512, the other an array of plain words, so the
//! same code runs, and is tested, on machines without AVX-512.
//!
//! Who calls asks [`Unit::detect`] once and passes the answer in; a [`Unit`] of AVX-512 exists only where the
//! processor has what the code was compiled for.

pub mod blake2b;
pub mod bls12_381;
pub mod bn254;
pub mod calibration;
pub mod ed25519;
pub mod keccak;
pub mod lanes;
pub mod messages;
pub mod montgomery;
pub mod msm;
pub mod ntt;
pub mod p256;
pub mod poseidon;
pub mod radix52;
pub mod secp256k1;
pub mod sha256;
pub mod sha512;
pub mod sm2;
pub mod sm3;
pub mod words;

mod frame;
mod scratch;
mod unit;
mod weierstrass;

pub use unit::Unit;

/// Whether numbers are held against the bounds that the code relies on: in the tests of this crate. Everywhere else it took more
/// than half of the time.
const BOUNDS_ARE_CHECKED: bool = cfg!(test);
