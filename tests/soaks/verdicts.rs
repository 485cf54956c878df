//! Mutated items of every ruleset through the scheduler (batches, pieces, cache), on whatever engine it chooses and on
//! each that can be forced, against the reference item by item.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outrigger_algorithms::{Algorithm, known_keys, registry};
use outrigger_scheduler::{CoreEngine, CoreOptions, Request, Scheduler};
use outrigger_types::{
    Backend, ColumnBuf, Keys, Operation, Output, Priority, Quota, Ruleset, SchedulerOptions, SetMode, SetWork,
    SignatureWork, TenantPolicy, Verdict, Work,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::load::runtime;
use crate::support::signers::{Fault, Signed, Signer};
use crate::support::workload::{as_work, items};

/// Signatures that mutations start from: signing costs more than verifying.
pub(super) const POOL: usize = 64;
/// The largest batch of one request.
const BATCH_MAX: usize = 700;
/// The same for BLS.
const BATCH_MAX_BLS: usize = 48;
/// A pairing costs as much as dozens of signatures: one item of BLS for so many of the others.
const BLS_PART: u64 = 100;
/// Room for the tables of half of a pool of each ruleset.
const TABLES_BYTES: usize = 512 << 20;
/// Two groups of lanes.
const PLANTED: usize = 16;

/// As many items of each operation. Gives back how many answers differ.
pub(crate) fn run(count: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    println!("verdicts: {count} items of each operation on each backend (BLS: {}), seed {seed}", bls(count));
    all(registry::ALL, seed, |_| count)
}

/// As many items of each algorithm (of the one named, if any), shared by its operations. Gives back how many answers
/// differ; an algorithm of that name there must be.
pub(crate) fn each_algorithm(count: u64, seed: Option<u64>, name: Option<&str>) -> u64 {
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    let rooms: Vec<&Algorithm> =
        registry::ALL.iter().copied().filter(|room| name.is_none_or(|name| room.name == name)).collect();
    if rooms.iter().all(|room| room.rulesets.is_empty()) {
        println!("no algorithm with rulesets is called {}", name.unwrap_or_default());
        return 1;
    }
    println!("algorithms: {count} items of each algorithm on each backend (BLS: {}), seed {seed}", bls(count));
    all(&rooms, seed, |operations| count.div_ceil(operations as u64))
}

/// Judges all operations of these algorithms, of as many items each as `share` says for the number of operations of
/// their algorithm.
fn all(rooms: &[&Algorithm], seed: u64, share: impl Fn(usize) -> u64) -> u64 {
    let engines = Engines::here();
    let mut wrong = 0;
    for room in rooms {
        let of_ruleset =
            |ruleset| [Operation::Verify(ruleset), Operation::Recover(ruleset), Operation::VerifySets(ruleset)];
        let operations: Vec<(Ruleset, Operation)> = room
            .rulesets
            .iter()
            .flat_map(|rules| of_ruleset(rules.ruleset).map(|operation| (rules.ruleset, operation)))
            .filter(|(_, operation)| outrigger_algorithms::supports(*operation))
            .collect();
        for &(ruleset, operation) in &operations {
            wrong += one(&engines, operation, ruleset, share(operations.len()), seed);
        }
    }
    println!("  {wrong} wrong");
    wrong
}

fn bls(count: u64) -> u64 {
    (count / BLS_PART).max(PLANTED as u64)
}

fn one(engines: &Engines, operation: Operation, ruleset: Ruleset, count: u64, seed: u64) -> u64 {
    let since = Instant::now();
    let is_bls = matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig);
    let count = if is_bls { bls(count) } else { count };
    let pool = items(ruleset, POOL, 0, seed);
    let hits = know_half(ruleset, &pool);
    let tally = Tally::default();
    for batch in planted(ruleset, &pool, seed) {
        engines.judge(operation, &batch, &tally);
    }
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get()) as u64;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (pool, tally) = (&pool, &tally);
            let share = count / threads + u64::from(thread < count % threads);
            let mut random = StdRng::seed_from_u64(seed ^ ruleset.number() as u64 ^ thread << 32);
            let batch_max = if is_bls { BATCH_MAX_BLS } else { BATCH_MAX };
            scope.spawn(move || {
                let mut left = share as usize;
                while left > 0 {
                    let size = random.random_range(1..=batch_max.min(left));
                    let batch: Vec<_> = (0..size).map(|_| mutated(pool, &mut random)).collect();
                    engines.judge(operation, &batch, tally);
                    left -= size;
                }
            });
        }
    });
    let [unprocessed, valid, invalid, malformed] = tally.verdicts.map(AtomicU64::into_inner);
    let backends: Vec<&str> =
        engines.backends(operation).into_iter().map(|backend| backend.map_or("any", Backend::name)).collect();
    println!(
        "  {} of {ruleset} on {}: {valid} valid, {invalid} invalid, {malformed} malformed, {} by table, {:.1} s",
        operation.kind(),
        backends.join(", "),
        table_hits() - hits,
        since.elapsed().as_secs_f64()
    );
    unprocessed + tally.wrong.into_inner()
}

