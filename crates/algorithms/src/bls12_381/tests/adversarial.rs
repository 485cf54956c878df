//! Encodings and batches that are made to deceive.

use blst::BLST_ERROR;

use super::*;

/// Encodings of points that are on the curve but outside the subgroup: the first few small x.
fn outside_subgroup(length: usize) -> Vec<Vec<u8>> {
    let is_outside = |bytes: &[u8]| match length {
        48 => min_pk::PublicKey::uncompress(bytes)
            .is_ok_and(|point| point.validate() == Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP)),
        _ => min_pk::Signature::uncompress(bytes)
            .is_ok_and(|point| point.validate(false) == Err(BLST_ERROR::BLST_POINT_NOT_IN_GROUP)),
    };
    let encodings = (1..=255_u8).map(|x| {
        let mut bytes = vec![0; length];
        bytes[0] = 0x80;
        bytes[length - 1] = x;
        bytes
    });
    encodings.filter(|bytes| is_outside(bytes)).take(2).collect()
}

/// p, big-endian.
const MODULUS: &str =
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";

/// Encodings of `length` bytes that are no points, with what is wrong with each.
fn malformed_points(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let length = good.len();
    let with_first = |byte: u8| {
        let mut bytes = vec![0; length];
        bytes[0] = byte;
        bytes
    };
    let flipped = |mask: u8| {
        let mut bytes = good.to_vec();
        bytes[0] ^= mask;
        bytes
    };
    let mut infinity_and_more = infinity(good);
    infinity_and_more[length - 1] = 1;
    let mut modulus = unhex(MODULUS);
    modulus.resize(length, 0);
    modulus[0] |= 0x80;
    let mut cases = vec![
        ("zeros", vec![0; length]),
        ("not flagged as compressed", flipped(0x80)),
        ("infinity that has an x", flipped(0x40)),
        ("infinity that has a last byte", infinity_and_more),
        ("infinity with the sign of y", with_first(0xe0)),
        ("infinity without the flag of compression", with_first(0x40)),
        ("x = p", modulus),
        ("x far above p", vec![0x9f; length]),
        ("too short", good[1..].to_vec()),
        ("too long", [good, &[0]].concat()),
        ("empty", Vec::new()),
    ];
    if length == 96 {
        // The second coordinate of x in G2 has no flags, and must be below p as well.
        let mut second = unhex(MODULUS);
        second.splice(0..0, [&[0x80_u8][..], &[0; 47]].concat());
        cases.push(("the second coordinate of x = p", second));
    }
    cases
}

/// An uncompressed encoding is another layout, even where blst would read it.
fn uncompressed(ruleset: Ruleset, seed: u8) -> (Vec<u8>, Vec<u8>) {
    let (key, signature) = (key(ruleset, seed), sign(ruleset, seed, b"m"));
    match ruleset {
        Ruleset::EthereumConsensus => (
            min_pk::PublicKey::uncompress(&key).expect("a key").serialize().to_vec(),
            min_pk::Signature::uncompress(&signature).expect("a signature").serialize().to_vec(),
        ),
        _ => (
            min_sig::PublicKey::uncompress(&key).expect("a key").serialize().to_vec(),
            min_sig::Signature::uncompress(&signature).expect("a signature").serialize().to_vec(),
        ),
    }
}

#[test]
fn malformed_encodings() {
    for ruleset in BOTH {
        let good = signed(ruleset, 1, b"m");
        let mut sets = Vec::new();
        let mut names = Vec::new();
        for (name, bytes) in malformed_points(&good.keys[0]) {
            sets.push(Set { keys: vec![bytes], ..good.clone() });
            names.push(format!("key: {name}"));
        }
        for (name, bytes) in malformed_points(&good.signature) {
            sets.push(Set { signature: bytes, ..good.clone() });
            names.push(format!("signature: {name}"));
        }
        let (key, signature) = uncompressed(ruleset, 1);
        sets.push(Set { keys: vec![key], ..good.clone() });
        names.push("key: uncompressed".to_string());
        sets.push(Set { signature, ..good.clone() });
        names.push("signature: uncompressed".to_string());
        // They cost the good one beside them nothing.
        sets.push(good);
        for (name, verdict) in names.iter().zip(single_verdicts(ruleset, &sets)) {
            assert_eq!(verdict, Verdict::Malformed, "{ruleset}: {name}");
        }
        assert_eq!(single_verdicts(ruleset, &sets).last(), Some(&Verdict::Valid));
    }
}

