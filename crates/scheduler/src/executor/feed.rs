//! Places requests and feeds the engines.

use std::sync::Arc;
use std::time::Instant;

use outrigger_types::{EngineError, Job, Output, Priority, Rejection};
use tokio::sync::oneshot;

use super::motion::{Columns, Effects};
use super::ticket::{Answer, Asked, Ticket};
use super::{Core, State};
use crate::batcher::RequestId;
use crate::cost::Cost;
use crate::placement::{Ask, EngineView, Placement, place};

/// A batch ready for its engine.
struct Ready {
    token: u64,
    priority: Priority,
    columns: Columns,
}

impl Core {
    /// Chooses engines for a request and lets it wait for them. Returns its name and the engines.
    pub(super) fn place(
        &self,
        asked: Asked,
        caller: oneshot::Sender<Answer>,
    ) -> Result<(RequestId, Vec<usize>), Rejection> {
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
        let mut state = self.lock();
        let views: Vec<EngineView> =
            (0..self.engines.len()).map(|lane| self.view(&state, lane, &ask, &ticket, now)).collect();
        let parts = match place(&ask, &views)? {
            Placement::One(lane) => vec![(lane, 0..items)],
            Placement::Split(parts) => parts,
        };
        let id = state.name();
        state.tickets.insert(id, ticket);
        let mut lanes = Vec::with_capacity(parts.len());
        for (lane, range) in parts {
            state.wait(id, range, lane, &self.costs[lane]);
            lanes.push(lane);
        }
        Ok((id, lanes))
    }

    fn view(&self, state: &State, lane: usize, ask: &Ask, ticket: &Ticket, now: Instant) -> EngineView {
        let engine = &self.engines[lane];
        let standing = &state.lanes[lane];
        let (measured, fresh) = self.costs[lane].cost_and_freshness(ask.operation, now);
        // What an engine says of itself counts until the scheduler has seen for itself.
        let cores =
            if standing.has_cores() && ask.operation.is_divisible() { engine.parallelism(ask.operation) } else { 1 };
        let said = || {
            let wall = engine.predicted_cost(ask.operation, ask.items, ask.bytes)?;
            let shared_by = cores.clamp(1, ask.items.max(1)) as f64;
            let item_ns = wall.as_nanos() as f64 * shared_by / ask.items.max(1) as f64;
            Some(Cost { fixed_ns: 0.0, item_ns, byte_ns: 0.0 })
        };
        EngineView {
            backend: standing.backend,
            supports: engine.supports(ask.operation),
            healthy: standing.admits(now),
            cost: measured.or_else(said),
            fresh,
            cores,
            ahead: standing.ahead(ticket.priority),
        }
    }

    /// Gives an engine work while it has room. One thread feeds an engine at a time; another that comes by goes
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
            let standing = &mut state.lanes[lane];
            let (priority, operation) = standing.batcher.next(now)?;
            let engine = &self.engines[lane];
            let cores = if standing.has_cores() { engine.parallelism(operation) } else { 1 };
            if !standing.has_room(priority, cores) {
                return None;
            }
            let busy = standing.is_busy(priority);
            if standing.batcher.gathers(now, busy, options.delay_max, options.items_max) {
                return None;
            }
            let piece_items = outrigger_algorithms::registry::piece_items(operation);
            let room = standing.room(options.items_max, options.bytes_max, cores, piece_items);
            let taken = standing.batcher.take(now, &room);
            for id in taken.expired {
                state.fail(id, Rejection::DeadlineExceeded { predicted: None }, effects);
            }
            let Some(batch) = taken.batch else { continue };
            let token = state.name();
            for segment in &batch.segments {
                if let Some(ticket) = state.tickets.get(&segment.id).filter(|_| segment.range.start == 0) {
                    self.metrics.queued(batch.operation, now.saturating_duration_since(ticket.arrived));
                }
            }
            let columns = state.begin(lane, &batch, token);
            if columns.segments.is_empty() {
                state.lanes[lane].end(token);
                continue;
            }
            return Some(Ready { token, priority: batch.priority, columns });
        }
    }

    fn hand_over(self: &Arc<Self>, lane: usize, ready: Ready) {
        let Ready { token, priority, columns } = ready;
        let core = Arc::downgrade(self);
        let completion = Arc::new(move |id| {
            if let Some(core) = core.upgrade() {
                core.reported(lane, token, id);
            }
        });
        let Columns { segments, deadline } = columns;
        let mut job = Job { segments, output: Output::default(), deadline, priority, completion };
        let (operation, items) = (job.operation(), job.items());
        // A batch of what cannot be divided has one segment, and that one answer.
        job.output = Output::unprocessed(operation, if operation.is_divisible() { items } else { 1 });
        self.metrics.dispatched(operation, self.engines[lane].backend(), items);
        match self.engines[lane].submit(job) {
            Ok(id) => self.named(lane, token, id),
            Err((error, _job)) => self.refused(lane, token, error),
        }
    }

    /// An engine has named a job. If everyone went away meanwhile, it is cancelled.
    fn named(&self, lane: usize, token: u64, id: u64) {
        let mut state = self.lock();
        let Some(job) = state.lanes[lane].job(token) else { return };
        job.id = Some(id);
        let unwanted = job.wanted == 0;
        drop(state);
        if unwanted {
            self.engines[lane].cancel(id);
        }
    }

    /// An engine did not take a job.
    fn refused(self: &Arc<Self>, lane: usize, token: u64, error: EngineError) {
        let outcome = outrigger_types::Outcome::Failed(Vec::new(), error);
        let effects = self.lock().report(lane, token, outcome, &self.costs, Instant::now());
        self.carry_out(lane, effects);
    }

    /// An engine has something new of a job.
    fn reported(self: &Arc<Self>, lane: usize, token: u64, id: u64) {
        let effects = {
            let mut state = self.lock();
            let Some(job) = state.lanes[lane].job(token) else { return };
            job.id = Some(id);
            // Under the lock, so that pieces and the end of a job are taken in the order in which they came.
            let outcome = self.engines[lane].poll(id);
            state.report(lane, token, outcome, &self.costs, Instant::now())
        };
        self.carry_out(lane, effects);
    }

    pub(super) fn give_up(self: &Arc<Self>, id: RequestId) {
        let mut effects = Effects::default();
        let ticket = self.lock().forget(id, &mut effects);
        drop(ticket);
        self.carry_out_quietly(effects);
    }

    /// Does what was decided under the lock, then feeds.
    fn carry_out(self: &Arc<Self>, lane: usize, mut effects: Effects) {
        let feed = std::mem::take(&mut effects.feed);
        if effects.repeated > 0 {
            self.metrics.fell_back(self.engines[lane].backend(), effects.repeated);
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
        for (lane, job) in effects.cancel {
            self.engines[lane].cancel(job);
        }
        for judged in &effects.judged {
            self.metrics.judged(judged);
        }
        if let Some((operation, backend, compute)) = effects.computed {
            self.metrics.computed(operation, backend, compute);
        }
    }
}
