//! SM2 by RustCrypto's `sm2`: the judge of this room's own engine and of every other, and the peer in benches.

use outrigger_types::Verdict;
use sm2::dsa::signature::hazmat::PrehashVerifier;
use sm2::dsa::{Signature, VerifyingKey};

/// The verdict on a key of 64 bytes (x‖y), e and r‖s: all three rulesets come down to this.
pub fn verify(key: &[u8; 64], e: &[u8; 32], signature: &[u8; 64]) -> Verdict {
    let mut sec1 = [0x04; 65];
    sec1[1..].copy_from_slice(key);
    // The identity has no part in checking a digest that already contains it.
    let Ok(key) = VerifyingKey::from_sec1_bytes("", &sec1) else { return Verdict::Malformed };
    let Ok(signature) = Signature::from_slice(signature) else { return Verdict::Invalid };
    Verdict::from_equation(key.verify_prehash(e, &signature).is_ok())
}
