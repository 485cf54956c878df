//! The list itself, in the order of the page.

mod callers;
mod machine;

use super::{Key, KeyDefault};

const COUNT: usize = callers::KEYS.len() + machine::KEYS.len();

/// Every key of the configuration.
pub static KEYS: &[Key] = &joined();

const fn joined() -> [Key; COUNT] {
    let mut all = [callers::KEYS[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        let first = callers::KEYS.len();
        all[at] = if at < first { callers::KEYS[at] } else { machine::KEYS[at - first] };
        at += 1;
    }
    all
}

const fn key(
    path: &'static str,
    unit: &'static str,
    range: &'static str,
    default: KeyDefault,
    meaning: &'static str,
) -> Key {
    Key { path, unit, range, default, meaning }
}
