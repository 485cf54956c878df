//! Interleaved pairs: product, peer, product, peer … so that a machine whose speed drifts slows both.

use std::time::{Duration, Instant};

use super::{Latency, Peer, Record};
use crate::cli::Failure;

/// How long one side of a pair runs at least; batches are repeated until then.
const SLICE: Duration = Duration::from_millis(120);

/// One side of a pair: runs a batch once and says how long it took.
pub(super) type Side<'a> = Box<dyn FnMut() -> Result<Duration, Failure> + 'a>;

/// A side whose time is that of the call.
pub(super) fn clocked<'a>(mut run: impl FnMut() -> Result<(), Failure> + 'a) -> Side<'a> {
    Box::new(move || {
        let since = Instant::now();
        run()?;
        Ok(since.elapsed())
    })
}

/// The other side: somebody else's code on the same items, or an adapter that times itself.
pub(super) struct Other<'a> {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) run: Side<'a>,
}

/// Rates and batch times over all pairs.
#[derive(Default)]
struct Samples {
    rates: Vec<f64>,
    batches_us: Vec<f64>,
}

impl Samples {
    fn slice(&mut self, items: usize, run: &mut Side<'_>) -> Result<f64, Failure> {
        let (mut batches, mut all) = (0, Duration::ZERO);
        while batches == 0 || all < SLICE {
            let took = run()?;
            self.batches_us.push(took.as_secs_f64() * 1e6);
            all += took;
            batches += 1;
        }
        let rate = (items * batches) as f64 / all.as_secs_f64();
        self.rates.push(rate);
        Ok(rate)
    }
}

/// Measures `product` against `peer` in `pairs` interleaved pairs after one warm-up of each, and fills the
/// figures of `record`, whose `batch` says how many items one run of either side has.
pub(super) fn measure(
    record: &mut Record,
    pairs: usize,
    mut product: Side<'_>,
    peer: Option<Other<'_>>,
) -> Result<(), Failure> {
    let items = record.batch;
    product()?;
    let mut ours = Samples::default();
    let Some(mut peer) = peer else {
        for _ in 0..pairs {
            ours.slice(items, &mut product)?;
        }
        record.items_per_second = median(&mut ours.rates);
        record.latency_us = latency(&mut ours.batches_us);
        return Ok(());
    };
    (peer.run)()?;
    let mut theirs = Samples::default();
    let mut ratios = Vec::with_capacity(pairs);
    for pair in 0..pairs {
        // Who begins changes from pair to pair: a drift inside a pair then favours neither.
        let (product_rate, peer_rate) = if pair % 2 == 0 {
            let product_rate = ours.slice(items, &mut product)?;
            (product_rate, theirs.slice(items, &mut peer.run)?)
        } else {
            let peer_rate = theirs.slice(items, &mut peer.run)?;
            (ours.slice(items, &mut product)?, peer_rate)
        };
        ratios.push(product_rate / peer_rate);
    }
    record.items_per_second = median(&mut ours.rates);
    record.latency_us = latency(&mut ours.batches_us);
    record.peer = Some(Peer { name: peer.name, version: peer.version, items_per_second: median(&mut theirs.rates) });
    record.ratio = Some(median(&mut ratios));
    record.spread = ratios.first().zip(ratios.last()).map(|(low, high)| [*low, *high]);
    Ok(())
}

/// The median; leaves the samples sorted.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    quantile(samples, 0.5)
}

/// Median and 99th percentile of times in µs.
pub(super) fn latency(samples_us: &mut [f64]) -> Latency {
    samples_us.sort_by(f64::total_cmp);
    Latency { p50: quantile(samples_us, 0.5), p99: quantile(samples_us, 0.99) }
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() {
        return 0.0;
    }
    sorted[((sorted.len() - 1) as f64 * q).round() as usize]
}

/// Runs `one` over `0..items` on `threads` threads, each a stripe, and waits for all: how a caller without a
/// scheduler would use a library.
pub(super) fn stripes(threads: usize, items: usize, one: impl Fn(std::ops::Range<usize>) + Sync) {
    if threads == 1 {
        return one(0..items);
    }
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let one = &one;
            scope.spawn(move || one(items * thread / threads..items * (thread + 1) / threads));
        }
    });
}
