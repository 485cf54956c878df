//! BLAKE2b with a digest of 32 bytes.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "blake2b-256", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
