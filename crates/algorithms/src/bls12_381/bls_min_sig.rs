//! `bls-min-sig`, version 1: BLS with short signatures, as drand and others use it.
//!
//! **Accepted**: the basic scheme of the IETF draft with the ciphersuite (and DST)
//! `BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_`. Keys pass `KeyValidate` (not infinity, in the subgroup) and
//! signatures the subgroup check, on every path. The basic scheme has no proofs of possession, so an aggregate with
//! two equal messages is invalid. The draft gives it no fast aggregate; here that mode computes what it computes in
//! the other scheme, for callers who know otherwise that their keys are honest (a fixed committee).
//!
//! **Layout**: key: 96 bytes, compressed G2. Signature: 48 bytes, compressed G1. Message: any length. drand signs
//! SHA-256 of the round (with the previous signature where rounds are chained); the caller puts that together.
//!
//! **Versions**: 1, this.
//!
//! **Source**: draft-irtf-cfrg-bls-signature-05, sections 2.5 to 2.9, 3.1 and 4.2.

use outrigger_types::{MessageForm, Ruleset};

use super::arrangement::MinSignature;
use super::sets::{verify, verify_sets};
use crate::room::RulesetRules;

pub(super) const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::BlsMinSig,
    version: 1,
    summary: "BLS12-381 with signatures in G1 and keys in G2, basic scheme.",
    message_forms: &[MessageForm::Message],
    key_lengths: &[96],
    signature_lengths: &[48],
    piece_items: super::PIECE_ITEMS,
    verify: verify::<MinSignature>,
    recover: None,
    verify_sets: Some(verify_sets::<MinSignature>),
    gpu: None,
    lanes: Some(super::lanes::MIN_SIGNATURE),
};
