//! Which engine finishes first: a pure function of the work, the fitted costs, what waits, and the deadline.

use std::ops::Range;
use std::time::Duration;

use outrigger_types::{Backend, Operation, Rejection};

use crate::cost::Cost;

/// Work to place.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// What to do.
    pub operation: Operation,
    /// How many items.
    pub items: usize,
    /// How many bytes in all.
    pub bytes: usize,
    /// How long until the answer is worthless.
    pub time_left: Option<Duration>,
    /// Here or nowhere.
    pub backend: Option<Backend>,
}

/// An engine as placement sees it.
#[derive(Clone, Copy, Debug)]
pub struct EngineView {
    /// What kind.
    pub backend: Backend,
    /// Whether it does the operation.
    pub supports: bool,
    /// Whether the breaker lets it have work.
    pub healthy: bool,
    /// Its cost of the operation, where known.
    pub cost: Option<Cost>,
    /// Whether the cost rests on recent observations: only then is a request refused on its word.
    pub fresh: bool,
    /// Cores that work off what is ahead; 1 for a device, whose cost is that of the whole.
    pub cores: usize,
    /// How many of them share this work: small work is not cut into pieces for all.
    pub shares: usize,
    /// Compute time that waits or runs ahead of this work.
    pub ahead: Duration,
    /// Engines with the same queue share their threads: what is ahead of one is ahead of all, and work is never
    /// split between them.
    pub queue: usize,
}

impl EngineView {
    fn delay(&self) -> Duration {
        self.ahead / u32::try_from(self.cores.max(1)).unwrap_or(u32::MAX)
    }

    fn wall(&self, items: usize, bytes: usize) -> Option<Duration> {
        self.cost.map(|cost| cost.wall(items, bytes, self.shares))
    }

    /// When it would be done with so much work, where its cost is known.
    pub fn finish(&self, items: usize, bytes: usize) -> Option<Duration> {
        self.wall(items, bytes).map(|wall| self.delay() + wall)
    }
}

/// Where work goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// All of it to this engine.
    One(usize),
    /// These ranges to these engines, in order and without gaps.
    Split(Vec<(usize, Range<usize>)>),
}

/// An engine whose cost was not observed of late is tried again where it is predicted to need at most so many times
/// what the best needs, or no longer than [`RETRY_WALL_MAX`]: times change, first measurements on a busy machine are
/// bad ones, and what is never chosen is never measured.
const RETRY_WITHIN: f64 = 2.0;
/// What an experiment may take, each time that a cost has grown old.
const RETRY_WALL_MAX: Duration = Duration::from_millis(250);

/// Chooses among engines that share a queue, for a batch that is about to run on it: the one that finishes first.
/// One of unknown or old cost is tried, also under load, which may never end. `None` where no engine is healthy and
/// able.
pub fn choose(items: usize, bytes: usize, engines: &[EngineView]) -> Option<usize> {
    let able = engines.iter().enumerate().filter(|(_, engine)| engine.supports && engine.healthy);
    let walls: Vec<(usize, &EngineView, Option<Duration>)> =
        able.map(|(at, engine)| (at, engine, engine.wall(items, bytes))).collect();
    let best = walls.iter().filter_map(|(at, _, wall)| Some((*at, (*wall)?))).min_by_key(|(_, wall)| *wall);
    let Some((best, wall)) = best else { return walls.first().map(|(at, ..)| *at) };
    let is_worth_a_try = |engine: &EngineView, than: Option<Duration>| match than {
        None => true,
        Some(than) => !engine.fresh && than <= wall.mul_f64(RETRY_WITHIN).max(RETRY_WALL_MAX),
    };
    let retried = walls.iter().find(|(at, engine, wall)| *at != best && is_worth_a_try(engine, *wall));
    Some(retried.map_or(best, |(at, ..)| *at))
}

/// Work that finishes sooner than this is not worth splitting.
const SPLIT_FINISH_MIN: Duration = Duration::from_millis(2);
/// A split must save at least this part of the time: it costs a batch more, and predictions err.
const SPLIT_GAIN_MIN: f64 = 0.2;
/// Steps of the search for the time at which all parts of a split finish together: well below a microsecond.
const BISECTIONS: usize = 32;

