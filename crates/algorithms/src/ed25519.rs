//! Ed25519, strict and by ZIP 215.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "ed25519", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
