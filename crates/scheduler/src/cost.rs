//! What work costs on this machine: `a + c·n + d·bytes` for each engine and operation, fitted to what was
//! measured. Until then it is what the configuration guesses, if anything.
//!
//! The fit is weighted least squares with exponential forgetting over (1, items, bytes). Rows are scaled by the
//! number of items, so that relative errors of small and large pieces count alike. Terms that the observations
//! cannot tell apart (every piece of one size, bytes proportional to items) or that come out negative are left
//! out; time per item alone can always be told. The term of bytes waits for more observations than the others: of a
//! few, taken on a busy machine, it would carry all of the noise to pieces of another size.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use outrigger_types::Operation;

/// Fitted costs of one operation on one core or one device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Nanoseconds to begin a piece, whatever its size.
    pub fixed_ns: f64,
    /// Nanoseconds an item.
    pub item_ns: f64,
    /// Nanoseconds a byte.
    pub byte_ns: f64,
    /// Items come in multiples of this, the last filled up: 8 in lanes, where one item costs as much as eight, and
    /// 1 elsewhere.
    pub grain: usize,
}

impl Cost {
    /// Time for `items` items of `bytes` bytes in all, one after the other.
    pub fn compute(&self, items: usize, bytes: usize) -> Duration {
        self.wall(items, bytes, 1)
    }

    /// Time for `items` items of `bytes` bytes in all, shared by `cores` cores.
    pub fn wall(&self, items: usize, bytes: usize, cores: usize) -> Duration {
        let cores = cores.clamp(1, items.max(1)) as f64;
        let mut share = items as f64 / cores;
        if self.grain > 1 {
            share = filled_up(share.ceil() as usize, self.grain) as f64;
        }
        nanoseconds(self.fixed_ns + self.item_ns * share + self.byte_ns * bytes as f64 / cores)
    }
}

/// The items that are worked on where so many are asked for.
fn filled_up(items: usize, grain: usize) -> usize {
    items.checked_next_multiple_of(grain).unwrap_or(items)
}

/// The longest time that a model says or believes: a bound against overflow, far above any real batch.
const LONGEST: Duration = Duration::from_secs(3_600);

fn nanoseconds(value: f64) -> Duration {
    Duration::from_nanos((value.max(1.0) as u64).min(LONGEST.as_nanos() as u64))
}

/// How much of the past is kept at each observation: about the last hundred count.
const KEPT: f64 = 0.99;
/// Observations before the model says anything: one may be a cold cache or a page fault.
const OBSERVATIONS_MIN: u32 = 3;
/// Observations before bytes have a term.
const OBSERVATIONS_OF_BYTES_MIN: u32 = 16;
/// An observation above this multiple of the prediction is taken as this multiple: a thread that lost its core
/// says nothing about the work. A lasting change still gets through within a few observations.
const OUTLIER: f64 = 4.0;
/// After this time without an observation the model may have gone wrong unnoticed, and no request is refused
/// on its word.
const STALE: Duration = Duration::from_secs(10);
/// Determinants below this part of the product of their diagonal are noise.
const CONDITION_MIN: f64 = 1e-3;

/// The model of one operation.
#[derive(Clone, Debug)]
pub struct CostModel {
    grain: usize,
    /// Weighted sums of products of (1, items, bytes).
    moments: [[f64; 3]; 3],
    /// Weighted sums of (1, items, bytes) with the time.
    targets: [f64; 3],
    observations: u32,
    fitted: Option<Cost>,
    observed: Option<Instant>,
}

impl CostModel {
    /// Knows nothing yet, of pieces that come in multiples of `grain` items.
    pub fn new(grain: usize) -> Self {
        Self {
            grain: grain.max(1),
            moments: Default::default(),
            targets: Default::default(),
            observations: 0,
            fitted: None,
            observed: None,
        }
    }

    /// Learns that a piece of `items` items and `bytes` bytes took `compute` on one core or device.
    pub fn observe(&mut self, items: usize, bytes: usize, compute: Duration, now: Instant) {
        if items == 0 {
            return;
        }
        let mut time = compute.min(LONGEST).as_nanos() as f64;
        if let Some(cost) = self.cost() {
            time = time.min(OUTLIER * cost.compute(items, bytes).as_nanos() as f64);
        }
        let items = filled_up(items, self.grain) as f64;
        let row = [1.0, items, bytes as f64];
        let weight = 1.0 / (items * items);
        for (i, x) in row.iter().enumerate() {
            for (j, y) in row.iter().enumerate() {
                self.moments[i][j] = self.moments[i][j] * KEPT + weight * x * y;
            }
            self.targets[i] = self.targets[i] * KEPT + weight * x * time;
        }
        self.observations = self.observations.saturating_add(1);
        self.observed = Some(now);
        self.fitted = Some(self.fit());
    }

    /// The fitted cost, once enough was seen.
    pub fn cost(&self) -> Option<Cost> {
        self.fitted.filter(|_| self.observations >= OBSERVATIONS_MIN)
    }

