//! `libra-ed25519`, version 1: Ed25519 as Libra and its descendants (Diem, Aptos) check transactions.
//!
//! **Accepted**: S < L, neither A nor R of small order, and the bytes of \[S\]B − \[k\]A equal those of R, without
//! the cofactor. That is `verify_strict` of ed25519-dalek, after Libra's own checks of S < L and of the key's
//! order, which `verify_strict` repeats; so the same signatures pass as under
//! [`solana-ed25519`](super::solana). The two stay apart, because each chain may change its rule alone.
//!
//! **Layout**: key: A, 32 bytes. Signature: R (32) ‖ S (32, little-endian). Message: the bytes that were signed,
//! of any length; for Libra's own types this is the 32-byte seed of the type followed by its BCS form, which the
//! caller puts together.
//!
//! **Versions**: 1, this.
//!
//! **Source**: `crypto/crypto/src/ed25519.rs` of Libra (`check_malleability`, `TryFrom<&[u8]>` of the public key,
//! `verify_arbitrary_msg`) and `VerifyingKey::verify_strict` of ed25519-dalek.

use outrigger_types::Ruleset;

use super::{gpu, lanes, strict};
use crate::room::RulesetRules;

pub(super) const RULES: RulesetRules = super::rules(
    Ruleset::LibraEd25519,
    "Strict Ed25519 of Libra, Diem and Aptos: S < L, no points of small order, no cofactor.",
    strict::PIECE_ITEMS,
    strict::verify,
    gpu::STRICT,
    lanes::STRICT,
);
