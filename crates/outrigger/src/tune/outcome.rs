//! What tuning found: the table that people read, and the profile that a sidecar reads.

use std::path::Path;
use std::time::Duration;

use outrigger_config::{Basis, Config, Figure, KEYS, Machine, ProfileDraft, ProfileValue};
use serde::Serialize;

use super::knobs::Knob;
use super::load::Suite;
use super::{LOSS_MAX, LOSSES_MIN};
use crate::bench::median;
use crate::cli::Failure;
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

    /// The share of the pairs for which this holds of the ratio.
    fn share(&self, of: impl Fn(f64) -> bool) -> f64 {
        self.ratios.iter().filter(|ratio| of(**ratio)).count() as f64 / self.ratios.len().max(1) as f64
    }

    /// Whether it loses more than it may, and not by chance.
    pub(super) fn loses(&self) -> bool {
        self.median() < LOSS_MAX && self.share(|ratio| ratio < 1.0) >= LOSSES_MIN
    }

    /// The lowest and the highest.
    fn spread(&self) -> [f64; 2] {
        let lowest = self.ratios.iter().copied().fold(f64::INFINITY, f64::min);
        [lowest, self.ratios.iter().copied().fold(0.0, f64::max)]
    }
}

/// The geometric mean of the medians of suites.
pub(super) fn gain(suites: &[(Suite, Ratios)]) -> f64 {
    let product: f64 = suites.iter().map(|(_, ratios)| ratios.median()).product();
    product.powf(1.0 / suites.len().max(1) as f64)
}

/// The share of the pairs that gain, over suites.
pub(super) fn wins(suites: &[(Suite, Ratios)]) -> f64 {
    suites.iter().map(|(_, ratios)| ratios.share(|ratio| ratio > 1.0)).sum::<f64>() / suites.len().max(1) as f64
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
    suites: Vec<(Suite, f64)>,
}

impl Change {
    pub(super) fn new(knob: &Knob, value: &str, ratios: &[(Suite, Ratios)]) -> Self {
        let suites: Vec<(Suite, f64)> = ratios.iter().map(|(suite, ratios)| (*suite, ratios.median())).collect();
        Self {
            key: knob.key,
            from: knob.now.clone(),
            to: value.to_owned(),
            is_text: knob.is_text,
            gain: gain(ratios),
            suites,
        }
    }
}

impl Change {
    fn value(&self) -> ProfileValue {
        match self.to.parse() {
            Ok(number) if !self.is_text => ProfileValue::Number(number),
            _ => ProfileValue::Text(self.to.clone()),
        }
    }
}

/// A value that was tried, whatever came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Tried {
    key: &'static str,
    value: String,
    gain: f64,
    suites: Vec<(Suite, f64)>,
    seconds: f64,
}

impl Tried {
    pub(super) fn new(change: &Change, took: Duration) -> Self {
        let (key, value, suites) = (change.key, change.to.clone(), change.suites.clone());
        Self { key, value, gain: change.gain, suites, seconds: took.as_secs_f64() }
    }
}

/// All that was tried, and the keys that there was no time for.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trials {
    pub(super) tried: Vec<Tried>,
    pub(super) untried: Vec<&'static str>,
}

/// What became of the changes when they were measured together, beside the sidecar as it was.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Changes {
    /// No suite loses: the profile has them.
    Hold(Vec<Change>),
    /// One does: the profile is the one before.
    Dropped(Vec<Change>),
}

impl Changes {
    /// Those that the profile has.
    fn kept(&self) -> &[Change] {
        match self {
            Self::Hold(changes) => changes,
            Self::Dropped(_) => &[],
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
    changes: Changes,
    #[serde(flatten)]
    trials: Trials,
    suites: Vec<Gain>,
}

impl Gain {
    fn new((suite, ratios): (Suite, Ratios)) -> Self {
        Self {
            suite,
            before_per_second: median(&mut ratios.before_per_second.clone()),
            after_per_second: median(&mut ratios.after_per_second.clone()),
            ratio: ratios.median(),
            spread: ratios.spread(),
            pairs: ratios.len(),
        }
    }
}

/// Two profiles side by side.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Comparison {
    profile: String,
    compared: String,
    machine: String,
    build: &'static str,
    date: String,
    seconds: f64,
    suites: Vec<Gain>,
}

impl Comparison {
    pub(super) fn new(begun: &Config, compared: &Config, suites: Vec<(Suite, Ratios)>, took: Duration) -> Self {
        Self {
            profile: begun.profile.name.clone(),
            compared: compared.profile.name.clone(),
            machine: this_machine(),
            build: env!("CARGO_PKG_VERSION"),
            date: today(),
            seconds: took.as_secs_f64(),
            suites: suites.into_iter().map(Gain::new).collect(),
        }
    }

