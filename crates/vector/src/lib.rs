//! Signatures, hashes and fields, eight lanes at a time.
//!
//! All algorithms here are written once, over [`lanes::Lanes`]: eight 64-bit words and the operations of
//! AVX-512 IFMA on them. One implementation is a register of AVX-512, the other an array of plain words, so the
//! same code runs, and is tested, on machines without AVX-512.
//!
//! Who calls asks [`Unit::detect`] once and passes the answer in; a [`Unit`] of AVX-512 exists only where the
//! processor has what the code was compiled for.

pub mod bls12_381;
pub mod lanes;
pub mod montgomery;
pub mod poseidon;
pub mod radix52;

mod unit;

pub use unit::Unit;
