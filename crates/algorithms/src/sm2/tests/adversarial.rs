//! No public suite of adversarial SM2 cases is known, so here is one. Any s, t and P make a signature: with
//! (x₁, y₁) = s·G + t·P it is r = t − s, s over e = r − x₁. So scalars and keys can be chosen at will.

use ::sm2::elliptic_curve::PrimeField;
use ::sm2::elliptic_curve::group::Group;
use ::sm2::elliptic_curve::ops::Reduce;
use ::sm2::elliptic_curve::point::AffineCoordinates;
use ::sm2::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use ::sm2::{AffinePoint, FieldBytes, ProjectivePoint, Scalar, Sec1Point};

use super::*;

/// n, big-endian.
const ORDER: [u8; 32] = *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x72\x03\xdf\x6b\x21\xc6\x05\x2b\x53\xbb\xf4\x09\x39\xd5\x41\x23";
/// p, big-endian.
const PRIME: [u8; 32] = *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff";

fn plus(bytes: [u8; 32], small: i8) -> [u8; 32] {
    let mut carry = i16::from(small);
    let mut sum = bytes;
    for byte in sum.iter_mut().rev() {
        let digit = i16::from(*byte) + carry;
        *byte = digit.rem_euclid(256) as u8;
        carry = digit.div_euclid(256);
    }
    sum
}

fn scalar(bytes: [u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&bytes.into())
}

pub(super) fn joined(r: &[u8], s: &[u8]) -> [u8; 64] {
    [r, s].concat().try_into().expect("64 bytes")
}

pub(super) fn key_bytes(point: ProjectivePoint) -> [u8; 64] {
    point.to_affine().to_sec1_point(false).as_bytes()[1..].try_into().expect("not infinity")
}

/// Scalars that make long, short, dense and sparse digits.
pub(super) fn scalars() -> Vec<Scalar> {
    let half = Scalar::from(2_u64).invert().expect("2 is not 0");
    let mut scalars: Vec<_> = [1_u64, 2, 3, 17, 2_047, 2_049].map(Scalar::from).to_vec();
    let power = (0..255).fold(Scalar::ONE, |power, _| power.double());
    scalars.extend([half, half - Scalar::ONE, scalar([0x55; 32]), power]);
    let negatives: Vec<_> = scalars.iter().map(|scalar| -*scalar).collect();
    scalars.extend(negatives);
    scalars
}

/// Keys beside G, where the chain of doublings meets equal and opposite points; and an ordinary one.
pub(super) fn keys() -> Vec<ProjectivePoint> {
    let base = ProjectivePoint::GENERATOR;
    let multiples =
        [Scalar::ONE, Scalar::from(2_u64), Scalar::from(3_u64), Scalar::from(2_u64).invert().expect("odd n")];
    let mut keys: Vec<_> = multiples.iter().flat_map(|k| [base * k, -(base * k)]).collect();
    keys.push(base * scalar([0x77; 32]));
    keys
}

/// The e and r for which (r, s) is a signature, if there is one.
pub(super) fn made(s: Scalar, t: Scalar, key: ProjectivePoint) -> Option<(Scalar, Scalar)> {
    let point = ProjectivePoint::GENERATOR * s + key * t;
    let r = t - s;
    if bool::from(point.is_identity()) || bool::from(r.is_zero()) {
        return None;
    }
    Some((r - scalar(point.to_affine().x().into()), r))
}

/// Catches the cases that the formulas of addition leave out: infinity inside the chain and at its end, equal
/// and opposite points.
#[test]
fn chosen_scalars_and_keys() {
    let (mut valid, mut without) = (0, 0);
    for key in keys() {
        let bytes = key_bytes(key);
        for s in scalars() {
            for t in scalars() {
                let Some((e, r)) = made(s, t, key) else {
                    let signature = joined(&(t - s).to_repr(), &s.to_repr());
                    assert_eq!(judged(&bytes, &[9; 32], &signature), Verdict::Invalid);
                    without += 1;
                    continue;
                };
                let signature = joined(&r.to_repr(), &s.to_repr());
                let e: [u8; 32] = e.to_repr().into();
                assert_eq!(judged(&bytes, &e, &signature), Verdict::Valid);
                if valid % 8 == 0 {
                    assert_eq!(judged(&bytes, &plus(e, 1), &signature), Verdict::Invalid);
                }
                valid += 1;
            }
        }
    }
    assert!(valid > 3_300 && without > 180, "{valid} {without}");
}

#[test]
fn a_few_of_them_by_the_third_judge() {
    let scalars = scalars();
    for (i, key) in keys().into_iter().enumerate() {
        for j in 0..8 {
            let (s, t) = (scalars[(i * 7 + j) % scalars.len()], scalars[(i + j * 11) % scalars.len()]);
            if let Some((e, r)) = made(s, t, key) {
                let signature = joined(&r.to_repr(), &s.to_repr());
                assert_eq!(judged_by_all(&key_bytes(key), &e.to_repr().into(), &signature), Verdict::Valid);
            }
        }
    }
}

