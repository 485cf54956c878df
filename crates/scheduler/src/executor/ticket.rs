//! A request on its way: what it asks, what was answered so far, and who waits.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use outrigger_types::{Backend, Operation, Output, Priority, Rejection, Work};
use tokio::sync::oneshot;

use super::coverage::Coverage;

/// The caller's end.
pub(super) type Answer = Result<Output, Rejection>;

/// A request that was admitted.
pub(super) struct Ticket {
    pub(super) work: Arc<Work>,
    pub(super) operation: Operation,
    pub(super) tenant: Arc<str>,
    pub(super) weight: u32,
    pub(super) priority: Priority,
    pub(super) arrived: Instant,
    pub(super) deadline: Option<Instant>,
    pub(super) backend: Option<Backend>,
    /// Jobs that carry items of it: engine and token.
    pub(super) jobs: Vec<(usize, u64)>,
    /// Parts of the answer, each with the number of its first item, in the order in which they came.
    parts: Vec<(usize, Output)>,
    /// Which items they answer.
    answered: Coverage,
    lacking: usize,
    /// Items that a device is late with were given to the cores as well: whoever answers first counts.
    pub(super) hedged: bool,
    caller: oneshot::Sender<Answer>,
}

/// What a ticket is made of.
pub(super) struct Asked {
    pub(super) work: Arc<Work>,
    pub(super) tenant: Arc<str>,
    pub(super) weight: u32,
    pub(super) priority: Priority,
    pub(super) arrived: Instant,
    pub(super) deadline: Option<Instant>,
    pub(super) backend: Option<Backend>,
}

impl Ticket {
    pub(super) fn new(asked: Asked, caller: oneshot::Sender<Answer>) -> Self {
        let operation = asked.work.operation();
        let lacking = if operation.is_divisible() { asked.work.items() } else { 1 };
        Self {
            work: asked.work,
            operation,
            tenant: asked.tenant,
            weight: asked.weight,
            priority: asked.priority,
            arrived: asked.arrived,
            deadline: asked.deadline,
            backend: asked.backend,
            jobs: Vec::with_capacity(1),
            parts: Vec::with_capacity(1),
            answered: Coverage::default(),
            lacking,
            hedged: false,
            caller,
        }
    }

    /// Takes a part of the answer, from item `start` on. Parts overlap only where the request was hedged; what was
    /// answered before is left out.
    pub(super) fn accept(&mut self, start: usize, part: Output) {
        let end = start + part.verdicts.len();
        if self.answered.insert(start..end) {
            self.lacking -= end - start;
            self.parts.push((start, part));
            return;
        }
        let gaps: Vec<Range<usize>> = self.answered.gaps(end).into_iter().filter(|gap| gap.end > start).collect();
        for gap in gaps {
            let gap = gap.start.max(start)..gap.end;
            self.answered.insert(gap.clone());
            self.lacking -= gap.len();
            self.parts.push((gap.start, part.slice(self.operation, gap.start - start..gap.end - start)));
        }
    }

    /// The items of a range that were not answered yet.
    pub(super) fn open_in(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let gaps = self.answered.gaps(range.end).into_iter().filter(|gap| gap.end > range.start);
        gaps.map(|gap| gap.start.max(range.start)..gap.end).collect()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.lacking == 0
    }

    /// Puts the parts in order and answers.
    pub(super) fn complete(mut self) {
        self.parts.sort_unstable_by_key(|(start, _)| *start);
        let total: usize = self.parts.iter().map(|(_, part)| part.verdicts.len()).sum();
        let mut parts = self.parts.into_iter().map(|(_, part)| part);
        let mut output = parts.next().unwrap_or_default();
        output.verdicts.reserve(total - output.verdicts.len());
        output.fixed.reserve(self.operation.output_shape().stride * (total - output.verdicts.len()));
        for part in parts {
            output.append(part);
        }
        // The caller may have gone; then nobody wants the answer.
        let _ = self.caller.send(Ok(output));
    }

    pub(super) fn fail(self, rejection: Rejection) {
        let _ = self.caller.send(Err(rejection));
    }
}
