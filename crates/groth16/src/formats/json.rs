//! snarkjs's JSON: `verification_key.json`, `proof.json`, `public.json`.

use outrigger_types::ProofKey;

use crate::{FormatError, Proof};

/// Reads a `verification_key.json`; every point must be on its curve and in its subgroup.
pub fn read_verifying_key(_text: &[u8]) -> Result<ProofKey, FormatError> {
    todo!()
}

/// Writes a `verification_key.json` equal to that of `snarkjs zkey export verificationkey`.
pub fn write_verifying_key(_key: &ProofKey) -> Result<String, FormatError> {
    todo!()
}

/// Reads a `proof.json` and a `public.json`.
pub fn read_proof(_proof: &[u8], _public: &[u8]) -> Result<Proof, FormatError> {
    todo!()
}

/// Writes a `proof.json`.
pub fn write_proof(_proof: &Proof) -> String {
    todo!()
}

/// Writes a `public.json`.
pub fn write_public(_proof: &Proof) -> String {
    todo!()
}
