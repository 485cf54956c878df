//! Hardware profiles: values for a class of machine, with the numbers behind them. The lowest layer.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Table;

use crate::{ConfigError, Origin};

mod draft;
mod machine;
mod rules;

pub use draft::{ProfileDraft, ProfileValue};
pub use machine::{ComputeCapability, DeviceApi, DeviceSeen, Machine, Vendor};
pub use rules::Match;

use rules::Held;

/// What stands for the profile that suits the machine best.
pub(crate) const AUTO: &str = "auto";

/// Profiles that travel with the program. Of those that fit a machine equally well the first is taken; the last resort
/// comes last.
const EMBEDDED: [&str; 7] = [
    include_str!("../../../hw-profiles/nvidia-h200.toml"),
    include_str!("../../../hw-profiles/nvidia-a100.toml"),
    include_str!("../../../hw-profiles/nvidia-consumer.toml"),
    include_str!("../../../hw-profiles/amd-opencl.toml"),
    include_str!("../../../hw-profiles/intel-opencl.toml"),
    include_str!("../../../hw-profiles/cpu-avx512.toml"),
    include_str!("../../../hw-profiles/cpu-generic.toml"),
];

/// A profile that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What machines it is for, in words.
    pub summary: String,
    /// Where it was read from; `None` for one that travels with the program.
    pub path: Option<PathBuf>,
    /// Why it was chosen.
    pub choice: Choice,
    /// Where its numbers come from.
    pub figures: Vec<Figure>,
}

/// Why a profile was chosen. In words: how the log and `check-config` say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Its name was asked for.
    Named,
    /// The path of its file was asked for.
    File,
    /// It is the one of those that fit this machine with the most rules.
    Auto {
        /// Its rules, each in words. None where no profile fits, and the last resort was taken.
        rules: Vec<String>,
        /// The device that the rules about devices hold for.
        device: Option<String>,
    },
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str("asked for by name"),
            Self::File => f.write_str("asked for by path"),
            Self::Auto { rules, .. } if rules.is_empty() => f.write_str("auto, since no profile fits this machine"),
            Self::Auto { rules, device } => {
                write!(f, "auto, since these hold: {}", rules.join("; "))?;
                device.as_ref().map_or(Ok(()), |device| write!(f, "; device {device}"))
            }
        }
    }
}

/// Where numbers of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The keys that it is about. One of a list of tables stands for that of each table, as in `scheduler.costs[].item_ns`;
    /// the name of a table or of a list stands for all below it.
    pub keys: Vec<String>,
    /// Measured or estimated.
    pub basis: Basis,
    /// The measurement, or the reason.
    pub from: String,
    /// The day of the measurement, such as `2026-11-21`.
    pub date: Option<String>,
    /// The machine or device that was measured.
    pub device: Option<String>,
    /// The driver and its version.
    pub driver: Option<String>,
    /// The build of the program.
    pub build: Option<String>,
}

impl Figure {
    /// Whether it is about the value of a key.
    pub(crate) fn is_about(&self, path: &str) -> bool {
        let path = without_indices(path);
        self.keys.iter().any(|key| covers(key, &path))
    }

    /// The circumstances of the measurement that are known, by name.
    pub(crate) fn circumstances(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("date", &self.date), ("device", &self.device), ("driver", &self.driver), ("build", &self.build)];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// Whether a key of a figure stands for a path: the key itself, or what is below it.
fn covers(key: &str, path: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The path of a key, the numbers of tables of a list left out.
pub(crate) fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('[');
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain
}

/// How sure a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Nobody has measured it on this class of machine.
    Estimate,
    /// It was measured on this class of machine.
    Measured,
}

/// The parts of a profile that are not values of the configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    name: String,
    summary: String,
}

struct Parsed {
    profile: Profile,
    rules: Match,
    values: Table,
}

