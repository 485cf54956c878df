//! Every key of the configuration: the page `hw-profiles/README.md` is made of this list, and tests hold it against what is
//! really read.

mod list;
#[cfg(test)]
mod page;

pub use list::KEYS;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its path; `[]` stands for the number of a table in a list.
    pub path: &'static str,
    /// What its value is or counts.
    pub unit: &'static str,
    /// From where to where, or the names that there are; empty where the unit says all.
    pub range: &'static str,
    /// What holds where no layer says anything, a profile among them.
    pub default: KeyDefault,
    /// What it decides, in sentences.
    pub meaning: &'static str,
}

/// What holds where no layer says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDefault {
    /// This value, as a file has it.
    Is(&'static str),
    /// What these words say.
    InWords(&'static str),
}

impl Key {
    /// The one of a path, in which tables of lists may have their numbers.
    pub fn find(path: &str) -> Option<&'static Self> {
        let plain = crate::profile::without_indices(path);
        KEYS.iter().find(|key| key.path == plain)
    }
}

#[cfg(test)]
mod tests;
