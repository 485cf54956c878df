//! Messages of all lengths through the scheduler, on whatever engine it chooses and on each that can be forced,
//! against the reference message by message.

use std::sync::Arc;
use std::time::Instant;

use outrigger_types::{ColumnBuf, HashAlgorithm, HashWork, Operation, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::verdicts::Engines;

/// The largest batch of one request.
const BATCH_MAX: usize = 700;
/// Most messages are short; some pass many blocks.
const LENGTH_USUAL: usize = 400;
const LENGTH_MAX: usize = 6_000;

/// Gives back how many digests differ.
pub(crate) fn run(count: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("hashes: {count} messages of each function on each backend, seed {seed}");
    let engines = Engines::here();
    let wrong = HashAlgorithm::ALL.iter().map(|&algorithm| one(&engines, algorithm, count, seed)).sum();
    println!("  {wrong} wrong");
    wrong
}

fn one(engines: &Engines, algorithm: HashAlgorithm, count: u64, seed: u64) -> u64 {
    let since = Instant::now();
    let operation = Operation::Hash(algorithm);
    let mut random = StdRng::seed_from_u64(seed ^ algorithm.number() as u64);
    let (mut left, mut wrong, mut malformed) = (count as usize, 0, 0);
    while left > 0 {
        let size = random.random_range(1..=BATCH_MAX.min(left));
        let is_even = random.random_range(0..4) == 0;
        let length = length(algorithm, &mut random);
        let messages: Vec<Vec<u8>> =
            (0..size).map(|_| message(algorithm, is_even.then_some(length), &mut random)).collect();
        let work = |messages: &[Vec<u8>]| {
            Arc::new(Work::Hash(HashWork { algorithm, messages: ColumnBuf::from_items(messages) }))
        };
        let reference: Vec<_> = messages
            .iter()
            .map(|message| outrigger_algorithms::run(&work(std::slice::from_ref(message)), 0..1))
            .collect();
        malformed += reference.iter().filter(|answer| answer.verdicts[0] == Verdict::Malformed).count();
        wrong += reference.iter().filter(|answer| answer.verdicts[0] == Verdict::Unprocessed).count() as u64;
        for backend in engines.backends(operation) {
            let found = match engines.run(work(&messages), backend) {
                Ok(found) => found,
                Err(why) => {
                    println!("  {algorithm} on {backend:?}: no answer: {why}");
                    wrong += size as u64;
                    continue;
                }
            };
            for (i, alone) in reference.iter().enumerate() {
                if found.slice(operation, i..i + 1) != *alone {
                    wrong += 1;
                    println!("  {algorithm} on {backend:?}: message {i} of {size}, {} bytes", messages[i].len());
                }
            }
        }
        left -= size;
    }
    println!(
        "  {algorithm}: {} hashed, {malformed} malformed, {:.1} s",
        count - malformed as u64,
        since.elapsed().as_secs_f64()
    );
    wrong
}

pub(super) fn message(algorithm: HashAlgorithm, length_of_all: Option<usize>, random: &mut StdRng) -> Vec<u8> {
    let length = length_of_all.unwrap_or_else(|| length(algorithm, random));
    let mut message: Vec<u8> = (0..length).map(|_| random.random()).collect();
    // Most elements are below the modulus, whose first byte is 0x30, and some are just not.
    if algorithm == HashAlgorithm::PoseidonBn254 && random.random_range(0..8) != 0 {
        message.iter_mut().step_by(32).for_each(|byte| *byte %= 0x30);
    }
    message
}

pub(super) fn length(algorithm: HashAlgorithm, random: &mut StdRng) -> usize {
    match (algorithm, random.random_range(0..16)) {
        (HashAlgorithm::PoseidonBn254, 0) => random.random_range(0..600),
        (HashAlgorithm::PoseidonBn254, kind) => 32 * (1 + kind % 4),
        (_, 0) => random.random_range(0..LENGTH_MAX),
        _ => random.random_range(0..LENGTH_USUAL),
    }
}
