//! Writing a profile: what a search for good values on a machine ends with.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::time::Duration;

use super::{Basis, Figure, Match, parse};
use crate::keys::{KEYS, Key};
use crate::layers::Layers;
use crate::model::CostGuess;
use crate::reader::Reader;
use crate::units::{quoted, quoted_list, show_bytes, show_duration};
use crate::{ConfigError, ConfigErrors, Origin, Sources, load};

/// How long a line of a comment may be.
const LINE: usize = 118;
/// The numbers of guesses of costs.
const COST_KEYS: [&str; 3] = ["scheduler.costs[].fixed_us", "scheduler.costs[].item_ns", "scheduler.costs[].byte_ns"];

/// A profile to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileDraft {
    /// Its name.
    pub name: String,
    /// What machines it is for, in a sentence.
    pub summary: String,
    /// What is said of it at the top of the file, as plain text. May be empty.
    pub comment: String,
    /// Which machines `profile = "auto"` may take it on. (A profile that is a file of its own is asked for by its path.)
    pub rules: Match,
    /// Where its numbers come from. Each value needs a figure, and each figure a value.
    pub figures: Vec<Figure>,
    /// Its values, by the paths of their keys.
    pub values: Vec<(String, ProfileValue)>,
    /// Its guesses of what work costs, `scheduler.costs`.
    pub costs: Vec<CostGuess>,
}

/// A value of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileValue {
    /// A whole number.
    Number(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A duration, of whole microseconds.
    Duration(Duration),
    /// A name or another text.
    Text(String),
    /// A flag.
    Flag(bool),
    /// A list of names.
    List(Vec<String>),
}

impl fmt::Display for ProfileValue {
    /// As TOML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "\"{}\"", show_bytes(*bytes)),
            Self::Duration(duration) => write!(f, "\"{}\"", show_duration(*duration)),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(names) => f.write_str(&quoted_list(names)),
        }
    }
}

impl ProfileDraft {
    /// The file. What it says was read back, so a configuration that asks for it has the values of the draft.
    ///
    /// # Errors
    /// All that is wrong, at once: keys that are unknown or said twice, values out of their range, values without a
    /// figure, figures without a value.
    pub fn to_toml(&self) -> Result<String, ConfigErrors> {
        let mut errors = self.check();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        errors.extend(self.read_back(&text));
        if errors.is_empty() { Ok(text) } else { Err(ConfigErrors(errors)) }
    }

    fn origin(&self) -> Origin {
        Origin::Profile(self.name.clone())
    }

    /// What is wrong with the draft itself.
    fn check(&self) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let mut fail = |key: &str, message: String| {
            errors.push(ConfigError { origin: self.origin(), key: key.to_owned(), message });
        };
        let mut said = BTreeSet::new();
        for (path, value) in &self.values {
            if !is_plain_key(path) {
                fail(path, "no key whose value a draft can have".to_owned());
            }
            if !said.insert(path.as_str()) {
                fail(path, "is said twice".to_owned());
            }
            if matches!(value, ProfileValue::Duration(duration) if duration.subsec_nanos() % 1_000 != 0) {
                fail(path, "a duration has whole microseconds".to_owned());
            }
        }
        let costs: &[&str] = if self.costs.is_empty() { &[] } else { &COST_KEYS };
        let paths: Vec<_> = said.into_iter().chain(costs.iter().copied()).collect();
        for path in paths.iter().filter(|path| !self.figures.iter().any(|figure| figure.is_about(path))) {
            fail(path, "has no figure: say where the value comes from".to_owned());
        }
        for key in self.figures.iter().flat_map(|figure| &figure.keys) {
            if !paths.iter().any(|path| super::covers(key, path)) {
                fail(key, "a figure is about this, which has no value".to_owned());
            }
        }
        errors
    }

    fn read_back(&self, text: &str) -> Vec<ConfigError> {
        let parsed = match parse(text, &self.origin()) {
            Ok(parsed) => parsed,
            Err(errors) => return errors,
        };
        let mut layers = Layers::default();
        layers.push_table(parsed.values, &self.origin());
        let mut reader = Reader::new(layers, Vec::new());
        // A place for a socket, which profiles do not name.
        let sources = Sources { runtime_directory: Some("/run".into()), ..Sources::default() };
        load::read(&mut reader, &sources, Some(parsed.profile));
        reader.finish().map_or_else(|errors| errors.0, |()| Vec::new())
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        comment(out, &self.comment)?;
        // What belongs to no table stands before the first one.
        for (key, value) in self.in_order().filter(|(key, _)| !key.path.contains('.')) {
            comment(out, key.meaning)?;
            writeln!(out, "{} = {value}\n", key.path)?;
        }
        writeln!(out, "[about]\nname = {}\nsummary = {}", quoted(&self.name), quoted(&self.summary))?;
        self.rules.write(out)?;
        self.figures.iter().try_for_each(|figure| figure.write(out))?;
        let mut table = "";
        for (key, value) in self.in_order() {
            let Some((of, name)) = key.path.rsplit_once('.') else { continue };
            if of != table {
                writeln!(out, "\n[{of}]")?;
                table = of;
            }
            comment(out, key.meaning)?;
            writeln!(out, "{name} = {value}")?;
        }
        self.costs.iter().try_for_each(|guess| guess.write(out))
    }

    /// The values in the order of the keys, so that tables stay together.
    fn in_order(&self) -> impl Iterator<Item = (&'static Key, &ProfileValue)> {
        let value = |key: &Key| self.values.iter().find(|(path, _)| path == key.path).map(|(_, value)| value);
        KEYS.iter().filter_map(move |key| Some((key, value(key)?)))
    }
}

impl Figure {
    fn write(&self, out: &mut String) -> fmt::Result {
        let basis = match self.basis {
            Basis::Estimate => "estimate",
            Basis::Measured => "measured",
        };
        writeln!(out, "\n[[figures]]\nkeys = {}\nbasis = \"{basis}\"", quoted_list(&self.keys))?;
        writeln!(out, "from = {}", quoted(&self.from))?;
        self.circumstances().try_for_each(|(name, value)| writeln!(out, "{name} = {}", quoted(value)))
    }
}

/// Whether a draft can have a value of this key: no list of tables, and no profile that asks for a profile.
fn is_plain_key(path: &str) -> bool {
    KEYS.iter().any(|key| key.path == path && key.unit != "tables" && !path.contains('[') && path != "profile")
}

/// Text as lines of comments.
fn comment(out: &mut String, text: &str) -> fmt::Result {
    for paragraph in text.lines() {
        let mut line = String::from("#");
        for word in paragraph.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
            if line.len() > 1 && line.len() + 1 + word.len() > LINE {
                writeln!(out, "{line}")?;
                line.truncate(1);
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
