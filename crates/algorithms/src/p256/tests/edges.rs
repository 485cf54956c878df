//! Items at the edges of each rule; every one is also judged by an independent library where that has an opinion.

use ::p256::ecdsa::VerifyingKey;
use ::p256::ecdsa::signature::hazmat::PrehashVerifier;
use ::p256::elliptic_curve::PrimeField;
use ::p256::elliptic_curve::sec1::ToSec1Point;
use ::p256::{NonZeroScalar, ProjectivePoint, Scalar};

use super::*;

/// p, big-endian.
const PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

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

/// DER of two numbers, as long as they need.
fn der_of(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |value: &[u8]| {
        let start = value.iter().position(|byte| *byte != 0).unwrap_or(value.len() - 1);
        let sign = if value[start] >= 0x80 { &[0][..] } else { &[] };
        let content = [sign, &value[start..]].concat();
        [&[2, content.len() as u8], &content[..]].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, content.len() as u8], &content[..]].concat()
}

/// What the independent library says of a key, digest, r and s.
fn judged(key: &[u8], digest: &[u8], rs: &[u8]) -> Verdict {
    let Ok(key) = VerifyingKey::from_sec1_bytes(key) else { return Verdict::Malformed };
    let Ok(signature) = ::p256::ecdsa::Signature::from_slice(rs) else { return Verdict::Invalid };
    Verdict::from_equation(key.verify_prehash(digest, &signature).is_ok())
}

/// Every pair of r and s at the ends of their ranges, and each beside a good partner.
#[test]
fn scalars_at_the_ends_of_their_range() {
    let mut random = StdRng::seed_from_u64(11);
    let item = precompile_item(&mut random);
    let key = [&[4], &item.key[..]].concat();
    let (r, s) = item.signature.split_first_chunk::<32>().expect("64 bytes");
    let s: &[u8; 32] = s.try_into().expect("64 bytes");
    let mut ends = vec![[0; 32], plus([0; 32], 1), ORDER, plus(ORDER, 1), plus(ORDER, -1), [0xff; 32]];
    ends.extend([plus(fabric_half(), 0), plus(fabric_half(), 1), *r, *s]);
    for r in &ends {
        for s in &ends {
            let rs = [*r, *s].concat();
            let expected = judged(&key, &item.message, &rs);
            assert_eq!(precompile(&Item { signature: rs.clone(), ..item.clone() }), expected, "{r:x?} {s:x?}");
            let fabric = fabric_digest(&Item { key: key.clone(), signature: der_of(r, s), ..item.clone() });
            let high = *s > fabric_half();
            assert_eq!(fabric, if high { Verdict::Invalid } else { expected }, "{r:x?} {s:x?}");
        }
    }
}

fn fabric_half() -> [u8; 32] {
    (-Scalar::ONE * Scalar::from(2_u64).invert().expect("2 is not 0")).to_repr().into()
}

/// Signatures whose S is exactly n/2 (low) and n/2 + 1 (high): made by choosing the key for them.
#[test]
fn the_largest_low_s_and_the_smallest_high_s() {
    let half = Scalar::from_repr(fabric_half().into()).expect("below n");
    let nonce = Scalar::from(123_456_789_u64);
    let digest = [0x5a; 32];
    let e = Scalar::from_repr(digest.into()).expect("below n");
    let r_point = (ProjectivePoint::GENERATOR * nonce).to_affine().to_sec1_point(false);
    let r = Scalar::from_repr(*r_point.x().expect("not infinity")).expect("below n");
    for (s, in_fabric) in [(half, Verdict::Valid), (half + Scalar::ONE, Verdict::Invalid)] {
        // s·k = e + r·d gives d.
        let d = (s * nonce - e) * r.invert().expect("not 0");
        let key = (ProjectivePoint::GENERATOR * d).to_affine().to_sec1_point(false).as_bytes().to_vec();
        let rs = [r.to_repr(), s.to_repr()].concat();
        assert_eq!(judged(&key, &digest, &rs), Verdict::Valid);
        let item = Item { key, signature: der_of(&rs[..32], &rs[32..]), message: digest.to_vec() };
        assert_eq!(fabric_digest(&item), in_fabric);
        assert_eq!(precompile(&Item { key: item.key[1..].to_vec(), signature: rs, ..item }), Verdict::Valid);
    }
}

/// u1·G = −u2·Q: the computed point is at infinity. From e = −r·d.
#[test]
fn a_point_at_infinity_is_invalid() {
    let d = NonZeroScalar::try_from(&[7; 32][..]).expect("below n");
    let key = (ProjectivePoint::GENERATOR * *d).to_affine().to_sec1_point(false);
    for r in [1_u64, 2, 0xffff_ffff] {
        let r = Scalar::from(r);
        let digest: [u8; 32] = (-(r * *d)).to_repr().into();
        let rs = [r.to_repr(), Scalar::from(5_u64).to_repr()].concat();
        assert_eq!(judged(key.as_bytes(), &digest, &rs), Verdict::Invalid);
        let item = Item { key: key.as_bytes()[1..].to_vec(), signature: rs, message: digest.to_vec() };
        assert_eq!(precompile(&item), Verdict::Invalid);
    }
}

