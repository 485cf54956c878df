//! Typed reading of layers. Every read makes its path known; what nobody has read in the end is unknown.

use std::borrow::Cow;
use std::collections::BTreeMap;
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
    /// What was asked for, each with what it may be: a range or names, empty where any text or list is.
    known: BTreeMap<String, String>,
    errors: Vec<ConfigError>,
}

impl Reader {
    pub(crate) fn new(layers: Layers, errors: Vec<ConfigError>) -> Self {
        Self { layers, known: BTreeMap::new(), errors }
    }

    /// A string.
    pub(crate) fn text(&mut self, path: &str) -> Option<String> {
        self.typed(path, String::new(), text)
    }

    /// One of some names, by which something is known.
    pub(crate) fn choice<T: Copy>(&mut self, path: &str, names: &[(&str, T)]) -> Option<T> {
        let listed: Vec<_> = names.iter().map(|(name, _)| format!("{name:?}")).collect();
        let listed = listed.join(", ");
        self.typed(path, listed.clone(), |raw| {
            let said = text(raw)?;
            let found = names.iter().find(|(name, _)| *name == said).map(|(_, meant)| *meant);
            found.ok_or_else(|| format!("{said:?} is none of {listed}"))
        })
    }

    /// A string that another type is made from; where it is empty, the key counts as turned off.
    pub(crate) fn parsed<T>(&mut self, path: &str) -> Option<Option<T>>
    where
        T: FromStr<Err: Display>,
    {
        self.typed(path, String::new(), |raw| {
            let text = text(raw)?;
            if text.is_empty() {
                return Ok(None);
            }
            text.parse().map(Some).map_err(|error| format!("{:?}: {error}", without_credentials(&text)))
        })
    }

    /// A flag.
    pub(crate) fn flag(&mut self, path: &str) -> Option<bool> {
        self.typed(path, "true or false".to_owned(), |raw| match raw {
            Raw::Toml(Value::Boolean(flag)) => Ok(flag),
            Raw::Text(text) => text.parse().map_err(|_| format!("{text:?} is neither true nor false")),
            Raw::Toml(other) => Err(format!("true or false is needed, not {}", other.type_str())),
        })
    }

    /// A whole number in a range.
    pub(crate) fn number(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let words = from_to(&range, u64::to_string);
        self.typed(path, words.clone(), |raw| {
            let number = match raw {
                Raw::Toml(Value::Integer(number)) => u64::try_from(number).ok(),
                Raw::Text(text) => text.trim().replace('_', "").parse().ok(),
                Raw::Toml(_) => None,
            };
            let number = number.filter(|number| range.contains(number));
            number.ok_or_else(|| format!("a whole number from {words} is needed"))
        })
    }

    /// A number in a range, with a fraction where there is one.
    pub(crate) fn decimal(&mut self, path: &str, range: RangeInclusive<f64>) -> Option<f64> {
        let words = from_to(&range, f64::to_string);
        self.typed(path, words.clone(), |raw| {
            let number = match raw {
                Raw::Toml(Value::Integer(number)) => Some(number as f64),
                Raw::Toml(Value::Float(number)) => Some(number),
                Raw::Text(text) => text.trim().parse().ok(),
                Raw::Toml(_) => None,
            };
            let number = number.filter(|number| range.contains(number));
            number.ok_or_else(|| format!("a number from {words} is needed"))
        })
    }

    /// A size in bytes in a range.
    pub(crate) fn bytes(&mut self, path: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let words = from_to(&range, |bytes| units::show_bytes(*bytes));
        self.typed(path, words.clone(), |raw| {
            let number = match raw {
                Raw::Toml(Value::Integer(number)) => u64::try_from(number).ok(),
                Raw::Text(text) | Raw::Toml(Value::String(text)) => Some(units::bytes(&text)?),
                Raw::Toml(_) => None,
            };
            let number = number.filter(|number| range.contains(number));
            number.ok_or_else(|| format!("a whole number of bytes from {words} is needed"))
        })
    }

    /// A duration in a range.
    pub(crate) fn duration(&mut self, path: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        let words = from_to(&range, |duration| units::show_duration(*duration));
        self.typed(path, words.clone(), |raw| {
            let text = match raw {
                Raw::Text(text) | Raw::Toml(Value::String(text)) => text,
                Raw::Toml(Value::Integer(0)) => "0".to_owned(),
                Raw::Toml(_) => return Err("a duration needs its unit, as in \"250ms\"".to_owned()),
            };
            let duration = units::duration(&text)?;
            let duration = Some(duration).filter(|duration| range.contains(duration));
            duration.ok_or_else(|| format!("{text:?} is not from {words}"))
        })
    }

    /// A list of strings; text is split at commas.
    pub(crate) fn list(&mut self, path: &str) -> Option<Vec<String>> {
        self.typed(path, String::new(), |raw| match raw {
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
        self.typed(path, String::new(), |raw| match raw {
            Raw::Toml(Value::Array(items)) => items
                .into_iter()
                .map(|item| item.as_integer().and_then(|number| u32::try_from(number).ok()).ok_or_else(wrong))
                .collect(),
            Raw::Text(text) => text.split(',').map(|item| item.trim().parse().map_err(|_| wrong())).collect(),
            Raw::Toml(_) => Err(wrong()),
        })
    }

    /// How many tables there are in the array of tables at `path`; an empty array has none.
    pub(crate) fn table_count(&mut self, path: &str) -> usize {
        self.typed(path, String::new(), |raw| match raw {
            Raw::Toml(Value::Array(items)) if items.is_empty() => Ok(()),
            _ => Err(format!("a list of tables is needed, [[{path}]], which a file alone can hold")),
        });
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

    /// Whether there is an error about the value of `path`.
    pub(crate) fn has_failed(&self, path: &str) -> bool {
        self.errors.iter().any(|error| error.key == path)
    }

    /// Ends the reading: values that nobody read are unknown keys.
    pub(crate) fn finish(mut self) -> Result<(), ConfigErrors> {
        for (path, entry) in &self.layers.entries {
            if !self.known.contains_key(path) {
                self.errors.push(unknown(path, entry, &self.known));
            }
        }
        if self.errors.is_empty() { Ok(()) } else { Err(ConfigErrors(self.errors)) }
    }

    /// What was asked for so far, each with what it may be.
    #[cfg(test)]
    pub(crate) fn known(&self) -> &BTreeMap<String, String> {
        &self.known
    }

    /// `may_be`: what is right, in words.
    fn typed<T>(&mut self, path: &str, may_be: String, read: impl FnOnce(Raw) -> Result<T, String>) -> Option<T> {
        self.known.insert(path.to_owned(), may_be);
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

fn text(raw: Raw) -> Result<String, String> {
    match raw {
        Raw::Text(text) | Raw::Toml(Value::String(text)) => Ok(text),
        Raw::Toml(other) => Err(format!("a string is needed, not {}", other.type_str())),
    }
}

/// A URL as it may be shown: without the name and password that it may hold.
fn without_credentials(text: &str) -> Cow<'_, str> {
    let parts = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1)));
    parts.map_or(Cow::Borrowed(text), |(scheme, rest)| Cow::Owned(format!("{scheme}://…@{rest}")))
}

/// A range in words.
fn from_to<T>(range: &RangeInclusive<T>, show: impl Fn(&T) -> String) -> String {
    format!("{} to {}", show(range.start()), show(range.end()))
}

fn unknown(path: &str, entry: &Entry, known: &BTreeMap<String, String>) -> ConfigError {
    let suggestion = nearest(path, known.keys().map(String::as_str))
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
