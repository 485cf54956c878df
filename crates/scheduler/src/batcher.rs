//! What waits for one engine, or for several that share their threads, and what goes next: a pure state machine,
//! the clock an argument.
//!
//! Work waits in flows, one for each tenant and priority class. A batch is of one operation, and of one choice of
//! engine. The flow to take
//! from is the one whose oldest work has the highest class, aged work counting higher; among equals, tenants
//! share by deficit round robin, charged in predicted compute time by their weight. Inside a flow, first come,
//! first served. A large request stays at the head of its flow and gives a part of its items to each batch, so
//! that it never stands in the way of more urgent work.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Operation, Priority};

/// Names a request inside the scheduler.
pub type RequestId = u64;

/// What one flow may use in a round, in compute time, at a weight of 100. Short enough that a small tenant
/// behind a flooding one waits about this long; long enough to fill a thread's piece.
const QUANTUM: Duration = Duration::from_millis(1);
/// The weight that [`QUANTUM`] is for.
const WEIGHT_UNIT: i64 = 100;

/// What a batch is of, and never mixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What to do.
    pub operation: Operation,
    /// The one engine that may do it, of several that share the queue; `None` leaves the choice open.
    pub backend: Option<Backend>,
}

impl From<Operation> for Demand {
    fn from(operation: Operation) -> Self {
        Self { operation, backend: None }
    }
}

/// Items of a request that wait.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose they are.
    pub id: RequestId,
    /// Who asks.
    pub tenant: Arc<str>,
    /// The tenant's share inside its class.
    pub weight: u32,
    /// The class, before aging.
    pub priority: Priority,
    /// What to do, and where.
    pub demand: Demand,
    /// Which items.
    pub range: Range<usize>,
    /// Bytes of one item, on average.
    pub item_bytes: usize,
    /// Predicted compute time of one item.
    pub item_cost: Duration,
    /// When the request came: what aging counts from.
    pub arrived: Instant,
    /// When the answer is worthless.
    pub deadline: Option<Instant>,
}

impl Entry {
    fn is_expired(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    fn load(&self) -> Waiting {
        let items = self.range.len();
        Waiting { entries: 1, items, bytes: items * self.item_bytes, compute: cost_of(self.item_cost, items) }
    }
}

fn cost_of(item_cost: Duration, items: usize) -> Duration {
    item_cost.saturating_mul(u32::try_from(items).unwrap_or(u32::MAX))
}

/// How much fits into the next batch.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Items at most.
    pub items_max: usize,
    /// Bytes at most; a single item always goes.
    pub bytes_max: usize,
    /// Predicted compute time after which the batch closes...
    pub compute_max: Duration,
    /// ...once it has this many items.
    pub items_min: usize,
}

/// Items of one request in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Whose they are.
    pub id: RequestId,
    /// Which items.
    pub range: Range<usize>,
}

/// What goes to an engine together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What all segments ask for.
    pub demand: Demand,
    /// The class of its most urgent work, aging counted.
    pub priority: Priority,
    /// The items, most urgent first.
    pub segments: Vec<Segment>,
    /// Predicted compute time.
    pub compute: Duration,
}

/// What [`Batcher::take`] found.
#[derive(Debug, Default)]
pub struct Taken {
    /// The next batch, if anything waits.
    pub batch: Option<Batch>,
    /// Requests whose deadline passed while they waited: taken out, not to be run.
    pub expired: Vec<RequestId>,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Requests, or parts of them.
    pub entries: usize,
    /// Items.
    pub items: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Predicted compute time.
    pub compute: Duration,
}

impl Waiting {
    fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.items += other.items;
        self.bytes += other.bytes;
        self.compute += other.compute;
    }

    fn subtract(&mut self, other: Self) {
        self.entries -= other.entries;
        self.items -= other.items;
        self.bytes -= other.bytes;
        self.compute = self.compute.saturating_sub(other.compute);
    }
}

struct Flow {
    tenant: Arc<str>,
    priority: Priority,
    weight: u32,
    /// Compute time that it may use before its turn ends, in nanoseconds; below zero where it took more.
    deficit_ns: i64,
    /// A queue for each demand; none is empty.
    queues: Vec<(Demand, VecDeque<Entry>)>,
}

