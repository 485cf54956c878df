//! The load that candidates are measured under: what a node asks of a sidecar.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ProofSecret};
use outrigger_types::{CircuitId, Priority};
use rayon::prelude::*;
use serde::Serialize;

use crate::bench::{Maker, Mix};
use crate::cli::Failure;
use crate::demo::{Sidecar, proof};
use crate::membership::Membership;
use crate::play::{self, BLOCK_TIME_MAX, Block};

/// How long a measurement takes at least.
const SLICE: Duration = Duration::from_millis(100);
/// Transactions of a block, a quarter each of four chains.
const BLOCK_TRANSACTIONS: usize = 1_000;
/// Blocks that differ.
const BLOCKS: u64 = 4;
/// Blocks in flight.
const BLOCK_WINDOW: usize = 4;
/// Requests of one transaction in flight.
const SINGLE_WINDOW: usize = 64;
/// Requests of one transaction that differ.
const SINGLES: u64 = 256;
/// Proofs that are asked for at once.
const TOGETHER: usize = 4;
/// A sidecar is warm once so many measurements in a row gained less than [`STEADY`] over the best before them.
const STEADY_SLICES: usize = 2;
const STEADY: f64 = 1.03;
/// It is measured after so many as it is.
const WARM_SLICES_MAX: usize = 24;

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Suite {
    /// Blocks of four chains, four in flight: transactions a second.
    Blocks,
    /// Requests of one transaction, 64 in flight: transactions a second.
    Singles,
    /// Proofs one after the other: proofs a second.
    Proofs,
    /// Four proofs at once, again and again: proofs a second.
    ProofsTogether,
}

impl Suite {
    pub(super) const ALL: [Self; 4] = [Self::Blocks, Self::Singles, Self::Proofs, Self::ProofsTogether];

    /// What it is called, and its unit.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks of 1,000 transactions, transactions/s",
            Self::Singles => "single transactions, transactions/s",
            Self::Proofs => "proofs one after the other, proofs/s",
            Self::ProofsTogether => "proofs four at once, proofs/s",
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is sent: made once, the same for all candidates.
pub(super) struct Work {
    blocks: Vec<Arc<Block>>,
    singles: Vec<Arc<Block>>,
}

impl Work {
    pub(super) fn make() -> Result<Self, Failure> {
        let maker = Maker::of_signatures(Mix::Mixed);
        // One part of each in turn: a request of one transaction has one ruleset.
        let single = |number: u64| {
            let mut block = maker.block(number, 4, 0);
            let kept = number as usize % block.parts.len();
            block.parts.swap(0, kept);
            block.parts.truncate(1);
            block.transactions = 1;
            Arc::new(block)
        };
        Ok(Self {
            blocks: (0..BLOCKS).into_par_iter().map(|i| Arc::new(maker.block(i, BLOCK_TRANSACTIONS, 10))).collect(),
            singles: (0..SINGLES).into_par_iter().map(single).collect(),
        })
    }
}

/// A sidecar under load.
pub(super) struct Load {
    sidecar: Sidecar,
    blocks: Vec<Arc<Block>>,
    singles: Vec<Arc<Block>>,
    runtime: tokio::runtime::Runtime,
    client: Client,
    circuit: Option<CircuitId>,
    /// The suites that it does as fast as it will.
    warm: Vec<Suite>,
}

impl Load {
    pub(super) fn start(sidecar: Sidecar, work: &Work) -> Result<Self, Failure> {
        // A thread of its own answers the sidecar's pings while another candidate is measured.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Failure::work)?;
        let client = runtime.block_on(play::connect(sidecar.endpoint()))?;
        let (blocks, singles) = (work.blocks.clone(), work.singles.clone());
        Ok(Self { sidecar, blocks, singles, runtime, client, circuit: None, warm: Vec::new() })
    }

    /// Has the sidecar do this until it grows no faster: tables of keys are built and costs measured meanwhile. Two that were
    /// started at different times can be compared only then.
    pub(super) fn warm(&mut self, suite: Suite) -> Result<(), Failure> {
        if self.warm.contains(&suite) {
            return Ok(());
        }
        let (mut best, mut steady) = (self.rate(suite)?, 0);
        for _ in 0..WARM_SLICES_MAX {
            let rate = self.rate(suite)?;
            steady = if rate < best * STEADY { steady + 1 } else { 0 };
            if steady == STEADY_SLICES {
                break;
            }
            best = best.max(rate);
        }
        self.warm.push(suite);
        Ok(())
    }

    /// What it does a second, in the unit of the suite.
    pub(super) fn rate(&mut self, suite: Suite) -> Result<f64, Failure> {
        match suite {
            Suite::Blocks => self.transactions(&self.blocks, BLOCK_WINDOW),
            Suite::Singles => self.transactions(&self.singles, SINGLE_WINDOW),
            Suite::Proofs => self.proofs(1),
            Suite::ProofsTogether => self.proofs(TOGETHER),
        }
    }

    fn transactions(&self, blocks: &[Arc<Block>], window: usize) -> Result<f64, Failure> {
        let options = CallOptions { priority: Priority::Block, deadline: Some(BLOCK_TIME_MAX), backend: None };
        let (mut done, mut seconds) = (0, 0.0);
        let mut count = window;
        while seconds < SLICE.as_secs_f64() {
            let played = play::catch_up(blocks, count, window, self.sidecar.endpoint(), options)?;
            if played.wrong > 0 {
                return Err(Failure::work(format_args!("{} answers were wrong", played.wrong)));
            }
            done += played.transactions;
            seconds += played.seconds;
            // What is left of the slice in one go, so that the ends of runs count little.
            let left = SLICE.as_secs_f64() - seconds;
            count = ((left / played.seconds * count as f64).ceil() as usize).clamp(window, 1 << 16);
        }
        Ok(done as f64 / seconds)
    }

    fn proofs(&mut self, together: usize) -> Result<f64, Failure> {
        let circuit = match self.circuit {
            Some(circuit) => circuit,
            None => self.prepare()?,
        };
        let since = Instant::now();
        let mut done = 0;
        while done == 0 || since.elapsed() < SLICE {
            self.runtime.block_on(prove(&self.client, circuit, together))?;
            done += together;
        }
        Ok(done as f64 / since.elapsed().as_secs_f64())
    }

    /// Adds the circuit and has a few proofs made: the engines are measured with them.
    fn prepare(&mut self) -> Result<CircuitId, Failure> {
        let (client, folder) = (&self.client, self.sidecar.folder());
        let circuit = self.runtime.block_on(async {
            let circuit = proof::add_circuit(client, folder).await?.id;
            for together in [1, 1, TOGETHER] {
                prove(client, circuit, together).await?;
            }
            Ok::<_, Failure>(circuit)
        })?;
        self.circuit = Some(circuit);
        Ok(circuit)
    }
}

/// So many proofs at once.
async fn prove(client: &Client, circuit: CircuitId, together: usize) -> Result<(), Failure> {
    let calls: Vec<_> = (0..together)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let drawn = Membership::draw()?;
                proof::proof(&client, circuit, ProofSecret::Inputs(drawn.inputs)).await.map(|_| ())
            })
        })
        .collect();
    for call in calls {
        call.await.map_err(Failure::work)??;
    }
    Ok(())
}
