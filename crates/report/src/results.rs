//! Result files as they are read.

use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

/// A record: a JSON object.
pub(crate) type Record = Map<String, Value>;

/// Words at the end of a file's name that say what was measured and not where.
const SUBJECTS: [&str; 13] = [
    "chain",
    "cpu",
    "devices",
    "grpc",
    "hash",
    "msm",
    "ntt",
    "prove",
    "proving",
    "recover",
    "semaphore",
    "vector",
    "verify",
];
/// Lists of the suite `devices`, which are no facts about the machine.
const LISTS: [&str; 4] = ["records", "benches", "conformance", "failures"];

/// One result file.
#[derive(Clone, Debug)]
pub struct Results {
    /// The file's name, without its folder.
    pub(crate) file: String,
    pub(crate) machine: Machine,
    /// What the file says of where and how it was measured, nested keys joined by dots.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) records: Vec<Record>,
    /// What the suite could not measure, in its words.
    pub(crate) failures: Vec<String>,
}

/// What tells files apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Machine {
    /// `2026-11-21`, or empty where nothing says the day.
    pub(crate) date: String,
    pub(crate) device: String,
}

impl Results {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, is no JSON, or holds no records; the error names the file and says what to do.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |problem| Error { file: path.display().to_string(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| failed(Problem::Unreadable(error)))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Self::parse(&name, &text).map_err(|error| failed(error.problem))
    }

    /// Takes the text of a file; its name gives the day and the machine where the text does not.
    ///
    /// # Errors
    /// The text is no JSON, or holds no records.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let failed = |problem| Error { file: file.to_owned(), problem };
        let value: Value = serde_json::from_str(text).map_err(|error| failed(Problem::NotJson(error)))?;
        let (records, mut facts) = split(value).map_err(|what| failed(Problem::NotRecords(what)))?;
        let failures = match facts.remove("failures") {
            Some(Value::Array(failures)) => failures.iter().map(plain).collect(),
            _ => Vec::new(),
        };
        LISTS.iter().for_each(|list| drop(facts.remove(*list)));
        let mut environment = Vec::new();
        facts.iter().for_each(|(key, value)| flatten(key, value, &mut environment));
        Ok(Self { machine: Machine::of(file, &facts), file: file.to_owned(), environment, records, failures })
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// Records, and what else there is: the environment's keys, or those beside the records.
fn split(value: Value) -> Result<(Vec<Record>, Record), String> {
    let (list, facts) = match value {
        Value::Array(list) => (list, Map::new()),
        Value::Object(mut object) => {
            let key = ["records", "benches"].into_iter().find(|key| object.contains_key(*key));
            let key = key.ok_or("an object without \"records\"")?;
            let Some(Value::Array(list)) = object.remove(key) else { return Err(format!("\"{key}\" is no array")) };
            if let Some(Value::Object(environment)) = object.remove("environment") {
                object.extend(environment);
            }
            (list, object)
        }
        other => return Err(format!("it holds only {}", plain(&other))),
    };
    let mut records = Vec::with_capacity(list.len());
    for (place, one) in list.into_iter().enumerate() {
        let Value::Object(record) = one else { return Err(format!("entry {} is no object", place + 1)) };
        records.push(record);
    }
    let is_record = |record: &Record| record.contains_key("suite") || record.contains_key("items_per_second");
    if !records.is_empty() && !records.iter().any(is_record) {
        return Err("no entry has a \"suite\"".to_owned());
    }
    Ok((records, facts))
}

impl Machine {
    fn of(file: &str, facts: &Record) -> Self {
        let stem = file.strip_suffix(".json").unwrap_or(file);
        let (date, mut rest) = match stem.split_at_checked(10) {
            Some((date, rest)) if is_date(date) => (date, rest.trim_start_matches('-')),
            _ => ("", stem),
        };
        if let Some((before, last)) = rest.rsplit_once('-')
            && SUBJECTS.contains(&last)
        {
            rest = before;
        }
        let said = |key: &str| facts.get(key).filter(|value| value.is_string() || value.is_number()).map(plain);
        let said_date = said("date").map(|date| match date.get(..10) {
            Some(day) if is_date(day) => day.to_owned(),
            _ => date,
        });
        let cores = said("cores").map_or_else(String::new, |cores| format!(", {cores} cores"));
        let device = said("cpu").map(|cpu| cpu + &cores).or_else(|| said("slug"));
        Self { date: said_date.unwrap_or_else(|| date.to_owned()), device: device.unwrap_or_else(|| rest.to_owned()) }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Adds the leaves of a value under their paths, joined by dots; places of arrays count from 0.
pub(crate) fn flatten(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| flatten(&format!("{path}.{key}"), value, into)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(place, value)| flatten(&format!("{path}.{place}"), value, into));
        }
        leaf => into.push((path.to_owned(), plain(leaf))),
    }
}

/// A string without quotation marks, nothing for null, and anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Why a file cannot be used.
#[derive(Debug)]
pub struct Error {
    file: String,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Unreadable(std::io::Error),
    NotJson(serde_json::Error),
    NotRecords(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match &self.problem {
            Problem::Unreadable(error) => write!(formatter, "{file}: cannot be read: {error}; check the path"),
            Problem::NotJson(error) => write!(
                formatter,
                "{file}: not JSON, or cut off ({error}); measure again: outrigger bench SUITE --json > FILE"
            ),
            Problem::NotRecords(what) => write!(
                formatter,
                "{file}: no benchmark results: {what}; give files that outrigger bench SUITE --json has written"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Unreadable(error) => Some(error),
            Problem::NotJson(error) => Some(error),
            Problem::NotRecords(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
