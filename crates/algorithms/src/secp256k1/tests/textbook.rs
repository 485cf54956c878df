//! ECDSA by the book (SEC 1, sections 4.1.3, 4.1.4 and 4.1.6) over the arithmetic of `k256`, which shares no code
//! with libsecp256k1: slow, plain, and the judge of the reference.

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use k256::{AffinePoint, ProjectivePoint, Scalar, Sec1Point};
use sha3::{Digest, Keccak256};

use super::super::parse::ORDER;

/// A signature: r, s, and which point R is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    pub(super) r: [u8; 32],
    pub(super) s: [u8; 32],
    pub(super) recovery_id: u8,
}

/// The number, where 0 < number < n.
pub(super) fn scalar(number: &[u8; 32]) -> Option<Scalar> {
    let scalar = Option::from(Scalar::from_repr((*number).into()))?;
    (scalar != Scalar::ZERO).then_some(scalar)
}

/// The digest modulo n.
pub(super) fn reduced(digest: &[u8; 32]) -> Scalar {
    <Scalar as Reduce<k256::FieldBytes>>::reduce(&(*digest).into())
}

pub(super) fn number(scalar: &Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

/// The signature with this nonce, its s as it falls out, high or low.
pub(super) fn sign(digest: &[u8; 32], secret: &Scalar, nonce: &Scalar) -> Signature {
    let point = (ProjectivePoint::GENERATOR * nonce).to_affine();
    let x: [u8; 32] = point.x().into();
    let r = reduced(&x);
    let s = nonce.invert().expect("a nonce that is not zero") * (reduced(digest) + r * secret);
    let r = number(&r);
    Signature { r, s: number(&s), recovery_id: y_parity(&point) | u8::from(r != x) << 1 }
}

/// The key that signed, by SEC 1, section 4.1.6.
pub(super) fn recover(digest: &[u8; 32], signature: &Signature) -> Option<[u8; 64]> {
    let (r, s) = (scalar(&signature.r)?, scalar(&signature.s)?);
    let x = if signature.recovery_id & 2 == 0 { signature.r } else { sum(&signature.r, &ORDER)? };
    let nonce_point = ProjectivePoint::from(point(&x, signature.recovery_id & 1)?);
    let key = (nonce_point * s - ProjectivePoint::GENERATOR * reduced(digest)) * r.invert().expect("r is not zero");
    (key != ProjectivePoint::IDENTITY).then(|| coordinates(&key))
}

/// ECDSA's equation, by SEC 1, section 4.1.4.
pub(super) fn verify(digest: &[u8; 32], r: &[u8; 32], s: &[u8; 32], key: &AffinePoint) -> bool {
    let (Some(r), Some(s)) = (scalar(r), scalar(s)) else { return false };
    let inverse = s.invert().expect("s is not zero");
    let point = ProjectivePoint::GENERATOR * (reduced(digest) * inverse) + ProjectivePoint::from(*key) * (r * inverse);
    point != ProjectivePoint::IDENTITY && reduced(&point.to_affine().x().into()) == r
}

/// The point with this x and parity of y; `None` where x is ≥ p or no point's.
pub(super) fn point(x: &[u8; 32], y_parity: u8) -> Option<AffinePoint> {
    AffinePoint::decompress(&(*x).into(), y_parity.into()).into()
}

/// The point x‖y, where it is on the curve.
pub(super) fn point_of(public_key: &[u8; 64]) -> Option<AffinePoint> {
    let encoded = Sec1Point::from_bytes([&[0x04], &public_key[..]].concat()).ok()?;
    AffinePoint::from_sec1_point(&encoded).into()
}

pub(super) fn y_parity(point: &AffinePoint) -> u8 {
    point.to_sec1_point(true).as_bytes()[0] & 1
}

/// x‖y.
pub(super) fn coordinates(point: &ProjectivePoint) -> [u8; 64] {
    point.to_affine().to_sec1_point(false).as_bytes()[1..].try_into().expect("65 bytes")
}

/// The address by another Keccak than the room's.
pub(super) fn address(public_key: &[u8; 64]) -> [u8; 20] {
    Keccak256::digest(public_key)[12..].try_into().expect("20 of 32 bytes")
}

/// a + b, where it is below 2^256.
pub(super) fn sum(a: &[u8; 32], b: &[u8; 32]) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    let mut carry = 0;
    for i in (0..32).rev() {
        let digit = u16::from(a[i]) + u16::from(b[i]) + carry;
        sum[i] = digit as u8;
        carry = digit >> 8;
    }
    (carry == 0).then_some(sum)
}

/// A small number as 32 bytes.
pub(super) fn small(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = number;
    bytes
}

/// −number modulo n.
pub(super) fn negated(number: &[u8; 32]) -> [u8; 32] {
    self::number(&-reduced(number))
}
