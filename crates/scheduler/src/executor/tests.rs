//! The whole way of requests through the scheduler, with engines made for the purpose.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use outrigger_types::{
    Backend, BatchOptions, ColumnBuf, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, MessageForm, Operation,
    Output, Priority, Rejection, Ruleset, SchedulerOptions, SignatureOptions, SignatureWork, Verdict, Work,
};

use crate::limits::Load;
use crate::{CoreEngine, CoreOptions, Request, Scheduler};

mod devices;
mod flow;
mod lanes;
mod sharing;

/// Hash work whose item `i` is the number `seed + i`.
fn hashes(seed: u64, items: usize) -> Work {
    let messages: Vec<[u8; 8]> = (0..items as u64).map(|i| (seed + i).to_le_bytes()).collect();
    Work::Hash(HashWork { algorithm: HashAlgorithm::Sha256, messages: ColumnBuf::from_items(&messages) })
}

/// Signatures whose messages are the numbers `seed + i`; those divisible by 3 are invalid to the echo runner.
fn signatures(ruleset: Ruleset, seed: u64, items: usize) -> Work {
    Work::Verify(signature_work(ruleset, seed, items))
}

fn signature_work(ruleset: Ruleset, seed: u64, items: usize) -> SignatureWork {
    let messages: Vec<[u8; 32]> = (0..items as u64)
        .map(|i| {
            let mut message = [0; 32];
            message[..8].copy_from_slice(&(seed + i).to_le_bytes());
            message
        })
        .collect();
    let column = |length: usize| ColumnBuf::with_count(Bytes::from(vec![1; items * length]), items).expect("a column");
    SignatureWork {
        ruleset,
        options: SignatureOptions::new(MessageForm::Digest),
        keys: Keys::Inline(column(33)),
        signatures: column(64),
        messages: ColumnBuf::from_items(&messages),
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"))
}

fn judged(number: u64) -> Verdict {
    if number.is_multiple_of(3) { Verdict::Invalid } else { Verdict::Valid }
}

/// Judges items by their number and gives the number back where the answer has room for it.
fn echo(work: &Work, range: Range<usize>) -> Output {
    let operation = work.operation();
    let count = if operation.is_divisible() { range.len() } else { 1 };
    let mut output = Output::unprocessed(operation, count);
    let stride = operation.output_shape().stride;
    for (place, item) in range.take(count).enumerate() {
        let value = match work {
            Work::Verify(work) | Work::Recover(work) => number(work.message(item)),
            Work::Hash(work) => number(work.messages.view().item(item)),
            _ => 1,
        };
        output.verdicts[place] = judged(value);
        if stride > 0 {
            output.fixed[place * stride..place * stride + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
    if let Some(end) = output.variable_ends.last_mut() {
        *end = 0;
    }
    output
}

fn is_echo(work: &Work, output: &Output) -> bool {
    let mut expected = echo(work, 0..work.items());
    if !work.operation().is_divisible() {
        expected = echo(work, 0..1);
    }
    *output == expected
}

fn request(work: Work) -> Request {
    Request { work: Arc::new(work), tenant: "node".into(), priority: Priority::Block, deadline: None, backend: None }
}

fn options() -> SchedulerOptions {
    SchedulerOptions { cache_entries: 0, ..SchedulerOptions::default() }
}

fn cpu(threads: usize, runner: impl Runner) -> Arc<CoreEngine> {
    let options = CoreOptions {
        threads: NonZeroUsize::new(threads),
        piece_items: NonZeroUsize::new(16),
        ..CoreOptions::default()
    };
    Arc::new(CoreEngine::with_runner(options, runner))
}

/// What a CPU engine runs.
trait Runner: Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static {}

impl<F: Fn(&Work, Range<usize>) -> Output + Send + Sync + 'static> Runner for F {}

/// A runner that stands still until the gate is opened (its sender dropped), counting the items that it ran.
fn gated() -> (mpsc::Sender<()>, Arc<AtomicUsize>, impl Runner) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = ran.clone();
    let runner = move |work: &Work, range: Range<usize>| {
        let _ = gate.lock().expect("unpoisoned").recv();
        counter.fetch_add(range.len(), Ordering::SeqCst);
        echo(work, range)
    };
    (open, ran, runner)
}

/// Waits until something holds; what it waits for happens on other threads.
async fn until(mut holds: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < patience, "it never came to be");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn is_empty(scheduler: &Scheduler) -> bool {
    let stats = scheduler.stats();
    stats.held == Load::default()
        && stats.held_by_tenant.is_empty()
        && stats.engines.iter().all(|engine| engine.waiting_items == 0 && engine.running_jobs == 0)
}
