//! `outrigger tune`: finds values for this machine. Every candidate runs as a sidecar of its own beside the best one so far,
//! both under the same load in turn, so that what else the machine does meets both.

mod knobs;
mod load;
mod outcome;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use outrigger_config::Overrides;

use crate::cli::{Failure, TuneArgs};
use crate::demo::Sidecar;
use crate::{devices, files, play, print};

use knobs::Knob;
use load::{Load, Suite};
use outcome::{Change, Changes, Comparison, Outcome, Ratios, Trials, Tried};

/// A candidate must gain so much, by the median over pairs, on the suites that its key is about,
const GAIN_MIN: f64 = 1.03;
/// and gain at all in such a share of the pairs: medians of a few of them are chance.
const WINS_MIN: f64 = 0.7;
/// It may lose no more than this on any suite, by the median, unless fewer than [`LOSSES_MIN`] of the pairs lose.
const LOSS_MAX: f64 = 0.97;
const LOSSES_MIN: f64 = 0.7;
/// Pairs after which a candidate is looked at for the first time.
const PAIRS_FIRST: usize = 3;

/// How long to measure.
#[derive(Clone, Copy)]
struct Effort {
    /// Of a candidate, for each suite.
    pairs: usize,
    /// A candidate that gains less after [`PAIRS_FIRST`] is not measured further.
    hopeless: f64,
    /// Of the outcome beside the default.
    pairs_at_end: usize,
    /// After this no further key is tried: they come in the order in which they matter.
    tries: Duration,
}

impl Effort {
    const QUICK: Self = Self { pairs: 5, hopeless: 1.0, pairs_at_end: 7, tries: Duration::from_secs(36) };
    const THOROUGH: Self = Self { pairs: 21, hopeless: 0.95, pairs_at_end: 41, tries: Duration::from_secs(1_200) };
}

