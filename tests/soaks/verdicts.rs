//! Mutated items of every ruleset through the scheduler (batches, pieces, cache), against the reference item by item.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use outrigger_scheduler::{CpuEngine, CpuOptions, Request, Scheduler};
use outrigger_types::{Priority, Ruleset, SchedulerOptions, Verdict};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::load::runtime;
use crate::support::signers::Signed;
use crate::support::workload::{as_work, items};

/// Signatures that mutations start from: signing costs more than verifying.
const POOL: usize = 64;
/// The largest batch of one request.
const BATCH_MAX: usize = 700;

/// Gives back how many verdicts differ.
pub(crate) fn run(count: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("verdicts: {count} items of each ruleset, seed {seed}");
    let runtime = runtime();
    let scheduler = Scheduler::new(SchedulerOptions::default(), vec![Arc::new(CpuEngine::new(CpuOptions::default()))]);
    let mut wrong = 0;
    for &ruleset in Ruleset::ALL {
        let since = Instant::now();
        let mut random = StdRng::seed_from_u64(seed ^ ruleset.number() as u64);
        let pool = items(ruleset, POOL, 0, seed);
        let (mut left, mut counts) = (count as usize, [0_u64; 4]);
        while left > 0 {
            let size = random.random_range(1..=BATCH_MAX.min(left));
            let batch: Vec<_> = (0..size).map(|_| mutated(&pool, &mut random)).collect();
            let found = runtime.block_on(scheduled(&scheduler, ruleset, &batch));
            for (i, (item, verdict)) in batch.iter().zip(&found).enumerate() {
                counts[*verdict as usize] += 1;
                let reference =
                    outrigger_algorithms::run(&as_work(ruleset, std::slice::from_ref(item)), ONE).verdicts[0];
                if reference != *verdict || item.expected == Verdict::Valid && *verdict != Verdict::Valid {
                    wrong += 1;
                    println!("  {ruleset}: item {i} of {size}: {verdict:?}, alone {reference:?}: {item:?}");
                }
            }
            wrong += size.abs_diff(found.len()) as u64;
            left -= size;
        }
        let [unprocessed, valid, invalid, malformed] = counts;
        wrong += unprocessed;
        println!(
            "  {ruleset}: {valid} valid, {invalid} invalid, {malformed} malformed, {:.1} s",
            since.elapsed().as_secs_f64()
        );
    }
    println!("  {wrong} wrong");
    wrong
}

const ONE: Range<usize> = 0..1;

async fn scheduled(scheduler: &Scheduler, ruleset: Ruleset, batch: &[Signed]) -> Vec<Verdict> {
    let request = Request {
        work: as_work(ruleset, batch),
        tenant: "soak".into(),
        priority: Priority::Block,
        deadline: None,
        backend: None,
    };
    scheduler.submit(request).await.expect("the scheduler is not loaded").verdicts
}

/// An item of the pool, most of the time damaged. Only what is not damaged says what its verdict must be.
fn mutated(pool: &[Signed], random: &mut StdRng) -> Signed {
    let mut item = pool[random.random_range(0..pool.len())].clone();
    let kind = random.random_range(0..8);
    if kind < 2 {
        return item;
    }
    item.expected = Verdict::Unprocessed;
    let other = &pool[random.random_range(0..pool.len())];
    match kind {
        2 => flip(&mut item.signature, random),
        3 => flip(&mut item.key, random),
        4 => flip(&mut item.message, random),
        5 => item.key.clone_from(&other.key),
        6 => item.signature.truncate(random.random_range(0..=item.signature.len())),
        _ => item.signature.push(random.random()),
    }
    item
}

/// Flips one bit.
fn flip(bytes: &mut [u8], random: &mut StdRng) {
    let bit = random.random_range(0..bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}
