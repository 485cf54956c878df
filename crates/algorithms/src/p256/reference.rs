//! The equation of ECDSA on P-256, checked by AWS-LC: the judge of every other engine, and the CPU's path.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};

/// A verifying key that was found on the curve.
#[derive(Debug)]
pub struct Key(ParsedPublicKey);

/// Decodes a key of 65 bytes, 0x04‖x‖y. `None` where the length or prefix differs, a coordinate is ≥ p, or the
/// point is off the curve.
pub fn key(bytes: &[u8]) -> Option<Key> {
    // AWS-LC also takes compressed points and SubjectPublicKeyInfo; no ruleset here does.
    match bytes {
        [0x04, coordinates @ ..] if coordinates.len() == 64 => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, bytes).ok().map(Key)
        }
        _ => None,
    }
}

/// Whether (r, s), big-endian, is a signature of a SHA-256 digest. Numbers outside 1..n never are.
pub fn holds(key: &Key, digest: &Digest, r: &[u8; 32], s: &[u8; 32]) -> bool {
    // The library takes r‖s too, but rebuilds DER from it on its heap.
    let mut der = Der { bytes: [0; DER_BYTES_MAX], length: 2 };
    der.push_integer(r);
    der.push_integer(s);
    key.0.verify_digest_sig(digest, der.finish()).is_ok()
}

/// A sequence header and two integers, each with a header and a sign byte.
const DER_BYTES_MAX: usize = 2 + 2 * (2 + 1 + 32);

/// A canonical `SEQUENCE` on the stack. Its content stays below 128 bytes, so each length is one byte.
struct Der {
    bytes: [u8; DER_BYTES_MAX],
    length: usize,
}

impl Der {
    fn push_integer(&mut self, value: &[u8; 32]) {
        let skipped = value.iter().take(31).take_while(|byte| **byte == 0).count();
        let magnitude = &value[skipped..];
        let sign = usize::from(magnitude[0] >= 0x80);
        let start = self.length + 2 + sign;
        self.bytes[self.length] = 0x02;
        self.bytes[self.length + 1] = (sign + magnitude.len()) as u8;
        self.bytes[start..start + magnitude.len()].copy_from_slice(magnitude);
        self.length = start + magnitude.len();
    }

    fn finish(&mut self) -> &[u8] {
        self.bytes[0] = 0x30;
        self.bytes[1] = (self.length - 2) as u8;
        &self.bytes[..self.length]
    }
}