/// r and s at and beyond the ends of their range, t = 0, with e at and beyond n.
#[test]
fn numbers_at_the_ends_of_their_range() {
    let key = key_bytes(ProjectivePoint::GENERATOR * scalar([0x77; 32]));
    let ends = [[0; 32], plus([0; 32], 1), plus(ORDER, -1), ORDER, plus(ORDER, 1), PRIME, [0xff; 32]];
    for r in ends {
        for s in ends {
            for e in [[0; 32], plus(ORDER, -1), ORDER, [0xff; 32]] {
                assert_eq!(judged_by_all(&key, &e, &joined(&r, &s)), Verdict::Invalid);
            }
        }
    }
}

/// For an e below 2^256 − n, e + n is the same e.
#[test]
fn e_beyond_the_order_is_reduced() {
    let key = ProjectivePoint::GENERATOR * scalar([0x77; 32]);
    let bytes = key_bytes(key);
    let mut found = 0;
    for small in 1..=20_i8 {
        // Choose e = n + small, and with it r = e + x₁, for k·G = (x₁, y₁); s from the secret key.
        let e = plus(ORDER, small);
        let d = scalar([0x77; 32]);
        let k = scalar([small as u8; 32]);
        let x = (ProjectivePoint::GENERATOR * k).to_affine().x();
        let r = scalar(e) + scalar(x.into());
        let s = (k - r * d) * (Scalar::ONE + d).invert().expect("d is not −1");
        let signature = joined(&r.to_repr(), &s.to_repr());
        assert_eq!(judged_by_all(&bytes, &e, &signature), Verdict::Valid);
        assert_eq!(judged(&bytes, &plus([0; 32], small), &signature), Verdict::Valid);
        assert_eq!(judged(&bytes, &plus(e, 1), &signature), Verdict::Invalid);
        found += 1;
    }
    assert_eq!(found, 20);
}

/// x₁ between n and p, where r − e is not x₁ but x₁ − n: one point in 2^64 or so, so the key is made for it.
#[test]
fn an_abscissa_beyond_the_order() {
    let mut found = 0;
    for small in 0..40 {
        let compressed = Sec1Point::from_bytes([&[2], &plus(ORDER, small)[..]].concat()).expect("33 bytes");
        let Some(point) = AffinePoint::from_sec1_point(&compressed).into_option() else { continue };
        let (s, t) = (scalar([0x31; 32]), scalar([0x47; 32]));
        let key = (ProjectivePoint::from(point) - ProjectivePoint::GENERATOR * s) * t.invert().expect("not 0");
        let (e, r) = made(s, t, key).expect("a signature");
        let signature = joined(&r.to_repr(), &s.to_repr());
        assert_eq!(judged_by_all(&key_bytes(key), &e.to_repr().into(), &signature), Verdict::Valid);
        found += 1;
    }
    assert!(found >= 10);
}

#[test]
fn keys_that_are_no_points() {
    let good = key_bytes(ProjectivePoint::GENERATOR * scalar([0x77; 32]));
    let mut off_the_curve = good;
    off_the_curve[63] ^= 1;
    let with_x = |x: [u8; 32]| joined(&x, &good[32..]);
    let with_y = |y: [u8; 32]| joined(&good[..32], &y);
    // 5 + p would be the abscissa 5, were the range not checked.
    let five = (0..).find_map(|x| {
        let compressed = Sec1Point::from_bytes([&[2], &plus([0; 32], x)[..]].concat()).ok()?;
        AffinePoint::from_sec1_point(&compressed).into_option().map(|point| (x, point))
    });
    let (x, point) = five.expect("a small abscissa");
    let alias = joined(&plus(PRIME, x), &point.to_sec1_point(false).as_bytes()[33..]);
    let keys =
        [[0; 64], [0xff; 64], off_the_curve, with_x([0; 32]), with_x(PRIME), with_y([0; 32]), with_y(PRIME), alias];
    for key in keys {
        assert_eq!(judged_by_all(&key, &[3; 32], &[1; 64]), Verdict::Malformed, "{}", hex::encode(key));
    }
}

/// Two thousand signatures of many keys, each judged as it is and with one bit changed in each part.
#[test]
fn random_signatures_and_mutations() {
    use ::sm2::dsa::signature::hazmat::PrehashSigner;
    let mut random = StdRng::seed_from_u64(31);
    let mut still_valid = 0;
    for i in 0..700 {
        let secret = signer(&mut random, "");
        let e: [u8; 32] = random.random();
        let key = key_of(&secret);
        let signature: ::sm2::dsa::Signature = secret.sign_prehash(&e).expect("a signature");
        let signature: [u8; 64] = signature.to_bytes().into();
        let judge = if i < 20 { judged_by_all } else { judged };
        assert_eq!(judge(&key, &e, &signature), Verdict::Valid);
        let bit = random.random_range(0..512);
        let (mut other_key, mut other_e, mut other_signature) = (key, e, signature);
        other_key[bit / 8] ^= 1 << (bit % 8);
        other_e[bit / 16] ^= 1 << (bit % 8);
        other_signature[bit / 8] ^= 1 << (bit % 8);
        for verdict in
            [judge(&other_key, &e, &signature), judge(&key, &other_e, &signature), judge(&key, &e, &other_signature)]
        {
            still_valid += u32::from(verdict == Verdict::Valid);
        }
    }
    assert_eq!(still_valid, 0);
}