/// The profile that is asked for, by name, by path or as `auto`, and its values.
pub(crate) fn choose(wanted: &str, machine: &Machine) -> Result<(Profile, Table), Vec<ConfigError>> {
    let is_path = wanted.contains('/') || wanted.ends_with(".toml");
    if is_path {
        return of_file(Path::new(wanted));
    }
    let mut known = embedded()?;
    let found = if wanted == AUTO {
        Some(best(&known, machine))
    } else {
        known.iter().position(|one| one.profile.name == wanted).map(|at| (at, Choice::Named))
    };
    let Some((at, choice)) = found else {
        let names: Vec<_> = known.iter().map(|one| one.profile.name.as_str()).collect();
        let message = format!("unknown profile {wanted:?}; {AUTO:?}, a path, or one of {}", names.join(", "));
        return Err(vec![ConfigError { origin: Origin::Default, key: "profile".to_owned(), message }]);
    };
    let Parsed { profile, values, .. } = known.swap_remove(at);
    Ok((Profile { choice, ..profile }, values))
}

/// Whether devices that are not known yet could make another profile the best.
pub(crate) fn depends_on_devices(machine: &Machine) -> bool {
    let could = |one: &Parsed| one.rules.is_about_devices() && one.rules.held_by_processor(machine).is_some();
    embedded().is_ok_and(|known| known.iter().any(could))
}

fn of_file(path: &Path) -> Result<(Profile, Table), Vec<ConfigError>> {
    let origin = Origin::File(path.to_owned());
    let error = |message: String| vec![ConfigError { origin: origin.clone(), key: String::new(), message }];
    let text = std::fs::read_to_string(path).map_err(|cause| error(format!("cannot read the profile: {cause}")))?;
    let Parsed { profile, values, .. } = parse(&text, &origin)?;
    Ok((Profile { path: Some(path.to_owned()), choice: Choice::File, ..profile }, values))
}

fn embedded() -> Result<Vec<Parsed>, Vec<ConfigError>> {
    let origin = Origin::Profile("embedded".to_owned());
    EMBEDDED.iter().map(|text| parse(text, &origin)).collect()
}

/// Of the profiles whose rules all hold the one with the most rules; of equals the first. Where there is none, the last.
fn best(known: &[Parsed], machine: &Machine) -> (usize, Choice) {
    let held = known.iter().enumerate().filter_map(|(at, one)| Some((at, one.rules.held(machine)?)));
    let best = held.max_by_key(|(at, held)| (held.rules.len(), usize::MAX - at));
    let (at, held) = best.unwrap_or_else(|| (known.len() - 1, Held { rules: Vec::new(), device: None }));
    (at, Choice::Auto { rules: held.rules, device: held.device })
}

/// Takes the parts about the profile out; what is left are values.
fn parse(text: &str, origin: &Origin) -> Result<Parsed, Vec<ConfigError>> {
    let error = |key: &str, message: String| ConfigError { origin: origin.clone(), key: key.to_owned(), message };
    let mut values: Table = text.parse().map_err(|cause| vec![error("", format!("not TOML: {cause}"))])?;
    let mut errors = Vec::new();
    let about: Option<About> = part(&mut values, "about", &mut errors, &error);
    let rules: Option<Match> = part(&mut values, "match", &mut errors, &error);
    let figures: Option<Vec<Figure>> = part(&mut values, "figures", &mut errors, &error);
    match about {
        Some(about) if errors.is_empty() => {
            let profile = Profile {
                name: about.name,
                summary: about.summary,
                path: None,
                choice: Choice::Named,
                figures: figures.unwrap_or_default(),
            };
            Ok(Parsed { profile, rules: rules.unwrap_or_default(), values })
        }
        None if errors.is_empty() => Err(vec![error("about", "a profile needs a name and a summary".to_owned())]),
        _ => Err(errors),
    }
}

fn part<T: serde::de::DeserializeOwned>(
    values: &mut Table,
    key: &str,
    errors: &mut Vec<ConfigError>,
    error: &impl Fn(&str, String) -> ConfigError,
) -> Option<T> {
    let value = values.remove(key)?;
    value.try_into().map_err(|cause: toml::de::Error| errors.push(error(key, cause.message().to_owned()))).ok()
}

#[cfg(test)]
mod tests;
