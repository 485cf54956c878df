//! BLS signatures on BLS12-381 (IETF draft-irtf-cfrg-bls-signature-05), in both arrangements:
//!
//! | | [`ethereum-consensus`](ethereum_consensus) | [`bls-min-sig`](bls_min_sig) |
//! |---|---|---|
//! | key | point of G1, 48 bytes | point of G2, 96 bytes |
//! | signature | point of G2, 96 bytes | point of G1, 48 bytes |
//! | scheme | proof of possession | basic |
//! | equal messages in one aggregate | allowed | invalid |
//!
//! The same for both:
//! - Points are compressed, in the serialization of ZCash that the draft's appendix C names: big-endian x, and in
//!   the first byte the flags *compressed* (0x80), *infinity* (0x40) and *y is the larger one* (0x20).
//! - *Malformed*: a wrong length, flags that contradict each other or the bytes, x ≥ p, x without a point on the
//!   curve, or keys and messages of a set whose numbers do not fit its mode. A set is malformed where anything in
//!   it is, whatever else is wrong.
//! - *Invalid*: it decodes, and a key is the point at infinity, or a key or the signature is outside the subgroup
//!   of prime order, or the keys of a set add up to infinity, or the equation fails.
//! - The signature at infinity is a point of the subgroup. It is invalid by the equation, but where the keys of an
//!   aggregate cancel.
//!
//! Sets ([`SetMode`](outrigger_types::SetMode)):
//!
//! | mode | keys, messages | rule |
//! |---|---|---|
//! | single | 1, 1 | `Verify` |
//! | aggregate | n, n | `AggregateVerify`; n = 0 is invalid |
//! | fast aggregate | n, 1 | `FastAggregateVerify`; n = 0 is invalid |
//! | Ethereum fast aggregate | n, 1 | the same, but n = 0 with the signature at infinity is valid (`eth_fast_aggregate_verify`) |
//!
//! Each key is validated on every path, in fast aggregates too. What no verifier can check here is that the owner of
//! each key has proved to possess its secret: without that, a fast aggregate over chosen keys proves nothing.
//!
//! **How a batch is checked**: what does not decode or breaks a rule gets its verdict first. The rest is one product
//! of pairings with a coefficient of 128 bits for each set, fresh from the operating system and never zero, so a bad
//! set passes with probability at most 2⁻¹²⁷. Sets of the same message share one pairing in it. Where the product
//! fails, each set is checked alone. *Valid* therefore means that this signature is valid for this set, not that the
//! sum of a batch is.
//!
//! **In lanes** (`lanes`): sets of any mode and number of keys, in both arrangements, eight points at a time, from bytes
//! to the product of Miller loops; blst does the final exponentiation. Each different key and message of a piece is
//! read once, and what shares its point of G2 (the message, or with short signatures the key) shares a pairing. The
//! coefficients are of another form there (`outrigger_vector::bls12_381`), with a probability below 2⁻¹²⁸. 128 sets of
//! one key and distinct messages take about a sixth of the time of blst's `verify_multiple_aggregate_signatures` with
//! decoding and validation on both sides, or a fifth with short signatures; sets of many keys a fifth.
//!
//! Measured on one core, interleaved with blst 0.3.17's `verify_multiple_aggregate_signatures`: 16 to 64 distinct
//! messages take 0.8 to 0.9 of its time, 32 of one message about a third.

use outrigger_types::Backend;

use crate::room::Algorithm;

pub mod bls_min_sig;
pub mod ethereum_consensus;

mod arrangement;
mod batch;
mod lanes;
mod sets;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "bls12-381",
    rulesets: &[ethereum_consensus::RULES, bls_min_sig::RULES],
    hashes: &[],
    backends: &[Backend::Cpu, Backend::Vector],
};

/// At about half a millisecond an item, 32 share the final exponentiation (8 take 8 % longer an item, 64 no less)
/// and still leave their thread soon.
const PIECE_ITEMS: usize = 32;

#[cfg(test)]
mod tests;
