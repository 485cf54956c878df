//! The jobs of the cores and their pieces. No thread, no clock of its own.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{Completion, EngineError, Job, JobId, Operation, Outcome, Piece, Priority, Work};

use super::join::alike;
use super::pool::Face;

/// How far a job of one class goes before one of the class below that was submitted earlier. A bound instead of
/// strict order, so that nothing inside the engine starves.
const CLASS_LEAD: Duration = Duration::from_millis(100);

/// What a thread should do next.
pub(super) enum Step {
    /// Carry out a unit and hand it to [`Queue::finish`].
    Run(Unit),
    /// Call back: a job has ended without a piece.
    Tell(Notice),
    /// Nothing to do.
    Sleep,
    /// The engine is gone.
    Close,
}

/// Whom to call back about which job.
pub(super) struct Notice {
    pub(super) completion: Completion,
    pub(super) job: JobId,
}

/// A piece of a job for one thread.
pub(super) struct Unit {
    job: JobId,
    pub(super) face: Arc<Face>,
    /// Items of one segment; of several only where the engine joins them.
    pub(super) parts: Vec<Part>,
    /// The number of its first answer, counted over the job.
    pub(super) start: usize,
    pub(super) answers: usize,
}

/// Items of one segment.
pub(super) struct Part {
    segment: usize,
    pub(super) work: Arc<Work>,
    pub(super) range: Range<usize>,
    answers: usize,
}

impl Unit {
    pub(super) fn operation(&self) -> Operation {
        self.parts[0].work.operation()
    }

    pub(super) fn items(&self) -> usize {
        self.parts.iter().map(|part| part.range.len()).sum()
    }

    /// The bytes of its items, taken as equal within each request.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.work.bytes() * part.range.len() / part.work.items().max(1)).sum()
    }
}

struct Running {
    face: Arc<Face>,
    segments: Vec<(Arc<Work>, Range<usize>)>,
    divisible: bool,
    piece_items: usize,
    deadline: Option<Instant>,
    completion: Completion,
    key: (Duration, JobId),
    /// The segment to take from next.
    segment: usize,
    /// The answers given out so far.
    given: usize,
    /// Units that are running.
    running: usize,
    /// Answers that each segment still lacks.
    lacking: Vec<usize>,
    pieces: Vec<Piece>,
    error: Option<EngineError>,
}

impl Running {
    fn is_given_out(&self) -> bool {
        self.segment >= self.segments.len()
    }

    fn has_ended(&self) -> bool {
        self.is_given_out() && self.running == 0
    }

    fn give_up(&mut self, error: EngineError) {
        self.segment = self.segments.len();
        self.error.get_or_insert(error);
    }

    /// The next unit: a piece of the current segment and, where the engine joins items, of those after it.
    fn unit(&mut self, job: JobId) -> Unit {
        let mut unit =
            Unit { job, face: self.face.clone(), parts: Vec::with_capacity(1), start: self.given, answers: 0 };
        loop {
            let part = self.part(self.piece_items - unit.answers);
            unit.answers += part.answers;
            unit.parts.push(part);
            if unit.answers >= self.piece_items || !self.may_join(&unit.parts[0].work) {
                break;
            }
        }
        self.given += unit.answers;
        self.running += 1;
        unit
    }

    /// Takes up to `items_max` items of the current segment.
    fn part(&mut self, items_max: usize) -> Part {
        let segment = self.segment;
        let (work, rest) = &mut self.segments[segment];
        let end = if self.divisible { rest.end.min(rest.start.saturating_add(items_max)) } else { rest.end };
        let range = rest.start..end;
        rest.start = end;
        let answers = if self.divisible { range.len() } else { 1 };
        let part = Part { segment, work: work.clone(), range, answers };
        if rest.start >= rest.end {
            self.segment += 1;
        }
        part
    }

    /// Whether items of what is now the current segment may stand beside those of `first`.
    fn may_join(&self, first: &Arc<Work>) -> bool {
        self.face.joins()
            && self.divisible
            && self.segments.get(self.segment).is_some_and(|(next, _)| Arc::ptr_eq(first, next) || alike(first, next))
    }
}