/// Digests at and above n are reduced, and a zero digest is as good as any.
#[test]
fn digests_of_any_value() {
    let secret = SigningKey::from_slice(&[9; 32]).expect("below n");
    let key = secret.verifying_key().to_sec1_point(false).as_bytes()[1..].to_vec();
    for digest in [[0; 32], plus([0; 32], 1), plus(ORDER, -1), ORDER, plus(ORDER, 1), [0xff; 32]] {
        let signature: ::p256::ecdsa::Signature = secret.sign_prehash(&digest).expect("a signature");
        let mut item = Item { key: key.clone(), signature: signature.to_bytes().to_vec(), message: digest.to_vec() };
        assert_eq!(precompile(&item), Verdict::Valid, "{digest:x?}");
        item.signature[40] ^= 4;
        assert_eq!(precompile(&item), Verdict::Invalid, "{digest:x?}");
    }
}

#[test]
fn keys_that_are_no_points() {
    let mut random = StdRng::seed_from_u64(12);
    let item = precompile_item(&mut random);
    let prime = hex::decode(PRIME).expect("hex");
    let mut beyond = item.key.clone();
    beyond[..32].copy_from_slice(&prime);
    let mut off = item.key.clone();
    off[63] ^= 1;
    let mut key_of_ones = item.key.clone();
    key_of_ones.fill(0xff);
    // x = 5 + p in place of x = 5 would be the same point, were the range not checked.
    let five = plus(prime.clone().try_into().expect("32 bytes"), 5);
    let y = VerifyingKey::from_sec1_bytes(&[&[2][..], &plus([0; 32], 5)].concat()).expect("5 is an abscissa");
    let y = y.to_sec1_point(false).as_bytes()[33..].to_vec();
    let alias = [&five[..], &y].concat();
    for key in [vec![0; 64], beyond, off, key_of_ones, alias, item.key[..63].to_vec(), vec![]] {
        assert_eq!(precompile(&Item { key: key.clone(), ..item.clone() }), Verdict::Malformed, "{key:x?}");
        let signature = der_of(&item.signature[..32], &item.signature[32..]);
        let sec1 = Item { key: [&[4], &key[..]].concat(), signature, message: item.message.clone() };
        assert_eq!(fabric_digest(&sec1), Verdict::Malformed, "{key:x?}");
    }
}

/// Other encodings of the same point, which the library underneath would take.
#[test]
fn keys_in_other_encodings_are_malformed() {
    let mut random = StdRng::seed_from_u64(13);
    let item = fabric_item(&mut random);
    let key = VerifyingKey::from_sec1_bytes(&item.key).expect("a key");
    let compressed = key.to_sec1_point(true).as_bytes().to_vec();
    let mut hybrid = item.key.clone();
    hybrid[0] = 6 | (item.key[64] & 1);
    let header = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let spki = [hex::decode(header).expect("hex"), item.key.clone()].concat();
    for key in [compressed, hybrid, spki, item.key[1..].to_vec(), vec![0]] {
        assert_eq!(fabric(&Item { key: key.clone(), ..item.clone() }), Verdict::Malformed, "{key:x?}");
    }
}

#[test]
fn other_lengths_are_malformed() {
    let mut random = StdRng::seed_from_u64(14);
    let item = precompile_item(&mut random);
    for length in [0, 1, 31, 33, 64] {
        assert_eq!(precompile(&Item { message: vec![1; length], ..item.clone() }), Verdict::Malformed);
        let signature = der_of(&item.signature[..32], &item.signature[32..]);
        let sec1 = Item { key: [&[4], &item.key[..]].concat(), signature, message: vec![1; length] };
        assert_eq!(fabric_digest(&sec1), Verdict::Malformed);
    }
    for length in [0, 31, 32, 63, 65, 128] {
        assert_eq!(precompile(&Item { signature: vec![1; length], ..item.clone() }), Verdict::Malformed);
    }
    assert_eq!(verdict(Ruleset::EthereumP256Verify, MessageForm::Message, &item), Verdict::Malformed);
}

/// What Go leaves unread changes no verdict, neither of a good signature nor of a bad one.
#[test]
fn bytes_that_go_leaves_unread() {
    let mut random = StdRng::seed_from_u64(16);
    let item = fabric_item(&mut random);
    let with = |signature: Vec<u8>| Item { signature, ..item.clone() };
    let after = [&item.signature[..], &[0, 1, 2]].concat();
    let mut inside = [&item.signature[..], &[5, 0]].concat();
    inside[1] += 2;
    for signature in [after, inside] {
        assert_eq!(fabric(&with(signature.clone())), Verdict::Valid);
        let mut wrong = signature;
        wrong[20] ^= 1;
        assert_eq!(fabric(&with(wrong)), Verdict::Invalid);
    }
    let mut short = item.signature.clone();
    short.pop();
    assert_eq!(fabric(&with(short)), Verdict::Malformed);
    assert_eq!(fabric(&with(vec![])), Verdict::Malformed);
}

/// No single flipped bit of key, message or signature leaves a signature valid.
#[test]
fn one_bit_anywhere() {
    let mut random = StdRng::seed_from_u64(15);
    let item = fabric_item(&mut random);
    assert_eq!(fabric(&item), Verdict::Valid);
    let parts: [fn(&mut Item) -> &mut Vec<u8>; 3] =
        [|item| &mut item.key, |item| &mut item.signature, |item| &mut item.message];
    for part in parts {
        let mut changed = item.clone();
        for bit in 0..part(&mut changed).len() * 8 {
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(fabric(&changed), Verdict::Valid, "bit {bit}");
            part(&mut changed)[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
