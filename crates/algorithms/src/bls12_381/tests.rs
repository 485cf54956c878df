//! Ethereum's own vectors, and adversarial cases made here: infinity, flag bits, x ≥ p, points outside the subgroup,
//! poisoned batches. A pairing takes about a millisecond, so the sets are small.

use std::ops::Range;
use std::sync::Arc;

use blst::{min_pk, min_sig};
use outrigger_types::{
    ColumnBuf, Keys, MessageForm, Ruleset, SetMode, SetWork, SignatureOptions, SignatureWork, Verdict, Work,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::Unit;

mod adversarial;
mod lanes;

const BOTH: [Ruleset; 2] = [Ruleset::EthereumConsensus, Ruleset::BlsMinSig];

/// A set: keys, messages, a signature.
#[derive(Clone, Debug)]
struct Set {
    keys: Vec<Vec<u8>>,
    messages: Vec<Vec<u8>>,
    signature: Vec<u8>,
}

impl Set {
    fn single(key: Vec<u8>, message: Vec<u8>, signature: Vec<u8>) -> Self {
        Self { keys: vec![key], messages: vec![message], signature }
    }
}

/// The set of one key that signs one message.
fn signed(ruleset: Ruleset, seed: u8, message: &[u8]) -> Set {
    Set::single(key(ruleset, seed), message.to_vec(), sign(ruleset, seed, message))
}

fn key(ruleset: Ruleset, seed: u8) -> Vec<u8> {
    match ruleset {
        Ruleset::EthereumConsensus => {
            min_pk::SecretKey::key_gen(&[seed; 32], &[]).expect("a secret").sk_to_pk().compress().to_vec()
        }
        _ => min_sig::SecretKey::key_gen(&[seed; 32], &[]).expect("a secret").sk_to_pk().compress().to_vec(),
    }
}

fn sign(ruleset: Ruleset, seed: u8, message: &[u8]) -> Vec<u8> {
    match ruleset {
        Ruleset::EthereumConsensus => {
            let dst = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";
            let secret = min_pk::SecretKey::key_gen(&[seed; 32], &[]).expect("a secret");
            secret.sign(message, dst, &[]).compress().to_vec()
        }
        _ => {
            let dst = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
            let secret = min_sig::SecretKey::key_gen(&[seed; 32], &[]).expect("a secret");
            secret.sign(message, dst, &[]).compress().to_vec()
        }
    }
}

/// The sum of signatures.
fn aggregate(ruleset: Ruleset, signatures: &[Vec<u8>]) -> Vec<u8> {
    let parts: Vec<&[u8]> = signatures.iter().map(Vec::as_slice).collect();
    match ruleset {
        Ruleset::EthereumConsensus => min_pk::AggregateSignature::aggregate_serialized(&parts, false)
            .expect("signatures")
            .to_signature()
            .compress()
            .to_vec(),
        _ => min_sig::AggregateSignature::aggregate_serialized(&parts, false)
            .expect("signatures")
            .to_signature()
            .compress()
            .to_vec(),
    }
}

/// The negative of a compressed point: the other y.
fn negative(point: &[u8]) -> Vec<u8> {
    let mut other = point.to_vec();
    other[0] ^= 0x20;
    other
}

/// The point at infinity, as long as `like`.
fn infinity(like: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; like.len()];
    bytes[0] = 0xc0;
    bytes
}

fn set_work(ruleset: Ruleset, mode: SetMode, sets: &[Set]) -> SetWork {
    let (mut keys, mut messages) = (Vec::new(), Vec::new());
    let (mut key_ends, mut message_ends) = (Vec::new(), Vec::new());
    for set in sets {
        keys.extend(set.keys.clone());
        messages.extend(set.messages.clone());
        key_ends.push(keys.len() as u32);
        message_ends.push(messages.len() as u32);
    }
    let signatures: Vec<_> = sets.iter().map(|set| set.signature.clone()).collect();
    SetWork {
        ruleset,
        mode,
        signatures: ColumnBuf::from_items(&signatures),
        keys: Keys::Inline(ColumnBuf::from_items(&keys)),
        key_ends,
        messages: ColumnBuf::from_items(&messages),
        message_ends,
    }
}

fn run_sets(work: SetWork, range: Range<usize>) -> Vec<Verdict> {
    run(&Work::VerifySets(work), range)
}

