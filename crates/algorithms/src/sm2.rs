//! SM2 signatures (GB/T 32918, GM/T 0003) on the curve recommended by GB/T 32918.5.
//!
//! | ruleset | signature | what is signed |
//! |---|---|---|
//! | [`fisco_sm2`] | 64 or 128 bytes | a hash of 32 bytes, as a message |
//! | [`sm2_digest`] | 64 bytes | e itself |
//! | [`sm2_message`] | 64 bytes | a message, with an identity |
//!
//! All three end in the same equation. [`mod@reference`] (RustCrypto's `sm2`) is its judge; the CPU's path is
//! [`engine`], written here because no maintained crate comes near what this curve allows: its field reduces
//! without a multiplication, public data needs no constant time, and the equation needs no inversion.
//!
//! Wherever an item breaks several rules, *malformed* wins over *invalid*: key, signature and digest are decoded
//! before anything is compared.

use std::ops::Range;

use outrigger_types::{Backend, MessageForm, Output, Ruleset, SignatureWork, Verdict};

use crate::room::{Algorithm, RulesetRules, SignatureFn};

pub mod engine;
pub mod fisco_sm2;
pub mod identity;
pub mod reference;
pub mod sm2_digest;
pub mod sm2_message;

mod curve;
mod field;
mod gpu;
mod lanes;
mod scalar;

/// The room.
pub static ROOM: Algorithm = Algorithm {
    name: "sm2",
    rulesets: &[
        rules(
            Ruleset::FiscoSm2,
            fisco_sm2::VERSION,
            "FISCO BCOS: SM2 over a 32-byte hash as message, identity 1234567812345678, signature of 64 or 128 bytes",
            &[MessageForm::Digest],
            &[64, 128],
            fisco_sm2::verify,
        ),
        rules(
            Ruleset::Sm2Digest,
            sm2_digest::VERSION,
            "SM2 over e itself, 32 bytes that already contain the identity",
            &[MessageForm::Digest],
            &[64],
            sm2_digest::verify,
        ),
        rules(
            Ruleset::Sm2Message,
            sm2_message::VERSION,
            "SM2 over a message, with an identity (1234567812345678 where none is given)",
            &[MessageForm::Message],
            &[64],
            sm2_message::verify,
        ),
    ],
    hashes: &[],
    backends: &[Backend::Cpu, Backend::Cuda, Backend::Opencl, Backend::Vector],
};

const fn rules(
    ruleset: Ruleset,
    version: u32,
    summary: &'static str,
    message_forms: &'static [MessageForm],
    signature_lengths: &'static [usize],
    verify: SignatureFn,
) -> RulesetRules {
    RulesetRules {
        ruleset,
        version,
        summary,
        message_forms,
        key_lengths: &[64, 65],
        signature_lengths,
        // As long as a millisecond or so: long beside a hand-over between threads, short beside a deadline.
        piece_items: 16,
        verify,
        recover: None,
        verify_sets: None,
        gpu: Some(gpu::KERNELS),
        lanes: lanes::lanes(ruleset),
    }
}

/// Judges the items of `range`: key, signature, message or digest.
fn each(
    work: &SignatureWork,
    range: Range<usize>,
    output: &mut Output,
    judge: impl Fn(&[u8], &[u8], &[u8]) -> Verdict,
) {
    for (verdict, i) in output.verdicts.iter_mut().zip(range) {
        *verdict = judge(work.keys.item(i), work.signature(i), work.message(i));
    }
}

/// The options contradict the ruleset. The service refuses such a request; should one come by another way, no
/// item of it is judged by other rules than were asked for.
fn refuse(output: &mut Output) {
    output.verdicts.fill(Verdict::Malformed);
}

#[cfg(test)]
mod tests;
