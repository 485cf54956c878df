//! What cannot be decoded: every length, prefix and shape but the right ones.

use k256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

use super::super::parse::{ORDER, PRIME, scalar, strict_der};
use super::textbook::{self, coordinates};
use super::*;

const DIGEST: [u8; 32] = [0x21; 32];

/// A good item of ethereum-transaction with a whole key, and its key.
fn good() -> (Triple, [u8; 64]) {
    let secret = Scalar::from(5_u32);
    let mut signature = textbook::sign(&DIGEST, &secret, &Scalar::from(77_u32));
    if super::super::parse::is_high(&signature.s) {
        signature.s = textbook::negated(&signature.s);
        signature.recovery_id ^= 1;
    }
    let key = coordinates(&(ProjectivePoint::GENERATOR * secret));
    (triple(key, joined(&signature.r, &signature.s, signature.recovery_id), DIGEST), key)
}

/// A good item of bitcoin with a key of 65 bytes.
fn good_bitcoin() -> Triple {
    let (item, key) = good();
    triple([&[4], &key[..]].concat(), der(&item.signature[..32], &item.signature[32..64]), DIGEST)
}

/// A good item of bip340.
fn good_bip340() -> Triple {
    let key = k256::schnorr::SigningKey::from_slice(&[3; 32]).expect("a key");
    let signature = key.sign_raw(&DIGEST, &[0; 32]).expect("a signature");
    triple(key.verifying_key().to_bytes(), signature.to_bytes(), DIGEST)
}

/// A part of the item as a caller would send it too short or too long: cut, or followed by zeros.
fn resized(part: &[u8], length: usize) -> Vec<u8> {
    let mut part = part.to_vec();
    part.resize(length, 0);
    part
}

/// Lengths from 0 to 70 of each part; only the documented ones are read.
#[test]
fn other_lengths_are_malformed() {
    let rulesets = RECOVERABLE.map(|ruleset| (ruleset, good().0));
    let others = [(Ruleset::Bip340, good_bip340()), (Ruleset::Bitcoin, good_bitcoin())];
    for (ruleset, good) in rulesets.into_iter().chain(others) {
        let rules = crate::rules(ruleset).expect("a room");
        assert_eq!(judge(ruleset, &good), Verdict::Valid, "{ruleset}");
        for length in 0..=70 {
            let at = format!("{ruleset} at {length}");
            let key = Triple { key: resized(&good.key, length), ..good.clone() };
            if !rules.key_lengths.contains(&length) {
                assert_eq!(judge(ruleset, &key), Verdict::Malformed, "key, {at}");
            }
            let signature = Triple { signature: resized(&good.signature, length), ..good.clone() };
            assert_eq!(judge(ruleset, &signature) == Verdict::Valid, length == good.signature.len(), "signature, {at}");
            if length != good.signature.len() {
                assert_eq!(judge(ruleset, &signature), Verdict::Malformed, "signature, {at}");
            }
            let digest = Triple { message: resized(&DIGEST, length), ..good.clone() };
            assert_eq!(judge(ruleset, &digest) == Verdict::Malformed, length != 32, "digest, {at}");
            if rules.recover.is_some() {
                assert_eq!(recover(ruleset, &signature).verdicts, [judge(ruleset, &signature)], "recovery, {at}");
                assert_eq!(recover(ruleset, &digest).verdicts, [judge(ruleset, &digest)], "recovery, {at}");
            }
        }
    }
}

/// Every byte as v.
#[test]
fn other_v_are_malformed() {
    let (good, _) = good();
    let right = good.signature[64];
    for v in 0..=255 {
        let mut item = good.clone();
        item.signature[64] = v;
        for ruleset in RECOVERABLE {
            let parity = match (ruleset, v) {
                (_, 0 | 1) => Some(v),
                (Ruleset::EthereumTransaction | Ruleset::EthereumPrecompile, 27 | 28) => Some(v - 27),
                _ => None,
            };
            let expected = match parity {
                Some(parity) => Verdict::from_equation(parity == right),
                None if ruleset == Ruleset::FiscoSecp256k1 && v <= 3 => Verdict::Invalid,
                None => Verdict::Malformed,
            };
            assert_eq!(judge(ruleset, &item), expected, "{ruleset} with v = {v}");
        }
    }
}