/// A value of a key.
type Value = (&'static str, String);

/// A sidecar with its values.
struct Running {
    values: Vec<Value>,
    load: Load,
}

/// Tunes, says what was found, and writes a profile where asked to.
pub(crate) fn run(args: &TuneArgs) -> Result<ExitCode, Failure> {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists() && !args.force) {
        return Err(Failure::input(format_args!("{} is there already: name another file, or --force", out.display())));
    }
    let since = Instant::now();
    let effort = if args.thorough { Effort::THOROUGH } else { Effort::QUICK };
    if let Some(other) = &args.compare {
        return compare(args, other, effort);
    }
    let config = devices::config(Overrides { profile: args.profile.clone(), ..Overrides::default() })?;
    let knobs = knobs::of(&config, args.thorough);
    let candidates: usize = knobs.iter().map(|knob| knob.others().count()).sum();
    let bar = play::progress(candidates as u64 + 1, "the sidecar as it is", !args.json);
    let work = load::Work::make()?;
    let start = |values: &[Value]| start(args.profile.as_deref(), values, &work);
    let mut best = start(&[])?;
    let (mut changes, mut tried, mut untried) = (Vec::new(), Vec::new(), Vec::new());
    for knob in &knobs {
        if since.elapsed() > effort.tries {
            untried.extend(knob.others().next().map(|_| knob.key));
            continue;
        }
        let found = better(knob, &mut best, effort, &start, &bar, &mut tried)?;
        changes.extend(found);
    }
    // Without a change both would be the same.
    let gains = if changes.is_empty() {
        Vec::new()
    } else {
        bar.set_message("the outcome beside what it began with");
        let mut before = start(&[])?;
        let mut gains = side_by_side(&mut before, &mut best, &Suite::ALL, effort.pairs_at_end)?;
        look_again(&mut before, &mut best, effort.pairs_at_end, &mut gains)?;
        gains
    };
    bar.finish_and_clear();
    // What was found by many comparisons may be chance: all of it together is judged once more.
    let holds = outcome::gain(&gains) >= 1.0 && !gains.iter().any(|(_, ratios)| ratios.loses());
    let changes = if holds { Changes::Hold(changes) } else { Changes::Dropped(changes) };
    let outcome = Outcome::new(&config, changes, gains, Trials { tried, untried }, since.elapsed(), args.thorough);
    if let Some(out) = &args.out {
        files::write(out, outcome.profile(&config)?.as_bytes())?;
    }
    if args.json {
        print::json(&outcome)
    } else {
        outcome.print(args.out.as_deref())
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures a profile beside the one that tuning would begin with.
fn compare(args: &TuneArgs, other: &str, effort: Effort) -> Result<ExitCode, Failure> {
    let since = Instant::now();
    let begun = devices::config(Overrides { profile: args.profile.clone(), ..Overrides::default() })?;
    let compared = devices::config(Overrides { profile: Some(other.to_owned()), ..Overrides::default() })?;
    let bar = play::progress(1, "both profiles, under the same load in turn", !args.json);
    let work = load::Work::make()?;
    let (mut one, mut other) = (start(args.profile.as_deref(), &[], &work)?, start(Some(other), &[], &work)?);
    let gains = side_by_side(&mut one, &mut other, &Suite::ALL, effort.pairs_at_end)?;
    bar.finish_and_clear();
    let comparison = Comparison::new(&begun, &compared, gains, since.elapsed());
    if args.json {
        print::json(&comparison);
    } else {
        comparison.print();
    }
    Ok(ExitCode::SUCCESS)
}

fn start(profile: Option<&str>, values: &[Value], work: &load::Work) -> Result<Running, Failure> {
    let named: Vec<(String, String)> = values.iter().map(|(key, value)| (variable(key), value.clone())).collect();
    let mut variables: Vec<(&str, &str)> = named.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    // What comes again is verified again.
    variables.push(("OUTRIGGER_SCHEDULER__CACHE_ENTRIES", "0"));
    if let Some(profile) = profile {
        variables.push(("OUTRIGGER_PROFILE", profile));
    }
    let sidecar = Sidecar::start_with("auto", &variables)?;
    Ok(Running { values: values.to_vec(), load: Load::start(sidecar, work)? })
}

/// The variable of the environment that names a key.
fn variable(key: &str) -> String {
    format!("OUTRIGGER_{}", key.replace('.', "__").to_ascii_uppercase())
}

/// Tries the other values of a knob, and takes the best of those that gain.
fn better(
    knob: &Knob,
    best: &mut Running,
    effort: Effort,
    start: &impl Fn(&[Value]) -> Result<Running, Failure>,
    bar: &ProgressBar,
    tried: &mut Vec<Tried>,
) -> Result<Option<Change>, Failure> {
    let mut taken: Option<(Running, Change)> = None;
    for value in knob.others() {
        bar.set_message(format!("{} = {value}", knob.key));
        let since = Instant::now();
        let mut values = best.values.clone();
        values.retain(|(key, _)| *key != knob.key);
        values.push((knob.key, value.to_owned()));
        let mut candidate = start(&values)?;
        let mut ratios = side_by_side(best, &mut candidate, knob.suites, PAIRS_FIRST)?;
        let mut change = Change::new(knob, value, &ratios);
        // What gains by a few pairs has to gain by twice as many: most of what is tried gains nothing, and some of that seems to.
        for (least, more) in [(effort.hopeless, effort.pairs - PAIRS_FIRST), (GAIN_MIN, effort.pairs)] {
            if change.gain >= least {
                for (suite, ratios) in &mut ratios {
                    pairs(*suite, best, &mut candidate, more, ratios)?;
                }
                change = Change::new(knob, value, &ratios);
            }
        }
        if change.gain >= GAIN_MIN {
            look_again(best, &mut candidate, effort.pairs, &mut ratios)?;
            change = Change::new(knob, value, &ratios);
        }
        bar.inc(1);
        tried.push(Tried::new(&change, since.elapsed()));
        let is_better = change.gain >= GAIN_MIN
            && outcome::wins(&ratios) >= WINS_MIN
            && !ratios.iter().any(|(_, ratios)| ratios.loses());
        if is_better && taken.as_ref().is_none_or(|(_, than)| change.gain > than.gain) {
            taken = Some((candidate, change));
        }
    }
    Ok(taken.map(|(running, change)| {
        *best = running;
        change
    }))
}

/// What `other` does over what `one` does, in so many pairs of each suite, once both are warm.
fn side_by_side(
    one: &mut Running,
    other: &mut Running,
    suites: &[Suite],
    count: usize,
) -> Result<Vec<(Suite, Ratios)>, Failure> {
    let measured = suites.iter().map(|&suite| {
        one.load.warm(suite)?;
        other.load.warm(suite)?;
        let mut ratios = Ratios::default();
        pairs(suite, one, other, count, &mut ratios)?;
        Ok((suite, ratios))
    });
    measured.collect()
}

/// What seems to lose somewhere though it gains elsewhere: that may be chance, and is looked at for longer.
fn look_again(
    one: &mut Running,
    other: &mut Running,
    count: usize,
    ratios: &mut [(Suite, Ratios)],
) -> Result<(), Failure> {
    for (suite, ratios) in ratios.iter_mut().filter(|(_, ratios)| ratios.median() < LOSS_MAX) {
        pairs(*suite, one, other, count, ratios)?;
    }
    Ok(())
}

/// So many more interleaved pairs; the order within a pair alternates.
fn pairs(
    suite: Suite,
    one: &mut Running,
    other: &mut Running,
    count: usize,
    ratios: &mut Ratios,
) -> Result<(), Failure> {
    for _ in 0..count {
        let (first, second) = if ratios.len().is_multiple_of(2) {
            let first = one.load.rate(suite)?;
            (first, other.load.rate(suite)?)
        } else {
            let second = other.load.rate(suite)?;
            (one.load.rate(suite)?, second)
        };
        ratios.push(first, second);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