/// Has tables made of every other key of the pool, so that lanes verify by table and without, mixed. Gives back how
/// many items found a table so far.
fn know_half(ruleset: Ruleset, pool: &[Signed]) -> u64 {
    let keys: Vec<&Vec<u8>> = pool.iter().step_by(2).map(|item| &item.key).collect();
    known_keys::register(TENANT, ruleset, &ColumnBuf::from_items(&keys));
    if let Some(known) = known_keys::shared() {
        known.settle();
    }
    table_hits()
}

fn table_hits() -> u64 {
    known_keys::shared().map_or(0, |known| known.stats().hits)
}

/// No bound that a soak could meet.
const BOUNDLESS: Quota = Quota {
    requests_max: u32::MAX as u64,
    items_max: u32::MAX as u64,
    bytes_max: u64::MAX >> 1,
    compute_max: Duration::from_secs(u32::MAX as u64),
};
const TENANT: &str = "soak";

fn everything() -> TenantPolicy {
    TenantPolicy { quota: BOUNDLESS, ..TenantPolicy::unrestricted(TENANT) }
}

/// What the reference said, and how often an engine said something else.
#[derive(Default)]
struct Tally {
    verdicts: [AtomicU64; 4],
    wrong: AtomicU64,
}

/// The engines of this machine behind schedulers, as in a sidecar but for quotas: work is judged here, not refused.
pub(super) struct Engines {
    runtime: tokio::runtime::Runtime,
    /// Chooses an engine, and remembers verdicts.
    choosing: Scheduler,
    /// Remembers nothing, so that an engine which is named answers itself.
    forced: Scheduler,
}

impl Engines {
    pub(super) fn here() -> Self {
        known_keys::enable(TABLES_BYTES);
        let cores = CoreEngine::new(CoreOptions::default());
        let vector = cores.vector();
        if vector.is_none() {
            println!("  NOT RUN on the backend vector: this processor has no AVX-512 with IFMA");
        }
        let engines = cores.with(vector);
        let options = SchedulerOptions { quota: BOUNDLESS, tenants: vec![everything()], ..SchedulerOptions::default() };
        let forgetful = SchedulerOptions { cache_entries: 0, ..options.clone() };
        let runtime = runtime();
        // The schedulers start their tasks on the runtime.
        let inside = runtime.enter();
        let choosing = Scheduler::new(options, engines.clone());
        let forced = Scheduler::new(forgetful, engines);
        drop(inside);
        Self { runtime, choosing, forced }
    }

    /// Who is asked: whoever the scheduler chooses, and each backend but the one that the reference is.
    pub(super) fn backends(&self, operation: Operation) -> Vec<Option<Backend>> {
        let able = self.choosing.engines().iter().filter(|engine| engine.supports(operation));
        let others = able.map(|engine| engine.backend()).filter(|backend| *backend != Backend::Cpu);
        std::iter::once(None).chain(others.map(Some)).collect()
    }

    pub(super) fn run(&self, work: Arc<Work>, backend: Option<Backend>) -> Result<Output, String> {
        let request = Request { work, tenant: TENANT.into(), priority: Priority::Block, deadline: None, backend };
        let scheduler = if backend.is_none() { &self.choosing } else { &self.forced };
        self.runtime.block_on(scheduler.submit(request)).map_err(|rejection| rejection.to_string())
    }

