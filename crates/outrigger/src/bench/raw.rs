//! The best library for each algorithm, used plainly: what the product is measured against.

mod hashes;
mod signatures;

pub(super) use hashes::hasher;
pub(super) use signatures::{Verifier, recoverer, verifier};
