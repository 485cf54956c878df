//! Keccak-256 and SHA3-256.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "keccak", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