/// What decodes and breaks a rule is invalid; beside something malformed the set is malformed.
#[test]
fn points_that_decode_and_break_a_rule() {
    for ruleset in BOTH {
        let good = signed(ruleset, 1, b"m");
        let mut sets = vec![
            Set { keys: vec![infinity(&good.keys[0])], ..good.clone() },
            Set { signature: infinity(&good.signature), ..good.clone() },
            // The pair that an implementation without `KeyValidate` takes for every message.
            Set { keys: vec![infinity(&good.keys[0])], signature: infinity(&good.signature), ..good.clone() },
            Set { signature: negative(&good.signature), ..good.clone() },
            Set { keys: vec![negative(&good.keys[0])], ..good.clone() },
        ];
        for point in outside_subgroup(good.keys[0].len()) {
            sets.push(Set { keys: vec![point], ..good.clone() });
        }
        for point in outside_subgroup(good.signature.len()) {
            // The good signature moved by a point outside: many pairings would not notice.
            let moved = aggregate(ruleset, &[good.signature.clone(), point.clone()]);
            sets.push(Set { signature: point, ..good.clone() });
            sets.push(Set { signature: moved, ..good.clone() });
        }
        assert_eq!(sets.len(), 11, "two points outside each subgroup");
        assert_eq!(single_verdicts(ruleset, &sets), [Verdict::Invalid; 11], "{ruleset}");

        let malformed =
            Set { keys: vec![infinity(&good.keys[0])], signature: vec![0; good.signature.len()], ..good.clone() };
        assert_eq!(single_verdicts(ruleset, &[malformed]), [Verdict::Malformed], "{ruleset}");
        let later = Set { keys: vec![infinity(&good.keys[0]), vec![0; good.keys[0].len()]], ..good };
        assert_eq!(verdict(ruleset, SetMode::FastAggregate, &later), Verdict::Malformed, "{ruleset}");
    }
}

/// x = 0 gives (0, ±2), a point of order 3: on the curve, so not malformed.
#[test]
fn x_of_zero_in_g1_is_invalid() {
    let mut zero = vec![0; 48];
    zero[0] = 0x80;
    for point in [zero.clone(), negative(&zero)] {
        let ethereum = Set { keys: vec![point.clone()], ..signed(Ruleset::EthereumConsensus, 1, b"m") };
        assert_eq!(single_verdicts(Ruleset::EthereumConsensus, &[ethereum]), [Verdict::Invalid]);
        let min_sig = Set { signature: point, ..signed(Ruleset::BlsMinSig, 1, b"m") };
        assert_eq!(single_verdicts(Ruleset::BlsMinSig, &[min_sig]), [Verdict::Invalid]);
    }
}

#[test]
fn a_bad_set_is_found_at_each_position() {
    for ruleset in BOTH {
        for count in [1, 2, 5] {
            let good: Vec<Set> = (0..count).map(|n| signed(ruleset, n as u8 + 1, &[n as u8; 32])).collect();
            assert_eq!(single_verdicts(ruleset, &good), vec![Verdict::Valid; count], "{ruleset}");
            for bad in 0..count {
                let mut sets = good.clone();
                sets[bad].messages[0][0] ^= 0x80;
                let mut expected = vec![Verdict::Valid; count];
                expected[bad] = Verdict::Invalid;
                assert_eq!(single_verdicts(ruleset, &sets), expected, "{ruleset}: {bad} of {count}");
            }
        }
    }
}

/// s₁ + d and s₂ − d: right in their sum, wrong each.
#[test]
fn errors_that_cancel_are_found() {
    for ruleset in BOTH {
        let mut sets: Vec<Set> = (1..5).map(|seed| signed(ruleset, seed, &[seed])).collect();
        let difference = sign(ruleset, 77, b"any point");
        sets[0].signature = aggregate(ruleset, &[sets[0].signature.clone(), difference.clone()]);
        sets[2].signature = aggregate(ruleset, &[sets[2].signature.clone(), negative(&difference)]);
        use Verdict::{Invalid, Valid};
        assert_eq!(single_verdicts(ruleset, &sets), [Invalid, Valid, Invalid, Valid], "{ruleset}");
        // Their sum is what an aggregate over all would take.
        let signatures: Vec<_> = sets.iter().map(|set| set.signature.clone()).collect();
        let together = Set {
            keys: sets.iter().flat_map(|set| set.keys.clone()).collect(),
            messages: sets.iter().flat_map(|set| set.messages.clone()).collect(),
            signature: aggregate(ruleset, &signatures),
        };
        assert_eq!(verdict(ruleset, SetMode::Aggregate, &together), Valid, "{ruleset}");
    }
}

