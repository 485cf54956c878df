//! Layers of values, flattened to paths: the last layer that names a path wins.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::Origin;
use crate::sources::PREFIX;
use crate::sources::{CONFIG_VARIABLE, ENDPOINT_VARIABLE};

/// A value and who said it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) value: Raw,
    pub(crate) origin: Origin,
}

/// A value before it has a type: TOML says one, text does not.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    Toml(Value),
    Text(String),
}

/// All layers in one map, from path to entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    pub(crate) entries: BTreeMap<String, Entry>,
}

impl Layers {
    /// Puts a TOML table on top. Arrays of tables become `name[0].key`; other arrays are values.
    pub(crate) fn push_table(&mut self, table: Table, origin: &Origin) {
        self.push_nested("", table, origin);
    }

    fn push_nested(&mut self, prefix: &str, table: Table, origin: &Origin) {
        for (key, value) in table {
            let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            match value {
                Value::Table(table) => self.push_nested(&path, table, origin),
                Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_table) => {
                    for (i, item) in items.into_iter().enumerate() {
                        let Value::Table(table) = item else { continue };
                        self.push_nested(&format!("{path}[{i}]"), table, origin);
                    }
                }
                value => self.push(path, Raw::Toml(value), origin.clone()),
            }
        }
    }

    /// Puts the variables of the environment on top.
    pub(crate) fn push_environment(&mut self, variables: &[(String, String)]) {
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if name == CONFIG_VARIABLE || name == ENDPOINT_VARIABLE {
                continue;
            }
            let path = rest.replace("__", ".").to_ascii_lowercase();
            self.push(path, Raw::Text(value.clone()), Origin::Environment(name.clone()));
        }
    }

    /// Puts other layers on top. A list of tables there, also an empty one, replaces that of the same name as a whole.
    pub(crate) fn push_layers(&mut self, upper: Self) {
        let lists: BTreeSet<&str> = upper.entries.iter().filter_map(|(path, entry)| list_of(path, entry)).collect();
        let is_of = |path: &str, list: &str| {
            path.strip_prefix(list).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        self.entries.retain(|path, _| !lists.iter().any(|list| is_of(path, list)));
        self.entries.extend(upper.entries);
    }

    /// Puts one value on top.
    pub(crate) fn push(&mut self, path: String, value: Raw, origin: Origin) {
        self.entries.insert(path, Entry { value, origin });
    }
}

/// The list of tables that an entry is a part of, or empties.
fn list_of<'a>(path: &'a str, entry: &Entry) -> Option<&'a str> {
    let is_empty = matches!(&entry.value, Raw::Toml(Value::Array(items)) if items.is_empty());
    path.split_once('[').map(|(list, _)| list).or(is_empty.then_some(path))
}