impl Flow {
    fn head(&self, demand: Demand) -> Option<&Entry> {
        self.queues.iter().find(|(of, _)| *of == demand).and_then(|(_, queue)| queue.front())
    }

    /// The oldest work of each demand.
    fn heads(&self) -> impl Iterator<Item = &Entry> {
        self.queues.iter().filter_map(|(_, queue)| queue.front())
    }

    fn push(&mut self, entry: Entry) {
        match self.queues.iter_mut().find(|(of, _)| *of == entry.demand) {
            Some((_, queue)) => queue.push_back(entry),
            None => self.queues.push((entry.demand, VecDeque::from([entry]))),
        }
    }

    fn queue(&mut self, demand: Demand) -> Option<&mut VecDeque<Entry>> {
        self.queues.iter_mut().find(|(of, _)| *of == demand).map(|(_, queue)| queue)
    }
}

/// The waiting room of one engine, or of several that share their threads.
pub struct Batcher {
    aging: Duration,
    /// Flows in the order of their turns; none is empty.
    ring: VecDeque<Flow>,
    waiting: [Waiting; Priority::ALL.len()],
}

impl Batcher {
    /// An empty room. After `aging` of waiting, work counts as one class more urgent, after twice that as two.
    pub fn new(aging: Duration) -> Self {
        Self { aging, ring: VecDeque::new(), waiting: [Waiting::default(); Priority::ALL.len()] }
    }

    /// Ages by another clock from now on.
    pub fn set_aging(&mut self, aging: Duration) {
        self.aging = aging;
    }

    /// Lets work wait.
    pub fn push(&mut self, entry: Entry) {
        self.waiting[entry.priority as usize].add(entry.load());
        let flow = self.ring.iter_mut().find(|flow| flow.priority == entry.priority && flow.tenant == entry.tenant);
        if let Some(flow) = flow {
            flow.weight = entry.weight;
            flow.push(entry);
            return;
        }
        let mut flow = Flow {
            tenant: entry.tenant.clone(),
            priority: entry.priority,
            weight: entry.weight,
            deficit_ns: 0,
            queues: Vec::with_capacity(1),
        };
        flow.push(entry);
        self.ring.push_back(flow);
    }

    /// Takes out all that waits of a request. Returns whether anything did.
    pub fn remove(&mut self, id: RequestId) -> bool {
        let mut found = false;
        let waiting = &mut self.waiting;
        for flow in &mut self.ring {
            for (_, queue) in &mut flow.queues {
                while let Some(at) = queue.iter().position(|entry| entry.id == id) {
                    if let Some(entry) = queue.remove(at) {
                        waiting[entry.priority as usize].subtract(entry.load());
                        found = true;
                    }
                }
            }
        }
        if found {
            self.sweep();
        }
        found
    }

