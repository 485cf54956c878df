//! Who goes next: a pure data structure, its clock passed in.
//!
//! Jobs go by priority class, the most urgent first; a job that has waited for the aging time counts as one class more
//! urgent, after twice that time as two, so that none starves. Inside a class tenants take turns: the one served
//! longest ago goes first, and each tenant's own jobs go in the order of their coming.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_types::Priority;

/// A job that waits.
pub(crate) struct Waiting<T> {
    /// Names it, and says in which order jobs came.
    pub(crate) number: u64,
    pub(crate) tenant: Arc<str>,
    pub(crate) priority: Priority,
    /// When it came.
    pub(crate) since: Instant,
    pub(crate) item: T,
}

pub(crate) struct Queue<T> {
    aging: Duration,
    waiting: Vec<Waiting<T>>,
    /// When each tenant was served last, counted in services.
    turns: HashMap<Arc<str>, u64>,
    served: u64,
}

/// A job on its way through the ordering.
struct Candidate<'a> {
    class: usize,
    tenant: &'a Arc<str>,
    number: u64,
    index: usize,
}

impl<T> Queue<T> {
    pub(crate) fn new(aging: Duration) -> Self {
        Self { aging, waiting: Vec::new(), turns: HashMap::new(), served: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn push(&mut self, waiting: Waiting<T>) {
        self.waiting.push(waiting);
    }

    /// Takes the job that goes next.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<Waiting<T>> {
        let next = *self.order(now, None).first()?;
        let taken = self.waiting.swap_remove(next);
        self.served += 1;
        self.turns.insert(taken.tenant.clone(), self.served);
        if self.waiting.is_empty() {
            // Nobody is waiting for a turn: all begin anew, and the map stays small.
            self.turns.clear();
        }
        Some(taken)
    }

    /// The job that goes next.
    pub(crate) fn first(&self, now: Instant) -> Option<&Waiting<T>> {
        self.order(now, None).first().map(|index| &self.waiting[*index])
    }

    /// Takes a job out before its turn.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Waiting<T>> {
        let index = self.waiting.iter().position(|waiting| waiting.number == number)?;
        Some(self.waiting.swap_remove(index))
    }

    /// Takes out the jobs that a condition holds for.
    pub(crate) fn remove_where(&mut self, condition: impl Fn(&Waiting<T>) -> bool) -> Vec<Waiting<T>> {
        self.waiting.extract_if(.., |waiting| condition(waiting)).collect()
    }

    /// All jobs, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiting<T>> {
        self.waiting.iter()
    }

    /// All jobs in the order in which they would go if nothing else came and no time passed.
    pub(crate) fn in_order(&self, now: Instant) -> impl Iterator<Item = &Waiting<T>> {
        self.order(now, None).into_iter().map(|index| &self.waiting[index])
    }

    /// The jobs that would go before one that came now.
    pub(crate) fn ahead_of(
        &self,
        tenant: &Arc<str>,
        priority: Priority,
        now: Instant,
    ) -> impl Iterator<Item = &Waiting<T>> {
        let order = self.order(now, Some((tenant, priority)));
        let newcomer = self.waiting.len();
        order.into_iter().take_while(move |index| *index != newcomer).map(|index| &self.waiting[index])
    }

    /// The indices of the jobs in their order; a newcomer has the index behind them all.
    fn order(&self, now: Instant, newcomer: Option<(&Arc<str>, Priority)>) -> Vec<usize> {
        let waiting = self.waiting.iter().enumerate();
        let mut candidates: Vec<_> = waiting
            .map(|(index, waiting)| Candidate {
                class: self.class(waiting.priority, now.saturating_duration_since(waiting.since)),
                tenant: &waiting.tenant,
                number: waiting.number,
                index,
            })
            .collect();
        candidates.extend(newcomer.map(|(tenant, priority)| Candidate {
            class: priority as usize,
            tenant,
            number: u64::MAX,
            index: self.waiting.len(),
        }));
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.class), candidate.number));
        let mut turns: HashMap<&str, u64> = self.turns.iter().map(|(tenant, turn)| (&**tenant, *turn)).collect();
        let mut served = self.served;
        let classes = candidates.chunk_by(|a, b| a.class == b.class);
        classes.flat_map(|class| take_turns(class, &mut turns, &mut served)).collect()
    }

    fn class(&self, priority: Priority, waited: Duration) -> usize {
        let risen = waited.as_nanos().checked_div(self.aging.as_nanos()).unwrap_or(0);
        let risen = usize::try_from(risen).unwrap_or(usize::MAX);
        (priority as usize).saturating_add(risen).min(Priority::ALL.len() - 1)
    }
}

/// The indices of a class's jobs, which come sorted by number: round after round, in each one job a tenant.
fn take_turns<'a>(class: &[Candidate<'a>], turns: &mut HashMap<&'a str, u64>, served: &mut u64) -> Vec<usize> {
    let mut tenants: HashMap<&str, VecDeque<&Candidate<'a>>> = HashMap::new();
    for candidate in class {
        tenants.entry(&**candidate.tenant).or_default().push_back(candidate);
    }
    // By their last turn; among those that had none, by their first job.
    let mut rounds: BTreeMap<(u64, u64), VecDeque<&Candidate<'a>>> = BTreeMap::new();
    for (tenant, jobs) in tenants {
        let first = jobs.front().map_or(0, |candidate| candidate.number);
        rounds.insert((turns.get(tenant).copied().unwrap_or(0), first), jobs);
    }
    let mut order = Vec::with_capacity(class.len());
    while let Some((_, mut jobs)) = rounds.pop_first() {
        let Some(candidate) = jobs.pop_front() else { continue };
        order.push(candidate.index);
        *served += 1;
        turns.insert(&**candidate.tenant, *served);
        if let Some(next) = jobs.front() {
            rounds.insert((*served, next.number), jobs);
        }
    }
    order
}

#[cfg(test)]
mod tests;
