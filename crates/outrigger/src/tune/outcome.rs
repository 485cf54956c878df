//! What tuning found: the table that people read, and the profile that a sidecar reads.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use outrigger_config::{Config, Machine};
use serde::Serialize;

use super::knobs::Knob;
use super::load::Suite;
use crate::bench::median;
use crate::print;

/// Ratios of pairs with the rates that they are of.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Ratios {
    before_per_second: Vec<f64>,
    after_per_second: Vec<f64>,
    ratios: Vec<f64>,
}

impl Ratios {
    pub(super) fn push(&mut self, before: f64, after: f64) {
        self.before_per_second.push(before);
        self.after_per_second.push(after);
        self.ratios.push(after / before);
    }

    pub(super) fn len(&self) -> usize {
        self.ratios.len()
    }

    pub(super) fn median(&self) -> f64 {
        median(&mut self.ratios.clone())
    }

    /// The lowest and the highest.
    fn spread(&self) -> [f64; 2] {
        let lowest = self.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        [lowest, self.ratios.iter().copied().fold(0.0, f64::max)]
    }
}

/// A key that was changed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    pub(super) key: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    #[serde(skip)]
    pub(super) is_text: bool,
    /// The geometric mean of the medians of its suites.
    pub(super) gain: f64,
    /// The lowest of them.
    pub(super) worst: f64,
    suites: Vec<(Suite, f64)>,
}

impl Change {
    pub(super) fn new(knob: &Knob, value: &str, ratios: Vec<(Suite, Ratios)>) -> Self {
        let suites: Vec<(Suite, f64)> = ratios.iter().map(|(suite, ratios)| (*suite, ratios.median())).collect();
        let product: f64 = suites.iter().map(|(_, median)| median).product();
        Self {
            key: knob.key,
            from: knob.now.clone(),
            to: value.to_owned(),
            is_text: knob.is_text,
            gain: product.powf(1.0 / suites.len().max(1) as f64),
            worst: suites.iter().map(|(_, median)| *median).fold(f64::INFINITY, f64::min),
            suites,
        }
    }
}

/// Before beside after, of one suite.
#[derive(Clone, Debug, Serialize)]
struct Gain {
    suite: Suite,
    before_per_second: f64,
    after_per_second: f64,
    ratio: f64,
    spread: [f64; 2],
    pairs: usize,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Outcome {
    profile: String,
    machine: String,
    build: &'static str,
    date: String,
    thorough: bool,
    seconds: f64,
    changes: Vec<Change>,
    suites: Vec<Gain>,
}

impl Outcome {
    pub(super) fn new(
        config: &Config,
        changes: Vec<Change>,
        suites: Vec<(Suite, Ratios)>,
        took: Duration,
        thorough: bool,
    ) -> Self {
        let machine = Machine::current();
        let gain = |(suite, ratios): (Suite, Ratios)| Gain {
            suite,
            before_per_second: median(&mut ratios.before_per_second.clone()),
            after_per_second: median(&mut ratios.after_per_second.clone()),
            ratio: ratios.median(),
            spread: ratios.spread(),
            pairs: ratios.len(),
        };
        Self {
            profile: config.profile.name.clone(),
            machine: format!("{}, {} cores", machine.model, machine.cores),
            build: env!("CARGO_PKG_VERSION"),
            date: time::OffsetDateTime::now_utc().date().to_string(),
            thorough,
            seconds: took.as_secs_f64(),
            changes,
            suites: suites.into_iter().map(gain).collect(),
        }
    }

    /// The profile that these values make.
    pub(super) fn profile(&self) -> String {
        let mut table = toml::Table::new();
        table.insert("about".into(), toml::Value::try_from(self.about()).expect("text"));
        for change in &self.changes {
            let value = if change.is_text {
                toml::Value::String(change.to.clone())
            } else {
                toml::Value::Integer(change.to.parse().expect("a number"))
            };
            insert(&mut table, change.key, value);
        }
        table.to_string()
    }

    fn about(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("name", "tuned".to_owned()),
            ("summary", format!("{}, tuned on {} by outrigger {}", self.machine, self.date, self.build)),
        ])
    }

    /// For people.
    pub(super) fn print(&self, out: Option<&Path>) {
        println!("{}; began with profile {}; {:.0} s", self.machine, self.profile, self.seconds);
        if self.changes.is_empty() {
            println!("no value gains {:.0} % here: the profile stays as it is", (super::GAIN_MIN - 1.0) * 100.0);
        } else {
            let mut table = print::table(&["key", "was", "is", "gain"]);
            for change in &self.changes {
                table.add_row([change.key, &change.from, &change.to, &format!("{:.3}", change.gain)]);
            }
            println!("{table}");
        }
        let mut table = print::table(&["suite", "before", "after", "ratio"]);
        for gain in &self.suites {
            let [low, high] = gain.spread;
            table.add_row([
                gain.suite.name().to_owned(),
                format!("{:.1}", gain.before_per_second),
                format!("{:.1}", gain.after_per_second),
                format!("{:.3} ({low:.2}–{high:.2})", gain.ratio),
            ]);
        }
        println!("{table}");
        match out {
            Some(out) => println!("written: {0}; use it by --profile {0}", out.display()),
            None => println!("nothing is written without --out FILE"),
        }
    }
}

/// Puts a value at a path of tables.
fn insert(table: &mut toml::Table, path: &str, value: toml::Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = table.entry(first).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let toml::Value::Table(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
