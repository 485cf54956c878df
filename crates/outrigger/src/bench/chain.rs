//! The suite `chain`: a node's day. Blocks at a given rate and mix through a sidecar, in bursts where asked for, a share of
//! them bad, proofs beside where asked for; then, as a node that catches up, blocks as fast as they are answered.

mod beside;
mod ethereum;
mod mix;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use outrigger_client::CallOptions;
use outrigger_types::Priority;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Latency, Record, announce, cores};
use crate::cli::{BenchArgs, ChainBenchArgs, Failure};
use crate::demo::Sidecar;
use crate::play::{self, Block, Plan, Played};

pub(crate) use mix::{Maker, Mix};

/// Blocks in flight of a node that catches up.
const CATCH_UP_WINDOW: usize = 4;
/// Seconds of distinct blocks: they are played again after that, with no memory of verdicts in the sidecar.
const DISTINCT_SECONDS: u32 = 10;
/// Blocks that are played before the clock starts: tables of keys are built, costs are measured.
const WARM_UP: Duration = Duration::from_secs(3);

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let chain = &args.chain;
    if chain.seconds == 0 || chain.block_ms == 0 || chain.rate == Some(0) || chain.bad_per_mille > 1_000 {
        return Err(Failure::input(
            "--seconds, --block-ms and --rate must be at least 1, --bad-per-mille at most 1000",
        ));
    }
    if args.ruleset.is_some() || args.batch.is_some() {
        return Err(Failure::input("bench chain takes --mix and --rate, not --ruleset and --batch"));
    }
    let mixes = if chain.mix.is_empty() { Mix::SIGNATURES.to_vec() } else { chain.mix.clone() };
    mixes.into_iter().map(|mix| one(args, mix)).collect()
}

fn one(args: &BenchArgs, mix: Mix) -> Result<Record, Failure> {
    let chain = &args.chain;
    let rate = chain.rate.unwrap_or(mix.rate());
    let sizes = Sizes::new(chain, rate)?;
    announce(args, &format!("{}: {rate} transactions a second for {} s", mix.name(), chain.seconds));
    // What comes again is verified again, as what is new would be.
    let sidecar = Sidecar::start_with("auto", &[("OUTRIGGER_SCHEDULER__CACHE_ENTRIES", "0")])?;
    let maker = Maker::new(mix, &sidecar)?;
    let blocks: Vec<Arc<Block>> = (0..sizes.distinct)
        .into_par_iter()
        .map(|number| Arc::new(maker.block(number as u64, sizes.transactions, chain.bad_per_mille)))
        .collect();
    let options =
        CallOptions { priority: Priority::Block, deadline: Some(play::BLOCK_TIME_MAX), backend: args.backend };
    let warm_up = sizes.plan(&blocks, WARM_UP, 1);
    checked(play::play(&warm_up, sidecar.endpoint(), options, false)?)?;
    let beside =
        (chain.proofs_beside > 0).then(|| beside::Provers::start(&sidecar, chain.proofs_beside)).transpose()?;
    let before = sidecar.items_by_backend()?;
    let plan = sizes.plan(&blocks, Duration::from_secs(chain.seconds.into()), chain.burst);
    let played = checked(play::play(&plan, sidecar.endpoint(), options, !args.json)?)?;
    let beside = beside.map(|provers| provers.finish(played.seconds)).transpose()?;
    let mut items_by_backend: BTreeMap<String, u64> = sidecar.items_by_backend()?;
    for (backend, items) in before {
        items_by_backend.entry(backend).and_modify(|all| *all -= items);
    }
    let catch_up = (chain.catch_up > 0).then(|| catch_up(args, &blocks, &sidecar)).transpose()?;
    sidecar.stop()?;
    Ok(record(
        args,
        mix,
        &sizes,
        &plan,
        &played,
        &[
            ("items_by_backend", json!(items_by_backend)),
            ("proofs_beside", beside.unwrap_or_default()),
            ("catch_up", catch_up.unwrap_or_default()),
        ],
    ))
}

