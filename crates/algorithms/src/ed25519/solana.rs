//! `solana-ed25519`, version 1: Ed25519 as Solana checks the signatures of transactions.
//!
//! **Accepted**: S < L, neither A nor R of small order, and the bytes of \[S\]B − \[k\]A equal those of R, without
//! the cofactor: `verify_strict` of ed25519-dalek, the same signatures as under
//! [`libra-ed25519`](super::libra). The two stay apart, because each chain may change its rule alone.
//!
//! **Layout**: key: A, 32 bytes (the account's address). Signature: R (32) ‖ S (32, little-endian). Message: the
//! serialized message of the transaction, without its signatures; any length is taken.
//!
//! **Versions**: 1, this.
//!
//! **Source**: `Signature::verify` of the Solana SDK (`solana-signature`), which calls
//! `VerifyingKey::verify_strict` of ed25519-dalek.

use outrigger_types::Ruleset;

use super::{gpu, lanes, strict};
use crate::room::RulesetRules;

pub(super) const RULES: RulesetRules = super::rules(
    Ruleset::SolanaEd25519,
    "Strict Ed25519 of Solana: S < L, no points of small order, no cofactor.",
    strict::PIECE_ITEMS,
    strict::verify,
    gpu::STRICT,
    lanes::STRICT,
);
