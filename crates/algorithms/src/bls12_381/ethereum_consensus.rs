//! `ethereum-consensus`, version 1: the BLS signatures of Ethereum's consensus layer.
//!
//! **Accepted**: the proof-of-possession scheme of the IETF draft with the ciphersuite (and DST)
//! `BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_`. Keys pass `KeyValidate` (not infinity, in the subgroup) and
//! signatures the subgroup check, on every path. Equal messages in one aggregate are allowed.
//!
//! **Layout**: key: 48 bytes, compressed G1. Signature: 96 bytes, compressed G2. Message: any length; Ethereum's
//! signing roots have 32 bytes and may be sent as digest too, with the same meaning (they are hashed to the curve
//! as they are).
//!
//! **Versions**: 1, this.
//!
//! **Source**: draft-irtf-cfrg-bls-signature-05, sections 2.5 to 2.9 and 3.3; Ethereum's consensus specification,
//! `specs/phase0/beacon-chain.md` (BLS signatures) and `specs/altair/bls.md` (`eth_fast_aggregate_verify`).

use outrigger_types::{MessageForm, Ruleset};

use super::arrangement::MinKey;
use super::sets::{verify, verify_sets};
use crate::room::RulesetRules;

pub(super) const RULES: RulesetRules = RulesetRules {
    ruleset: Ruleset::EthereumConsensus,
    version: 1,
    summary: "BLS12-381 of Ethereum's consensus layer: keys in G1, signatures in G2, proof of possession.",
    message_forms: &[MessageForm::Message, MessageForm::Digest],
    key_lengths: &[48],
    signature_lengths: &[96],
    piece_items: super::PIECE_ITEMS,
    verify: verify::<MinKey>,
    recover: None,
    verify_sets: Some(verify_sets::<MinKey>),
    gpu: None,
    lanes: Some(super::lanes::MIN_KEY),
};
