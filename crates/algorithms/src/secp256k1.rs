//! ECDSA and Schnorr signatures on secp256k1 (SEC 2, section 2.4.1).
//!
//! Each ruleset has a page of its own: [`ethereum_transaction`], [`ethereum_precompile`], [`bitcoin`],
//! [`bip340`], [`fisco_secp256k1`]. What they share:
//!
//! - Numbers are big-endian. n is the order of the group, p the field's prime.
//! - *Malformed* wins over *invalid*: an item with any part that cannot be decoded is malformed, whatever else is
//!   wrong with it.
//! - ECDSA reduces the digest modulo n, so a digest ≥ n is as good as any other, and one of zero too.
//! - An item of a request whose form of message the ruleset does not take is left unprocessed.
//!
//! The reference is libsecp256k1.

use outrigger_types::Backend;

use crate::room::Algorithm;

pub mod bip340;
pub mod bitcoin;
pub mod ethereum_precompile;
pub mod ethereum_transaction;
pub mod fisco_secp256k1;

mod gpu;
mod items;
mod known;
mod lanes;
mod parse;
mod recoverable;
mod reference;

pub(crate) use lanes::recover_addresses;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "secp256k1",
    rulesets: &[
        ethereum_transaction::RULES,
        ethereum_precompile::RULES,
        bitcoin::RULES,
        bip340::RULES,
        fisco_secp256k1::RULES,
    ],
    hashes: &[],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// How many items a thread takes at once. At about 40 µs an item this is some 0.6 ms of work, a thousand times
/// the price of a hand-over.
const PIECE_ITEMS: usize = 16;

/// A digest with its signature, to recover the signer's Ethereum address from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// The digest.
    pub(crate) digest: [u8; 32],
    /// r, big-endian, of any size.
    pub(crate) r: [u8; 32],
    /// s, big-endian, of any size.
    pub(crate) s: [u8; 32],
    /// Whether the y of R is odd.
    pub(crate) y_is_odd: bool,
    /// Whether s may be above n/2.
    pub(crate) allow_high_s: bool,
}

impl Recovery {
    /// The address; `None` where r or s is zero or ≥ n, s is high though it must not be, or no key has this signature.
    pub(crate) fn address(&self) -> Option<[u8; 20]> {
        let mut compact = [0; 64];
        compact[..32].copy_from_slice(&self.r);
        compact[32..].copy_from_slice(&self.s);
        let recovery_id = u8::from(self.y_is_odd);
        let signed = recoverable::Signed { digest: &self.digest, compact: &compact, recovery_id };
        Some(reference::address(&signed.public_key(self.allow_high_s)?))
    }
}

#[cfg(test)]
mod tests;