/// Chooses where work goes.
///
/// # Errors
/// [`Rejection::BackendUnavailable`] where no engine (or not the one forced) can do it,
/// [`Rejection::DeadlineExceeded`] where by the costs none can in time.
pub fn place(ask: &Ask, engines: &[EngineView]) -> Result<Placement, Rejection> {
    let able = |engine: &EngineView| engine.supports && ask.backend.is_none_or(|forced| forced == engine.backend);
    let mut best: Option<(usize, Option<Duration>)> = None;
    let mut known = 0;
    for (at, engine) in engines.iter().enumerate().filter(|(_, engine)| able(engine) && engine.healthy) {
        let finish = engine.finish(ask.items, ask.bytes);
        known += usize::from(finish.is_some());
        if best.is_none_or(|(_, than)| sooner(engine, finish, than)) {
            best = Some((at, finish));
        }
    }
    let Some((at, finish)) = best else { return Err(unavailable(ask, engines.iter().any(able))) };
    let Some(finish) = finish else { return Ok(Placement::One(at)) };
    let split = if known > 1 { split(ask, engines, able, finish) } else { None };
    let predicted = split.as_ref().map_or(finish, |split| split.finish);
    if engines[at].fresh && ask.time_left.is_some_and(|left| predicted > left) {
        return Err(Rejection::DeadlineExceeded { predicted: Some(predicted) });
    }
    Ok(split.map_or(Placement::One(at), |split| Placement::Split(split.parts)))
}

/// Whether an engine is to be preferred. One of unknown cost is tried while nothing is ahead of it, so that its
/// cost becomes known; else a known one is the safer choice. Nothing is ahead of a device for long that is never
/// chosen; engines that share a queue are chosen between by [`choose`], which does not wait for that.
fn sooner(engine: &EngineView, finish: Option<Duration>, than: Option<Duration>) -> bool {
    match (finish, than) {
        (Some(finish), Some(than)) => finish < than,
        (None, Some(_)) => engine.ahead.is_zero(),
        (_, None) => false,
    }
}

fn unavailable(ask: &Ask, supported: bool) -> Rejection {
    let what = format!("{} of {}", ask.operation.kind(), ask.operation.label());
    Rejection::BackendUnavailable(match (ask.backend, supported) {
        (Some(forced), false) => format!("no engine of backend {forced} does {what} here; `devices` lists what does"),
        (Some(forced), true) => format!("backend {forced} is quarantined after faults; leave the choice open"),
        (None, false) => format!("no engine does {what} here"),
        (None, true) => format!("all engines that do {what} are quarantined after faults"),
    })
}

/// Work shared by several engines, and when the last of them finishes.
struct Split {
    finish: Duration,
    parts: Vec<(usize, Range<usize>)>,
}

/// Shares divisible work so that all parts finish together, where that saves enough.
fn split(ask: &Ask, engines: &[EngineView], able: impl Fn(&EngineView) -> bool, single: Duration) -> Option<Split> {
    if !ask.operation.is_divisible() || single < SPLIT_FINISH_MIN || ask.items < 2 {
        return None;
    }
    let takers = takers(ask, engines, able);
    if takers.len() < 2 {
        return None;
    }
    let done_by = |time: f64| -> f64 { takers.iter().map(|(_, engine)| items_by(ask, engine, time)).sum() };
    let (mut early, mut late) = (0.0, single.as_nanos() as f64);
    for _ in 0..BISECTIONS {
        let middle = (early + late) / 2.0;
        if done_by(middle) < ask.items as f64 { early = middle } else { late = middle }
    }
    let together = Duration::from_nanos(late as u64);
    if together.as_secs_f64() > single.as_secs_f64() * (1.0 - SPLIT_GAIN_MIN) {
        return None;
    }
    let mut parts = Vec::with_capacity(takers.len());
    let mut start = 0;
    for (at, engine) in takers {
        let end = (start + items_by(ask, engine, late).ceil() as usize).min(ask.items);
        if end > start {
            parts.push((at, start..end));
        }
        start = end;
    }
    parts.last_mut()?.1.end = ask.items;
    (parts.len() > 1).then_some(Split { finish: together, parts })
}

/// The engines that may share work: of those with one queue, the one that is done with all of it first.
fn takers<'a>(
    ask: &Ask,
    engines: &'a [EngineView],
    able: impl Fn(&EngineView) -> bool,
) -> Vec<(usize, &'a EngineView)> {
    let mut takers: Vec<(usize, &EngineView)> = Vec::with_capacity(engines.len());
    for (at, engine) in engines.iter().enumerate().filter(|(_, engine)| able(engine) && engine.healthy) {
        let Some(wall) = engine.wall(ask.items, ask.bytes) else { continue };
        match takers.iter_mut().find(|(_, other)| other.queue == engine.queue) {
            None => takers.push((at, engine)),
            Some(taker) if taker.1.wall(ask.items, ask.bytes).is_some_and(|than| wall < than) => *taker = (at, engine),
            Some(_) => {}
        }
    }
    takers
}

/// How many items an engine finishes within `time` nanoseconds, what is ahead of them counted.
fn items_by(ask: &Ask, engine: &EngineView, time: f64) -> f64 {
    let Some(cost) = engine.cost else { return 0.0 };
    let left = time - engine.delay().as_nanos() as f64 - cost.fixed_ns;
    let item_ns = cost.item_ns + cost.byte_ns * ask.bytes as f64 / ask.items as f64;
    (left * engine.shares.max(1) as f64 / item_ns.max(1e-3)).clamp(0.0, ask.items as f64)
}

#[cfg(test)]
mod tests;
