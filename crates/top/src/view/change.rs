//! Two snapshots, and what changed between them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::model::{Histogram, Labels, Snapshot};
use crate::view::Times;

/// A snapshot beside an earlier one of the same process.
pub(super) struct Change<'a> {
    now: &'a Snapshot,
    before: Option<(&'a Snapshot, f64)>,
}

/// A count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    /// Since the start.
    pub(super) total: f64,
    /// In the interval, if there is one.
    pub(super) per_second: Option<f64>,
}

/// The values of the labels that a series is known by.
pub(super) type Key<const N: usize> = [String; N];

impl<'a> Change<'a> {
    /// Two samples at the same time are one: nothing can be divided by no time.
    pub(super) fn new(now: &'a Snapshot, before: Option<(&'a Snapshot, Duration)>) -> Self {
        let before = before.map(|(before, time)| (before, time.as_secs_f64()));
        Self { now, before: before.filter(|(_, seconds)| *seconds > 0.0) }
    }

    /// The time between the two.
    pub(super) fn seconds(&self) -> Option<f64> {
        self.before.map(|(_, seconds)| seconds)
    }

    /// A gauge without labels.
    pub(super) fn gauge(&self, name: &str) -> Option<f64> {
        self.now.value(name, &Labels::default())
    }

    /// A gauge by labels.
    pub(super) fn gauges<const N: usize>(&self, name: &str, by: [&str; N]) -> BTreeMap<Key<N>, f64> {
        self.now.values(name).map(|(labels, value)| (key(labels, by), value)).collect()
    }

    /// Counts of the series that are wanted, added up by labels. A series is there from its first count on, so what
    /// was not there before was at 0.
    pub(super) fn counts<const N: usize>(
        &self,
        name: &str,
        by: [&str; N],
        wanted: impl Fn(&Labels) -> bool,
    ) -> BTreeMap<Key<N>, Count> {
        let none = Count { total: 0.0, per_second: self.before.map(|_| 0.0) };
        let mut counts = BTreeMap::new();
        for (labels, value) in self.now.values(name).filter(|(labels, _)| wanted(labels)) {
            let count: &mut Count = counts.entry(key(labels, by)).or_insert(none);
            count.total += value;
            if let (Some((before, seconds)), Some(per_second)) = (self.before, &mut count.per_second) {
                *per_second += (value - before.value(name, labels).unwrap_or_default()) / seconds;
            }
        }
        counts
    }

    /// The same over all labels.
    pub(super) fn sum(&self, name: &str, wanted: impl Fn(&Labels) -> bool) -> Count {
        let none = Count { total: 0.0, per_second: self.before.map(|_| 0.0) };
        self.counts(name, [], wanted).into_values().next().unwrap_or(none)
    }

    /// What was observed in the interval, by labels; `None` for what there is no interval of.
    pub(super) fn observed<const N: usize>(&self, name: &str, by: [&str; N]) -> BTreeMap<Key<N>, Option<Histogram>> {
        let mut observed = BTreeMap::new();
        for (labels, histogram) in self.now.histograms(name) {
            let fresh = self.before.and_then(|(before, _)| match before.histogram(name, labels) {
                Some(before) => histogram.since(before),
                None => Some(histogram.clone()),
            });
            let place: &mut Option<Histogram> = observed.entry(key(labels, by)).or_default();
            *place = match (place.take(), fresh) {
                (Some(one), Some(other)) => one.plus(&other),
                (one, other) => one.or(other),
            };
        }
        observed
    }

    /// Times that were observed in the interval, by labels.
    pub(super) fn times<const N: usize>(&self, name: &str, by: [&str; N]) -> BTreeMap<Key<N>, Option<Times>> {
        let times = |observed: Option<Histogram>| Times::of(&observed?, self.seconds()?);
        self.observed(name, by).into_iter().map(|(key, observed)| (key, times(observed))).collect()
    }
}

/// Every series.
pub(super) fn all(_: &Labels) -> bool {
    true
}

/// All keys of some lists.
pub(super) fn keys<'a, const N: usize>(
    lists: impl IntoIterator<Item = &'a BTreeMap<Key<N>, Count>>,
) -> BTreeSet<Key<N>> {
    lists.into_iter().flat_map(|list| list.keys().cloned()).collect()
}

/// Counts under a key; nothing is counted where it is missing.
pub(super) struct Lookup {
    none: Count,
}

impl Lookup {
    pub(super) fn of(change: &Change<'_>) -> Self {
        Self { none: Count { total: 0.0, per_second: change.seconds().map(|_| 0.0) } }
    }

    pub(super) fn at<const N: usize>(&self, counts: &BTreeMap<Key<N>, Count>, key: &Key<N>) -> Count {
        counts.get(key).copied().unwrap_or(self.none)
    }
}

fn key<const N: usize>(labels: &Labels, by: [&str; N]) -> Key<N> {
    by.map(|name| labels.get(name).to_owned())
}

/// A part of a whole, 0 to 100; `None` of nothing.
pub(super) fn percent(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    Some(100.0 * part? / whole)
}
