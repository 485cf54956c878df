//! What the tests of all hash rooms do with a judge's answers.

use std::sync::Once;

use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Output, Verdict, Work};
use outrigger_vector::Unit;
use serde::Deserialize;

use crate::gpu::on_host::run_in_whole_groups as in_kernels;
use crate::registry::{hash_rules, run};

/// Messages by length, whose byte i is i mod 251, with their digests.
#[derive(Deserialize)]
struct Lengths {
    cases: Vec<LengthCase>,
}

#[derive(Deserialize)]
struct LengthCase {
    length: usize,
    digest: String,
}

/// A message whose byte i is i mod 251: no block of it is like another.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

/// A 32-byte value from hex.
pub(crate) fn bytes32(text: &str) -> [u8; 32] {
    hex::decode(text).expect("hex").try_into().expect("32 bytes")
}

/// The units of lanes that are here: plain words, and AVX-512 where the machine has it.
pub(crate) fn units() -> impl Iterator<Item = Unit> {
    static SAID: Once = Once::new();
    if Unit::detect().is_none() {
        SAID.call_once(|| eprintln!("NOT RUN: this machine has no AVX-512 IFMA, so its lanes were not tested"));
    }
    [Some(Unit::PORTABLE), Unit::detect()].into_iter().flatten()
}

/// Hashes messages through the registry, each alone as well, and in lanes and kernels where the room has them; all must
/// agree.
pub(crate) fn digests<T: AsRef<[u8]>>(algorithm: HashAlgorithm, messages: &[T]) -> Vec<[u8; 32]> {
    let rules = hash_rules(algorithm).expect("a room");
    let work = Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(messages) });
    let output = run(&work, 0..messages.len());
    assert_eq!(output.verdicts, vec![Verdict::Valid; messages.len()]);
    let batch: Vec<[u8; 32]> = output.fixed.as_chunks().0.to_vec();
    for (i, message) in messages.iter().enumerate() {
        assert_eq!((rules.digest)(message.as_ref()), Some(batch[i]), "{algorithm}, item {i}, alone and in a batch");
    }
    if rules.lanes.is_some() {
        for unit in units() {
            let lanes = crate::lanes::run(unit, &work, 0..messages.len());
            assert!(lanes == output, "{algorithm}, {} messages in {} lanes", messages.len(), unit.name());
        }
    }
    if rules.gpu.is_some() {
        assert!(in_kernels(&work) == output, "{algorithm}, {} messages in kernels", messages.len());
    }
    batch
}

/// One digest through the registry.
pub(crate) fn digest(algorithm: HashAlgorithm, message: &[u8]) -> [u8; 32] {
    digests(algorithm, &[message])[0]
}

/// Holds a room to a file of digests by length, in one batch of varying lengths and in batches of equal ones.
pub(crate) fn check_lengths(algorithm: HashAlgorithm, json: &str) {
    let lengths: Lengths = serde_json::from_str(json).expect("a file of lengths");
    assert!(lengths.cases.len() > 30);
    let messages: Vec<_> = lengths.cases.iter().map(|case| pattern(case.length)).collect();
    for (case, found) in lengths.cases.iter().zip(digests(algorithm, &messages)) {
        assert_eq!(hex::encode(found), case.digest, "{algorithm} of {} bytes", case.length);
    }
    for case in lengths.cases.iter().filter(|case| case.length < 2000) {
        // Group sizes of vector code and their neighbours.
        for count in [1, 2, 3, 4, 5, 7, 8, 9, 17] {
            let equal = vec![pattern(case.length); count];
            for found in digests(algorithm, &equal) {
                assert_eq!(hex::encode(found), case.digest, "{algorithm}, {count} of {} bytes", case.length);
            }
        }
    }
}

