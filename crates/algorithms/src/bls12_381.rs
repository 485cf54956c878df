//! BLS signatures on BLS12-381.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "bls12-381", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
