//! A chain's day in small: blocks that fall due at set times, signed before the clock starts, each verdict checked.

mod latency;
pub(crate) mod signing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use outrigger_client::{CallOptions, Client, ClientOptions, Endpoint, Fallback};
use outrigger_types::{Backend, Output, Verdict, Work};

use crate::cli::Failure;

pub(crate) use latency::{Latencies, Percentiles};

/// How long a block may take in all.
pub(crate) const BLOCK_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a device's kernels may take to compile where they never were before.
const BACKEND_TIME_MAX: Duration = Duration::from_secs(900);

/// One request and the answer that it must get.
pub(crate) struct Part {
    pub(crate) work: Arc<Work>,
    pub(crate) expected: Vec<Verdict>,
    /// What the answer must hold for each valid item besides, where the work asks for more than verdicts.
    pub(crate) found: Option<Found>,
}

/// A part of [`Output::fixed`], the same place of each item.
pub(crate) struct Found {
    /// The first byte.
    pub(crate) at: usize,
    /// One entry an item.
    pub(crate) bytes: Vec<Vec<u8>>,
}

/// What is sent together.
pub(crate) struct Block {
    pub(crate) parts: Vec<Part>,
    pub(crate) transactions: u64,
}

impl Block {
    /// Signatures, or whatever else its parts are made of.
    pub(crate) fn items(&self) -> u64 {
        self.parts.iter().map(|part| part.expected.len() as u64).sum()
    }

    /// Those that must not be found valid.
    pub(crate) fn bad(&self) -> u64 {
        let expected = self.parts.iter().flat_map(|part| &part.expected);
        expected.filter(|verdict| **verdict != Verdict::Valid).count() as u64
    }
}

/// Blocks that are ready, and when each falls due.
pub(crate) struct Plan {
    /// They come one after the other, and again from the first where there are more due.
    pub(crate) blocks: Vec<Arc<Block>>,
    /// From the start, ascending: one block each.
    pub(crate) dues: Vec<Duration>,
    /// What is played is over at this time at the earliest, though the last answer comes sooner: the rate is what was
    /// carried, not what was sent.
    pub(crate) length: Duration,
}

impl Plan {
    /// The blocks in the order in which they are played.
    fn played(&self) -> impl Iterator<Item = (Duration, &Arc<Block>)> {
        self.dues.iter().copied().zip(self.blocks.iter().cycle())
    }

    /// Transactions in all.
    pub(crate) fn transactions(&self) -> u64 {
        self.played().map(|(_, block)| block.transactions).sum()
    }

    /// Bad items in all.
    pub(crate) fn bad(&self) -> u64 {
        self.played().map(|(_, block)| block.bad()).sum()
    }
}

/// What came of a plan.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) transactions: u64,
    pub(crate) items: u64,
    pub(crate) blocks: u64,
    /// Items with another answer than they must get.
    pub(crate) wrong: u64,
    pub(crate) bad_found: u64,
    pub(crate) seconds: f64,
    /// From the moment that a block was due to its last verdict.
    pub(crate) latencies: Latencies,
}

impl Played {
    fn add(&mut self, block: &Block, judged: Judged) {
        self.transactions += block.transactions;
        self.items += block.items();
        self.blocks += 1;
        self.wrong += judged.wrong;
        self.bad_found += judged.bad_found;
        self.latencies.add(judged.latency);
    }
}

/// Waits until the sidecar at `endpoint` does the plan's work on a backend: a device compiles its kernels and is tried
/// before it is asked anything.
pub(crate) fn await_backend(plan: &Plan, endpoint: &str, backend: Backend) -> Result<(), Failure> {
    let Some(block) = plan.blocks.first() else { return Ok(()) };
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let until = Instant::now() + BACKEND_TIME_MAX;
        for part in &block.parts {
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

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::work)
}

pub(crate) async fn connect(endpoint: &str) -> Result<Client, Failure> {
    let endpoint: Endpoint = endpoint.parse().map_err(Failure::input)?;
    let options = ClientOptions { fallback: Fallback::None, ..ClientOptions::new(endpoint) };
    Client::connect(options).await.map_err(Failure::work)
}