/// How many of what.
struct Sizes {
    /// Of a block.
    transactions: usize,
    interval: Duration,
    /// Blocks that differ.
    distinct: usize,
    rate: u32,
}

impl Sizes {
    fn new(chain: &ChainBenchArgs, rate: u32) -> Result<Self, Failure> {
        let interval = Duration::from_millis(chain.block_ms.into());
        let transactions = (u64::from(rate) * u64::from(chain.block_ms) / 1_000) as usize;
        if transactions == 0 {
            let needed = 1_000_u32.div_ceil(chain.block_ms);
            return Err(Failure::input(format_args!(
                "--rate {rate} is less than one transaction in a block of {} ms; take at least {needed}, or a longer --block-ms",
                chain.block_ms
            )));
        }
        let distinct = u64::from(DISTINCT_SECONDS.min(chain.seconds)) * 1_000 / u64::from(chain.block_ms);
        Ok(Self { transactions, interval, distinct: distinct.max(1) as usize, rate })
    }

    /// Blocks for so long. With a burst of more than one, that many of every ten come together, when the last of them is
    /// due: a node that was cut off for a moment.
    fn plan(&self, blocks: &[Arc<Block>], length: Duration, burst: u32) -> Plan {
        let count = (length.as_nanos() / self.interval.as_nanos()).max(1) as u32;
        let burst = burst.clamp(1, 10);
        let dues = (0..count).map(|block| {
            let within = block % 10;
            self.interval * if within < burst { block - within + burst - 1 } else { block }
        });
        Plan { blocks: blocks.to_vec(), dues: dues.collect(), length: self.interval * count }
    }
}

fn checked(played: Played) -> Result<Played, Failure> {
    if played.wrong > 0 {
        return Err(Failure::work(format_args!("{} of {} answers were wrong", played.wrong, played.items)));
    }
    Ok(played)
}

/// Blocks as fast as they are answered.
fn catch_up(args: &BenchArgs, blocks: &[Arc<Block>], sidecar: &Sidecar) -> Result<Value, Failure> {
    let count = args.chain.catch_up as usize;
    let options = CallOptions { priority: Priority::Bulk, deadline: Some(play::BLOCK_TIME_MAX), backend: args.backend };
    let played = checked(play::catch_up(blocks, count, CATCH_UP_WINDOW, sidecar.endpoint(), options)?)?;
    Ok(json!({
        "blocks": played.blocks,
        "blocks_in_flight": CATCH_UP_WINDOW,
        "transactions_per_second": played.transactions as f64 / played.seconds,
        "signatures_per_second": played.items as f64 / played.seconds,
    }))
}

fn record(args: &BenchArgs, mix: Mix, sizes: &Sizes, plan: &Plan, played: &Played, others: &[(&str, Value)]) -> Record {
    let percentiles = played.latencies.percentiles();
    let deadline = Duration::from_millis(args.chain.deadline_ms.into());
    let figures = [
        ("offered_per_second", json!(sizes.rate)),
        ("seconds", json!(played.seconds)),
        ("blocks", json!(played.blocks)),
        ("block_interval_ms", json!(args.chain.block_ms)),
        ("burst_blocks", json!(args.chain.burst)),
        ("signatures_per_second", json!(played.items as f64 / played.seconds)),
        ("block_latency_ms", json!(percentiles)),
        ("deadline_ms", json!(args.chain.deadline_ms)),
        ("deadline_misses", json!(played.latencies.over(deadline))),
        ("distinct_blocks", json!(sizes.distinct)),
        ("bad_planted", json!(plan.bad())),
        ("bad_found", json!(played.bad_found)),
        ("wrong_answers", json!(played.wrong)),
    ];
    let all = figures.iter().chain(others).filter(|(_, value)| !value.is_null());
    Record {
        ruleset: mix.ruleset().map(|ruleset| ruleset.name()),
        items_per_second: played.transactions as f64 / played.seconds,
        latency_us: Latency { p50: percentiles.p50 * 1e3, p99: percentiles.p99 * 1e3 },
        more: all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..Record::new("chain", mix.name(), sizes.transactions, cores())
    }
}

#[cfg(test)]
mod tests;
