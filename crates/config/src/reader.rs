//! Typed reading of layers. Every read makes its path known; what nobody has read in the end is unknown.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use toml::Value;

use crate::errors::nearest;
use crate::layers::{Entry, Layers, Raw};
use crate::{ConfigError, ConfigErrors, Origin, units};

/// Takes values out of layers and collects what is wrong with them.
pub(crate) struct Reader {
    layers: Layers,
    known: BTreeSet<String>,
    errors: Vec<ConfigError>,
}

impl Reader {
    pub(crate) fn new(layers: Layers, errors: Vec<ConfigError>) -> Self {
        Self { layers, known: BTreeSet::new(), errors }
    }

    /// A string.
    pub(crate) fn text(&mut self, path: &str) -> Option<String> {
        self.typed(path, |raw| match raw {
            Raw::Text(text) | Raw::Toml(Value::String(text)) => Ok(text),
            Raw::Toml(other) => Err(format!("a string is needed, not {}", other.type_str())),
        })
    }

    /// A string that another type is made from; where it is empty, the key counts as turned off.
    pub(crate) fn parsed<T>(&mut self, path: &str) -> Option<Option<T>>
    where
        T: FromStr<Err: Display>,
    {
        self.typed(path, |raw| match raw {
            Raw::Text(text) | Raw::Toml(Value::String(text)) if text.is_empty() => Ok(None),
            Raw::Text(text) | Raw::Toml(Value::String(text)) => {
                text.parse().map(Some).map_err(|error| format!("{text:?}: {error}"))
            }
            Raw::Toml(other) => Err(format!("a string is needed, not {}", other.type_str())),
        })
    }

    /// A flag.
    pub(crate) fn flag(&mut self, path: &str) -> Option<bool> {
        self.typed(path, |raw| match raw {
            Raw::Toml(Value::Boolean(flag)) => Ok(flag),
            Raw::Text(text) => text.parse().map_err(|_| format!("{text:?} is neither true nor false")),
            Raw::Toml(other) => Err(format!("true or false is needed, not {}", other.type_str())),
        })
    }

    /// A whole number in a range.
    pub(crate) fn number(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        self.typed(path, |raw| {
            let number = match raw {
                Raw::Toml(Value::Integer(number)) => u64::try_from(number).ok(),
                Raw::Text(text) => text.trim().replace('_', "").parse().ok(),
                Raw::Toml(_) => None,
            };
            within(number, range, u64::to_string)
        })
    }

    /// A size in bytes in a range.
    pub(crate) fn bytes(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        self.typed(path, |raw| {
            let number = match raw {
                Raw::Toml(Value::Integer(number)) => u64::try_from(number).ok(),
                Raw::Text(text) | Raw::Toml(Value::String(text)) => Some(units::bytes(&text)?),
                Raw::Toml(_) => None,
            };
            within(number, range, |bytes| units::show_bytes(*bytes))
        })
    }

    /// A duration in a range.
    pub(crate) fn duration(&mut self, path: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.typed(path, |raw| {
            let text = match raw {
                Raw::Text(text) | Raw::Toml(Value::String(text)) => text,
                Raw::Toml(Value::Integer(0)) => "0".to_owned(),
                Raw::Toml(_) => return Err("a duration needs its unit, as in \"250ms\"".to_owned()),
            };
            let duration = units::duration(&text)?;
            if range.contains(&duration) {
                return Ok(duration);
            }
            let (from, to) = (units::show_duration(*range.start()), units::show_duration(*range.end()));
            Err(format!("{text:?} is not between {from} and {to}"))
        })
    }

    /// A list of strings; text is split at commas.
    pub(crate) fn list(&mut self, path: &str) -> Option<Vec<String>> {
        self.typed(path, |raw| match raw {
            Raw::Text(text) => Ok(text.split(',').map(|item| item.trim().to_owned()).collect()),
            Raw::Toml(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    other => Err(format!("a list of strings is needed, but one item is {}", other.type_str())),
                })
                .collect(),
            Raw::Toml(other) => Err(format!("a list of strings is needed, not {}", other.type_str())),
        })
    }

    /// A list of whole numbers below 2^32.
    pub(crate) fn number_list(&mut self, path: &str) -> Option<Vec<u32>> {
        let wrong = || "a list of whole numbers from 0 to 4294967295 is needed".to_owned();
        self.typed(path, |raw| match raw {
            Raw::Toml(Value::Array(items)) => items
                .into_iter()
                .map(|item| item.as_integer().and_then(|number| u32::try_from(number).ok()).ok_or_else(wrong))
                .collect(),
            Raw::Text(text) => text.split(',').map(|item| item.trim().parse().map_err(|_| wrong())).collect(),
            Raw::Toml(_) => Err(wrong()),
        })
    }

    /// How many tables there are in the array of tables at `path`.
    pub(crate) fn table_count(&self, path: &str) -> usize {
        let opening = format!("{path}[");
        let number = |key: &str| key.strip_prefix(&opening)?.split(']').next()?.parse::<usize>().ok();
        self.layers.entries.keys().filter_map(|key| number(key)).max().map_or(0, |last| last + 1)
    }

    /// Who says the value of `path`.
    pub(crate) fn origin(&self, path: &str) -> Origin {
        self.layers.entries.get(path).map_or(Origin::Default, |entry| entry.origin.clone())
    }

    /// Notes an error about the value of `path`.
    pub(crate) fn fail(&mut self, path: &str, message: impl Into<String>) {
        let error = ConfigError { origin: self.origin(path), key: path.to_owned(), message: message.into() };
        self.errors.push(error);
    }

    /// Ends the reading: values that nobody read are unknown keys.
    pub(crate) fn finish(mut self) -> Result<(), ConfigErrors> {
        for (path, entry) in &self.layers.entries {
            if !self.known.contains(path) {
                self.errors.push(unknown(path, entry, &self.known));
            }
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ConfigErrors(self.errors)) }
    }

    fn typed<T>(&mut self, path: &str, read: impl FnOnce(Raw) -> Result<T, String>) -> Option<T> {
        self.known.insert(path.to_owned());
        let entry = self.layers.entries.get(path)?;
        match read(entry.value.clone()) {
            Ok(value) => Some(value),
            Err(message) => {
                self.fail(path, message);
                None
            }
        }
    }
}

fn within(number: Option<u64>, range: RangeInclusive<u64>, show: impl Fn(&u64) -> String) -> Result<u64, String> {
    number.filter(|number| range.contains(number)).ok_or_else(|| {
        let (from, to) = (show(range.start()), show(range.end()));
        format!("a whole number from {from} to {to} is needed")
    })
}

fn unknown(path: &str, entry: &Entry, known: &BTreeSet<String>) -> ConfigError {
    let suggestion = nearest(path, known.iter().map(String::as_str))
        .map_or_else(String::new, |key| format!("; the nearest known key is {}", in_words(key, &entry.origin)));
    ConfigError { origin: entry.origin.clone(), key: path.to_owned(), message: format!("unknown key{suggestion}") }
}

/// A key as the layer writes it.
fn in_words(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Environment(_) => {
            format!("{}{}", crate::sources::PREFIX, key.replace('.', "__").to_ascii_uppercase())
        }
        _ => key.to_owned(),
    }
}
