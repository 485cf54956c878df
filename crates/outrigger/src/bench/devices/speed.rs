//! How fast a device is through its worker, beside the engines of this machine's cores in the same run.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_algorithms::known_keys;
use outrigger_scheduler::CoreEngine;
use outrigger_types::{Engine, Operation};
use serde_json::json;

use super::asked::{Answered, Asked, Packed};
use super::items::{Batch, KNOWN_KEYS, Kind, Source};
use crate::bench::verify::carry_out_parts;
use crate::bench::{Latency, Peer, Record, known, pairs};
use crate::cli::Failure;

/// One item, a small block of them, what fills a small GPU, what fills any, and what hides every fixed cost.
const SIZES: [usize; 5] = [1, 64, 1_024, 65_536, 1 << 20];
/// How long a size is measured, at least [`BATCHES_MIN`] and at most [`BATCHES_MAX`] batches of it.
const SLICE: Duration = Duration::from_millis(200);
const BATCHES_MIN: usize = 3;
const BATCHES_MAX: usize = 2_000;
/// Batches that are under way while throughput is measured, as the sidecar has them.
const IN_FLIGHT: usize = 2;
/// What a batch of the cores may take, about.
const CORES_SLICE: Duration = Duration::from_millis(400);
/// Items of a batch of the cores: they gain nothing by more.
const CORES_ITEMS: [usize; 3] = [1_024, 8_192, 65_536];
/// Empty batches for a median.
const EMPTY_BATCHES: usize = 2_000;

/// What a batch without items takes through the worker.
pub(super) fn empty_batch(device: &Asked, operation: Operation) -> Result<Latency, Failure> {
    let mut samples = Vec::with_capacity(EMPTY_BATCHES);
    for _ in 0..EMPTY_BATCHES {
        samples.push(device.empty_batch(operation)?.as_secs_f64() * 1e6);
    }
    Ok(pairs::latency(&mut samples))
}

/// Measures an operation at every size up to `items_max`; where keys can be known, also with such ones, whose tables are
/// there on both sides before the clock starts.
pub(super) fn measure(
    device: &Asked,
    operation: Operation,
    items_max: usize,
    engines: &[CoreEngine],
) -> Result<Vec<Record>, Failure> {
    let mut records = measure_kind(device, operation, Kind::Good, items_max, engines)?;
    if let Operation::Verify(ruleset) = operation
        && known_keys::kind_of(ruleset).is_some()
    {
        records.extend(measure_kind(device, operation, Kind::Known, items_max, engines)?);
    }
    Ok(records)
}

fn measure_kind(
    device: &Asked,
    operation: Operation,
    kind: Kind,
    items_max: usize,
    engines: &[CoreEngine],
) -> Result<Vec<Record>, Failure> {
    let source = Source::new(operation, kind, items_max)?;
    let on_cores = if kind == Kind::Known { source.warm_cores()? } else { None };
    let peer = best_of_cores(&source, operation, items_max, engines)?;
    let mut records = Vec::new();
    for items in SIZES.into_iter().filter(|items| *items <= items_max) {
        let batch = source.batch(operation, items);
        let mut record = blank(device, operation, items);
        if kind == Kind::Known {
            record.algorithm = format!("{}, {KNOWN_KEYS} known keys", record.algorithm);
            record.more.insert(known::NAME.to_owned(), json!({ "keys": KNOWN_KEYS, "on_cores": on_cores }));
        }
        one_at_a_time(device, &batch, &mut record)?;
        record.items_per_second = in_flight(device, &batch)?;
        if let Some(peer) = &peer {
            record.ratio = Some(record.items_per_second / peer.items_per_second);
            record.peer = Some(peer.clone());
        }
        records.push(record);
    }
    Ok(records)
}

fn blank(device: &Asked, operation: Operation, items: usize) -> Record {
    let ruleset = match operation {
        Operation::Verify(ruleset) | Operation::Recover(ruleset) => Some(ruleset.name()),
        _ => None,
    };
    Record {
        suite: operation.kind(),
        algorithm: super::name(operation),
        ruleset,
        backend: device.info.api.name().to_owned(),
        device: device.info.label(),
        batch: items,
        size: None,
        threads: IN_FLIGHT,
        items_per_second: 0.0,
        latency_us: Latency::default(),
        peer: None,
        ratio: None,
        spread: None,
        more: serde_json::Map::new(),
    }
}

