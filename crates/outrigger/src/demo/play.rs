//! A chain's day in small: blocks at a steady rate, signed before the clock starts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use outrigger_client::{CallOptions, Client, ClientOptions, Endpoint, Fallback};
use outrigger_types::{Backend, Priority, Ruleset, Verdict, Work};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use crate::cli::Failure;
use crate::workload::{self, Fault, Signed, Signer};

/// How long a block may take in all.
const BLOCK_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a device's kernels may take to compile where they never were before.
const BACKEND_TIME_MAX: Duration = Duration::from_secs(900);
/// Blocks a second.
pub(crate) const BLOCK_RATE: u32 = 5;
/// Bytes of a message, where the ruleset takes one: about a Fabric proposal without its certificate.
const MESSAGE_BYTES: usize = 256;
/// Signers of each ruleset.
const SIGNERS: usize = 256;
/// One signature in this many is bad.
const BAD_EVERY: u32 = 97;

/// Latency of blocks, from the moment they were due to the last verdict.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// One request and the verdicts that it must get.
struct Part {
    work: Arc<Work>,
    expected: Vec<Verdict>,
}

/// Blocks that are signed and ready.
pub(crate) struct Plan {
    blocks: Vec<Vec<Part>>,
    interval: Duration,
}

/// What came of it.
pub(crate) struct Played {
    pub(crate) items: u64,
    pub(crate) blocks: u64,
    pub(crate) wrong: u64,
    pub(crate) bad_found: u64,
    pub(crate) seconds: f64,
    pub(crate) latency: Percentiles,
}