/// Plays the blocks at their times against the sidecar at `endpoint`.
pub(crate) fn play(plan: &Plan, endpoint: &str, options: CallOptions, show: bool) -> Result<Played, Failure> {
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let bar = progress(plan.dues.len() as u64, "playing", show);
        let start = tokio::time::Instant::now();
        let mut running = Vec::with_capacity(plan.dues.len());
        for (due, block) in plan.played() {
            let due = start + due;
            tokio::time::sleep_until(due).await;
            running.push((block, tokio::spawn(answered(client.clone(), block.clone(), due.into_std(), options))));
            bar.inc(1);
        }
        let mut played = Played::default();
        for (block, judged) in running {
            played.add(block, judged.await.map_err(Failure::work)??);
        }
        played.seconds = start.elapsed().max(plan.length).as_secs_f64();
        bar.finish_and_clear();
        Ok(played)
    })
}

/// Sends `count` blocks as fast as they are answered, so many at a time: a node that catches up.
pub(crate) fn catch_up(
    blocks: &[Arc<Block>],
    count: usize,
    window: usize,
    endpoint: &str,
    options: CallOptions,
) -> Result<Played, Failure> {
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let start = Instant::now();
        let mut played = Played::default();
        let mut running = std::collections::VecDeque::with_capacity(window);
        for block in blocks.iter().cycle().take(count) {
            if running.len() == window.max(1)
                && let Some((block, judged)) = running.pop_front()
            {
                played.add(block, joined(judged).await?);
            }
            let call = answered(client.clone(), block.clone(), Instant::now(), options);
            running.push_back((block, tokio::spawn(call)));
        }
        for (block, judged) in running {
            played.add(block, joined(judged).await?);
        }
        played.seconds = start.elapsed().as_secs_f64();
        Ok(played)
    })
}

async fn joined(judged: tokio::task::JoinHandle<Result<Judged, Failure>>) -> Result<Judged, Failure> {
    judged.await.map_err(Failure::work)?
}

/// One block's answers, held against what they must be.
#[derive(Default)]
struct Judged {
    wrong: u64,
    bad_found: u64,
    latency: Duration,
}

/// Sends the requests of one block at once and waits for all answers.
async fn answered(client: Client, block: Arc<Block>, due: Instant, options: CallOptions) -> Result<Judged, Failure> {
    let calls: Vec<_> = block
        .parts
        .iter()
        .map(|part| {
            let (client, work) = (client.clone(), part.work.clone());
            tokio::spawn(async move { client.run(work, options).await })
        })
        .collect();
    let mut outputs = Vec::with_capacity(calls.len());
    for call in calls {
        outputs.push(call.await.map_err(Failure::work)?.map_err(Failure::work)?.output);
    }
    let mut judged = Judged { latency: due.elapsed(), ..Judged::default() };
    for (part, output) in block.parts.iter().zip(&outputs) {
        judge(part, output, &mut judged);
    }
    Ok(judged)
}

fn judge(part: &Part, output: &Output, judged: &mut Judged) {
    judged.wrong += part.expected.len().abs_diff(output.verdicts.len()) as u64;
    let stride = part.work.operation().output_shape().stride;
    for (i, (expected, verdict)) in part.expected.iter().zip(&output.verdicts).enumerate() {
        let is_right = expected == verdict && (*expected != Verdict::Valid || holds(part, output, i, stride));
        judged.wrong += u64::from(!is_right);
        judged.bad_found += u64::from(is_right && *expected != Verdict::Valid);
    }
}

/// Whether the answer of item `i` holds the bytes that it must.
fn holds(part: &Part, output: &Output, i: usize, stride: usize) -> bool {
    let Some(found) = &part.found else { return true };
    let begin = i * stride + found.at;
    output.fixed.get(begin..begin + found.bytes[i].len()) == Some(&found.bytes[i][..])
}

pub(crate) fn progress(length: u64, what: &'static str, show: bool) -> ProgressBar {
    if !show {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}").expect("a template");
    ProgressBar::new(length).with_style(style).with_message(what)
}

#[cfg(test)]
mod tests;