/// The same with two signatures of one message, and two that were swapped: the cases that a batch without
/// coefficients of its own for each set would pass.
#[test]
fn swapped_signatures_of_one_message_are_found() {
    for ruleset in BOTH {
        let mut sets = vec![signed(ruleset, 1, b"m"), signed(ruleset, 2, b"m"), signed(ruleset, 3, b"m")];
        let first = sets[0].signature.clone();
        sets[0].signature = std::mem::replace(&mut sets[1].signature, first);
        use Verdict::{Invalid, Valid};
        assert_eq!(single_verdicts(ruleset, &sets), [Invalid, Invalid, Valid], "{ruleset}");
    }
}

/// Sets of one message share a pairing, some with one key; each bad one is still found.
#[test]
fn a_bad_set_is_found_among_sets_of_one_message() {
    for ruleset in BOTH {
        let good: Vec<Set> = [1, 2, 3, 1, 2].map(|seed| signed(ruleset, seed, b"same")).to_vec();
        assert_eq!(single_verdicts(ruleset, &good), [Verdict::Valid; 5], "{ruleset}");
        for bad in 0..good.len() {
            let mut sets = good.clone();
            sets[bad].signature = sign(ruleset, 9, b"same");
            let mut expected = [Verdict::Valid; 5];
            expected[bad] = Verdict::Invalid;
            assert_eq!(single_verdicts(ruleset, &sets), expected, "{ruleset}: {bad}");
        }
    }
}

#[test]
fn duplicates() {
    for ruleset in BOTH {
        let good = signed(ruleset, 1, b"m");
        let bad = Set { messages: vec![b"n".to_vec()], ..good.clone() };
        let sets = [good.clone(), bad.clone(), good.clone(), bad, good];
        use Verdict::{Invalid, Valid};
        assert_eq!(single_verdicts(ruleset, &sets), [Valid, Invalid, Valid, Invalid, Valid], "{ruleset}");
    }
}

/// Splitting zero: keys k and −k, with the signature at infinity. The IETF draft refuses the fast aggregate, whose key
/// is infinity; as aggregate over equal messages the equation holds, and the scheme decides.
#[test]
fn keys_that_add_up_to_infinity() {
    for ruleset in BOTH {
        let good = signed(ruleset, 1, b"m");
        let split = Set {
            keys: vec![good.keys[0].clone(), negative(&good.keys[0])],
            messages: vec![b"m".to_vec()],
            signature: infinity(&good.signature),
        };
        for mode in [SetMode::FastAggregate, SetMode::EthereumFastAggregate] {
            let batch = [split.clone(), good.clone()];
            assert_eq!(verdicts(ruleset, mode, &batch), [Verdict::Invalid, Verdict::Valid], "{ruleset} {mode:?}");
        }
        let equal = Set { messages: vec![b"m".to_vec(); 2], ..split.clone() };
        let expected = Verdict::from_equation(ruleset == Ruleset::EthereumConsensus);
        assert_eq!(verdict(ruleset, SetMode::Aggregate, &equal), expected, "{ruleset}");
        // Beside a good set, in the product of the batch.
        let batch = verdicts(ruleset, SetMode::Aggregate, &[equal, good.clone()]);
        assert_eq!(batch, [expected, Verdict::Valid], "{ruleset}");
        let different = Set { messages: vec![b"m".to_vec(), b"n".to_vec()], ..split.clone() };
        assert_eq!(verdict(ruleset, SetMode::Aggregate, &different), Verdict::Invalid, "{ruleset}");
        // Hidden in a batch of singles: neither half is valid.
        let halves = [
            Set::single(split.keys[0].clone(), b"m".to_vec(), infinity(&good.signature)),
            Set::single(split.keys[1].clone(), b"m".to_vec(), infinity(&good.signature)),
        ];
        assert_eq!(single_verdicts(ruleset, &halves), [Verdict::Invalid; 2], "{ruleset}");
    }
}

/// A key of one ruleset is never a key of the other.
#[test]
fn rulesets_are_not_mixed_up() {
    let ethereum = signed(Ruleset::EthereumConsensus, 1, b"m");
    let min_sig = signed(Ruleset::BlsMinSig, 1, b"m");
    assert_eq!(single_verdicts(Ruleset::BlsMinSig, &[ethereum]), [Verdict::Malformed]);
    assert_eq!(single_verdicts(Ruleset::EthereumConsensus, &[min_sig]), [Verdict::Malformed]);
}