    fn judge(&self, operation: Operation, batch: &[Signed], tally: &Tally) {
        let reference: Vec<Output> = batch
            .iter()
            .map(|item| outrigger_algorithms::run(&work(operation, std::slice::from_ref(item)), 0..1))
            .collect();
        for answer in &reference {
            tally.verdicts[answer.verdicts[0] as usize].fetch_add(1, Ordering::Relaxed);
        }
        let whole = work(operation, batch);
        for backend in self.backends(operation) {
            let found = match self.run(whole.clone(), backend) {
                Ok(found) => found,
                Err(why) => {
                    tally.wrong.fetch_add(batch.len() as u64, Ordering::Relaxed);
                    println!("  {operation:?} on {backend:?}: no answer: {why}");
                    continue;
                }
            };
            for (i, (item, alone)) in batch.iter().zip(&reference).enumerate() {
                let is_expected = item.expected != Verdict::Valid || alone.verdicts[0] == Verdict::Valid;
                let part = found.slice(operation, i..i + 1);
                if part != *alone || !is_expected {
                    tally.wrong.fetch_add(1, Ordering::Relaxed);
                    println!(
                        "  {operation:?} on {backend:?}: item {i} of {}: {part:?}, alone {alone:?}: {item:?}",
                        batch.len()
                    );
                }
            }
            tally.wrong.fetch_add(batch.len().abs_diff(found.verdicts.len()) as u64, Ordering::Relaxed);
        }
    }
}

/// Items as work of an operation.
pub(super) fn work(operation: Operation, batch: &[Signed]) -> Arc<Work> {
    let (Operation::Verify(ruleset) | Operation::Recover(ruleset) | Operation::VerifySets(ruleset)) = operation else {
        unreachable!("signatures alone are judged here")
    };
    let verify = as_work(ruleset, batch);
    let Work::Verify(signed) = &*verify else { unreachable!("that is what it makes") };
    match operation {
        Operation::Recover(_) => {
            Arc::new(Work::Recover(SignatureWork { keys: Keys::Inline(ColumnBuf::empty()), ..signed.clone() }))
        }
        Operation::VerifySets(_) => {
            let ends: Vec<u32> = (1..=batch.len() as u32).collect();
            let SignatureWork { keys, signatures, messages, .. } = signed.clone();
            let (key_ends, message_ends) = (ends.clone(), ends);
            Arc::new(Work::VerifySets(SetWork {
                ruleset,
                mode: SetMode::Single,
                signatures,
                keys,
                key_ends,
                messages,
                message_ends,
            }))
        }
        _ => verify,
    }
}

/// Batches of good items with a bad one of each kind at each place, and good ones alone of every length.
fn planted(ruleset: Ruleset, pool: &[Signed], seed: u64) -> Vec<Vec<Signed>> {
    let stranger = Signer::new(ruleset, !seed);
    let good = |length: usize| pool.iter().cycle().take(length).cloned().collect::<Vec<_>>();
    let is_bls = matches!(ruleset, Ruleset::EthereumConsensus | Ruleset::BlsMinSig);
    // All places of the first group are the same for a pairing.
    let places = if is_bls { 0..2 } else { 0..PLANTED };
    let mut batches = Vec::new();
    for place in places {
        for fault in Fault::ALL {
            let mut batch = good(PLANTED);
            fault.apply(&mut batch[place], stranger.key());
            batches.push(batch);
        }
        batches.push(good(place + 1));
    }
    batches
}

/// An item of the pool, most of the time damaged. Only what is not damaged says what its verdict must be.
pub(super) fn mutated(pool: &[Signed], random: &mut StdRng) -> Signed {
    let mut item = pool[random.random_range(0..pool.len())].clone();
    let kind = random.random_range(0..10);
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
        7 => item.signature.push(random.random()),
        8 => put_edge(&mut item.signature, random),
        _ => put_edge(&mut item.key, random),
    }
    item
}

/// Flips one bit.
fn flip(bytes: &mut [u8], random: &mut StdRng) {
    let bit = random.random_range(0..bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

/// Puts an extreme number in the place of a coordinate or scalar: zero, one, all ones, or something close to a
/// modulus, whose top half is all ones.
fn put_edge(bytes: &mut [u8], random: &mut StdRng) {
    let width = bytes.len().min(32);
    let places = bytes.len() / width;
    let start = width * random.random_range(0..places);
    let number = &mut bytes[start..start + width];
    match random.random_range(0..4) {
        0 => number.fill(0),
        1 => {
            number.fill(0);
            number[width - 1] = 1;
        }
        2 => number.fill(0xff),
        _ => number[..width / 2].fill(0xff),
    }
}
