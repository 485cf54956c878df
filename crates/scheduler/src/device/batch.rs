//! A batch with planted items among its own, and what is made of its answer.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use outrigger_algorithms::planted::{self, Plant};
use outrigger_algorithms::registry;
use outrigger_types::packed::{Marks, Part};
use outrigger_types::{Operation, Output, Verdict, Work};
use rand::{Rng, RngExt};

use crate::audit;
use crate::metrics::DeviceEvent;

/// What is planted, in turn.
const PLANTS: [Plant; 8] = [
    Plant::Good,
    Plant::OtherMessage,
    Plant::Good,
    Plant::Truncated,
    Plant::Good,
    Plant::OtherMessage,
    Plant::Good,
    Plant::OtherMessage,
];

/// Items whose answers are known, with those answers, for each operation; made at first use.
#[derive(Default)]
pub(super) struct Pools {
    pools: Mutex<HashMap<Operation, Option<Arc<Pool>>>>,
}

struct Pool {
    work: Arc<Work>,
    /// What the CPU says of them.
    answers: Output,
    accepted: Vec<usize>,
    rejected: Vec<usize>,
}

impl Pool {
    fn new(operation: Operation) -> Option<Self> {
        let work = planted::work(operation, &PLANTS).filter(|_| operation.is_divisible())?;
        let answers = registry::run(&work, 0..PLANTS.len());
        let (accepted, rejected) = (0..PLANTS.len()).partition(|&item| answers.verdicts[item] == Verdict::Valid);
        Some(Self { work: Arc::new(work), answers, accepted, rejected })
    }

    /// One that is accepted and one that is not, where there are such.
    fn draw(&self, random: &mut impl Rng) -> Vec<usize> {
        let one = |items: &[usize], random: &mut dyn FnMut(usize) -> usize| {
            (!items.is_empty()).then(|| items[random(items.len())])
        };
        let mut below = |count: usize| random.random_range(0..count);
        [one(&self.accepted, &mut below), one(&self.rejected, &mut below)].into_iter().flatten().collect()
    }
}

/// Parts with planted items among them.
pub(super) struct Planted {
    pub(super) parts: Vec<Part>,
    /// Which items of them are of keys that are known.
    pub(super) marks: Marks,
    /// The items of the pool that stand at these parts; the others are the job's own.
    planted: HashMap<usize, usize>,
    pool: Option<Arc<Pool>>,
}

impl Pools {
    fn of(&self, operation: Operation) -> Option<Arc<Pool>> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.entry(operation).or_insert_with(|| Pool::new(operation).map(Arc::new)).clone()
    }

    /// The segments of a job, with these marks on its items, and items planted at random places. What is marked is
    /// judged another way than what is not: a good item and a bad one are planted of both sorts, where there are both, so
    /// that neither way goes untested.
    pub(super) fn with_planted(
        &self,
        operation: Operation,
        segments: &[Part],
        marks: Marks,
        random: &mut impl Rng,
    ) -> Planted {
        let Some(pool) = self.of(operation) else {
            return Planted { parts: segments.to_vec(), marks, planted: HashMap::new(), pool: None };
        };
        let items = segments.iter().map(|(_, range)| range.len()).sum();
        let sorts = [false, true].into_iter().filter(|&mark| (0..items).any(|item| marks.is_marked(item) == mark));
        let drawn: Vec<(usize, bool)> =
            sorts.flat_map(|mark| pool.draw(random).into_iter().map(move |item| (item, mark))).collect();
        let mut places = audit::places(items, drawn.len(), random).into_iter().zip(drawn).peekable();
        let (mut parts, mut planted) = (Vec::with_capacity(segments.len() + 8), HashMap::new());
        let mut planted_marks = HashMap::new();
        let mut before = 0;
        for (work, range) in segments {
            let mut start = range.start;
            while let Some((place, (item, mark))) = places.next_if(|(place, _)| *place <= before + range.len()) {
                let cut = range.start + (place - before);
                push(&mut parts, work, start..cut);
                planted.insert(parts.len(), item);
                planted_marks.insert(parts.len(), mark);
                parts.push((pool.work.clone(), item..item + 1));
                start = cut;
            }
            push(&mut parts, work, start..range.end);
            before += range.len();
        }
        let marks = if marks.any() { marks_of(&parts, &marks, &planted_marks) } else { marks };
        Planted { parts, marks, planted, pool: Some(pool) }
    }
}

