//! ECDSA on P-256.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "p256", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
