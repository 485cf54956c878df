//! All that is in motion, and what an engine's report changes in it. Nothing here wakes, computes or calls an
//! engine: what is to be done outside the lock is collected in [`Effects`].

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{
    Backend, Engine, EngineError, JobId, Operation, Outcome, Output, Piece, Rejection, SchedulerOptions, Verdict, Work,
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
    /// Jobs that nobody waits for any more.
    pub(super) cancel: Vec<(usize, JobId)>,
    /// Engines to feed.
    pub(super) feed: Vec<usize>,
    pub(super) judged: Vec<Judged>,
    /// Compute time of a job that ended.
    pub(super) computed: Option<(Operation, Backend, Duration)>,
    /// Items repeated on the CPU.
    pub(super) repeated: usize,
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
    pub(super) tickets: HashMap<RequestId, Ticket>,
    next_name: u64,
}

impl State {
    pub(super) fn new(options: &SchedulerOptions, engines: &[Arc<dyn Engine>]) -> Self {
        let lanes = engines.iter().map(|engine| Lane::new(&**engine, options.aging)).collect();
        Self { options: options.clone(), lanes, tickets: HashMap::new(), next_name: 0 }
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

    /// Lets items of a request wait for an engine.
    pub(super) fn wait(&mut self, id: RequestId, range: Range<usize>, lane: usize, costs: &CostTable) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let (items, bytes) = (ticket.work.items().max(1), ticket.work.bytes());
        let item_cost = costs
            .cost(ticket.operation)
            .map_or(ITEM_COST_UNKNOWN, |cost| cost.compute(items, bytes) / u32::try_from(items).unwrap_or(u32::MAX));
        self.lanes[lane].batcher.push(Entry {
            id,
            tenant: ticket.tenant.clone(),
            weight: ticket.weight,
            priority: ticket.priority,
            operation: ticket.operation,
            range,
            item_bytes: bytes / items,
            item_cost,
            arrived: ticket.arrived,
            deadline: ticket.deadline,
        });
    }

    /// Turns a batch into a job. Returns what the engine needs of it.
    pub(super) fn begin(&mut self, lane: usize, batch: &Batch, token: u64) -> Columns {
        let mut columns = Vec::with_capacity(batch.segments.len());
        let mut segments = Vec::with_capacity(batch.segments.len());
        let mut deadline = Some(None);
        let (mut answers, mut items) = (0, 0);
        for segment in &batch.segments {
            let Some(ticket) = self.tickets.get_mut(&segment.id) else { continue };
            let count = if batch.operation.is_divisible() { segment.range.len() } else { 1 };
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
            id: None,
            operation: batch.operation,
            priority: batch.priority,
            wanted: segments.len(),
            segments,
            covered: Default::default(),
            unprocessed: 0,
            fault: None,
            predicted: batch.compute,
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
        self.take_pieces(lane, token, pieces, &costs[lane], now, &mut effects);
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
        costs: &CostTable,
        now: Instant,
        effects: &mut Effects,
    ) {
        let backend = self.lanes[lane].backend;
        let Some(job) = self.lanes[lane].job(token) else { return };
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
            costs.observe(operation, measured, now);
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
        effects.computed = Some((job.operation, self.lanes[lane].backend, job.compute));
        let missing = job.covered.gaps(job.answers());
        let fault = job.fault.take().or(error).or_else(|| {
            let lost = missing.iter().map(Range::len).sum::<usize>() - job.unprocessed;
            (lost > 0 && job.wanted > 0).then(|| EngineError::Fault("items without an answer".into()))
        });
        match &fault {
            Some(error) if fallback::is_fault(error) => {
                let backend = self.lanes[lane].backend;
                tracing::warn!(%backend, %error, items = job.items, "an engine failed; its items are not judged by it");
                if self.lanes[lane].breaker.failed(now) {
                    self.evacuate(lane, costs, effects);
                }
            }
            Some(_) => {}
            None => self.lanes[lane].breaker.succeeded(),
        }
        // Items left unprocessed without a fault are items that this engine does not do.
        let error = fault.unwrap_or(EngineError::Unsupported);
        for gap in missing {
            for (id, range) in requests_of(&job, gap) {
                self.resolve(lane, id, range, &error, costs, effects);
            }
        }
    }

    /// Repeats items that an engine did not answer, or fails their request.
    pub(super) fn resolve(
        &mut self,
        lane: usize,
        id: RequestId,
        range: Range<usize>,
        error: &EngineError,
        costs: &[CostTable],
        effects: &mut Effects,
    ) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let cpu = self.cpu();
        match fallback::after(error, self.lanes[lane].backend, ticket.backend.is_some(), cpu.is_some()) {
            Next::Repeat => {
                let Some(cpu) = cpu else { return };
                effects.repeated += range.len();
                self.wait(id, range, cpu, &costs[cpu]);
                effects.feed.push(cpu);
            }
            Next::Fail(rejection) => self.fail(id, rejection, effects),
        }
    }

    /// Moves what waits for an engine that was taken out. Plain cores are never taken out.
    fn evacuate(&mut self, lane: usize, costs: &[CostTable], effects: &mut Effects) {
        if self.lanes[lane].backend == Backend::Cpu {
            return;
        }
        let error = EngineError::Busy;
        for entry in self.lanes[lane].batcher.clear() {
            self.resolve(lane, entry.id, entry.range, &error, costs, effects);
        }
    }

    fn cpu(&self) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.backend == Backend::Cpu)
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
                && let Some(job) = job.id
            {
                effects.cancel.push((lane, job));
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