/// Whether enough batches were measured.
fn is_enough(batches: usize, since: Instant) -> bool {
    batches >= BATCHES_MAX || (batches >= BATCHES_MIN && since.elapsed() >= SLICE)
}

/// The latency of a batch that lies packed in the arena, and where its time goes.
fn one_at_a_time(device: &Asked, batch: &Batch, record: &mut Record) -> Result<(), Failure> {
    // The first may have to make tables.
    let mut packed = warm(device, device.pack(batch)?, batch)?;
    let (mut samples, mut timings) = (Vec::new(), Vec::new());
    let since = Instant::now();
    while !is_enough(samples.len(), since) {
        let answered = device.ask(packed)?;
        samples.push(answered.took.as_secs_f64() * 1e6);
        timings.push(answered.timing);
        packed = answered.packed;
    }
    record.latency_us = pairs::latency(&mut samples);
    let median = |of: fn(&outrigger_device::Timing) -> Duration| {
        pairs::median(&mut timings.iter().map(|timing| of(timing).as_secs_f64() * 1e6).collect::<Vec<_>>())
    };
    let kernels_us = median(|timing| timing.kernels);
    let mut put = |name: &str, value: f64| record.more.insert(name.to_owned(), json!(value));
    put("worked_us", median(|timing| timing.worked));
    put("copied_in_us", median(|timing| timing.copy_in));
    put("kernels_us", kernels_us);
    put("waited_and_copied_out_us", median(|timing| timing.copy_out));
    if kernels_us > 0.0 {
        put("kernel_items_per_second", batch.items as f64 / kernels_us * 1e6);
    }
    Ok(())
}

fn warm(device: &Asked, packed: Packed, batch: &Batch) -> Result<Packed, Failure> {
    let answered: Answered = device.ask(packed)?;
    if !batch.is_accepted(&answered.output()?) {
        return Err(Failure::work("a good item was refused"));
    }
    Ok(answered.packed)
}

/// Items a second with as many batches under way as the sidecar has: packed, answered, and their tags checked.
fn in_flight(device: &Asked, batch: &Batch) -> Result<f64, Failure> {
    let done = Mutex::new(0);
    let since = Instant::now();
    let one = || -> Result<(), Failure> {
        loop {
            let answered = device.ask(device.pack(batch)?)?;
            if !batch.is_accepted(&answered.output()?) {
                return Err(Failure::work("a good item was refused"));
            }
            let mut done = done.lock().expect("no thread panicked");
            *done += 1;
            if is_enough(*done, since) {
                return Ok(());
            }
        }
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..IN_FLIGHT).map(|_| scope.spawn(one)).collect();
        running.into_iter().try_for_each(|one| one.join().expect("no thread panicked"))
    })?;
    let batches = *done.lock().expect("no thread panicked");
    Ok((batches * batch.items) as f64 / since.elapsed().as_secs_f64())
}

/// The best that this machine's cores do together.
fn best_of_cores(
    source: &Source,
    operation: Operation,
    items_max: usize,
    engines: &[CoreEngine],
) -> Result<Option<Peer>, Failure> {
    let mut best: Option<Peer> = None;
    for engine in engines.iter().filter(|engine| engine.supports(operation)) {
        let items_per_second = on_cores(source, operation, items_max, engine)?;
        if best.as_ref().is_none_or(|best| items_per_second > best.items_per_second) {
            let version = format!("{} threads", engine.parallelism(operation));
            best = Some(Peer { name: engine.backend().name().to_owned(), version, items_per_second });
        }
    }
    Ok(best)
}

/// Items a second of an engine, in batches as large as still take little time.
fn on_cores(source: &Source, operation: Operation, items_max: usize, engine: &CoreEngine) -> Result<f64, Failure> {
    let mut rate = 0.0_f64;
    let smallest = CORES_ITEMS[0].min(items_max);
    for items in [smallest].into_iter().chain(CORES_ITEMS).filter(|items| *items <= items_max) {
        if rate > 0.0 && items as f64 / rate > CORES_SLICE.as_secs_f64() {
            break;
        }
        let batch = source.batch(operation, items);
        for _ in 0..BATCHES_MIN {
            let started = Instant::now();
            let output = carry_out_parts(engine, &batch.parts)?;
            let took = started.elapsed();
            if !batch.is_accepted(&output) {
                return Err(Failure::work("the cores refuse a good item"));
            }
            rate = rate.max(items as f64 / took.as_secs_f64());
        }
    }
    Ok(rate)
}