/// The CPU's verdicts, which must be those of the lanes wherever there are any.
fn run(work: &Work, range: Range<usize>) -> Vec<Verdict> {
    let verdicts = crate::run(work, range.clone()).verdicts;
    if !crate::lanes::supports(work.operation()) {
        return verdicts;
    }
    match Unit::detect() {
        Some(unit) => assert_eq!(crate::lanes::run(unit, work, range).verdicts, verdicts, "in lanes"),
        None => eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so the lanes of BLS12-381 were not checked"),
    }
    verdicts
}

/// The verdicts of all sets in one batch.
fn verdicts(ruleset: Ruleset, mode: SetMode, sets: &[Set]) -> Vec<Verdict> {
    run_sets(set_work(ruleset, mode, sets), 0..sets.len())
}

fn verdict(ruleset: Ruleset, mode: SetMode, set: &Set) -> Verdict {
    verdicts(ruleset, mode, std::slice::from_ref(set))[0]
}

/// Sets of one key and message as items of a signature request.
fn item_work(ruleset: Ruleset, sets: &[Set]) -> SignatureWork {
    let column = |pick: fn(&Set) -> Vec<u8>| ColumnBuf::from_items(&sets.iter().map(pick).collect::<Vec<_>>());
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Message),
        keys: Keys::Inline(column(|set| set.keys[0].clone())),
        signatures: column(|set| set.signature.clone()),
        messages: column(|set| set.messages[0].clone()),
    }
}

fn run_items(work: SignatureWork, range: Range<usize>) -> Vec<Verdict> {
    run(&Work::Verify(work), range)
}

/// The verdicts of single sets on both paths, which must agree.
fn single_verdicts(ruleset: Ruleset, sets: &[Set]) -> Vec<Verdict> {
    let items = run_items(item_work(ruleset, sets), 0..sets.len());
    assert_eq!(items, verdicts(ruleset, SetMode::Single, sets), "{ruleset}: items and sets");
    items
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    mode: String,
    keys: Vec<String>,
    messages: Vec<String>,
    signature: String,
    valid: bool,
}

#[derive(Deserialize)]
struct BatchVector {
    name: String,
    keys: Vec<String>,
    messages: Vec<String>,
    signatures: Vec<String>,
    valid: bool,
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hex")
}

#[test]
fn ethereum_vectors() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../vectors/bls12_381/ethereum.json")).expect("the vectors");
    assert_eq!(vectors.len(), 26);
    let modes =
        [("single", SetMode::Single), ("aggregate", SetMode::Aggregate), ("fast-aggregate", SetMode::FastAggregate)];
    for (name, mode) in modes {
        let of_mode: Vec<&Vector> = vectors.iter().filter(|vector| vector.mode == name).collect();
        let sets: Vec<Set> = of_mode
            .iter()
            .map(|vector| Set {
                keys: vector.keys.iter().map(|key| unhex(key)).collect(),
                messages: vector.messages.iter().map(|message| unhex(message)).collect(),
                signature: unhex(&vector.signature),
            })
            .collect();
        let batch = verdicts(Ruleset::EthereumConsensus, mode, &sets);
        for ((vector, set), in_batch) in of_mode.iter().zip(&sets).zip(batch) {
            let expected = Verdict::from_equation(vector.valid);
            assert_eq!(in_batch, expected, "{} in a batch", vector.name);
            assert_eq!(verdict(Ruleset::EthereumConsensus, mode, set), expected, "{} alone", vector.name);
            if mode == SetMode::FastAggregate {
                let as_ethereum = verdict(Ruleset::EthereumConsensus, SetMode::EthereumFastAggregate, set);
                assert_eq!(as_ethereum, expected, "{} as eth_fast_aggregate_verify", vector.name);
            }
        }
    }
}

/// Among them one whose signatures are wrong, but right in their sum.
#[test]
fn ethereum_batch_vectors() {
    let vectors: Vec<BatchVector> =
        serde_json::from_str(include_str!("../../vectors/bls12_381/ethereum_batches.json")).expect("the vectors");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let parts = vector.keys.iter().zip(&vector.messages).zip(&vector.signatures);
        let sets: Vec<Set> = parts
            .map(|((key, message), signature)| Set::single(unhex(key), unhex(message), unhex(signature)))
            .collect();
        let expected = vec![Verdict::from_equation(vector.valid); sets.len()];
        assert_eq!(single_verdicts(Ruleset::EthereumConsensus, &sets), expected, "{}", vector.name);
    }
}