/// The marks of all parts, by those of the job's own items and of the parts that are planted.
fn marks_of(parts: &[Part], own: &Marks, planted: &HashMap<usize, bool>) -> Marks {
    let mut next = 0;
    let of_part = |(place, (_, range)): (usize, &Part)| {
        let first = next;
        let mark = planted.get(&place).copied();
        next += if mark.is_none() { range.len() } else { 0 };
        (0..range.len()).map(move |item| mark.unwrap_or_else(|| own.is_marked(first + item)))
    };
    parts.iter().enumerate().flat_map(of_part).collect()
}

fn push(parts: &mut Vec<Part>, work: &Arc<Work>, range: Range<usize>) {
    if !range.is_empty() {
        parts.push((work.clone(), range));
    }
}

/// What the checks of an answer say.
pub(super) enum Checked {
    /// The answers to the job's own items.
    Right(Output),
    /// The device computed wrong.
    Wrong {
        /// What to count.
        event: DeviceEvent,
        /// What was seen.
        what: String,
    },
}

impl Planted {
    /// Takes the planted items out of an answer and judges a part of the others again.
    pub(super) fn check(&self, operation: Operation, answer: Output, rate: f64, random: &mut impl Rng) -> Checked {
        if answer.verdicts.contains(&Verdict::Unprocessed) {
            return Checked::Wrong { event: DeviceEvent::Planted, what: "an item was not processed".to_owned() };
        }
        let output = match self.without_planted(operation, answer) {
            Ok(output) => output,
            Err(item) => {
                let what = format!("planted item {item} of {} was answered wrongly", operation.label());
                return Checked::Wrong { event: DeviceEvent::Planted, what };
            }
        };
        let wrong =
            audit::sample(&output, rate, random).into_iter().find(|&item| !self.agrees(operation, &output, item));
        match wrong {
            None => Checked::Right(output),
            Some(item) => Checked::Wrong {
                event: DeviceEvent::Audit,
                what: format!("item {item} of {} was answered otherwise than by the CPU", operation.label()),
            },
        }
    }

    /// The answers to the job's own items; else the planted item whose answer is wrong.
    fn without_planted(&self, operation: Operation, answer: Output) -> Result<Output, usize> {
        let Some(pool) = self.pool.as_ref().filter(|_| !self.planted.is_empty()) else { return Ok(answer) };
        let mut output = Output { verdicts: Vec::with_capacity(answer.verdicts.len()), ..Output::default() };
        let mut start = 0;
        for (place, (_, range)) in self.parts.iter().enumerate() {
            let part = answer.slice(operation, start..start + range.len());
            start += range.len();
            match self.planted.get(&place) {
                None => output.append(part),
                Some(&item) if part == pool.answers.slice(operation, item..item + 1) => {}
                Some(&item) => return Err(item),
            }
        }
        Ok(output)
    }

    /// Whether the CPU gives the same answer to an item of the job.
    fn agrees(&self, operation: Operation, output: &Output, item: usize) -> bool {
        if !operation.is_divisible() {
            return self.parts.first().is_none_or(|(work, range)| registry::run(work, range.clone()) == *output);
        }
        let mut before = 0;
        for (place, (work, range)) in self.parts.iter().enumerate() {
            if self.planted.contains_key(&place) {
                continue;
            }
            if item < before + range.len() {
                let at = range.start + (item - before);
                return registry::run(work, at..at + 1) == output.slice(operation, item..item + 1);
            }
            before += range.len();
        }
        false
    }
}
