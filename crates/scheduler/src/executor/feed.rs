//! Places requests and feeds the engines.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{Backend, EngineError, Job, Output, Priority, Rejection};
use tokio::sync::oneshot;

use super::lane::Lane;
use super::motion::{Chosen, Columns, Effects, Load};
use super::ticket::{Answer, Asked, Ticket};
use super::{Core, State};
use crate::batcher::{Demand, RequestId, Waiting};
use crate::cost::Cost;
use crate::placement::{Ask, EngineView, Placement, choose, place};

/// A batch ready for its engine.
struct Ready {
    engine: usize,
    token: u64,
    priority: Priority,
    columns: Columns,
}

/// A request that waits for its engines.
pub(super) struct Placed {
    pub(super) id: RequestId,
    pub(super) lanes: Vec<usize>,
    /// After so long devices that have it are late; `None` where no device has.
    pub(super) late_after: Option<Duration>,
}

/// A device is late after so many times what it was predicted to need, and [`LATE_BY`].
const LATE_TIMES: u32 = 3;
/// What a copy, a hand-over or a moment's load may add.
const LATE_BY: Duration = Duration::from_millis(10);
/// A device of unknown cost is late after this.
const LATE_UNKNOWN: Duration = Duration::from_secs(1);

/// How long to wait for an engine that has `items` of a request before the cores are asked too: until it is late, and
/// not so long that the cores could not make the deadline any more. `None` for the cores themselves, and where there is
/// no choice.
fn late_after(ask: &Ask, views: &[EngineView], engine: usize, items: usize) -> Option<Duration> {
    let cores = views.iter().find(|view| view.backend == Backend::Cpu && view.supports)?;
    if ask.backend.is_some() || views[engine].queue == cores.queue {
        return None;
    }
    let bytes = ask.bytes * items / ask.items.max(1);
    let predicted = views[engine].finish(items, bytes);
    let late = predicted.map_or(LATE_UNKNOWN, |finish| finish * LATE_TIMES + LATE_BY);
    let last_call = ask.time_left.zip(cores.finish(items, bytes)).map(|(left, needed)| {
        let reserve = needed.mul_f64(1.5);
        left.saturating_sub(reserve)
    });
    // Where the cores cannot make it anyway, the device is the only hope.
    Some(last_call.filter(|last| !last.is_zero()).map_or(late, |last| late.min(last)))
}

impl Core {
    /// Chooses engines for a request and lets it wait for them. Returns its name, the lanes, and how long to wait for
    /// devices before the cores are asked too. Where engines share
    /// threads, which of them it will be is decided when its batch goes: alone or in company is what matters there.
    pub(super) fn place(&self, asked: Asked, caller: oneshot::Sender<Answer>) -> Result<Placed, Rejection> {
        let now = Instant::now();
        let ticket = Ticket::new(asked, caller);
        let items = ticket.work.items();
        let ask = Ask {
            operation: ticket.operation,
            items,
            bytes: ticket.work.bytes(),
            time_left: ticket.deadline.map(|deadline| deadline.saturating_duration_since(now)),
            backend: ticket.backend,
        };
        let only = ticket.backend.is_some();
        let mut state = self.lock();
        let load = Load { operation: ask.operation, items, bytes: ask.bytes, priority: ticket.priority };
        let views: Vec<EngineView> =
            (0..self.engines.len()).map(|engine| self.view(&state, engine, &load, now)).collect();
        let parts = match place(&ask, &views)? {
            Placement::One(engine) => vec![(engine, 0..items)],
            Placement::Split(parts) => parts,
        };
        let late_after =
            parts.iter().filter_map(|(engine, range)| late_after(&ask, &views, *engine, range.len())).min();
        let id = state.name();
        state.tickets.insert(id, ticket);
        let lanes = parts.into_iter().map(|(engine, range)| state.wait(id, range, engine, only, &self.costs)).collect();
        Ok(Placed { id, lanes, late_after })
    }

    /// Asks the cores too for what devices owe a request.
    pub(super) fn hedge(self: &Arc<Self>, id: RequestId) {
        let mut effects = Effects::default();
        self.lock().hedge(id, &self.costs, &mut effects);
        self.carry_out(effects);
    }