/// Round 1000 of drand's network quicknet, a signature that another implementation made in production: the message is
/// SHA-256 of the round, and SHA-256 of the signature is the randomness that was published with it.
#[test]
fn drand_quicknet() {
    let key = unhex(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    );
    let signature =
        unhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39");
    let randomness = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd";
    assert_eq!(hex::encode(Sha256::digest(&signature)), randomness);
    let beacon = |round: u64| Set::single(key.clone(), Sha256::digest(round.to_be_bytes()).to_vec(), signature.clone());
    let sets = [beacon(1000), beacon(1001)];
    assert_eq!(single_verdicts(Ruleset::BlsMinSig, &sets), [Verdict::Valid, Verdict::Invalid]);
}

#[test]
fn singles_of_any_message_length() {
    for ruleset in BOTH {
        let sets: Vec<Set> = [0, 1, 31, 32, 33, 200].map(|length| signed(ruleset, 1, &vec![7; length])).to_vec();
        assert_eq!(single_verdicts(ruleset, &sets), [Verdict::Valid; 6], "{ruleset}");
    }
}

#[test]
fn a_digest_is_the_message_of_32_bytes() {
    let ruleset = Ruleset::EthereumConsensus;
    let sets = [signed(ruleset, 1, &[7; 32]), signed(ruleset, 1, &[7; 31])];
    let mut work = item_work(ruleset, &sets);
    work.options.message_form = MessageForm::Digest;
    assert_eq!(run_items(work, 0..2), [Verdict::Valid, Verdict::Malformed]);
}

#[test]
fn aggregates() {
    for ruleset in BOTH {
        let parts: Vec<Set> = (1..4).map(|seed| signed(ruleset, seed, &[seed; 5])).collect();
        let signatures: Vec<_> = parts.iter().map(|part| part.signature.clone()).collect();
        let good = Set {
            keys: parts.iter().flat_map(|part| part.keys.clone()).collect(),
            messages: parts.iter().flat_map(|part| part.messages.clone()).collect(),
            signature: aggregate(ruleset, &signatures),
        };
        let mut swapped = good.clone();
        swapped.messages.swap(0, 1);
        let mut partial = good.clone();
        partial.signature = aggregate(ruleset, &signatures[1..]);
        let mut uneven = good.clone();
        uneven.messages.pop();
        let one = parts[0].clone();
        let sets = [good, swapped, partial, uneven, one];
        let expected = [Verdict::Valid, Verdict::Invalid, Verdict::Invalid, Verdict::Malformed, Verdict::Valid];
        assert_eq!(verdicts(ruleset, SetMode::Aggregate, &sets), expected, "{ruleset}");
    }
}

/// The basic scheme refuses equal messages, the one with proofs of possession does not.
#[test]
fn equal_messages_in_an_aggregate() {
    for ruleset in BOTH {
        let signatures = [sign(ruleset, 1, b"same"), sign(ruleset, 2, b"same")];
        let set = Set {
            keys: vec![key(ruleset, 1), key(ruleset, 2)],
            messages: vec![b"same".to_vec(); 2],
            signature: aggregate(ruleset, &signatures),
        };
        let expected = Verdict::from_equation(ruleset == Ruleset::EthereumConsensus);
        assert_eq!(verdict(ruleset, SetMode::Aggregate, &set), expected, "{ruleset}");
        assert_eq!(
            verdict(ruleset, SetMode::FastAggregate, &Set { messages: vec![b"same".to_vec()], ..set }),
            Verdict::Valid
        );
    }
}

