//! Raw Ethereum transactions through a sidecar's private socket, as fast as it takes them: bytes in, senders out, each
//! compared. Sidecar and client are two processes on the same cores.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_client::{Answer, CallOptions, Client};
use outrigger_types::{ColumnBuf, EthereumWork, Operation, Priority, Verdict, Work};
use tokio::task::JoinHandle;

use crate::support::load::runtime;
use crate::support::sidecar::Sidecar;
use crate::support::transactions::{CHAIN, Transaction, transactions};

/// Different transactions, a key each; they are sent again and again, and nobody remembers their verdicts.
const POOL: usize = 32_768;
/// Transactions of one call.
const BATCH: usize = 2_048;
/// Calls that are under way at a time: enough that both cores have work while an answer travels.
const IN_FLIGHT: usize = 4;
/// What comes before the clock starts: the trials of the engines, the costs that placement learns.
const WARM_UP: Duration = Duration::from_secs(3);
/// What an answer has before the sender of a transaction: its hash.
const HASH_BYTES: usize = 32;

/// What one call came to.
struct Done {
    wrong: u64,
    took: Duration,
}

/// Work and the senders that it must give.
#[derive(Clone)]
struct Batch {
    work: Arc<Work>,
    senders: Arc<[[u8; 20]]>,
}

impl Batch {
    fn new(transactions: &[Transaction]) -> Self {
        let raw: Vec<&[u8]> = transactions.iter().map(|transaction| transaction.raw.as_slice()).collect();
        let transactions_column = ColumnBuf::from_items(&raw);
        let work = EthereumWork { transactions: transactions_column, chain_id: Some(CHAIN), allow_high_s: false };
        let senders = transactions.iter().map(|transaction| transaction.sender).collect();
        Self { work: Arc::new(Work::EthereumTransactions(work)), senders }
    }

    async fn send(self, client: Client) -> Done {
        let options = CallOptions { priority: Priority::Mempool, deadline: None, backend: None };
        let since = Instant::now();
        let answer = client.run(self.work.clone(), options).await.expect("an answer");
        let took = since.elapsed();
        Done { wrong: self.wrong(&answer), took }
    }

    fn wrong(&self, answer: &Answer) -> u64 {
        let stride = Operation::EthereumTransactions.output_shape().stride;
        let found = answer.output.fixed.chunks_exact(stride).zip(&answer.output.verdicts);
        let right = found.zip(self.senders.iter()).filter(|((fixed, verdict), sender)| {
            **verdict == Verdict::Valid && fixed[HASH_BYTES..][..sender.len()] == **sender
        });
        let right = right.count();
        (self.senders.len() - right) as u64
    }
}

/// Gives back how many transactions did not get their sender.
pub(crate) fn run(count: u64, seed: Option<u64>) -> u64 {
    let seed = seed.unwrap_or_else(rand::random);
    let pool = transactions(POOL, seed);
    let bytes: usize = pool.iter().map(|transaction| transaction.raw.len()).sum();
    let batches: Vec<Batch> = pool.chunks(BATCH).map(Batch::new).collect();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    println!(
        "transactions: {count} of a pool of {POOL} ({} bytes each on average), {BATCH} a call, {IN_FLIGHT} calls at a \
         time, {cores} cores for sidecar and client together, seed {seed}",
        bytes / POOL
    );
    let sidecar = Sidecar::start_with("[scheduler]\ncache_entries = 0\n[log]\nfilter = \"warn\"\n");
    let wrong = runtime().block_on(async {
        let client = sidecar.client().await;
        let since = Instant::now();
        let mut wrong = 0;
        while since.elapsed() < WARM_UP {
            wrong += send(&client, &batches, (BATCH * IN_FLIGHT * 4) as u64, &mut Vec::new()).await;
        }
        let (since, mut times) = (Instant::now(), Vec::new());
        wrong += send(&client, &batches, count, &mut times).await;
        print(&mut times, since.elapsed());
        wrong
    });
    println!("  {wrong} without their sender");
    wrong
}

/// Sends at least `count` transactions, adds the times of calls to `times`, and gives back how many were wrong.
async fn send(client: &Client, batches: &[Batch], count: u64, times: &mut Vec<Duration>) -> u64 {
    let calls = usize::try_from(count.div_ceil(BATCH as u64)).expect("a number of calls");
    let mut under_way: VecDeque<JoinHandle<Done>> = VecDeque::with_capacity(IN_FLIGHT);
    let mut wrong = 0;
    for batch in batches.iter().cycle().take(calls) {
        if under_way.len() == IN_FLIGHT {
            let first = under_way.pop_front().expect("a call is under way");
            wrong += book(first, times).await;
        }
        under_way.push_back(tokio::spawn(batch.clone().send(client.clone())));
    }
    for call in under_way {
        wrong += book(call, times).await;
    }
    wrong
}

async fn book(call: JoinHandle<Done>, times: &mut Vec<Duration>) -> u64 {
    let Done { wrong, took } = call.await.expect("a call does not panic");
    times.push(took);
    wrong
}

fn print(times: &mut [Duration], took: Duration) {
    times.sort_unstable();
    let ms = |quantile: f64| times[((times.len() - 1) as f64 * quantile).round() as usize].as_secs_f64() * 1e3;
    let sent = times.len() * BATCH;
    let seconds = took.as_secs_f64();
    println!("  {sent} in {seconds:.2} s: {:.0} transactions/s", sent as f64 / seconds);
    println!("  a call: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", ms(0.5), ms(0.99), ms(1.0));
}
