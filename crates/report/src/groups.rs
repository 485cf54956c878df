//! Which measurements share a plot.

use std::collections::{BTreeMap, BTreeSet};

use crate::input::{Input, Measurement, Who};
use crate::numbers::median;

/// Measurements of one operation, or those of many in rows.
pub(crate) struct Groups<'i, 'r> {
    /// Operations that were measured at several batch sizes: suite, operation, measurements.
    pub(crate) by_batch: Vec<(&'r str, String, Vec<&'i Measurement<'r>>)>,
    /// The others, by suite and threads.
    pub(crate) at_one_batch: BTreeMap<(&'r str, u64), Vec<&'i Measurement<'r>>>,
}

impl<'i, 'r> Groups<'i, 'r> {
    /// Groups those that are wanted.
    pub(crate) fn of(input: &'i Input<'r>, is_wanted: impl Fn(&Measurement<'r>) -> bool) -> Self {
        let mut operations: BTreeMap<(&str, String), Vec<&Measurement<'_>>> = BTreeMap::new();
        for one in input.measurements.iter().filter(|one| is_wanted(one)) {
            operations.entry((one.suite, one.operation())).or_default().push(one);
        }
        let mut groups = Self { by_batch: Vec::new(), at_one_batch: BTreeMap::new() };
        for ((suite, operation), all) in operations {
            if batches(&all) > 1 {
                groups.by_batch.push((suite, operation, all));
                continue;
            }
            for one in all {
                groups.at_one_batch.entry((suite, one.threads)).or_default().push(one);
            }
        }
        groups
    }
}

fn batches(all: &[&Measurement<'_>]) -> usize {
    all.iter().map(|one| one.batch as u64).collect::<BTreeSet<_>>().len()
}

/// Measurements in rows, each a name; in the order of their names.
pub(crate) fn rows<'i, 'r>(
    all: &[&'i Measurement<'r>],
    name: impl Fn(&Measurement<'r>) -> String,
) -> BTreeMap<String, Vec<&'i Measurement<'r>>> {
    let mut rows: BTreeMap<String, Vec<&Measurement<'_>>> = BTreeMap::new();
    for one in all {
        rows.entry(name(one)).or_default().push(one);
    }
    rows
}

/// Whose line it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Series {
    pub(crate) machine: String,
    pub(crate) who: Who,
    pub(crate) threads: u64,
}

impl Series {
    pub(crate) fn of_product(one: &Measurement<'_>) -> Self {
        Self { machine: one.machine.clone(), who: one.who(), threads: one.threads }
    }

    pub(crate) fn of_peer(one: &Measurement<'_>) -> Option<Self> {
        Some(Self { machine: one.machine.clone(), who: one.peer()?.who(), threads: one.threads })
    }

    /// Its name in a legend; threads only where they tell series apart.
    pub(crate) fn name(&self, with_threads: bool) -> String {
        let who = match &self.who {
            Who::Backend(name) => name.clone(),
            Who::Peer { name, version } if version.is_empty() => format!("{name} (peer)"),
            Who::Peer { name, version } => format!("{name} {version} (peer)"),
        };
        let threads = if with_threads { format!(", {}", threads(self.threads)) } else { String::new() };
        let machine = if self.machine.is_empty() { String::new() } else { format!(" · {}", self.machine) };
        format!("{who}{threads}{machine}")
    }
}

/// `1 thread`, `2 threads`.
pub(crate) fn threads(count: u64) -> String {
    format!("{count} thread{}", if count == 1 { "" } else { "s" })
}

/// Points in order of x, of those that were measured several times the median.
pub(crate) fn medians(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut places: Vec<f64> = points.iter().map(|point| point.0).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let at = |x: f64| points.iter().filter(|point| point.0 == x).map(|point| point.1).collect::<Vec<_>>();
    places.into_iter().map(|x| (x, median(&at(x)))).collect()
}
