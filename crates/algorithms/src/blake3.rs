//! BLAKE3.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "blake3", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
