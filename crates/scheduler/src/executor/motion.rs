//! All that is in motion, and what an engine's report changes in it. Nothing here wakes, computes or calls an
//! engine: what is to be done outside the lock is collected in [`Effects`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{
    Backend, Engine, EngineError, JobId, Operation, Outcome, Output, Piece, Priority, Rejection, SchedulerOptions,
    Verdict, Work,
};

use super::lane::{JobSegment, Lane, RunningJob};
use super::ticket::Ticket;
use crate::batcher::{Batch, Entry, RequestId};
use crate::cost::{CostTable, Pieces};
use crate::fallback::{self, Next};
use crate::metrics::{Judged, count};

/// Assumed of an operation of which nothing is known: about one signature.
const ITEM_COST_UNKNOWN: Duration = Duration::from_micros(50);

/// What is to be done once the lock is free.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) complete: Vec<Ticket>,
    pub(super) failed: Vec<(Ticket, Rejection)>,
    /// Jobs that nobody waits for any more, by engine.
    pub(super) cancel: Vec<(usize, JobId)>,
    /// Lanes to feed.
    pub(super) feed: Vec<usize>,
    pub(super) judged: Vec<Judged>,
    /// Compute time of a job that ended.
    pub(super) computed: Option<(Operation, Backend, Duration)>,
    /// Items repeated on the CPU, by who did not answer them.
    pub(super) repeated: BTreeMap<Backend, usize>,
    /// Items given to the CPU as well, by who is late with them.
    pub(super) hedged: BTreeMap<Backend, usize>,
}

/// What engines are compared by.
pub(super) struct Load {
    pub(super) operation: Operation,
    pub(super) items: usize,
    pub(super) bytes: usize,
    pub(super) priority: Priority,
}

/// The engine that a batch goes to.
pub(super) struct Chosen {
    pub(super) engine: usize,
    pub(super) backend: Backend,
    /// The compute time that it is predicted to need, where its cost is known.
    pub(super) compute: Option<Duration>,
}

/// What an engine needs of a batch.
pub(super) struct Columns {
    pub(super) segments: Vec<(Arc<Work>, Range<usize>)>,
    /// When the last of the callers loses interest.
    pub(super) deadline: Option<Instant>,
}

/// The requests and the lanes.
pub(super) struct State {
    pub(super) options: SchedulerOptions,
    pub(super) lanes: Vec<Lane>,
    /// The lane of each engine.
    pub(super) lane_of: Vec<usize>,
    pub(super) tickets: HashMap<RequestId, Ticket>,
    next_name: u64,
}

impl State {
    pub(super) fn new(options: &SchedulerOptions, engines: &[Arc<dyn Engine>]) -> Self {
        let (lanes, lane_of) = Lane::of(engines, options.aging);
        Self { options: options.clone(), lanes, lane_of, tickets: HashMap::new(), next_name: 0 }
    }

    pub(super) fn reload(&mut self, options: SchedulerOptions) {
        for lane in &mut self.lanes {
            lane.batcher.set_aging(options.aging);
        }
        self.options = options;
    }

    /// A name that was never used: of a request, or of a job.
    pub(super) fn name(&mut self) -> u64 {
        self.next_name += 1;
        self.next_name
    }

