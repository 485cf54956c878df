//! The trial of the lanes of an operation: right answers first, then what they cost here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use outrigger_types::{Backend, Operation, Work};

use super::LANES;
use crate::known_keys::apart;
use crate::planted::{self, Plant};
use crate::{Unit, registry};

/// Items of the part that is judged: two groups of lanes and a third with empty lanes.
const JUDGED: usize = 2 * LANES + 3;
/// Groups of lanes in the larger of the measured batches.
const GROUPS_LARGE: usize = 8;
/// A group of lanes that takes longer is not measured eight at a time: a trial shall take milliseconds.
const GROUP_LONG: Duration = Duration::from_millis(2);
/// How often each size is measured. The least counts, as often as a cost model needs to say something: on a machine
/// that is busy from the start, the others tell for how long this thread had to wait.
const REPEATS: usize = 3;

/// What a piece of an operation took on an engine.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// [`Backend::Vector`] for lanes, [`Backend::Cpu`] for the reference.
    pub backend: Backend,
    /// Items of the piece.
    pub items: usize,
    /// Bytes of the piece.
    pub bytes: usize,
    /// The time on one core.
    pub compute: Duration,
}

/// Runs planted good and bad items of an operation on the lanes of a unit, a bad one in each lane, and compares every
/// answer, byte for byte, with the reference's. Gives back what pieces of some sizes took on both.
///
/// # Errors
/// What was wrong: an answer that differs, a panic, or nothing that could be planted.
pub fn trial(unit: Unit, operation: Operation) -> Result<Vec<Sample>, String> {
    catch_unwind(AssertUnwindSafe(|| {
        judge(unit, operation)?;
        measure(unit, operation)
    }))
    .unwrap_or_else(|_| Err("a panic".into()))
}

/// From how many items on lanes are faster than the reference, by the samples of a [`trial`]; `None` where they never
/// are.
pub fn crossover(samples: &[Sample]) -> Option<usize> {
    let least = |backend: Backend, items: usize| {
        let measured = samples.iter().filter(|sample| sample.backend == backend && sample.items == items);
        measured.map(|sample| sample.compute.as_secs_f64()).min_by(f64::total_cmp)
    };
    let item = [1, LANES].into_iter().filter_map(|items| Some(least(Backend::Cpu, items)? / items as f64));
    let item = item.min_by(f64::total_cmp)?;
    // A group costs the same however many of its lanes are filled.
    let items = (least(Backend::Vector, LANES)? / item).ceil() as usize;
    if items <= LANES {
        return Some(items.max(1));
    }
    let many = GROUPS_LARGE * LANES;
    (least(Backend::Vector, many)? < item * many as f64).then_some(many)
}

fn judge(unit: Unit, operation: Operation) -> Result<(), String> {
    // Two rounds, so that lanes which hold a bad item in one hold a good one in the other.
    for round in 0..2 {
        let plants = &planted::mixed(JUDGED + round)[round..];
        let work = planted::work(operation, plants).ok_or("nothing is planted for this operation")?;
        let reference = registry::run(&work, 0..JUDGED);
        let answers = super::run(unit, &work, 0..JUDGED);
        if answers.verdicts.len() != reference.verdicts.len() {
            return Err(format!("{} answers for {} items", answers.verdicts.len(), reference.verdicts.len()));
        }
        // Of what cannot be divided, such as a tree, there is one answer.
        for (i, plant) in plants.iter().enumerate().take(reference.verdicts.len()) {
            let expected = plant.verdict(operation).unwrap_or(reference.verdicts[i]);
            if answers.verdicts[i] != expected || reference.verdicts[i] != expected {
                let (lanes, cores) = (answers.verdicts[i], reference.verdicts[i]);
                return Err(format!("item {i}, planted {plant:?}: {lanes:?} in lanes, {cores:?} by the reference"));
            }
        }
        if answers != reference {
            return Err("the same verdicts and other bytes".into());
        }
        if let Work::Verify(work) = &work
            && let Some((answers, tables)) = apart::run_by_table(unit, work)
            && (answers != reference || tables.damaged > 0)
        {
            return Err(format!("other verdicts by table: {:?}, {} tables wrong", answers.verdicts, tables.damaged));
        }
    }
    Ok(())
}

fn measure(unit: Unit, operation: Operation) -> Result<Vec<Sample>, String> {
    let lanes = |work: &Work, items: usize| super::run(unit, work, 0..items);
    let cores = |work: &Work, items: usize| registry::run(work, 0..items);
    let mut samples = Vec::with_capacity(4 * REPEATS);
    timed(operation, Backend::Vector, LANES, lanes, &mut samples)?;
    if samples.iter().all(|sample| sample.compute < GROUP_LONG) {
        timed(operation, Backend::Vector, GROUPS_LARGE * LANES, lanes, &mut samples)?;
    }
    timed(operation, Backend::Cpu, 1, cores, &mut samples)?;
    timed(operation, Backend::Cpu, LANES, cores, &mut samples)?;
    Ok(samples)
}

fn timed<T>(
    operation: Operation,
    backend: Backend,
    items: usize,
    run: impl Fn(&Work, usize) -> T,
    samples: &mut Vec<Sample>,
) -> Result<(), String> {
    let work = planted::work(operation, &vec![Plant::Good; items]).ok_or("nothing is planted for this operation")?;
    let mut compute = Duration::MAX;
    for _ in 0..REPEATS {
        let since = Instant::now();
        std::hint::black_box(run(&work, items));
        compute = compute.min(since.elapsed());
    }
    samples.extend([Sample { backend, items, bytes: work.bytes(), compute }; REPEATS]);
    Ok(())
}

#[cfg(test)]
mod tests;
