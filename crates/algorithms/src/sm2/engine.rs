//! The CPU's verification of SM2: GB/T 32918.2, section 7.1, on the arithmetic of this room.
//!
//! About 2,900 field multiplications a signature: 256 doublings, some 63 additions and the key's multiples. From
//! key, e and signature to verdict that took 32.6 µs where RustCrypto's `sm2` took 169 µs (2,048 items, every key
//! decoded and its multiples made anew, the best of 15 interleaved rounds, one thread of an AMD EPYC).

use outrigger_types::Verdict;

use super::curve::{Affine, combine};
use super::field::Element;
use super::scalar::Scalar;

/// A verifying key that was found on the curve.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    bytes: &'a [u8; 64],
    point: Affine,
}

impl<'a> Key<'a> {
    /// Decodes 64 bytes x‖y, or 65 with 0x04 before them. `None` for other lengths and prefixes, coordinates ≥ p
    /// and points off the curve.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let bytes: &[u8; 64] = match bytes {
            [0x04, bytes @ ..] if bytes.len() == 64 => bytes,
            bytes => bytes,
        }
        .try_into()
        .ok()?;
        let (x, y) = halves(bytes);
        Some(Self { bytes, point: Affine::decode(x, y)? })
    }

    /// The coordinates x‖y.
    pub const fn bytes(&self) -> &'a [u8; 64] {
        self.bytes
    }
}

/// Whether r‖s is the key's signature over e: valid or invalid.
///
/// r and s lie in 1..n, t = r + s is not 0 modulo n, the point s·G + t·P is not at infinity, and e + x₁ ≡ r
/// modulo n for its abscissa x₁. e may be ≥ n.
pub fn verify(key: &Key<'_>, e: &[u8; 32], signature: &[u8; 64]) -> Verdict {
    let (r, s) = halves(signature);
    let (Some(r), Some(s)) = (Scalar::decode_nonzero(r), Scalar::decode_nonzero(s)) else {
        return Verdict::Invalid;
    };
    let t = r.add(&s);
    if t.is_zero() {
        return Verdict::Invalid;
    }
    let sum = combine(&s, &t, &key.point);
    // x₁ is below p, so it can be r − e modulo n or n more: compared with both, no x₁ has to be computed.
    let candidates = r.sub(&Scalar::reduce(e)).representatives();
    let holds = candidates.into_iter().flatten().filter_map(Element::from_limbs).any(|x| sum.has_x(&x));
    Verdict::from_equation(holds)
}

/// The two numbers of 64 bytes.
fn halves(bytes: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    let (first, second) = bytes.split_first_chunk().expect("64 bytes");
    (first, second.try_into().expect("the other 32"))
}