    /// Lets items of a request wait in the lane of an engine: for that one alone, where `only`, or for whichever of
    /// the lane will be best when they go. Gives back the lane.
    pub(super) fn wait(
        &mut self,
        id: RequestId,
        range: Range<usize>,
        engine: usize,
        only: bool,
        costs: &[CostTable],
    ) -> usize {
        let number = self.lane_of[engine];
        let Some(ticket) = self.tickets.get(&id) else { return number };
        let lane = &mut self.lanes[number];
        let backend = lane.member(engine).map(|member| member.backend).filter(|_| only);
        let (items, bytes) = (ticket.work.items().max(1), ticket.work.bytes());
        // It will share its batch with what waits, so it is priced as a part of that.
        let crowd = items + lane.batcher.waiting().items;
        let crowd_bytes = bytes / items * crowd;
        let priced = lane.members.iter().filter(|member| !only || member.engine == engine);
        let cost = priced.filter_map(|member| costs[member.engine].cost(ticket.operation));
        let item_cost = cost
            .map(|cost| cost.compute(crowd, crowd_bytes) / u32::try_from(crowd).unwrap_or(u32::MAX))
            .min()
            .unwrap_or(ITEM_COST_UNKNOWN);
        let demand = lane.demand(ticket.operation, backend);
        lane.batcher.push(Entry {
            id,
            tenant: ticket.tenant.clone(),
            weight: ticket.weight,
            priority: ticket.priority,
            demand,
            range,
            item_bytes: bytes / items,
            item_cost,
            arrived: ticket.arrived,
            deadline: ticket.deadline,
        });
        number
    }

    /// What a batch comes to.
    pub(super) fn load_of(&self, batch: &Batch) -> Load {
        let bytes = batch.segments.iter().filter_map(|segment| {
            let work = &self.tickets.get(&segment.id)?.work;
            Some(work.bytes() * segment.range.len() / work.items().max(1))
        });
        let bytes = bytes.sum();
        let items = batch.segments.iter().map(|segment| segment.range.len()).sum();
        Load { operation: batch.demand.operation, items, bytes, priority: batch.priority }
    }

    /// Turns a batch into a job of an engine. Returns what the engine needs of it.
    pub(super) fn begin(&mut self, lane: usize, engine: &Chosen, batch: &Batch, token: u64) -> Columns {
        let mut columns = Vec::with_capacity(batch.segments.len());
        let mut segments = Vec::with_capacity(batch.segments.len());
        let mut deadline = Some(None);
        let (mut answers, mut items) = (0, 0);
        for segment in &batch.segments {
            let Some(ticket) = self.tickets.get_mut(&segment.id) else { continue };
            let count = if batch.demand.operation.is_divisible() { segment.range.len() } else { 1 };
            columns.push((ticket.work.clone(), segment.range.clone()));
            segments.push(JobSegment {
                id: segment.id,
                range: segment.range.clone(),
                answers: answers..answers + count,
                forced: ticket.backend.is_some(),
            });
            answers += count;
            items += segment.range.len();
            // Once, though fairness may have cut the request into several segments of this job.
            if ticket.jobs.last() != Some(&(lane, token)) {
                ticket.jobs.push((lane, token));
            }
            // The latest of all deadlines, and none where one has none.
            deadline = match (deadline, ticket.deadline) {
                (Some(latest), Some(own)) => Some(latest.max(Some(own))),
                _ => None,
            };
        }
        let job = RunningJob {
            engine: engine.engine,
            backend: engine.backend,
            id: None,
            operation: batch.demand.operation,
            priority: batch.priority,
            wanted: segments.len(),
            segments,
            covered: Default::default(),
            unprocessed: 0,
            fault: None,
            predicted: engine.compute.unwrap_or(batch.compute),
            compute: Default::default(),
            items,
        };
        self.lanes[lane].begin(token, job);
        Columns { segments: columns, deadline: deadline.flatten() }
    }

    /// Takes an engine's report in.
    pub(super) fn report(
        &mut self,
        lane: usize,
        token: u64,
        outcome: Outcome,
        costs: &[CostTable],
        now: Instant,
    ) -> Effects {
        let mut effects = Effects::default();
        let (pieces, ended) = match outcome {
            Outcome::Running(pieces) => (pieces, None),
            Outcome::Done(pieces) => (pieces, Some(None)),
            Outcome::Failed(pieces, error) => (pieces, Some(Some(error))),
        };
        self.take_pieces(lane, token, pieces, costs, now, &mut effects);
        if let Some(error) = ended {
            self.end(lane, token, error, costs, now, &mut effects);
        }
        effects
    }

