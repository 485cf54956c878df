//! Ed25519 (RFC 8032): keys of 32 bytes, signatures R‖S of 64, messages of any length.
//!
//! RFC 8032 leaves open which encodings, which points of small order and which of two equations a verifier
//! takes, and libraries differ. A chain that forks over this is lost, so each rule has a name of its own:
//!
//! | | [`libra-ed25519`](libra), [`solana-ed25519`](solana) | [`ed25519-zip215`](zip215) |
//! |---|---|---|
//! | equation | \[S\]B = R + \[k\]A, as bytes of R | \[8\]\[S\]B = \[8\]R + \[8\]\[k\]A |
//! | S ≥ L | invalid | invalid |
//! | A or R of small order | invalid | allowed |
//! | R with y ≥ p, or x = 0 with the sign bit | invalid | allowed |
//! | A with y ≥ p, or x = 0 with the sign bit | allowed (but see small order) | allowed |
//! | batches by random linear combination | never: they would accept more than single checks | yes |
//!
//! k is SHA-512(R‖A‖M) mod L over the bytes as they came, never over a re-encoded point.
//!
//! The same for all three:
//! - *Malformed*: the key is not 32 or the signature not 64 bytes; A or R is not the encoding of a point of the
//!   curve. One decoder reads A and R under every rule: y is taken mod p, and x = 0 with the sign bit is x = 0.
//!   So y ≥ p decodes; where a rule does not want it, the item is *invalid*.
//! - *Invalid*: both decode, and S ≥ L, or a rule on small order, or the equation fails.
//!
//! What is malformed is so whatever else is wrong with the item.

use outrigger_types::{Backend, MessageForm, Ruleset};

use crate::room::{Algorithm, RulesetRules, SignatureFn, SignatureKernels, SignatureLanes};

pub mod libra;
pub mod solana;
pub mod zip215;

mod distinct;
mod gpu;
mod lanes;
mod parse;
mod strict;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "ed25519",
    rulesets: &[libra::RULES, solana::RULES, zip215::RULES],
    hashes: &[],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// What the three rulesets have in common.
const fn rules(
    ruleset: Ruleset,
    summary: &'static str,
    piece_items: usize,
    verify: SignatureFn,
    gpu: SignatureKernels,
    lanes: SignatureLanes,
) -> RulesetRules {
    RulesetRules {
        ruleset,
        version: 1,
        summary,
        message_forms: &[MessageForm::Message],
        key_lengths: &[parse::KEY_BYTES],
        signature_lengths: &[parse::SIGNATURE_BYTES],
        piece_items,
        verify,
        recover: None,
        verify_sets: None,
        gpu: Some(gpu),
        lanes: Some(lanes),
    }
}

#[cfg(test)]
mod tests;