    /// Takes out what waits of a request: its items.
    pub fn take_back(&mut self, id: RequestId) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for (_, queue) in self.ring.iter().flat_map(|flow| &flow.queues) {
            ranges.extend(queue.iter().filter(|entry| entry.id == id).map(|entry| entry.range.clone()));
        }
        self.remove(id);
        ranges
    }

    /// Takes out everything, in no order that matters.
    pub fn clear(&mut self) -> Vec<Entry> {
        self.take_out(|_| true)
    }

    /// Takes out what only this engine may do, of several that share the queue.
    pub fn clear_of(&mut self, backend: Backend) -> Vec<Entry> {
        self.take_out(|demand| demand.backend == Some(backend))
    }

    fn take_out(&mut self, is_meant: impl Fn(Demand) -> bool) -> Vec<Entry> {
        let mut out = Vec::new();
        for flow in &mut self.ring {
            for (_, queue) in flow.queues.iter_mut().filter(|(demand, _)| is_meant(*demand)) {
                out.extend(queue.drain(..));
            }
        }
        for entry in &out {
            self.waiting[entry.priority as usize].subtract(entry.load());
        }
        self.sweep();
        out
    }

    /// Whether anything waits that only this engine may do, of several that share the queue.
    pub fn waits_for(&self, backend: Backend) -> bool {
        self.ring.iter().flat_map(|flow| &flow.queues).any(|(demand, _)| demand.backend == Some(backend))
    }

    /// How much waits in all.
    pub fn waiting(&self) -> Waiting {
        self.waiting_from(Priority::Bulk)
    }

    /// How much waits in this class and those above it.
    pub fn waiting_from(&self, priority: Priority) -> Waiting {
        let mut sum = Waiting::default();
        for waiting in &self.waiting[priority as usize..] {
            sum.add(*waiting);
        }
        sum
    }

    /// The class and demand that go next, aging counted; `None` where nothing waits.
    pub fn next(&self, now: Instant) -> Option<(Priority, Demand)> {
        let mut best: Option<(Priority, &Entry)> = None;
        for head in self.ring.iter().flat_map(Flow::heads) {
            let class = aged(head, self.aging, now);
            if best.is_none_or(|(than, _)| class > than) {
                best = Some((class, head));
            }
        }
        let (class, first) = best?;
        // Of several demands of the flow whose turn it is, the one that waits longest.
        let flow = self.ring.iter().find(|flow| flow.priority == first.priority && flow.tenant == first.tenant)?;
        let oldest =
            flow.heads().filter(|head| aged(head, self.aging, now) == class).min_by_key(|head| head.arrived)?;
        Some((class, oldest.demand))
    }

    /// Whether the next batch should wait for company: the engine is `busy`, the batch is not full, and its
    /// oldest work has waited less than `delay_max`. Nobody needs to be woken for it later: the busy engine will
    /// report, and then this is asked again.
    pub fn gathers(&self, now: Instant, busy: bool, delay_max: Duration, items_max: usize) -> bool {
        if !busy || delay_max.is_zero() || self.waiting().items >= items_max {
            return false;
        }
        let oldest = self.ring.iter().flat_map(Flow::heads).map(|head| head.arrived).min();
        oldest.is_some_and(|arrived| now.saturating_duration_since(arrived) < delay_max)
    }

    /// Takes the next batch out.
    pub fn take(&mut self, now: Instant, room: &Room) -> Taken {
        let mut taken = Taken::default();
        while let Some((priority, demand)) = self.next(now) {
            let mut filling = Filling::new(demand, priority, room);
            while !filling.closed && self.turn(now, &mut filling, &mut taken.expired) {}
            self.sweep();
            if !filling.batch.segments.is_empty() {
                taken.batch = Some(filling.batch);
                break;
            }
        }
        taken
    }

    /// One step of the round: the next flow gives items or gets its quantum. False where no flow has anything
    /// for this batch.
    fn turn(&mut self, now: Instant, filling: &mut Filling, expired: &mut Vec<RequestId>) -> bool {
        let Some((at, alone)) = self.whose_turn(now, filling) else { return false };
        let flow = &mut self.ring[at];
        if alone {
            flow.deficit_ns = 0;
        } else if flow.deficit_ns <= 0 {
            flow.deficit_ns += (QUANTUM.as_nanos() as i64 * i64::from(flow.weight.max(1)) / WEIGHT_UNIT).max(1);
            if let Some(flow) = self.ring.remove(at) {
                self.ring.push_back(flow);
            }
            return true;
        }
        let deficit = (!alone).then_some(flow.deficit_ns);
        let tenant = flow.tenant.clone();
        let Some(queue) = flow.queue(filling.batch.demand) else { return false };
        let Some(head) = queue.front_mut() else { return false };
        let waiting = &mut self.waiting[head.priority as usize];
        waiting.subtract(head.load());
        if head.is_expired(now) {
            expired.push(head.id);
            queue.pop_front();
            return true;
        }
        let cost = filling.take_from(head, &tenant, deficit);
        if head.range.is_empty() || filling.took_whole {
            queue.pop_front();
        } else {
            waiting.add(head.load());
        }
        flow.deficit_ns -= i64::try_from(cost.as_nanos()).unwrap_or(i64::MAX);
        // Flows of one class that have no demand in common never share a batch: they take turns by batches, or
        // aged work of the first in the ring would shut the others out.
        if alone && let Some(flow) = self.ring.remove(at) {
            self.ring.push_back(flow);
        }
        true
    }

    /// The first flow in turn of the highest class that has something for this batch, and whether it is the
    /// only one of that class.
    fn whose_turn(&self, now: Instant, filling: &Filling) -> Option<(usize, bool)> {
        let mut found: Option<(usize, Priority, bool)> = None;
        for (at, flow) in self.ring.iter().enumerate() {
            let Some(head) = flow.head(filling.batch.demand).filter(|_| filling.may_take(&flow.tenant)) else {
                continue;
            };
            let class = aged(head, self.aging, now);
            found = match found {
                Some((first, than, _)) if class == than => Some((first, than, false)),
                Some((_, than, _)) if class < than => continue,
                _ => Some((at, class, true)),
            };
        }
        found.map(|(at, _, alone)| (at, alone))
    }

    fn sweep(&mut self) {
        for flow in &mut self.ring {
            flow.queues.retain(|(_, queue)| !queue.is_empty());
        }
        self.ring.retain(|flow| !flow.queues.is_empty());
    }
}