/// Keys of the right length that are no points, also beside a signature that is bad in another way: malformed wins.
#[test]
fn keys_off_the_curve_are_malformed() {
    let (good, key) = good();
    let mut off_curve = key;
    off_curve[63] ^= 1;
    let mut x_too_large = key;
    x_too_large[..32].copy_from_slice(&PRIME);
    let mut y_too_large = key;
    y_too_large[32..].copy_from_slice(&[0xff; 32]);
    // x + p would name a point, were it read modulo p.
    let mut x_unreduced =
        coordinates(&ProjectivePoint::from(textbook::point(&textbook::small(1), 0).expect("a point")));
    assert!(textbook::point_of(&x_unreduced).is_some());
    x_unreduced[..32].copy_from_slice(&textbook::sum(&PRIME, &textbook::small(1)).expect("below 2^256"));
    for bad in [off_curve, x_too_large, y_too_large, x_unreduced, [0; 64]] {
        for ruleset in RECOVERABLE {
            let with = |key: &[u8]| Triple { key: key.to_vec(), ..good.clone() };
            assert_eq!(judge(ruleset, &with(&bad)), Verdict::Malformed, "{ruleset}");
            assert_eq!(judge(ruleset, &with(&[&[4], &bad[..]].concat())), Verdict::Malformed, "{ruleset}");
            let mut item = with(&bad);
            item.signature[..32].copy_from_slice(&ORDER);
            assert_eq!(judge(ruleset, &item), Verdict::Malformed, "{ruleset}, with r = n as well");
        }
        let item = Triple { key: [&[4], &bad[..]].concat(), ..good_bitcoin() };
        assert_eq!(judge(Ruleset::Bitcoin, &item), Verdict::Malformed);
    }
}

/// 04 alone before 64 bytes, but for Bitcoin's hybrid keys with the right parity, and its 02 or 03 before 32.
#[test]
fn other_prefixes_are_malformed() {
    let (good, key) = good();
    let odd = key[63] & 1;
    let bitcoin = good_bitcoin();
    for prefix in 0..=255_u8 {
        let long = [&[prefix], &key[..]].concat();
        for ruleset in RECOVERABLE {
            let expected = if prefix == 4 { Verdict::Valid } else { Verdict::Malformed };
            assert_eq!(judge(ruleset, &Triple { key: long.clone(), ..good.clone() }), expected, "{ruleset} {prefix}");
        }
        let expected = if prefix == 4 || prefix == 6 + odd { Verdict::Valid } else { Verdict::Malformed };
        assert_eq!(judge(Ruleset::Bitcoin, &Triple { key: long, ..bitcoin.clone() }), expected, "{prefix}");
        // The other parity is the key −Q: decodes, but did not sign.
        let expected = match prefix {
            _ if prefix == 2 + odd => Verdict::Valid,
            2 | 3 => Verdict::Invalid,
            _ => Verdict::Malformed,
        };
        let short = [&[prefix], &key[..32]].concat();
        assert_eq!(judge(Ruleset::Bitcoin, &Triple { key: short, ..bitcoin.clone() }), expected, "{prefix}");
    }
}