/// All jobs of the cores.
pub(super) struct Queue {
    sleepers: usize,
    closed: bool,
    next_id: JobId,
    began: Instant,
    jobs: HashMap<JobId, Running>,
    /// Jobs with units to give out, most urgent first.
    ready: BTreeSet<(Duration, JobId)>,
    /// Jobs that ended without a thread noticing.
    ended: Vec<JobId>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            sleepers: 0,
            closed: false,
            next_id: 1,
            began: Instant::now(),
            jobs: HashMap::new(),
            ready: BTreeSet::new(),
            ended: Vec::new(),
        }
    }

    /// Lets a job wait. Returns its id and into how many units it falls.
    pub(super) fn push(&mut self, job: Job, face: Arc<Face>, piece_items: usize, now: Instant) -> (JobId, usize) {
        let id = self.next_id;
        self.next_id += 1;
        let divisible = job.operation().is_divisible();
        let answers = |range: &Range<usize>| if divisible { range.len() } else { 1 };
        let lacking: Vec<usize> = job.segments.iter().map(|(_, range)| answers(range)).collect();
        let units = lacking.iter().map(|count| count.div_ceil(piece_items)).sum();
        let classes = Priority::Consensus as u32 - job.priority as u32;
        let key = (now.saturating_duration_since(self.began) + CLASS_LEAD * classes, id);
        let running = Running {
            face,
            segments: job.segments,
            divisible,
            piece_items,
            deadline: job.deadline,
            completion: job.completion,
            key,
            segment: 0,
            given: 0,
            running: 0,
            lacking,
            pieces: Vec::with_capacity(units),
            error: None,
        };
        self.ready.insert(key);
        self.jobs.insert(id, running);
        (id, units)
    }

    pub(super) fn sleepers(&self) -> usize {
        self.sleepers
    }

    pub(super) fn fall_asleep(&mut self) {
        self.sleepers += 1;
    }

    pub(super) fn wake_up(&mut self) {
        self.sleepers -= 1;
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// What the asking thread should do.
    pub(super) fn next(&mut self, now: Instant) -> Step {
        if self.closed {
            return Step::Close;
        }
        if let Some(notice) = self.ended.pop().and_then(|id| self.notice(id)) {
            return Step::Tell(notice);
        }
        while let Some(key) = self.ready.first().copied() {
            let Some(job) = self.jobs.get_mut(&key.1) else {
                self.ready.remove(&key);
                continue;
            };
            if job.deadline.is_some_and(|deadline| deadline <= now) {
                job.give_up(EngineError::Expired);
                self.ready.remove(&key);
                if let Some(notice) = self.notice(key.1).filter(|_| self.has_ended(key.1)) {
                    return Step::Tell(notice);
                }
                continue;
            }
            if !job.divisible || !job.segments[job.segment].1.is_empty() {
                let unit = job.unit(key.1);
                if job.is_given_out() {
                    self.ready.remove(&key);
                }
                return Step::Run(unit);
            }
            // A segment of nothing has nothing to give.
            job.segment += 1;
            if job.is_given_out() {
                self.ready.remove(&key);
                if let Some(notice) = self.notice(key.1).filter(|_| self.has_ended(key.1)) {
                    return Step::Tell(notice);
                }
            }
        }
        Step::Sleep
    }

    /// Takes a unit's answer. Returns whom to call: when a segment is complete, for its request may be answered
    /// now, and when the job has ended.
    pub(super) fn finish(&mut self, unit: &Unit, piece: Result<Piece, EngineError>) -> Option<Notice> {
        let job = self.jobs.get_mut(&unit.job)?;
        job.running -= 1;
        match piece {
            Ok(piece) => {
                for part in &unit.parts {
                    job.lacking[part.segment] -= part.answers;
                }
                job.pieces.push(piece);
            }
            // The other units go on: one item that brings a library down must not cost its neighbours.
            Err(error) => {
                job.error.get_or_insert(error);
            }
        }
        let tell = unit.parts.iter().any(|part| job.lacking[part.segment] == 0) || job.has_ended();
        if tell { self.notice(unit.job) } else { None }
    }

    pub(super) fn poll(&mut self, id: JobId) -> Outcome {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Outcome::Failed(Vec::new(), EngineError::UnknownJob);
        };
        let pieces = std::mem::take(&mut job.pieces);
        if !job.has_ended() {
            return Outcome::Running(pieces);
        }
        let error = job.error.take();
        self.ready.remove(&job.key);
        self.jobs.remove(&id);
        match error {
            Some(error) => Outcome::Failed(pieces, error),
            None => Outcome::Done(pieces),
        }
    }

    /// Returns whether a thread must be woken to report it.
    pub(super) fn cancel(&mut self, id: JobId) -> bool {
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        if job.is_given_out() {
            return false;
        }
        job.give_up(EngineError::Cancelled);
        let key = job.key;
        let ended = job.has_ended();
        self.ready.remove(&key);
        if ended {
            self.ended.push(id);
        }
        ended
    }

    fn has_ended(&self, id: JobId) -> bool {
        self.jobs.get(&id).is_some_and(Running::has_ended)
    }

    fn notice(&self, id: JobId) -> Option<Notice> {
        self.jobs.get(&id).map(|job| Notice { completion: job.completion.clone(), job: id })
    }
}