    /// Hands pieces to the requests that they answer. An engine that answers what it was not asked, or twice,
    /// is at fault.
    fn take_pieces(
        &mut self,
        lane: usize,
        token: u64,
        pieces: Vec<Piece>,
        costs: &[CostTable],
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some(job) = self.lanes[lane].job(token) else { return };
        let (engine, backend) = (job.engine, job.backend);
        let operation = job.operation;
        let mut measured = Pieces::default();
        let mut verdicts = [0_u64; 4];
        let mut parts: Vec<(RequestId, usize, Output)> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let range = piece.start..piece.start + piece.output.verdicts.len();
            if range.end > job.answers() {
                job.fault = Some(EngineError::Fault("a piece past the end of its job".into()));
                break;
            }
            if !has_shape(&piece.output, operation) {
                job.fault = Some(EngineError::Fault("a piece of the wrong shape".into()));
                break;
            }
            measured.count += 1;
            measured.items += range.len();
            measured.compute += piece.compute;
            job.compute += piece.compute;
            let start = parts.len();
            if !split(job, backend, piece, &mut parts) {
                job.fault = Some(EngineError::Fault("two answers for one item".into()));
            }
            for (_, _, part) in &parts[start..] {
                for (sum, more) in verdicts.iter_mut().zip(count(&part.verdicts)) {
                    *sum += more;
                }
            }
        }
        if measured.count > 0 {
            // A tree's one answer stands for all its leaves.
            measured.items = if operation.is_divisible() { measured.items } else { job.items };
            let first = job.segments.first().and_then(|segment| self.tickets.get(&segment.id));
            measured.bytes =
                first.map_or(0, |ticket| ticket.work.bytes() * measured.items / ticket.work.items().max(1));
            costs[engine].observe(operation, measured, now);
            effects.judged.push(Judged { operation, backend, verdicts });
        }
        for (id, start, part) in parts {
            self.accept(id, start, part, effects);
        }
    }

    fn accept(&mut self, id: RequestId, start: usize, part: Output, effects: &mut Effects) {
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        ticket.accept(start, part);
        if ticket.is_complete()
            && let Some(ticket) = self.tickets.remove(&id)
        {
            effects.complete.push(ticket);
        }
    }

    /// A job has ended: what it did not answer is repeated on the CPU, or fails.
    fn end(
        &mut self,
        lane: usize,
        token: u64,
        error: Option<EngineError>,
        costs: &[CostTable],
        now: Instant,
        effects: &mut Effects,
    ) {
        let Some(mut job) = self.lanes[lane].end(token) else { return };
        effects.feed.push(lane);
        effects.computed = Some((job.operation, job.backend, job.compute));
        let missing = job.covered.gaps(job.answers());
        let fault = job.fault.take().or(error).or_else(|| {
            let lost = missing.iter().map(Range::len).sum::<usize>() - job.unprocessed;
            (lost > 0 && job.wanted > 0).then(|| EngineError::Fault("items without an answer".into()))
        });
        let breaker = self.lanes[lane].member(job.engine).map(|member| &mut member.breaker);
        match (&fault, breaker) {
            (Some(error), Some(breaker)) if fallback::is_fault(error) => {
                let backend = job.backend;
                tracing::warn!(%backend, %error, items = job.items, "an engine failed; its items are not judged by it");
                if breaker.failed(now) {
                    self.evacuate(lane, backend, costs, effects);
                }
            }
            (None, Some(breaker)) => breaker.succeeded(),
            _ => {}
        }
        // Items left unprocessed without a fault are items that this engine does not do.
        let error = fault.unwrap_or(EngineError::Unsupported);
        for gap in missing {
            for (id, range) in requests_of(&job, gap) {
                self.resolve(job.backend, id, range, &error, costs, effects);
            }
        }
    }

    /// Repeats items that an engine did not answer, or fails their request.
    pub(super) fn resolve(
        &mut self,
        backend: Backend,
        id: RequestId,
        range: Range<usize>,
        error: &EngineError,
        costs: &[CostTable],
        effects: &mut Effects,
    ) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        // The cores have these items already.
        if ticket.hedged && backend != Backend::Cpu {
            return;
        }
        let cpu = self.cpu();
        match fallback::after(error, backend, ticket.backend.is_some(), cpu.is_some()) {
            Next::Repeat => {
                let Some(cpu) = cpu else { return };
                *effects.repeated.entry(backend).or_default() += range.len();
                // There and nowhere else, or what brings an engine down would come back to it.
                let lane = self.wait(id, range, cpu, true, costs);
                effects.feed.push(lane);
            }
            Next::Fail(rejection) => self.fail(id, rejection, effects),
        }
    }

    /// Gives what devices owe a request to the cores as well: what waits for them is taken back, what they are at may
    /// still be answered by them first.
    pub(super) fn hedge(&mut self, id: RequestId, costs: &[CostTable], effects: &mut Effects) {
        let Some(cpu) = self.cpu() else { return };
        let Some(ticket) = self.tickets.get_mut(&id).filter(|ticket| !ticket.hedged && ticket.backend.is_none()) else {
            return;
        };
        ticket.hedged = true;
        let jobs = ticket.jobs.clone();
        let mut owed: Vec<(Backend, Range<usize>)> = Vec::new();
        for lane in self.lanes.iter_mut().filter(|lane| !lane.has_cores()) {
            let backend = lane.members[0].backend;
            owed.extend(lane.batcher.take_back(id).into_iter().map(|range| (backend, range)));
        }
        for (lane, token) in jobs {
            let lane = &mut self.lanes[lane];
            if lane.has_cores() {
                continue;
            }
            let Some(job) = lane.job(token) else { continue };
            let segments = job.segments.iter().filter(|segment| segment.id == id);
            owed.extend(segments.map(|segment| (job.backend, segment.range.clone())));
        }
        for (backend, range) in owed {
            let divisible =
                self.tickets.get(&id).map(|ticket| (ticket.operation.is_divisible(), ticket.open_in(&range)));
            let Some((divisible, open)) = divisible else { return };
            for range in if divisible { open } else { vec![range] } {
                *effects.hedged.entry(backend).or_default() += range.len();
                let lane = self.wait(id, range, cpu, true, costs);
                effects.feed.push(lane);
            }
        }
    }

    /// Moves what waits for an engine that was taken out. Plain cores are never taken out.
    fn evacuate(&mut self, lane: usize, backend: Backend, costs: &[CostTable], effects: &mut Effects) {
        if backend == Backend::Cpu {
            return;
        }
        let error = EngineError::Busy;
        let Lane { members, batcher, .. } = &mut self.lanes[lane];
        let entries = if members.len() > 1 { batcher.clear_of(backend) } else { batcher.clear() };
        for entry in entries {
            self.resolve(backend, entry.id, entry.range, &error, costs, effects);
        }
    }

    /// The number of the engine of plain cores.
    fn cpu(&self) -> Option<usize> {
        let mut members = self.lanes.iter().flat_map(|lane| &lane.members);
        members.find(|member| member.backend == Backend::Cpu).map(|member| member.engine)
    }

    pub(super) fn fail(&mut self, id: RequestId, rejection: Rejection, effects: &mut Effects) {
        if let Some(ticket) = self.forget(id, effects) {
            effects.failed.push((ticket, rejection));
        }
    }

    /// Takes a request out wherever it is. Jobs that carry nothing else are cancelled.
    pub(super) fn forget(&mut self, id: RequestId, effects: &mut Effects) -> Option<Ticket> {
        let ticket = self.tickets.remove(&id)?;
        for lane in &mut self.lanes {
            lane.batcher.remove(id);
        }
        for &(lane, token) in &ticket.jobs {
            let Some(job) = self.lanes[lane].job(token) else { continue };
            job.wanted -= job.segments.iter().filter(|segment| segment.id == id).count().min(job.wanted);
            if job.wanted == 0
                && let Some(id) = job.id
            {
                effects.cancel.push((job.engine, id));
            }
        }
        Some(ticket)
    }
}