/// One violation of BIP 66 each. The integers are 1 unless said.
#[test]
fn loose_der_is_malformed() {
    let violations: &[(&str, &str)] = &[
        ("empty", ""),
        ("not a sequence", "3106020101020101"),
        ("length too small", "3005020101020101"),
        ("length too large", "3007020101020101"),
        ("length in the long form", "308106020101020101"),
        ("indefinite length", "30800201010201010000"),
        ("a byte after the sequence", "300602010102010100"),
        ("a byte after s inside the sequence", "300702010102010100"),
        ("r is no integer", "3006030101020101"),
        ("s is no integer", "3006020101030101"),
        ("r is empty", "300602000202010101"),
        ("r is empty, 8 bytes in all", "3006020002020101"),
        ("s is empty", "3005020101 0200"),
        ("s is empty, 8 bytes in all", "300602020101 0200"),
        ("r is negative", "3006020181020101"),
        ("s is negative", "3006020101020181"),
        ("a needless zero before r", "300702020001020101"),
        ("a needless zero before s", "300702010102020001"),
        ("two zeros before r", "30080203000081020101"),
        ("r as long as what is left", "3006020401020101"),
        ("r longer than what is left", "30060205010201 01"),
        ("s longer than what is left", "3006020101020201"),
        ("s shorter than what is left", "300702010102010101"),
        ("one integer", "3003020101"),
        ("three integers", "3009020101020101020101"),
        ("length of r in the long form", "30070281010102 0101"),
    ];
    let key = good_bitcoin().key;
    for (what, signature) in violations {
        let signature = hex::decode(signature.replace(' ', "")).expect("hex");
        assert_eq!(judge(Ruleset::Bitcoin, &triple(&key, &signature, DIGEST)), Verdict::Malformed, "{what}");
    }
    // The shortest and longest that BIP 66 allows decode; one byte more does not.
    for (r, s, is_strict) in [(1, 1, true), (33, 33, true), (33, 34, false), (1, 65, true), (1, 66, false)] {
        let signature = der(&vec![0x7f; r], &vec![0x7f; s]);
        assert_eq!(strict_der(&signature).is_some(), is_strict, "{r} and {s} bytes");
    }
    assert!(strict_der(&der(&[0], &[0])).is_some(), "zero is an integer, though out of range");
}

/// Fields of BIP 340 that do not decode, beside one that does and fails.
#[test]
fn bip340_tells_malformed_from_invalid() {
    let good = good_bip340();
    let cases = [
        (0..32, PRIME, Verdict::Malformed, "an x of R that is p"),
        (0..32, [0xff; 32], Verdict::Malformed, "an x of R above p"),
        (0..32, textbook::small(5), Verdict::Invalid, "an x of R that is no point's"),
        (32..64, ORDER, Verdict::Invalid, "s = n"),
        (32..64, [0xff; 32], Verdict::Invalid, "s above n"),
        (32..64, [0; 32], Verdict::Invalid, "s = 0"),
    ];
    assert!(textbook::point(&textbook::small(5), 0).is_none());
    for (place, number, expected, what) in cases {
        let mut item = good.clone();
        item.signature[place].copy_from_slice(&number);
        assert_eq!(judge(Ruleset::Bip340, &item), expected, "{what}");
    }
    let unreduced = textbook::sum(&PRIME, &textbook::small(1)).expect("below 2^256");
    let keys = [(PRIME, "p"), (unreduced, "p + 1, where 1 is an x"), (textbook::small(5), "no point's x")];
    for (x, what) in keys {
        let item = Triple { key: x.to_vec(), ..good.clone() };
        assert_eq!(judge(Ruleset::Bip340, &item), Verdict::Malformed, "a key that is {what}");
    }
}

proptest! {
    /// What is encoded comes back; and 32 bytes come back as themselves where they are in range.
    #[test]
    fn der_survives(r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), r_from in 0_usize..32, s_from in 0_usize..32) {
        let encoded = der(&r[r_from..], &s[s_from..]);
        let (first, second) = strict_der(&encoded).expect("strict DER");
        for (content, number) in [(first, &r[r_from..]), (second, &s[s_from..])] {
            let mut padded = [0; 32];
            padded[32 - number.len()..].copy_from_slice(number);
            prop_assert_eq!(scalar(content), super::super::parse::is_scalar(&padded).then_some(padded));
        }
    }

    /// One or two bytes changed, cut or added: two parsers agree on what is still strict.
    #[test]
    fn damaged_der_is_judged_as_by_another_parser(
        r in any::<[u8; 32]>(), s in any::<[u8; 32]>(), r_from in 0_usize..32,
        at in 0_usize..80, byte in any::<u8>(), how in 0_u8..5, second in 0_usize..8, second_byte in any::<u8>(),
    ) {
        let mut signature = der(&r[r_from..], &s);
        let at = at % signature.len();
        match how {
            0 => signature[at] = byte,
            1 => { signature.remove(at); }
            2 => signature.insert(at, byte),
            3 => signature.truncate(at),
            _ => { signature[at] ^= 1 << (byte % 8); signature[second] = second_byte; }
        }
        prop_assert_eq!(strict_der(&signature).is_some(), is_strict_der(&signature), "{:02x?}", signature);
    }
}
