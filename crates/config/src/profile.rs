//! Hardware profiles: values for a class of machine, with the numbers behind them. The lowest layer.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Table;

use crate::{ConfigError, Origin};

/// Profiles that travel with the program; the last resort comes last.
const EMBEDDED: [&str; 1] = [include_str!("../../../hw-profiles/cpu-generic.toml")];

/// A profile that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What machines it is for, in words.
    pub summary: String,
    /// Where it was read from; `None` for one that travels with the program.
    pub path: Option<PathBuf>,
    /// Where its numbers come from.
    pub figures: Vec<Figure>,
}

/// Where numbers of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The keys that it is about.
    pub keys: Vec<String>,
    /// Measured or estimated.
    pub basis: Basis,
    /// The measurement, or the reason.
    pub from: String,
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

/// What match rules look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Such as `x86_64`.
    pub architecture: String,
    /// The model name of the processor; empty where the system does not say.
    pub model: String,
    /// Cores that this process may use.
    pub cores: usize,
}

impl Machine {
    /// This machine.
    pub fn current() -> Self {
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .and_then(|rest| rest.split_once(':'))
            .map_or_else(String::new, |(_, name)| name.trim().to_owned());
        Self {
            architecture: std::env::consts::ARCH.to_owned(),
            model,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The parts of a profile that are not values of the configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    name: String,
    summary: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    architectures: Option<Vec<String>>,
    model_contains: Option<Vec<String>>,
    cores_min: Option<usize>,
}

impl Match {
    /// How many rules there are, where all of them hold.
    fn score(&self, machine: &Machine) -> Option<usize> {
        let rules = [
            self.architectures.as_ref().map(|known| known.contains(&machine.architecture)),
            self.model_contains.as_ref().map(|parts| parts.iter().any(|part| machine.model.contains(part))),
            self.cores_min.map(|least| machine.cores >= least),
        ];
        let given: Vec<bool> = rules.into_iter().flatten().collect();
        given.iter().all(|holds| *holds).then_some(given.len())
    }
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
        let path = Path::new(wanted);
        let error =
            |message: String| vec![ConfigError { origin: Origin::File(path.to_owned()), key: String::new(), message }];
        let text = std::fs::read_to_string(path).map_err(|cause| error(format!("cannot read the profile: {cause}")))?;
        let mut parsed = parse(&text, &Origin::File(path.to_owned()))?;
        parsed.profile.path = Some(path.to_owned());
        return Ok((parsed.profile, parsed.values));
    }
    let mut known = Vec::new();
    for text in EMBEDDED {
        known.push(parse(text, &Origin::Profile("embedded".to_owned()))?);
    }
    let found = if wanted == "auto" {
        // The first of equals wins; the last resort stands last and has the fewest rules.
        let scored = known.iter().enumerate().filter_map(|(i, one)| Some((one.rules.score(machine)?, i)));
        Some(scored.max_by_key(|(score, i)| (*score, usize::MAX - i)).map_or(known.len() - 1, |(_, i)| i))
    } else {
        known.iter().position(|one| one.profile.name == wanted)
    };
    let Some(found) = found else {
        let names: Vec<_> = known.iter().map(|one| one.profile.name.as_str()).collect();
        let message = format!("unknown profile {wanted:?}; \"auto\", a path, or one of {}", names.join(", "));
        return Err(vec![ConfigError { origin: Origin::Default, key: "profile".to_owned(), message }]);
    };
    let parsed = known.swap_remove(found);
    Ok((parsed.profile, parsed.values))
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
            let profile =
                Profile { name: about.name, summary: about.summary, path: None, figures: figures.unwrap_or_default() };
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
