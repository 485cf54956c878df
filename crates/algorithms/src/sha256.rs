//! SHA-256, once and twice.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "sha256", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
