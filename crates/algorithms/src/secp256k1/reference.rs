//! libsecp256k1, by its Rust binding, with its context made once a thread.

use keccak_asm::Keccak256;
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId, Signature};
use secp256k1::{Message, PublicKey, XOnlyPublicKey, schnorr};

/// The public key x‖y that signed `digest` with the compact signature r‖s.
///
/// `recovery_id` says which point R is: bit 0 is the parity of its y, bit 1 whether its x is r + n. `None` where
/// r or s is zero or ≥ n, `recovery_id` is above 3, there is no such R (which includes r + n ≥ p), or the key
/// would be the point at infinity.
pub(super) fn recover(digest: &[u8; 32], compact: &[u8; 64], recovery_id: u8) -> Option<[u8; 64]> {
    let recovery_id = RecoveryId::try_from(i32::from(recovery_id)).ok()?;
    let signature = RecoverableSignature::from_compact(compact, recovery_id).ok()?;
    let key = signature.recover(Message::from_digest(*digest)).ok()?;
    let mut public_key = [0; 64];
    public_key.copy_from_slice(&key.serialize_uncompressed()[1..]);
    Some(public_key)
}

/// Whether the coordinates x‖y are below p and a point of the curve.
pub(super) fn is_on_curve(public_key: &[u8; 64]) -> bool {
    let mut encoded = [0x04; 65];
    encoded[1..].copy_from_slice(public_key);
    PublicKey::from_byte_array_uncompressed(encoded).is_ok()
}

/// The last 20 bytes of the Keccak-256 of x‖y (Ethereum's yellow paper, appendix F; FISCO BCOS alike).
pub(super) fn address(public_key: &[u8; 64]) -> [u8; 20] {
    let mut address = [0; 20];
    address.copy_from_slice(&Keccak256::digest(public_key)[12..]);
    address
}

/// Whether the compact signature r‖s of `digest` holds for `key`, high S or low.
pub(super) fn verify_ecdsa(digest: &[u8; 32], compact: &[u8; 64], key: &PublicKey) -> bool {
    let Ok(mut signature) = Signature::from_compact(compact) else { return false };
    // libsecp256k1 refuses high S. (r, n − s) holds where (r, s) does.
    signature.normalize_s();
    signature.verify(Message::from_digest(*digest), key).is_ok()
}

/// Whether the Schnorr signature of `message` holds for `key`.
pub(super) fn verify_schnorr(message: &[u8], signature: &[u8; 64], key: &XOnlyPublicKey) -> bool {
    schnorr::Signature::from_byte_array(*signature).verify(message, key).is_ok()
}