    fn view(&self, state: &State, number: usize, load: &Load, now: Instant) -> EngineView {
        let engine = &self.engines[number];
        let lane = &state.lanes[state.lane_of[number]];
        let (measured, fresh) = self.costs[number].cost_and_freshness(load.operation, now);
        let (cores, shares) = if lane.has_cores() && load.operation.is_divisible() {
            (engine.parallelism(load.operation), engine.shares(load.operation, load.items))
        } else {
            (1, 1)
        };
        // What an engine says of itself counts until the scheduler has seen for itself; what a device says also where
        // that is long ago, for it measures what it is not given.
        let said = || {
            let wall = engine.predicted_cost(load.operation, load.items, load.bytes)?;
            let shared_by = shares.clamp(1, load.items.max(1)) as f64;
            let item_ns = wall.as_nanos() as f64 * shared_by / load.items.max(1) as f64;
            Some(Cost { fixed_ns: 0.0, item_ns, byte_ns: 0.0, grain: 1 })
        };
        let cost = if fresh || lane.has_cores() { measured.or_else(said) } else { said().or(measured) };
        EngineView {
            backend: engine.backend(),
            supports: engine.supports(load.operation),
            healthy: lane.admits(number, now),
            cost,
            fresh,
            cores,
            shares,
            ahead: lane.ahead(load.priority),
            queue: state.lane_of[number],
        }
    }

    /// Which engine of a lane should have a batch.
    fn choose(&self, state: &State, lane: usize, backend: Option<Backend>, load: &Load, now: Instant) -> Chosen {
        let lane = &state.lanes[lane];
        // Forced work was placed while its engine was healthy, and is taken away from one that is not.
        let forced = lane.members.iter().find(|member| backend == Some(member.backend));
        let views: Vec<EngineView> =
            lane.members.iter().map(|member| self.view(state, member.engine, load, now)).collect();
        let best = || lane.members.get(choose(load.items, load.bytes, &views)?);
        let member = forced.or_else(best).unwrap_or(&lane.members[0]);
        let view = views.iter().zip(&lane.members).find(|(_, other)| other.engine == member.engine);
        let cost = view.and_then(|(view, _)| view.cost);
        Chosen {
            engine: member.engine,
            backend: member.backend,
            compute: cost.map(|cost| cost.compute(load.items, load.bytes)),
        }
    }

    /// Whether an engine of a lane joins items of several requests of this kind.
    fn joins(&self, lane: &Lane, demand: Demand, now: Instant) -> bool {
        lane.members.iter().any(|member| {
            member.backend == Backend::Vector
                && demand.backend.is_none_or(|only| only == member.backend)
                && self.engines[member.engine].supports(demand.operation)
                && lane.admits(member.engine, now)
        })
    }

    /// Gives the engines of a lane work while they have room. One thread feeds a lane at a time; another that comes by goes
    /// on, for the first looks at the batcher again before it stops.
    pub(super) fn feed(self: &Arc<Self>, lane: usize) {
        {
            let mut state = self.lock();
            let lane = &mut state.lanes[lane];
            if lane.feeding {
                return;
            }
            lane.feeding = true;
        }
        while let Some(ready) = self.next_job(lane) {
            self.hand_over(lane, ready);
        }
    }

    /// The next job for an engine; `None` once it has no room or nothing waits, and then the engine is no longer
    /// being fed.
    fn next_job(&self, lane: usize) -> Option<Ready> {
        let mut effects = Effects::default();
        let mut state = self.lock();
        let ready = self.take(&mut state, lane, &mut effects);
        if ready.is_none() {
            state.lanes[lane].feeding = false;
        }
        drop(state);
        self.carry_out_quietly(effects);
        ready
    }

    fn take(&self, state: &mut State, lane: usize, effects: &mut Effects) -> Option<Ready> {
        let now = Instant::now();
        let options = state.options.batch;
        loop {
            let standing = &state.lanes[lane];
            let (priority, demand) = standing.batcher.next(now)?;
            // Sized for the engine that is best for all that waits; who gets the batch is seen when it is known.
            let Waiting { items, bytes, .. } = standing.batcher.waiting();
            let load = Load { operation: demand.operation, items: items.min(options.items_max), bytes, priority };
            let likely = self.choose(state, lane, demand.backend, &load, now).engine;
            let engine = &self.engines[likely];
            let cores = if standing.has_cores() { engine.parallelism(demand.operation) } else { 1 };
            if !standing.has_room(priority, cores, self.joins(standing, demand, now)) {
                return None;
            }
            let busy = standing.is_busy(priority);
            if standing.batcher.gathers(now, busy, options.delay_max, options.items_max) {
                return None;
            }
            let piece_items = engine.piece_items(demand.operation);
            let room = standing.room(options.items_max, options.bytes_max, cores, piece_items);
            let taken = state.lanes[lane].batcher.take(now, &room);
            for id in taken.expired {
                state.fail(id, Rejection::DeadlineExceeded { predicted: None }, effects);
            }
            let Some(batch) = taken.batch else { continue };
            let load = state.load_of(&batch);
            let chosen = self.choose(state, lane, batch.demand.backend, &load, now);
            let token = state.name();
            for segment in &batch.segments {
                if let Some(ticket) = state.tickets.get(&segment.id).filter(|_| segment.range.start == 0) {
                    self.metrics.queued(batch.demand.operation, now.saturating_duration_since(ticket.arrived));
                }
            }
            let columns = state.begin(lane, &chosen, &batch, token);
            if columns.segments.is_empty() {
                state.lanes[lane].end(token);
                continue;
            }
            return Some(Ready { engine: chosen.engine, token, priority: batch.priority, columns });
        }
    }