/// The class of an entry now: one up after `aging`, two after twice that.
fn aged(entry: &Entry, aging: Duration, now: Instant) -> Priority {
    let waited = now.saturating_duration_since(entry.arrived);
    let steps = if aging.is_zero() || waited < aging {
        0
    } else if waited < aging * 2 {
        1
    } else {
        2
    };
    Priority::ALL[(entry.priority as usize + steps).min(Priority::ALL.len() - 1)]
}

/// A batch while it is filled.
struct Filling<'a> {
    batch: Batch,
    room: &'a Room,
    items: usize,
    bytes: usize,
    closed: bool,
    /// The last entry was one that cannot be divided, and went whole.
    took_whole: bool,
    /// The only tenant of a batch that must not mix tenants.
    owner: Option<Arc<str>>,
}

impl<'a> Filling<'a> {
    fn new(demand: Demand, priority: Priority, room: &'a Room) -> Self {
        let batch = Batch { demand, priority, segments: Vec::new(), compute: Duration::ZERO };
        Self { batch, room, items: 0, bytes: 0, closed: false, took_whole: false, owner: None }
    }

    fn may_take(&self, tenant: &Arc<str>) -> bool {
        self.owner.as_ref().is_none_or(|owner| owner == tenant)
    }

    /// Moves items from the entry into the batch, at least one where the batch is empty. Returns their cost.
    fn take_from(&mut self, entry: &mut Entry, tenant: &Arc<str>, deficit_ns: Option<i64>) -> Duration {
        if self.batch.demand.operation.combines_items() {
            self.owner = Some(tenant.clone());
        }
        if !self.batch.demand.operation.is_divisible() {
            self.closed = true;
            self.took_whole = true;
            let cost = cost_of(entry.item_cost, entry.range.len());
            self.append(entry.id, entry.range.clone(), cost);
            return cost;
        }
        let count = self.fitting(entry, deficit_ns);
        if count == 0 {
            self.closed = true;
            return Duration::ZERO;
        }
        let cost = cost_of(entry.item_cost, count);
        let range = entry.range.start..entry.range.start + count;
        entry.range.start = range.end;
        self.items += count;
        self.bytes += count * entry.item_bytes;
        self.append(entry.id, range, cost);
        self.closed = self.items >= self.room.items_max
            || self.bytes >= self.room.bytes_max
            || (self.batch.compute >= self.room.compute_max && self.items >= self.room.items_min);
        cost
    }

    fn fitting(&self, entry: &Entry, deficit_ns: Option<i64>) -> usize {
        let cost_ns = entry.item_cost.as_nanos().max(1);
        let least = usize::from(self.batch.segments.is_empty());
        let by_items = self.room.items_max.saturating_sub(self.items);
        let by_bytes = self.room.bytes_max.saturating_sub(self.bytes) / entry.item_bytes.max(1);
        let compute_left = self.room.compute_max.saturating_sub(self.batch.compute).as_nanos();
        let by_compute = clamp(compute_left.div_ceil(cost_ns)).max(self.room.items_min.saturating_sub(self.items));
        let by_deficit = deficit_ns.map_or(usize::MAX, |left| clamp((left.max(1) as u128).div_ceil(cost_ns)));
        entry.range.len().min(by_items.min(by_bytes).max(least)).min(by_compute.max(least)).min(by_deficit)
    }

    /// Adds a segment, or grows the last one where it goes on.
    fn append(&mut self, id: RequestId, range: Range<usize>, cost: Duration) {
        self.batch.compute += cost;
        match self.batch.segments.last_mut() {
            Some(last) if last.id == id && last.range.end == range.start => last.range.end = range.end,
            _ => self.batch.segments.push(Segment { id, range }),
        }
    }
}

fn clamp(count: u128) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
