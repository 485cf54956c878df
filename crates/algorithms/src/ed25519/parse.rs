//! From columns to the parts of a signature.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use outrigger_types::SignatureWork;

/// The length of a key.
pub(super) const KEY_BYTES: usize = 32;
/// The length of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// One item whose lengths are right; nothing else has been looked at.
pub(super) struct Parts<'a> {
    pub(super) key: &'a [u8; KEY_BYTES],
    pub(super) signature: &'a [u8; SIGNATURE_BYTES],
    pub(super) message: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The parts of item `i`; `None` where a length is wrong.
    pub(super) fn of(work: &'a SignatureWork, i: usize) -> Option<Self> {
        Some(Self {
            key: work.keys.item(i).try_into().ok()?,
            signature: work.signature(i).try_into().ok()?,
            message: work.message(i),
        })
    }

    /// The bytes of R.
    pub(super) fn r(&self) -> &'a [u8; 32] {
        self.signature.first_chunk().expect("64 bytes hold 32")
    }

    /// The bytes of S.
    pub(super) fn s_bytes(&self) -> &'a [u8; 32] {
        self.signature.last_chunk().expect("64 bytes hold 32")
    }

    /// S, where it is below the order L of the prime subgroup. This is not left to ed25519-dalek: with its
    /// feature `legacy_compatibility`, which any crate of a build can switch on for all, it checks three bits only.
    pub(super) fn s(&self) -> Option<Scalar> {
        Scalar::from_canonical_bytes(*self.s_bytes()).into()
    }
}

/// The point of an encoding, with y taken mod p and the sign of x = 0 ignored; `None` off the curve.
pub(super) fn decode_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress()
}