/// Whether each item of an engine's answer has all that belongs to it. Parts are cut and joined by these lengths, so
/// one byte too few would give an item its neighbour's bytes.
fn has_shape(output: &Output, operation: Operation) -> bool {
    let (count, shape) = (output.verdicts.len(), operation.output_shape());
    let ends = &output.variable_ends;
    output.fixed.len() == count * shape.stride
        && output.reasons.len() == if shape.has_reasons { count } else { 0 }
        && ends.len() == if shape.has_variable { count } else { 0 }
        && ends.is_sorted()
        && ends.last().map_or(0, |end| *end as usize) == output.variable.len()
}

/// Cuts a piece into the parts that answer each request, and marks them as answered. What an engine other than
/// plain cores leaves unprocessed is not marked, so that it is repeated: the cores have the last word on what
/// cannot be processed. False where something was answered before.
fn split(job: &mut RunningJob, backend: Backend, piece: Piece, parts: &mut Vec<(RequestId, usize, Output)>) -> bool {
    let end = piece.start + piece.output.verdicts.len();
    let operation = job.operation;
    let first = job.segments.partition_point(|segment| segment.answers.end <= piece.start);
    let is_whole = job.segments.get(first).is_some_and(|segment| segment.answers.end >= end);
    let is_final = backend == Backend::Cpu || !piece.output.verdicts.contains(&Verdict::Unprocessed);
    if is_whole && (is_final || job.segments[first].forced) {
        let segment = &job.segments[first];
        let is_new = job.covered.insert(piece.start..end);
        if is_new {
            parts.push((segment.id, segment.range.start + piece.start - segment.answers.start, piece.output));
        }
        return is_new;
    }
    for segment in &job.segments[first..] {
        let within = segment.answers.start.max(piece.start)..segment.answers.end.min(end);
        if within.is_empty() {
            break;
        }
        let length = within.len();
        let within = within.start - piece.start..within.end - piece.start;
        let runs = runs(&piece.output.verdicts, within, is_final || segment.forced);
        job.unprocessed += length - runs.iter().map(Range::len).sum::<usize>();
        for run in runs {
            let answers = run.start + piece.start..run.end + piece.start;
            if !job.covered.insert(answers.clone()) {
                return false;
            }
            let start = segment.range.start + answers.start - segment.answers.start;
            parts.push((segment.id, start, piece.output.slice(operation, run)));
        }
    }
    true
}

/// The runs of processed verdicts within a range; the range itself where all are final.
fn runs(verdicts: &[Verdict], within: Range<usize>, is_final: bool) -> Vec<Range<usize>> {
    if is_final {
        return vec![within];
    }
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in within.filter(|&at| verdicts[at] != Verdict::Unprocessed) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The items of each request that a range of a job's answers stands for.
fn requests_of(job: &RunningJob, answers: Range<usize>) -> Vec<(RequestId, Range<usize>)> {
    let first = job.segments.partition_point(|segment| segment.answers.end <= answers.start);
    let touched = job.segments[first..].iter().take_while(|segment| segment.answers.start < answers.end);
    touched
        .map(|segment| {
            if !job.operation.is_divisible() {
                return (segment.id, segment.range.clone());
            }
            let from = answers.start.max(segment.answers.start) - segment.answers.start;
            let to = answers.end.min(segment.answers.end) - segment.answers.start;
            (segment.id, segment.range.start + from..segment.range.start + to)
        })
        .collect()
}