    /// For people.
    pub(super) fn print(&self) {
        println!("{}; {} beside {}; {:.0} s", self.machine, self.compared, self.profile, self.seconds);
        print_suites(&self.profile, &self.compared, &self.suites);
    }
}

fn this_machine() -> String {
    let machine = Machine::current();
    format!("{}, {} cores", machine.model, machine.cores)
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

impl Outcome {
    pub(super) fn new(
        config: &Config,
        changes: Changes,
        suites: Vec<(Suite, Ratios)>,
        trials: Trials,
        took: Duration,
        thorough: bool,
    ) -> Self {
        Self {
            profile: config.profile.name.clone(),
            machine: this_machine(),
            build: env!("CARGO_PKG_VERSION"),
            date: today(),
            thorough,
            seconds: took.as_secs_f64(),
            changes,
            trials,
            suites: suites.into_iter().map(Gain::new).collect(),
        }
    }

    /// The profile that these values make: what the one before said, with what was changed.
    pub(super) fn profile(&self, config: &Config) -> Result<String, Failure> {
        let is_changed = |key: &str| self.changes.kept().iter().any(|change| change.key == key);
        let said: toml::Table = config.describe().to_string().parse().map_err(Failure::work)?;
        let mut draft = ProfileDraft {
            name: "tuned".to_owned(),
            summary: format!("{}, tuned on {}", self.machine, self.date),
            comment: format!(
                "Written by outrigger tune, version {}, which began with the profile {}. Name it by --profile, or by \
                 profile in the configuration file.",
                self.build, self.profile
            ),
            costs: config.scheduler.costs.clone(),
            ..ProfileDraft::default()
        };
        for figure in &config.profile.figures {
            let covers = |path: &str| figure.keys.iter().any(|key| path == key || path.starts_with(&format!("{key}.")));
            let mut kept: Vec<String> = Vec::new();
            for path in KEYS.iter().map(|key| key.path).filter(|path| covers(path) && !is_changed(path)) {
                if path.starts_with("scheduler.costs") {
                    if !draft.costs.is_empty() {
                        kept.push(path.to_owned());
                    }
                } else if let Some(value) = at(&said, path).and_then(profile_value) {
                    draft.values.push((path.to_owned(), value));
                    kept.push(path.to_owned());
                }
            }
            if !kept.is_empty() {
                draft.figures.push(Figure { keys: kept, ..figure.clone() });
            }
        }
        for change in self.changes.kept() {
            draft.values.push((change.key.to_owned(), change.value()));
            draft.figures.push(self.figure(change));
        }
        draft.to_toml().map_err(Failure::work)
    }

    /// Where a changed value comes from.
    fn figure(&self, change: &Change) -> Figure {
        let suites: Vec<_> = change.suites.iter().map(|(suite, ratio)| format!("{suite}: {ratio:.3} times")).collect();
        Figure {
            keys: vec![change.key.to_owned()],
            basis: Basis::Measured,
            from: format!("instead of {}, medians of pairs: {}", change.from, suites.join("; ")),
            date: Some(self.date.clone()),
            device: Some(self.machine.clone()),
            driver: None,
            build: Some(self.build.to_owned()),
        }
    }

    /// For people.
    pub(super) fn print(&self, out: Option<&Path>) {
        println!("{}; began with profile {}; {:.0} s", self.machine, self.profile, self.seconds);
        match &self.changes {
            Changes::Hold(changes) if changes.is_empty() => {
                println!("no value gains {:.0} % here: the profile stays as it is", (super::GAIN_MIN - 1.0) * 100.0);
            }
            Changes::Hold(changes) => print_changes(changes),
            Changes::Dropped(changes) => {
                print_changes(changes);
                println!(
                    "together they lose, as shown below: the profile stays as it is; try --thorough, on an idle machine"
                );
            }
        }
        if !self.trials.untried.is_empty() {
            println!("not tried for want of time: {}; --thorough has it", self.trials.untried.join(", "));
        }
        if !self.suites.is_empty() {
            print_suites("before", "after", &self.suites);
        }
        match out {
            Some(out) => println!("written: {0}; use it by --profile {0}", out.display()),
            None => println!("nothing is written without --out FILE"),
        }
    }
}

/// Both sides, under these names.
fn print_suites(before: &str, after: &str, suites: &[Gain]) {
    let mut table = print::table(&["suite", before, after, "ratio"]);
    for gain in suites {
        let [low, high] = gain.spread;
        table.add_row([
            gain.suite.name().to_owned(),
            format!("{:.1}", gain.before_per_second),
            format!("{:.1}", gain.after_per_second),
            format!("{:.3} ({low:.2}–{high:.2})", gain.ratio),
        ]);
    }
    println!("{table}");
}

fn print_changes(changes: &[Change]) {
    let mut table = print::table(&["key", "was", "is", "gain"]);
    for change in changes {
        table.add_row([change.key, &change.from, &change.to, &format!("{:.3}", change.gain)]);
    }
    println!("{table}");
}

/// The value at a path of tables.
fn at<'a>(table: &'a toml::Table, path: &str) -> Option<&'a toml::Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((first, rest)) => at(table.get(first)?.as_table()?, rest),
    }
}

fn profile_value(value: &toml::Value) -> Option<ProfileValue> {
    match value {
        toml::Value::Integer(number) => u64::try_from(*number).ok().map(ProfileValue::Number),
        toml::Value::String(text) => Some(ProfileValue::Text(text.clone())),
        toml::Value::Boolean(flag) => Some(ProfileValue::Flag(*flag)),
        toml::Value::Array(names) => {
            names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>().map(ProfileValue::List)
        }
        _ => None,
    }
}