impl Plan {
    /// Signs `rate` transactions for each of `seconds`, over the rulesets of `mix` in equal parts.
    pub(crate) fn sign(mix: &[Ruleset], rate: u32, seconds: u32, show: bool) -> Result<Self, Failure> {
        let count = (rate * seconds) as usize;
        let blocks = (BLOCK_RATE * seconds) as usize;
        let bar = progress(count as u64, "signing", show);
        let per_ruleset: Vec<Vec<Signed>> = std::thread::scope(|scope| {
            let share = |i: usize| count / mix.len() + usize::from(i < count % mix.len());
            let workers: Vec<_> = mix
                .iter()
                .enumerate()
                .map(|(i, &ruleset)| {
                    let bar = &bar;
                    scope.spawn(move || sign(ruleset, share(i), bar))
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().expect("a signing thread")).collect()
        });
        bar.finish_and_clear();
        let cut = |items: &[Signed], block: usize| {
            let at = |block: usize| items.len() * block / blocks;
            items[at(block)..at(block + 1)].to_vec()
        };
        let blocks = (0..blocks)
            .map(|block| {
                let parts = mix.iter().zip(&per_ruleset).map(|(&ruleset, items)| (ruleset, cut(items, block)));
                parts.filter(|(_, items)| !items.is_empty()).map(|(ruleset, items)| part(ruleset, &items)).collect()
            })
            .collect();
        Ok(Self { blocks, interval: Duration::from_secs(1) / BLOCK_RATE })
    }

    /// Transactions in all.
    pub(crate) fn items(&self) -> u64 {
        self.blocks.iter().flatten().map(|part| part.expected.len() as u64).sum()
    }

    /// Bad ones among them.
    pub(crate) fn bad(&self) -> u64 {
        let parts = self.blocks.iter().flatten();
        parts.map(|part| part.expected.iter().filter(|one| **one != Verdict::Valid).count() as u64).sum()
    }
}

fn part(ruleset: Ruleset, items: &[Signed]) -> Part {
    let expected = items.iter().map(|item| item.expected).collect();
    Part { work: Arc::new(Work::Verify(workload::pack(ruleset, items))), expected }
}

fn sign(ruleset: Ruleset, count: usize, bar: &ProgressBar) -> Vec<Signed> {
    let mut rng = StdRng::seed_from_u64(ruleset.number() as u64);
    let signers: Vec<_> = (0..SIGNERS).map(|_| Signer::new(ruleset, &mut rng)).collect();
    (0..count)
        .map(|i| {
            let message = workload::message(ruleset, MESSAGE_BYTES, &mut rng);
            let mut signed = signers[i % SIGNERS].sign(message);
            if rng.random_range(0..BAD_EVERY) == 0 {
                let fault = Fault::ALL[rng.random_range(0..Fault::ALL.len())];
                fault.apply(&mut signed, signers[(i + 1) % SIGNERS].key());
            }
            bar.inc(1);
            signed
        })
        .collect()
}

/// Waits until the sidecar at `endpoint` verifies the plan's rulesets on a backend: a device compiles its kernels and is
/// tried before it is asked anything.
pub(crate) fn await_backend(plan: &Plan, endpoint: &str, backend: Backend) -> Result<(), Failure> {
    let Some(block) = plan.blocks.first() else { return Ok(()) };
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let until = Instant::now() + BACKEND_TIME_MAX;
        for part in block {
            let options = CallOptions { backend: Some(backend), ..CallOptions::default() };
            while let Err(error) = client.run(part.work.clone(), options).await {
                if Instant::now() >= until {
                    return Err(Failure::work(format_args!("{backend} is not there: {error}")));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::work)
}

async fn connect(endpoint: &str) -> Result<Client, Failure> {
    let endpoint: Endpoint = endpoint.parse().map_err(Failure::input)?;
    let options = ClientOptions { fallback: Fallback::None, ..ClientOptions::new(endpoint) };
    Client::connect(options).await.map_err(Failure::work)
}

/// Plays the blocks at their pace against the sidecar at `endpoint`; on one backend where it is forced.
pub(crate) fn play(
    plan: &Plan,
    endpoint: &str,
    priority: Priority,
    backend: Option<Backend>,
    show: bool,
) -> Result<Played, Failure> {
    let options = CallOptions { priority, deadline: Some(BLOCK_TIME_MAX), backend };
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let bar = progress(plan.blocks.len() as u64, "playing", show);
        let start = tokio::time::Instant::now();
        let mut running = Vec::with_capacity(plan.blocks.len());
        for (i, parts) in plan.blocks.iter().enumerate() {
            let due = start + plan.interval * i as u32;
            tokio::time::sleep_until(due).await;
            running.push(tokio::spawn(block(client.clone(), requests(parts), due.into_std(), options)));
            bar.inc(1);
        }
        let mut played = Played {
            items: plan.items(),
            blocks: plan.blocks.len() as u64,
            wrong: 0,
            bad_found: 0,
            seconds: 0.0,
            latency: Percentiles { p50: 0.0, p99: 0.0 },
        };
        let mut latencies = Histogram::<u64>::new(3).expect("three digits");
        for (handle, parts) in running.into_iter().zip(&plan.blocks) {
            let (verdicts, latency) = handle.await.map_err(Failure::work)??;
            latencies.record(latency.as_micros() as u64).map_err(Failure::work)?;
            for (found, part) in verdicts.iter().zip(parts) {
                let pairs = || found.iter().zip(&part.expected);
                played.wrong += pairs().filter(|(found, expected)| found != expected).count() as u64;
                played.wrong += part.expected.len().abs_diff(found.len()) as u64;
                let is_found =
                    |(found, expected): &(&Verdict, &Verdict)| **expected != Verdict::Valid && found == expected;
                played.bad_found += pairs().filter(is_found).count() as u64;
            }
        }
        // The last block's interval belongs to the time played: the rate is what was carried, not what was sent.
        played.seconds = start.elapsed().max(plan.interval * plan.blocks.len() as u32).as_secs_f64();
        let ms = |percentile| latencies.value_at_quantile(percentile) as f64 / 1e3;
        played.latency = Percentiles { p50: ms(0.5), p99: ms(0.99) };
        bar.finish_and_clear();
        Ok(played)
    })
}

fn requests(parts: &[Part]) -> Vec<Arc<Work>> {
    parts.iter().map(|part| part.work.clone()).collect()
}

type Judged = (Vec<Vec<Verdict>>, Duration);

/// Sends the requests of one block at once and waits for all answers.
async fn block(client: Client, works: Vec<Arc<Work>>, due: Instant, options: CallOptions) -> Result<Judged, Failure> {
    let calls: Vec<_> = works
        .into_iter()
        .map(|work| {
            let client = client.clone();
            tokio::spawn(async move { client.run(work, options).await })
        })
        .collect();
    let mut verdicts = Vec::with_capacity(calls.len());
    for call in calls {
        let answer = call.await.map_err(Failure::work)?.map_err(Failure::work)?;
        verdicts.push(answer.output.verdicts);
    }
    Ok((verdicts, due.elapsed()))
}

fn progress(length: u64, what: &'static str, show: bool) -> ProgressBar {
    if !show {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg:8} {bar:40} {pos}/{len} {elapsed}").expect("a template");
    ProgressBar::new(length).with_style(style).with_message(what)
}
