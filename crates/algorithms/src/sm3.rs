//! SM3.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "sm3", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
