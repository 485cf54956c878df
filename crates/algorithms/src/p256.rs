//! ECDSA on P-256 (FIPS 186-5, the curve secp256r1).
//!
//! | ruleset | signature | key | message |
//! |---|---|---|---|
//! | [`fabric`] | DER by Go's rules, low S | 65 bytes | message or digest |
//! | [`ethereum_p256verify`] | r‖s, 64 bytes, any S | 64 bytes | digest |
//!
//! Both rulesets end in the same equation, checked by [`reference`](mod@reference). Wherever an item breaks
//! several rules, *malformed* wins over *invalid*: everything is decoded first, then ranges are compared, then
//! the equation is checked. So the verdict does not depend on which rule an engine happens to look at first.

use std::ops::Range;

use outrigger_types::{Backend, MessageForm, Output, Ruleset, SignatureOptions, SignatureWork, Verdict};

use crate::room::{Algorithm, RulesetRules};

pub mod ethereum_p256verify;
pub mod fabric;
pub mod reference;

mod der;
mod gpu;
mod lanes;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "p256",
    rulesets: &[
        RulesetRules {
            ruleset: Ruleset::EthereumP256Verify,
            version: ethereum_p256verify::VERSION,
            summary: "P256VERIFY of EIP-7951: r‖s of 64 bytes over a digest, high S is valid",
            message_forms: &[MessageForm::Digest],
            key_lengths: &[64],
            signature_lengths: &[64],
            piece_items: PIECE_ITEMS,
            verify: |work, range, output| each(work, range, output, ethereum_p256verify::verify),
            recover: None,
            verify_sets: None,
            gpu: Some(gpu::ETHEREUM_P256VERIFY),
            lanes: Some(lanes::ETHEREUM_P256VERIFY),
        },
        RulesetRules {
            ruleset: Ruleset::Fabric,
            version: fabric::VERSION,
            summary: "Hyperledger Fabric: DER by Go's rules over a message (SHA-256) or a digest, high S is invalid",
            message_forms: &[MessageForm::Message, MessageForm::Digest],
            key_lengths: &[65],
            signature_lengths: &[],
            piece_items: PIECE_ITEMS,
            verify: |work, range, output| each(work, range, output, fabric::verify),
            recover: None,
            verify_sets: None,
            gpu: Some(gpu::FABRIC),
            lanes: Some(lanes::FABRIC),
        },
    ],
    hashes: &[],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

/// At about 70 µs an item a piece lasts a millisecond: long beside a hand-over between threads, short beside a
/// block's deadline.
const PIECE_ITEMS: usize = 16;

/// The order n of the group (SEC 2, section 2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// Whether a big-endian number lies in 1..n.
fn is_scalar(bytes: &[u8; 32]) -> bool {
    *bytes != [0; 32] && *bytes < ORDER
}

/// Judges one item: key, signature, message or digest.
type Judge = fn(options: &SignatureOptions, key: &[u8], signature: &[u8], message: &[u8]) -> Verdict;

fn each(work: &SignatureWork, range: Range<usize>, output: &mut Output, judge: Judge) {
    for (verdict, i) in output.verdicts.iter_mut().zip(range) {
        *verdict = judge(&work.options, work.keys.item(i), work.signature(i), work.message(i));
    }
}

#[cfg(test)]
mod tests;
