//! How much more several threads do than one, beside what a loop in registers reaches in the same run: cores that
//! share power or execution units do not double, and the product is held to what the processor can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_algorithms::{Unit, calibration};
use outrigger_scheduler::CoreEngine;
use outrigger_types::{Backend, Engine, Work};
use serde_json::json;

use super::{Record, engines, pairs, verify};
use crate::cli::{BenchArgs, Failure};

/// How long each measurement of a round runs at least. At its end a thread may have nothing to do for a piece of
/// work, about a millisecond: that should not count.
pub(super) const SLICE: Duration = Duration::from_millis(300);
/// Batches that wait or run at any time, as from a chain under load: what several threads do, not how soon one batch
/// ends.
const IN_FLIGHT: usize = 4;
/// Rounds of the loop between two looks at the clock.
const LOOP_ROUNDS: u64 = 20_000;

/// Adds to a record of several threads how the vector engine scales, as the median over interleaved rounds: product
/// on one thread, loop on one thread, product on all, loop on all. Nothing for one thread and other backends.
pub(super) fn measure(
    record: &mut Record,
    args: &BenchArgs,
    engine: &CoreEngine,
    work: &Arc<Work>,
) -> Result<(), Failure> {
    let Some(unit) = Unit::detect().filter(|_| engine.backend() == Backend::Vector && record.threads > 1) else {
        return Ok(());
    };
    let Some(alone) = engines(args, 1).into_iter().find(|engine| engine.backend() == Backend::Vector) else {
        return Ok(());
    };
    let (mut one, mut all) = (|| rate(&alone, work), || rate(engine, work));
    beside_loop(record, "scaling", args.pairs, unit, &mut one, &mut all)
}

/// Adds to a record, under a name, how much more is done on all its threads than on one, as the median over interleaved rounds: `one`
/// and `all` measure for at least [`SLICE`] and give rates.
pub(super) fn beside_loop(
    record: &mut Record,
    name: &str,
    rounds: usize,
    unit: Unit,
    one: &mut dyn FnMut() -> Result<f64, Failure>,
    all: &mut dyn FnMut() -> Result<f64, Failure>,
) -> Result<(), Failure> {
    one()?;
    let (mut product, mut register, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (one, loop_one) = (one()?, loop_rate(unit, 1));
        let (all, loop_all) = (all()?, loop_rate(unit, record.threads));
        product.push(all / one);
        register.push(loop_all / loop_one);
        shares.push((all / one) / (loop_all / loop_one));
    }
    let scaling = json!({
        "product": pairs::median(&mut product),
        "register_loop": pairs::median(&mut register),
        "product_over_loop": pairs::median(&mut shares),
        "spread": [shares.first(), shares.last()],
    });
    record.more.insert(name.into(), scaling);
    Ok(())
}

/// Batches a second, of good items.
fn rate(engine: &CoreEngine, work: &Arc<Work>) -> Result<f64, Failure> {
    let since = Instant::now();
    let mut batches = 0;
    std::thread::scope(|scope| {
        let callers = [(); IN_FLIGHT].map(|()| {
            scope.spawn(|| {
                let mut batches = 0_u32;
                while batches == 0 || since.elapsed() < SLICE {
                    verify::good(engine, work)?;
                    batches += 1;
                }
                Ok(batches)
            })
        });
        for caller in callers {
            batches += caller.join().expect("a caller ends")?;
        }
        Ok::<_, Failure>(f64::from(batches) / since.elapsed().as_secs_f64())
    })
}

/// Instructions a second of the loop on so many threads together.
fn loop_rate(unit: Unit, threads: usize) -> f64 {
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(move || loop_on_this_thread(unit))).collect();
        runs.into_iter().map(|run| run.join().expect("the loop ends")).sum()
    })
}

fn loop_on_this_thread(unit: Unit) -> f64 {
    let since = Instant::now();
    let mut rounds = 0;
    while rounds == 0 || since.elapsed() < SLICE {
        std::hint::black_box(calibration::register_loop(unit, std::hint::black_box(LOOP_ROUNDS)));
        rounds += LOOP_ROUNDS;
    }
    (rounds * calibration::ROUND_INSTRUCTIONS) as f64 / since.elapsed().as_secs_f64()
}
