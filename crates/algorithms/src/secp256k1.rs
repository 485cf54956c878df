//! ECDSA and Schnorr signatures on secp256k1.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "secp256k1", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };
