//! The mechanism: carries requests through limits, cache, placement and batcher to the engines and back.
//!
//! One lock guards all that is in motion; it is held for a few microseconds and never while an engine is given
//! work, a caller is woken, or anything is computed. Engines call back on their own threads.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger_algorithms::known_keys;
use outrigger_algorithms::lanes::LANES;
use outrigger_types::{Backend, Engine, Output, Rejection, SchedulerOptions, Work};
use tokio::sync::oneshot;

use crate::Request;
use crate::batcher::Waiting;
use crate::cache::{Key, VerdictCache, gather, keys_of};
use crate::cost::CostTable;
use crate::limits::{Limits, Load};
use crate::metrics::Handles;
use crate::stats::{EngineStats, Stats};

mod coverage;
mod feed;
mod lane;
mod motion;
mod ticket;

use feed::Placed;
use motion::State;
use ticket::Asked;

/// What callers are told while the sidecar shuts down: about how long a restart takes.
const RETRY_WHEN_DRAINING: Duration = Duration::from_secs(1);

/// Items whose keys are hashed before other tasks of the runtime get their turn: a few hundred microseconds.
const KEYS_AT_ONCE: usize = 1_024;

/// The scheduler behind its handle.
pub(crate) struct Core {
    engines: Arc<[Arc<dyn Engine>]>,
    /// What was measured on each engine.
    costs: Vec<CostTable>,
    limits: Arc<Limits>,
    cache: Mutex<Option<Arc<VerdictCache>>>,
    state: Mutex<State>,
    draining: AtomicBool,
    metrics: Handles,
}

/// A request that was admitted, and under which weight.
struct Admitted<'a> {
    request: &'a Request,
    arrived: Instant,
    weight: u32,
}

impl Core {
    pub(crate) fn new(options: SchedulerOptions, engines: Vec<Arc<dyn Engine>>) -> Self {
        // What the backlog is worked off by: the widest pool of cores; a device only makes it quicker.
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
        let limits = Limits::new(&options, u32::try_from(threads).unwrap_or(u32::MAX));
        Self {
            costs: engines.iter().map(|engine| CostTable::with_grain(grain_of(engine.backend()))).collect(),
            limits: Arc::new(limits),
            cache: Mutex::new(cache_of(options.cache_entries)),
            state: Mutex::new(State::new(&options, &engines)),
            engines: engines.into(),
            draining: AtomicBool::new(false),
            metrics: Handles::new(),
        }
    }

    pub(crate) fn engines(&self) -> &[Arc<dyn Engine>] {
        &self.engines
    }

    pub(crate) async fn submit(self: &Arc<Self>, request: Request) -> Result<Output, Rejection> {
        let operation = request.work.operation();
        let arrived = Instant::now();
        let answer = self.answer(&request, arrived).await;
        match &answer {
            Ok(_) => self.metrics.answered(operation, request.priority, arrived.elapsed()),
            Err(rejection) => {
                let tenant = self.limits.label(&request.tenant);
                self.metrics.rejected(operation, request.priority, &tenant, rejection);
            }
        }
        answer
    }

    pub(crate) fn reload(&self, options: SchedulerOptions) {
        self.limits.reload(&options);
        let mut cache = lock(&self.cache);
        if self.lock().options.cache_entries != options.cache_entries {
            *cache = cache_of(options.cache_entries);
        }
        drop(cache);
        self.lock().reload(options);
    }

    pub(crate) async fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.limits.idle().await;
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.lock();
        let engines = self.engines.iter().zip(&self.costs).enumerate().map(|(number, (engine, costs))| {
            let lane = &state.lanes[state.lane_of[number]];
            let member = lane.members.iter().find(|member| member.engine == number);
            // What waits for whichever of several engines is named once, with the first of them.
            let is_first = lane.members.first().is_some_and(|first| first.engine == number);
            let waiting = if is_first { lane.batcher.waiting() } else { Waiting::default() };
            let running = || lane.jobs().filter(|job| job.engine == number);
            EngineStats {
                backend: engine.backend(),
                device: engine.device().to_owned(),
                healthy: member.is_some_and(|member| member.breaker.is_closed()),
                waiting_items: waiting.items,
                waiting_compute: waiting.compute,
                running_jobs: running().count(),
                running_items: running().map(|job| job.items).sum(),
                costs: costs.all(),
            }
        });
        let engines = engines.collect();
        drop(state);
        Stats {
            held: self.limits.held(),
            held_by_tenant: self.limits.held_by_tenant(),
            engines,
            cache_entries: lock(&self.cache).as_ref().map_or(0, |cache| cache.len()),
            draining: self.draining.load(Ordering::SeqCst),
        }
    }

    /// Tells the recorder of metrics what tenants hold and what the cache keeps.
    pub(crate) fn record(&self) {
        crate::metrics::tenants(&self.limits.standings());
        let cache = lock(&self.cache).clone();
        let (entries, entries_max) = cache.map_or((0, 0), |cache| (cache.len(), cache.len_max()));
        crate::metrics::cache(entries, entries_max);
    }

    async fn answer(self: &Arc<Self>, request: &Request, arrived: Instant) -> Result<Output, Rejection> {
        if request.deadline.is_some_and(|deadline| deadline <= arrived) {
            return Err(Rejection::DeadlineExceeded { predicted: None });
        }
        let operation = request.work.operation();
        if self.draining.load(Ordering::SeqCst) {
            return Err(Rejection::Draining { retry_after: RETRY_WHEN_DRAINING });
        }
        let permit = self.limits.admit(&request.tenant, request.priority, self.load_of(request))?;
        // Looked at again with the permit in hand: whoever drains either sees the permit or is seen here.
        if self.draining.load(Ordering::SeqCst) {
            return Err(Rejection::Draining { retry_after: RETRY_WHEN_DRAINING });
        }
        if request.work.items() == 0 && operation.is_divisible() {
            return Ok(Output::unprocessed(operation, 0));
        }
        let admitted = Admitted { request, arrived, weight: permit.weight() };
        match request.deadline {
            None => self.run(&admitted).await,
            Some(deadline) => tokio::time::timeout_at(deadline.into(), self.run(&admitted))
                .await
                .unwrap_or(Err(Rejection::DeadlineExceeded { predicted: None })),
        }
    }

    /// What a request will hold. Its compute time is what the cheapest engine is known to need.
    fn load_of(&self, request: &Request) -> Load {
        let (operation, items, bytes) = (request.work.operation(), request.work.items(), request.work.bytes());
        let compute = self
            .engines
            .iter()
            .zip(&self.costs)
            .filter_map(|(engine, costs)| match costs.cost(operation) {
                Some(cost) => Some(cost.compute(items, bytes)),
                None => engine.predicted_cost(operation, items, bytes),
            })
            .min();
        let units = request.work.units() as u64;
        Load { requests: 1, items: units, bytes: bytes as u64, compute: compute.unwrap_or_default() }
    }

    /// Answers what the cache knows, waits for what others do, and dispatches the rest. A forced backend is
    /// asked for its own answer, so nothing is taken from the cache, nor given to it.
    async fn run(self: &Arc<Self>, admitted: &Admitted<'_>) -> Result<Output, Rejection> {
        let work = &admitted.request.work;
        let cache = lock(&self.cache).clone().filter(|_| admitted.request.backend.is_none());
        let first = || keys_of(work, 0..work.items().min(KEYS_AT_ONCE));
        let Some((cache, keys)) = cache.and_then(|cache| Some((cache, first()?))) else {
            return self.dispatch(work.clone(), admitted).await;
        };
        let keys = with_later_keys(work, keys).await;
        let mut output = Output::unprocessed(work.operation(), work.items());
        let mut open: Vec<usize> = (0..work.items()).collect();
        while !open.is_empty() {
            let mut claim = cache.claim(&keys, &open, &mut output, admitted.request.priority);
            let shared = claim.theirs.len() + claim.twins.len();
            self.metrics.looked_up(claim.hits, claim.mine.len(), shared);
            open = std::mem::take(&mut claim.theirs);
            let flights = std::mem::take(&mut claim.flights);
            if !claim.mine.is_empty() {
                let mine = part_of(work, &claim.mine)?;
                let answers = self.dispatch(mine, admitted).await?;
                claim.publish(&answers, &mut output);
            }
            for flight in flights {
                flight.ended().await;
            }
        }
        Ok(output)
    }

    /// Places work, lets it wait for its engine, and waits for the answer.
    async fn dispatch(self: &Arc<Self>, work: Arc<Work>, admitted: &Admitted<'_>) -> Result<Output, Rejection> {
        let request = admitted.request;
        if request.backend.is_none_or(|backend| backend == Backend::Vector) {
            known_keys::see(&request.tenant, &work);
        }
        let (caller, answer) = oneshot::channel();
        let asked = Asked {
            work,
            tenant: request.tenant.clone(),
            weight: admitted.weight,
            priority: request.priority,
            arrived: admitted.arrived,
            deadline: request.deadline,
            backend: request.backend,
        };
        let Placed { id, lanes, late_after } = self.place(asked, caller)?;
        let _given_up = GiveUp { core: self, id };
        for lane in lanes {
            self.feed(lane);
        }
        let lost = |_| Err(Rejection::Internal("the request was lost inside the scheduler".into()));
        let Some(late_after) = late_after else { return answer.await.unwrap_or_else(lost) };
        let mut answer = pin!(answer);
        if let Ok(answer) = tokio::time::timeout(late_after, &mut answer).await {
            return answer.unwrap_or_else(lost);
        }
        self.hedge(id);
        answer.await.unwrap_or_else(lost)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// Gives a request up when its caller goes away. Once it was answered there is nothing left to give up.
struct GiveUp<'a> {
    core: &'a Arc<Core>,
    id: u64,
}

impl Drop for GiveUp<'_> {
    fn drop(&mut self) {
        self.core.give_up(self.id);
    }
}

/// The work of some items; the request itself where they are all of it.
fn part_of(work: &Arc<Work>, items: &[usize]) -> Result<Arc<Work>, Rejection> {
    if items.len() == work.items() {
        return Ok(work.clone());
    }
    let part = gather(work, items);
    part.map(Arc::new).ok_or_else(|| Rejection::Internal("an operation without items of its own was cached".into()))
}

/// The keys of a large request, other tasks in between.
async fn with_later_keys(work: &Work, mut keys: Vec<Key>) -> Vec<Key> {
    while keys.len() < work.items() {
        tokio::task::yield_now().await;
        let next = keys.len()..work.items().min(keys.len() + KEYS_AT_ONCE);
        let Some(more) = keys_of(work, next) else { break };
        keys.extend(more);
    }
    keys
}

/// What the items of a piece are a multiple of.
const fn grain_of(backend: Backend) -> usize {
    if matches!(backend, Backend::Vector) { LANES } else { 1 }
}

fn cache_of(entries: usize) -> Option<Arc<VerdictCache>> {
    (entries > 0).then(|| Arc::new(VerdictCache::new(entries)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
