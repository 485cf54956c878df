//! SM2 signatures.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "sm2", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