    fn hand_over(self: &Arc<Self>, lane: usize, ready: Ready) {
        let Ready { engine, token, priority, columns } = ready;
        let core = Arc::downgrade(self);
        let completion = Arc::new(move |id| {
            if let Some(core) = core.upgrade() {
                core.reported(lane, engine, token, id);
            }
        });
        let Columns { segments, deadline } = columns;
        let mut job = Job { segments, output: Output::default(), deadline, priority, completion };
        let (operation, items) = (job.operation(), job.items());
        // A batch of what cannot be divided has one segment, and that one answer.
        job.output = Output::unprocessed(operation, if operation.is_divisible() { items } else { 1 });
        self.metrics.dispatched(operation, self.engines[engine].backend(), items);
        match self.engines[engine].submit(job) {
            Ok(id) => self.named(lane, engine, token, id),
            Err((error, _job)) => self.refused(lane, token, error),
        }
    }

    /// An engine has named a job. If everyone went away meanwhile, it is cancelled.
    fn named(&self, lane: usize, engine: usize, token: u64, id: u64) {
        let mut state = self.lock();
        let Some(job) = state.lanes[lane].job(token) else { return };
        job.id = Some(id);
        let unwanted = job.wanted == 0;
        drop(state);
        if unwanted {
            self.engines[engine].cancel(id);
        }
    }

    /// An engine did not take a job.
    fn refused(self: &Arc<Self>, lane: usize, token: u64, error: EngineError) {
        let outcome = outrigger_types::Outcome::Failed(Vec::new(), error);
        let effects = self.lock().report(lane, token, outcome, &self.costs, Instant::now());
        self.carry_out(effects);
    }

    /// An engine has something new of a job.
    fn reported(self: &Arc<Self>, lane: usize, engine: usize, token: u64, id: u64) {
        let effects = {
            let mut state = self.lock();
            let Some(job) = state.lanes[lane].job(token) else { return };
            job.id = Some(id);
            // Under the lock, so that pieces and the end of a job are taken in the order in which they came.
            let outcome = self.engines[engine].poll(id);
            let effects = state.report(lane, token, outcome, &self.costs, Instant::now());
            // Under the lock too: who has an answer finds all of its items counted, whichever thread brought them.
            effects.judged.iter().for_each(|judged| self.metrics.judged(judged));
            effects
        };
        self.carry_out(effects);
    }

    pub(super) fn give_up(self: &Arc<Self>, id: RequestId) {
        let mut effects = Effects::default();
        let ticket = self.lock().forget(id, &mut effects);
        drop(ticket);
        self.carry_out_quietly(effects);
    }

    /// Does what was decided under the lock, then feeds.
    fn carry_out(self: &Arc<Self>, mut effects: Effects) {
        let feed = std::mem::take(&mut effects.feed);
        for (&backend, &items) in &effects.repeated {
            self.metrics.fell_back(backend, items);
        }
        for (&backend, &items) in &effects.hedged {
            self.metrics.hedged(backend, items);
        }
        self.carry_out_quietly(effects);
        for lane in feed {
            self.feed(lane);
        }
    }

    fn carry_out_quietly(&self, effects: Effects) {
        for ticket in effects.complete {
            ticket.complete();
        }
        for (ticket, rejection) in effects.failed {
            ticket.fail(rejection);
        }
        for (engine, job) in effects.cancel {
            self.engines[engine].cancel(job);
        }
        if let Some((operation, backend, compute)) = effects.computed {
            self.metrics.computed(operation, backend, compute);
        }
    }
}