/// Ranges of a batch, fixed stride and varying lengths: each piece is what the whole has at that place, and
/// what lies outside the range is left alone.
pub(crate) fn check_ranges(algorithm: HashAlgorithm) {
    let equal: Vec<_> = (0..21_u8).map(|i| vec![i; 32]).collect();
    let varying: Vec<_> = (0..21).map(|i| pattern(i * 13)).collect();
    for messages in [equal, varying] {
        let whole = digests(algorithm, &messages);
        let work = Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(&messages) });
        for range in [0..0, 0..1, 20..21, 3..11, 0..21, 21..21] {
            let piece: Output = run(&work, range.clone());
            assert_eq!(piece.fixed, whole[range.clone()].concat());
            assert_eq!(piece.verdicts, vec![Verdict::Valid; range.len()]);
            if hash_rules(algorithm).expect("a room").lanes.is_some() {
                for unit in units() {
                    assert_eq!(crate::lanes::run(unit, &work, range.clone()), piece);
                }
            }
        }
    }
}

/// Holds lanes to the CPU: every length up to 300 and around 1,000 in one batch, every size of batch to 40 with
/// lengths that vary, one long message at each place among short ones, and megabytes.
pub(crate) fn check_lanes(algorithm: HashAlgorithm) {
    let every: Vec<_> = (0..=300).chain(990..=1030).map(pattern).collect();
    digests(algorithm, &every);
    for count in 1..=40 {
        let varying: Vec<_> = (0..count).map(|i| pattern(i * 7919 % 701)).collect();
        digests(algorithm, &varying);
    }
    for long in 0..33 {
        digests(algorithm, &(0..33).map(|i| pattern(if i == long { 3000 } else { 64 })).collect::<Vec<_>>());
    }
    digests(algorithm, &[pattern(1 << 20), pattern(3), pattern((1 << 20) - 9), vec![], pattern(1 << 19)]);
}

/// Holds kernels to the CPU: a batch of a thousand messages, so that there are many groups and every alignment; and
/// messages of one length that say so one by one.
pub(crate) fn check_kernels(algorithm: HashAlgorithm) {
    let varying: Vec<_> = (0..1000).map(|i| pattern(i * 7919 % 401)).collect();
    digests(algorithm, &varying);
    for length in [0, 1, 31, 32, 33, 64, 135, 136] {
        let lengths = vec![length as u32; 19];
        let messages = ColumnBuf::with_lengths(pattern(19 * length).into(), &lengths).expect("the lengths");
        let work = Work::Hash(HashWork { algorithm, messages });
        assert!(in_kernels(&work) == run(&work, 0..19), "{algorithm}, 19 messages of {length} bytes in kernels");
    }
}

/// One case of a NIST response file.
pub(crate) struct ResponseCase {
    /// The message, cut to its length.
    pub(crate) message: Vec<u8>,
    /// The digest.
    pub(crate) digest: [u8; 32],
}

/// The values of every `key = value` line with this key, in order.
pub(crate) fn values<'a>(file: &'a str, key: &str) -> Vec<&'a str> {
    file.lines().filter_map(|line| line.split_once(" = ")).filter(|(name, _)| *name == key).map(|(_, v)| v).collect()
}

/// The cases of a NIST file of messages: `Len` in bits, `Msg` (`00` where empty), `MD`.
pub(crate) fn response_cases(file: &str) -> Vec<ResponseCase> {
    let lengths = values(file, "Len").into_iter().map(|bits| bits.trim().parse::<usize>().expect("a length") / 8);
    let messages = values(file, "Msg").into_iter().map(|text| hex::decode(text.trim()).expect("hex"));
    let cases: Vec<_> = lengths
        .zip(messages)
        .zip(values(file, "MD"))
        .map(|((length, mut message), digest)| {
            message.truncate(length);
            assert_eq!(message.len(), length);
            ResponseCase { message, digest: bytes32(digest.trim()) }
        })
        .collect();
    assert!(!cases.is_empty());
    cases
}

/// Holds a room to a NIST file of messages.
pub(crate) fn check_responses(algorithm: HashAlgorithm, file: &str) {
    let cases = response_cases(file);
    let messages: Vec<_> = cases.iter().map(|case| &case.message).collect();
    for (case, found) in cases.iter().zip(digests(algorithm, &messages)) {
        assert_eq!(found, case.digest, "{algorithm} of {} bytes", case.message.len());
    }
}
