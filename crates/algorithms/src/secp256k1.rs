//! ECDSA and Schnorr signatures on secp256k1.

use outrigger_types::Backend;

use crate::room::Algorithm;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "secp256k1", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };

/// The address of the key that made the signature `r`, `s` over `digest`; `None` where `r` or `s` is out of range,
/// `s` is high and that is not allowed, or no key can be recovered.
pub(crate) fn recover_address(
    digest: &[u8; 32],
    r: &[u8; 32],
    s: &[u8; 32],
    y_parity: u8,
    allow_high_s: bool,
) -> Option<[u8; 20]> {
    use ::secp256k1::Message;
    use ::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};

    let mut compact = [0; 64];
    compact[..32].copy_from_slice(r);
    compact[32..].copy_from_slice(s);
    let signature =
        RecoverableSignature::from_compact(&compact, RecoveryId::try_from(i32::from(y_parity)).ok()?).ok()?;
    let mut low = signature.to_standard();
    low.normalize_s();
    if y_parity > 1 || !allow_high_s && low != signature.to_standard() {
        return None;
    }
    let key = signature.recover_ecdsa(Message::from_digest(*digest)).ok()?.serialize_uncompressed();
    let hash = alloy_primitives::keccak256(&key[1..]);
    hash[12..].try_into().ok()
}
