//! ECDSA and Schnorr signatures on secp256k1.

use outrigger_types::Backend;

use crate::room::Algorithm;

mod parse;
mod reference;

/// The room.
pub static ROOM: Algorithm = Algorithm { name: "secp256k1", rulesets: &[], hashes: &[], backends: &[Backend::Cpu] };

/// The Ethereum address that signed `digest` with (`r`, `s`), all big-endian; `y_parity` is 0 or 1.
///
/// `None` where r or s is zero or ≥ n, s is above n/2 and `allow_high_s` is not set, `y_parity` is neither 0 nor
/// 1, or no key has this signature.
pub(crate) fn recover_address(
    digest: &[u8; 32],
    r: &[u8; 32],
    s: &[u8; 32],
    y_parity: u8,
    allow_high_s: bool,
) -> Option<[u8; 20]> {
    if y_parity > 1 || !parse::is_scalar(r) || !parse::is_scalar(s) || (!allow_high_s && parse::is_high(s)) {
        return None;
    }
    let mut compact = [0; 64];
    compact[..32].copy_from_slice(r);
    compact[32..].copy_from_slice(s);
    reference::recover(digest, &compact, y_parity).map(|public_key| reference::address(&public_key))
}
