//! Poseidon over BN254.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm =
    Algorithm { name: "poseidon-bn254", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
