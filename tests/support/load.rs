//! Load on a sidecar, and what came of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client, ClientError};
use outrigger_types::{Backend, MessageForm, Priority, Ruleset, SignatureOptions, Verdict, Work};
use tokio::runtime::Runtime;

use super::signers::{Signed, form};

/// A runtime for callers, beside the thread of the test, which pulls the strings.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// What all calls of a load came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) items: u64,
    /// Items whose verdict is not the one that they must get.
    pub(crate) wrong: u64,
    /// Calls without an answer, by code; each a clear status.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Refusals that do not say when to try again.
    pub(crate) without_retry: u64,
    /// The longest time to an answer or a refusal.
    pub(crate) longest: Duration,
}

impl Tally {
    /// All refusals.
    pub(crate) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    fn add(&mut self, expected: &[Verdict], result: Result<Vec<Verdict>, ClientError>, took: Duration) {
        self.calls += 1;
        self.longest = self.longest.max(took);
        match result {
            Ok(found) => {
                self.items += found.len() as u64;
                self.wrong += found.iter().zip(expected).filter(|(found, expected)| found != expected).count() as u64;
                self.wrong += found.len().abs_diff(expected.len()) as u64;
            }
            Err(error) => {
                *self.refused.entry(format!("{:?}", error.code())).or_default() += 1;
                let says_when = matches!(error, ClientError::Unavailable { retry_after: Some(_), .. });
                self.without_retry += u64::from(!says_when);
            }
        }
    }
}

/// Work and the verdicts that it must get.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) work: Arc<Work>,
    pub(crate) expected: Arc<[Verdict]>,
}

impl Known {
    /// Items as one piece of work.
    pub(crate) fn new(ruleset: Ruleset, items: &[Signed]) -> Self {
        let expected = super::workload::expected(items).into();
        Self { work: super::workload::as_work(ruleset, items), expected }
    }
}

/// Makes one call and books what it came to.
pub(crate) async fn call(client: &Client, known: &Known, options: CallOptions, tally: &Mutex<Tally>) {
    let since = Instant::now();
    let result = client.run(known.work.clone(), options).await.map(|answer| answer.output.verdicts);
    tally.lock().expect("a tally").add(&known.expected, result, since.elapsed());
}

/// Callers that call again as soon as they are answered, until they are stopped.
pub(crate) struct Callers {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    tally: Arc<Mutex<Tally>>,
}

impl Callers {
    /// `count` callers, each with all of `works` in turn, on the backend that placement takes.
    pub(crate) fn start(runtime: &Runtime, client: &Client, count: usize, works: &[Known]) -> Self {
        Self::start_on(runtime, client, count, works, None)
    }

    /// The same on one backend, where it is named.
    pub(crate) fn start_on(
        runtime: &Runtime,
        client: &Client,
        count: usize,
        works: &[Known],
        backend: Option<Backend>,
    ) -> Self {
        let options = CallOptions { priority: Priority::Mempool, deadline: Some(Duration::from_secs(30)), backend };
        let (stop, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Tally::default())));
        let tasks = (0..count)
            .map(|first| {
                let (client, works, stop, tally) = (client.clone(), works.to_vec(), stop.clone(), tally.clone());
                runtime.spawn(async move {
                    for known in works.iter().cycle().skip(first) {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        call(&client, known, options, &tally).await;
                    }
                })
            })
            .collect();
        Self { stop, tasks, tally }
    }

    /// `count` callers of single items, which the client gathers.
    pub(crate) fn start_singles(
        runtime: &Runtime,
        client: &Client,
        count: usize,
        ruleset: Ruleset,
        items: &[Signed],
    ) -> Self {
        let (stop, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Tally::default())));
        let items: Arc<[Signed]> = items.into();
        let form: MessageForm = form(ruleset);
        let tasks = (0..count)
            .map(|first| {
                let (client, items, stop, tally) = (client.clone(), items.clone(), stop.clone(), tally.clone());
                runtime.spawn(async move {
                    let options = SignatureOptions::new(form);
                    for item in items.iter().cycle().skip(first) {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let since = Instant::now();
                        let found = client
                            .verify_one(ruleset, &options, &item.key, &item.signature, &item.message)
                            .await
                            .map(|verdict| vec![verdict]);
                        tally.lock().expect("a tally").add(&[item.expected], found, since.elapsed());
                    }
                })
            })
            .collect();
        Self { stop, tasks, tally }
    }

    /// What they have come to so far.
    pub(crate) fn so_far(&self) -> Tally {
        self.tally.lock().expect("a tally").clone()
    }

    /// Lets each finish its call; every call ends.
    pub(crate) fn finish(self, runtime: &Runtime) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            let ended = runtime.block_on(async { tokio::time::timeout(super::sidecar::PATIENCE, task).await });
            ended.expect("every call ends").expect("no caller panics");
        }
        self.tally.lock().expect("a tally").clone()
    }
}
