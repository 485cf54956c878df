//! What the rulesets with recoverable signatures r‖s‖v share.
//!
//! Verification recovers the key and compares, also where a whole key is given: ECDSA's own equation leaves the
//! sign of R open, and with it v, so a signature with the wrong v would pass.

use outrigger_types::Verdict;

use super::items::Item;
use super::{parse, reference};

/// What such rulesets differ in.
pub(super) struct Variant {
    /// The recovery id, 0 to 3, that v stands for; `None` where v is not one of the ruleset's.
    pub(super) recovery_id: fn(v: u8) -> Option<u8>,
    /// Whether s may be above n/2.
    pub(super) allow_high_s: bool,
}

impl Variant {
    /// Verifies an item whose key is 20, 64 or 65 bytes.
    pub(super) fn verify(&self, item: &Item<'_>) -> Verdict {
        let (Some(signer), Some(signed)) = (Signer::parse(item.key), self.parse(item)) else {
            return Verdict::Malformed;
        };
        let recovered = signed.public_key(self.allow_high_s);
        match (signer, recovered) {
            (Signer::Address(address), recovered) => {
                Verdict::from_equation(recovered.is_some_and(|key| reference::address(&key) == *address))
            }
            (Signer::Key(key), Some(recovered)) if *key == recovered => Verdict::Valid,
            // A key that was recovered is on the curve, so only where it differs is there a need to look.
            (Signer::Key(key), _) if reference::is_on_curve(key) => Verdict::Invalid,
            (Signer::Key(_), _) => Verdict::Malformed,
        }
    }

    /// The key x‖y and the address that signed the item, or the verdict that says why there is none.
    pub(super) fn recover(&self, item: &Item<'_>) -> Result<([u8; 64], [u8; 20]), Verdict> {
        let signed = self.parse(item).ok_or(Verdict::Malformed)?;
        let public_key = signed.public_key(self.allow_high_s).ok_or(Verdict::Invalid)?;
        Ok((public_key, reference::address(&public_key)))
    }

    /// The signature of an item; `None` where it, its v or the digest is malformed.
    pub(super) fn parse<'a>(&self, item: &Item<'a>) -> Option<Signed<'a>> {
        let (compact, &[v]) = item.signature.split_first_chunk::<64>()? else { return None };
        Some(Signed { digest: item.message.try_into().ok()?, compact, recovery_id: (self.recovery_id)(v)? })
    }
}

/// Who is said to have signed.
pub(super) enum Signer<'a> {
    /// The last 20 bytes of the Keccak-256 of the key.
    Address(&'a [u8; 20]),
    /// The key x‖y, perhaps not on the curve.
    Key(&'a [u8; 64]),
}

impl<'a> Signer<'a> {
    /// By its length; `None` where it has another, or no 04 in front.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.len() {
            20 => bytes.try_into().ok().map(Self::Address),
            64 => bytes.try_into().ok().map(Self::Key),
            65 => bytes.strip_prefix(&[0x04])?.try_into().ok().map(Self::Key),
            _ => None,
        }
    }
}

/// A digest with its signature; r and s of any size.
pub(super) struct Signed<'a> {
    /// The digest.
    pub(super) digest: &'a [u8; 32],
    /// r‖s.
    pub(super) compact: &'a [u8; 64],
    /// 0 to 3.
    pub(super) recovery_id: u8,
}

impl Signed<'_> {
    /// The key x‖y that signed; `None` where r or s is out of range, s is high though it must not be, or no key
    /// has this signature.
    pub(super) fn public_key(&self, allow_high_s: bool) -> Option<[u8; 64]> {
        if !self.is_in_range(allow_high_s) {
            return None;
        }
        reference::recover(self.digest, self.compact, self.recovery_id)
    }

    /// Whether 0 < r < n and 0 < s < n, and s is low where it must be.
    pub(super) fn is_in_range(&self, allow_high_s: bool) -> bool {
        let (r, s) = parse::halves(self.compact);
        parse::is_scalar(r) && parse::is_scalar(s) && (allow_high_s || !parse::is_high(s))
    }
}

/// Ethereum's v: 27 and 28, or the parity itself.
pub(super) fn ethereum_recovery_id(v: u8) -> Option<u8> {
    match v {
        0 | 27 => Some(0),
        1 | 28 => Some(1),
        _ => None,
    }
}
