//! The text of `/metrics` as a [`Snapshot`]: counters, gauges and histograms by name and labels.
//!
//! The text is Prometheus' exposition format, version 0.0.4, as the sidecar's admin listener renders it. It is read
//! strictly: a line that is not of the format is an error that names the line, since a half-read page would show
//! figures that nobody counted. `prometheus-parse` skips such lines, and takes a comma, a brace or an escaped quote in a
//! label, which the name of a device may have, for the label's end; `openmetrics-parser` is under the LGPL.

mod histogram;
mod line;

use std::collections::BTreeMap;
use std::fmt;

pub use histogram::{Histogram, Quantile};

use line::{Kind, Line};

/// The labels of a series: names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The value of a label; empty where the series has none of this name, as the format has it.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// All series of one name.
#[derive(Clone, Debug)]
enum Family {
    /// Counts that only rise while the process lives.
    Counter(BTreeMap<Labels, f64>),
    /// Anything else that is one number: gauges, and what is of no known kind.
    Value(BTreeMap<Labels, f64>),
    /// Observations by bucket.
    Histogram(BTreeMap<Labels, Histogram>),
}

/// What a sidecar's metrics were at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    families: BTreeMap<String, Family>,
}

/// Why a text is no page of metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1; 0 where it is none in particular.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for ParseError {}

/// The gauge that stays as it is while a process lives.
const START_TIME: &str = "outrigger_start_time_seconds";

impl Snapshot {
    /// Reads a page.
    ///
    /// # Errors
    /// Says which line is not of the format, or which histogram is not whole.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            let at = |what| ParseError { line: index + 1, what };
            reader.take(line::read(line).map_err(at)?).map_err(at)?;
        }
        reader.finish()
    }

    /// The names that there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    /// The series of a counter or a gauge; nothing where there is none of this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = (&Labels, f64)> {
        let series = match self.families.get(name) {
            Some(Family::Counter(series) | Family::Value(series)) => Some(series),
            _ => None,
        };
        series.into_iter().flatten().map(|(labels, value)| (labels, *value))
    }

    /// The value of a series; `None` where it is not there.
    pub fn value(&self, name: &str, labels: &Labels) -> Option<f64> {
        match self.families.get(name)? {
            Family::Counter(series) | Family::Value(series) => series.get(labels).copied(),
            Family::Histogram(_) => None,
        }
    }

    /// The series of a histogram; nothing where there is none of this name.
    pub fn histograms(&self, name: &str) -> impl Iterator<Item = (&Labels, &Histogram)> {
        let series = match self.families.get(name) {
            Some(Family::Histogram(series)) => Some(series),
            _ => None,
        };
        series.into_iter().flatten()
    }

    /// A series of a histogram.
    pub fn histogram(&self, name: &str, labels: &Labels) -> Option<&Histogram> {
        match self.families.get(name)? {
            Family::Histogram(series) => series.get(labels),
            _ => None,
        }
    }

    /// Whether this may be what the process that `before` was taken from came to: no count fell, none is gone, and it was
    /// started at the same time. If not, the sidecar was started again in between, and a difference between the two says
    /// nothing.
    pub fn follows(&self, before: &Self) -> bool {
        before.families.iter().all(|(name, family)| match (family, self.families.get(name)) {
            (Family::Counter(before), Some(Family::Counter(now))) => {
                before.iter().all(|(labels, count)| now.get(labels).is_some_and(|now| now >= count))
            }
            (Family::Histogram(before), Some(Family::Histogram(now))) => {
                before.iter().all(|(labels, before)| now.get(labels).is_some_and(|now| now.since(before).is_some()))
            }
            (Family::Value(before), now) if name == START_TIME => {
                matches!(now, Some(Family::Value(now)) if now == before)
            }
            (Family::Value(_), _) => true,
            _ => false,
        })
    }
}

/// Gathers lines into families. Buckets of a histogram come one by one.
#[derive(Default)]
struct Reader {
    kinds: BTreeMap<String, Kind>,
    families: BTreeMap<String, Family>,
    histograms: BTreeMap<String, BTreeMap<Labels, histogram::Parts>>,
}

impl Reader {
    fn take(&mut self, line: Line<'_>) -> Result<(), String> {
        match line {
            Line::Nothing => Ok(()),
            Line::Kind { name, kind } => {
                let has_series = self.families.contains_key(name) || self.histograms.contains_key(name);
                if has_series || self.kinds.insert(name.to_owned(), kind).is_some() {
                    return Err(format!("a second TYPE of {name}, or one after its series"));
                }
                Ok(())
            }
            Line::Sample { name, labels, value } => self.sample(name, labels, value),
        }
    }

    fn sample(&mut self, name: &str, mut labels: BTreeMap<String, String>, value: f64) -> Result<(), String> {
        if let Some((family, part)) = self.part_of_histogram(name) {
            let bound = (part == histogram::Part::Bucket).then(|| labels.remove("le"));
            let parts = self.histograms.entry(family).or_default().entry(Labels(labels)).or_default();
            return parts.take(part, bound.flatten(), value);
        }
        let empty = match self.kinds.get(name) {
            Some(Kind::Counter) if !(value.is_finite() && value >= 0.0) => {
                return Err(format!("{name} is a counter and cannot be {value}"));
            }
            Some(Kind::Counter) => Family::Counter(BTreeMap::new()),
            _ => Family::Value(BTreeMap::new()),
        };
        let series = match self.families.entry(name.to_owned()).or_insert(empty) {
            Family::Counter(series) | Family::Value(series) => series,
            Family::Histogram(_) => return Err(format!("{name} is a histogram")),
        };
        match series.insert(Labels(labels), value) {
            None => Ok(()),
            Some(_) => Err(format!("a second value of the same series of {name}")),
        }
    }

    /// Which histogram a name is a part of.
    fn part_of_histogram(&self, name: &str) -> Option<(String, histogram::Part)> {
        histogram::Part::ALL.into_iter().find_map(|part| {
            let family = name.strip_suffix(part.suffix())?;
            (self.kinds.get(family) == Some(&Kind::Histogram)).then(|| (family.to_owned(), part))
        })
    }

    fn finish(self) -> Result<Snapshot, ParseError> {
        let mut families = self.families;
        for (name, series) in self.histograms {
            let mut whole = BTreeMap::new();
            for (labels, parts) in series {
                let not_whole = |what: &str| ParseError { line: 0, what: format!("the histogram {name} {what}") };
                whole.insert(labels, parts.finish().map_err(not_whole)?);
            }
            families.insert(name, Family::Histogram(whole));
        }
        Ok(Snapshot { families })
    }
}

#[cfg(test)]
mod tests;