    /// Whether something was observed of late.
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.observed.is_some_and(|at| now.saturating_duration_since(at) < STALE)
    }

    /// The richest model that the observations carry.
    fn fit(&self) -> Cost {
        let terms: [&[usize]; 3] = [&[0, 1, 2], &[0, 1], &[1, 2]];
        let has_bytes = |terms: &&[usize]| terms.contains(&2);
        let is_early = self.observations < OBSERVATIONS_OF_BYTES_MIN;
        for terms in terms.into_iter().filter(|terms| !(is_early && has_bytes(terms))) {
            if let Some(found) = self.solve(terms) {
                return Cost { fixed_ns: found[0], item_ns: found[1], byte_ns: found[2], grain: self.grain };
            }
        }
        let item_ns = self.targets[1] / self.moments[1][1];
        Cost { fixed_ns: 0.0, item_ns: item_ns.max(0.0), byte_ns: 0.0, grain: self.grain }
    }

    /// Least squares in some of the terms by elimination; `None` where it is ill-conditioned or a term comes
    /// out negative. Moments are scaled to a unit diagonal first, so that pivots are comparable.
    fn solve(&self, terms: &[usize]) -> Option<[f64; 3]> {
        let size = terms.len();
        let scale: Vec<f64> = terms.iter().map(|&t| self.moments[t][t].sqrt()).collect();
        if scale.iter().any(|&s| s <= 0.0) {
            return None;
        }
        let mut rows = [[0.0; 4]; 3];
        for i in 0..size {
            for j in 0..size {
                rows[i][j] = self.moments[terms[i]][terms[j]] / (scale[i] * scale[j]);
            }
            rows[i][size] = self.targets[terms[i]] / scale[i];
        }
        for pivot in 0..size {
            if rows[pivot][pivot] < CONDITION_MIN {
                return None;
            }
            let lead = rows[pivot];
            for row in rows.iter_mut().take(size).skip(pivot + 1) {
                let factor = row[pivot] / lead[pivot];
                for (value, above) in row.iter_mut().zip(lead) {
                    *value -= factor * above;
                }
            }
        }
        let mut found = [0.0; 3];
        for i in (0..size).rev() {
            let known: f64 = (i + 1..size).map(|j| rows[i][j] * found[terms[j]] * scale[j]).sum();
            found[terms[i]] = (rows[i][size] - known) / rows[i][i] / scale[i];
        }
        terms.iter().all(|&t| found[t] >= 0.0).then_some(found)
    }
}

/// What operations are guessed to cost before anything was measured; `None` of one guesses nothing.
pub struct Guesses(Box<dyn Fn(Operation) -> Option<Cost> + Send + Sync>);

impl Guesses {
    /// Guesses as a function gives them.
    pub fn new(guess: impl Fn(Operation) -> Option<Cost> + Send + Sync + 'static) -> Self {
        Self(Box::new(guess))
    }
}

impl fmt::Debug for Guesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guesses")
    }
}

/// The models of one engine. Bounded: there are about a hundred operations.
#[derive(Debug)]
pub struct CostTable {
    grain: usize,
    guesses: OnceLock<Guesses>,
    models: Mutex<HashMap<Operation, CostModel>>,
}

impl Default for CostTable {
    fn default() -> Self {
        Self::with_grain(1)
    }
}

impl CostTable {
    /// An empty table of an engine whose pieces come in multiples of `grain` items.
    pub fn with_grain(grain: usize) -> Self {
        Self { grain: grain.max(1), guesses: OnceLock::new(), models: Mutex::default() }
    }

    /// What the items of a piece are a multiple of.
    pub const fn grain(&self) -> usize {
        self.grain
    }

    /// Takes these guesses for what is not known yet, once; later ones change nothing. The grain is that of the table.
    pub fn guess(&self, guesses: Guesses) {
        let _ = self.guesses.set(guesses);
    }

    /// Learns what `pieces` equal pieces took together.
    pub fn observe(&self, operation: Operation, pieces: Pieces, now: Instant) {
        let count = pieces.count.max(1);
        let compute = pieces.compute / u32::try_from(count).unwrap_or(u32::MAX);
        let mut models = self.lock();
        let model = models.entry(operation).or_insert_with(|| CostModel::new(self.grain));
        model.observe(pieces.items / count, pieces.bytes / count, compute, now);
    }

    /// Forgets what was observed of an operation: it was measured in bad circumstances.
    pub fn forget(&self, operation: Operation) {
        self.lock().remove(&operation);
    }

    /// The cost of an operation, once it is known; before that what it is guessed to be, if anything.
    pub fn cost(&self, operation: Operation) -> Option<Cost> {
        let known = self.lock().get(&operation).and_then(CostModel::cost);
        known.or_else(|| self.guessed(operation))
    }

    /// The cost and whether it rests on recent observations.
    pub fn cost_and_freshness(&self, operation: Operation, now: Instant) -> (Option<Cost>, bool) {
        let known = self.lock().get(&operation).map(|model| (model.cost(), model.is_fresh(now)));
        match known {
            Some((Some(cost), is_fresh)) => (Some(cost), is_fresh),
            _ => (self.guessed(operation), false),
        }
    }

    fn guessed(&self, operation: Operation) -> Option<Cost> {
        let guess = (self.guesses.get()?.0)(operation)?;
        Some(Cost { grain: self.grain, ..guess })
    }

    /// All costs that are known, by operation.
    pub fn all(&self) -> Vec<(Operation, Cost)> {
        let mut all: Vec<_> =
            self.lock().iter().filter_map(|(&operation, model)| Some((operation, model.cost()?))).collect();
        all.sort_by_key(|(operation, _)| *operation);
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Operation, CostModel>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was measured over some pieces of one job.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pieces {
    /// How many pieces.
    pub count: usize,
    /// Their items together.
    pub items: usize,
    /// Their bytes together.
    pub bytes: usize,
    /// Their compute time together.
    pub compute: Duration,
}

#[cfg(test)]
mod tests;
