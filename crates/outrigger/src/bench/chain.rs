//! The suite `chain`: the demo's mix at a steady rate through a sidecar, for sustained rate and block latency.

use std::collections::BTreeMap;

use outrigger_types::{Priority, Ruleset};

use super::{Latency, Record, announce, cores};
use crate::cli::{BenchArgs, Failure};
use crate::demo::{MIX, Sidecar, play};

/// Transactions a second, each played for [`SECONDS`].
const RATES: [u32; 3] = [2_500, 5_000, 10_000];
/// Long enough for fifty blocks.
const SECONDS: u32 = 10;

/// Runs the suite.
pub(super) fn run(args: &BenchArgs) -> Result<Vec<Record>, Failure> {
    let mix: Vec<Ruleset> = args.ruleset.map_or_else(|| MIX.to_vec(), |ruleset| vec![ruleset]);
    let rates = args.batch.map_or_else(|| RATES.to_vec(), |batch| vec![batch as u32 * play::BLOCK_RATE]);
    rates.into_iter().map(|rate| one(args, &mix, rate)).collect()
}

fn one(args: &BenchArgs, mix: &[Ruleset], rate: u32) -> Result<Record, Failure> {
    announce(args, &format!("{rate} transactions a second for {SECONDS} s"));
    let plan = play::Plan::sign(mix, rate, SECONDS, false)?;
    let sidecar = Sidecar::start("auto")?;
    let played = play::play(&plan, sidecar.endpoint(), Priority::Block, None, false)?;
    let items_by_backend: BTreeMap<String, u64> = sidecar.items_by_backend()?;
    sidecar.stop()?;
    if played.wrong > 0 {
        return Err(Failure::work(format_args!("{} verdicts were wrong", played.wrong)));
    }
    let mut more = serde_json::Map::new();
    more.insert("offered_per_second".into(), rate.into());
    more.insert("items_by_backend".into(), serde_json::json!(items_by_backend));
    more.insert("bad_planted".into(), plan.bad().into());
    Ok(Record {
        ruleset: (mix.len() == 1).then(|| mix[0].name()),
        items_per_second: played.items as f64 / played.seconds,
        latency_us: Latency { p50: played.latency.p50 * 1e3, p99: played.latency.p99 * 1e3 },
        more,
        ..Record::new("chain", "mixed", (rate / play::BLOCK_RATE) as usize, cores())
    })
}