#[test]
fn fast_aggregates() {
    for ruleset in BOTH {
        let signatures: Vec<_> = (1..4).map(|seed| sign(ruleset, seed, b"root")).collect();
        let good = Set {
            keys: (1..4).map(|seed| key(ruleset, seed)).collect(),
            messages: vec![b"root".to_vec()],
            signature: aggregate(ruleset, &signatures),
        };
        let mut extra = good.clone();
        extra.keys.push(key(ruleset, 9));
        let mut with_infinity = good.clone();
        with_infinity.keys.push(infinity(&good.keys[0]));
        let mut two_messages = good.clone();
        two_messages.messages.push(b"root".to_vec());
        let mut no_message = good.clone();
        no_message.messages.clear();
        let sets = [good, extra, with_infinity, two_messages, no_message];
        let expected = [Verdict::Valid, Verdict::Invalid, Verdict::Invalid, Verdict::Malformed, Verdict::Malformed];
        for mode in [SetMode::FastAggregate, SetMode::EthereumFastAggregate] {
            assert_eq!(verdicts(ruleset, mode, &sets), expected, "{ruleset} {mode:?}");
        }
    }
}

/// IETF and Ethereum differ in this alone.
#[test]
fn sets_without_keys() {
    for ruleset in BOTH {
        let signature = sign(ruleset, 1, b"root");
        let set = |signature: Vec<u8>, messages: usize| Set {
            keys: Vec::new(),
            messages: vec![b"root".to_vec(); messages],
            signature,
        };
        let at_infinity = set(infinity(&signature), 1);
        assert_eq!(verdict(ruleset, SetMode::FastAggregate, &at_infinity), Verdict::Invalid, "{ruleset}");
        assert_eq!(verdict(ruleset, SetMode::EthereumFastAggregate, &at_infinity), Verdict::Valid, "{ruleset}");
        for mode in [SetMode::FastAggregate, SetMode::EthereumFastAggregate] {
            assert_eq!(verdict(ruleset, mode, &set(signature.clone(), 1)), Verdict::Invalid, "{ruleset} {mode:?}");
            let zeros = vec![0; signature.len()];
            assert_eq!(verdict(ruleset, mode, &set(zeros, 1)), Verdict::Malformed, "{ruleset} {mode:?}");
        }
        assert_eq!(verdict(ruleset, SetMode::Aggregate, &set(infinity(&signature), 0)), Verdict::Invalid, "{ruleset}");
        assert_eq!(verdict(ruleset, SetMode::Single, &set(infinity(&signature), 1)), Verdict::Malformed, "{ruleset}");
    }
}

#[test]
fn a_range_gives_its_part_of_the_whole() {
    for ruleset in BOTH {
        let mut sets: Vec<Set> = (1..6).map(|seed| signed(ruleset, seed, &[seed; 32])).collect();
        sets[1].messages[0][0] ^= 1;
        sets[3].signature.pop();
        let whole = single_verdicts(ruleset, &sets);
        use Verdict::{Invalid, Malformed, Valid};
        assert_eq!(whole, [Valid, Invalid, Valid, Malformed, Valid], "{ruleset}");
        for range in [0..0, 0..2, 1..4, 2..3, 4..5] {
            assert_eq!(run_items(item_work(ruleset, &sets), range.clone()), whole[range.clone()], "{ruleset}");
            let work = set_work(ruleset, SetMode::Single, &sets);
            assert_eq!(run_sets(work, range.clone()), whole[range], "{ruleset}");
        }
    }
}

#[test]
fn indexed_keys_are_the_inline_ones() {
    for ruleset in BOTH {
        let keys = Arc::new(ColumnBuf::from_items(&[key(ruleset, 3), key(ruleset, 1), key(ruleset, 2)]));
        let sets: Vec<Set> = [1, 2, 3].map(|seed| signed(ruleset, seed, b"m")).to_vec();
        let mut items = item_work(ruleset, &sets);
        // The last names the wrong key.
        items.keys = Keys::Indexed { set: keys.clone(), indices: vec![1, 2, 2] };
        assert_eq!(run_items(items, 0..3), [Verdict::Valid, Verdict::Valid, Verdict::Invalid], "{ruleset}");

        let signatures = [sign(ruleset, 1, b"m"), sign(ruleset, 3, b"m")];
        let set = Set { keys: Vec::new(), messages: vec![b"m".to_vec()], signature: aggregate(ruleset, &signatures) };
        let mut work = set_work(ruleset, SetMode::FastAggregate, &[set.clone(), set]);
        work.keys = Keys::Indexed { set: keys, indices: vec![1, 0, 1, 2] };
        work.key_ends = vec![2, 4];
        assert_eq!(run_sets(work, 0..2), [Verdict::Valid, Verdict::Invalid], "{ruleset}");
    }
}
