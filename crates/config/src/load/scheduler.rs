//! The keys below `scheduler`.

use std::time::Duration;

use outrigger_types::{Backend, BatchOptions, SchedulerOptions};

use super::DAY;
use crate::SchedulerTuning;
use crate::model::costs::{self, CostGuess};
use crate::reader::Reader;

/// A minute to begin a piece, ten seconds an item, a millisecond a byte: far above anything that is worth choosing.
const FIXED_US_MAX: f64 = 6e7;
const ITEM_NS_MAX: f64 = 1e10;
const BYTE_NS_MAX: f64 = 1e6;

pub(super) fn read(reader: &mut Reader) -> SchedulerTuning {
    let default = SchedulerOptions::default();
    let items = reader.number("scheduler.batch.items_max", 1..=1 << 24);
    let bytes = reader.bytes("scheduler.batch.bytes_max", 1 << 10..=1 << 32);
    let delay = reader.duration("scheduler.batch.delay_max", Duration::ZERO..=Duration::from_secs(10));
    SchedulerTuning {
        batch: BatchOptions {
            items_max: items.map_or(default.batch.items_max, |items| items as usize),
            bytes_max: bytes.map_or(default.batch.bytes_max, |bytes| bytes as usize),
            delay_max: delay.unwrap_or(default.batch.delay_max),
        },
        aging: reader.duration("scheduler.aging", Duration::from_millis(1)..=DAY).unwrap_or(default.aging),
        cache_entries: reader
            .number("scheduler.cache_entries", 0..=1 << 28)
            .map_or(default.cache_entries, |entries| entries as usize),
        consensus_reserve_percent: reader
            .number("scheduler.consensus_reserve_percent", 0..=90)
            .map_or(default.consensus_reserve_percent, |percent| percent as u8),
        costs: guesses(reader),
    }
}

fn guesses(reader: &mut Reader) -> Vec<CostGuess> {
    let mut guesses: Vec<CostGuess> = Vec::new();
    for i in 0..reader.table_count("scheduler.costs") {
        let path = format!("scheduler.costs[{i}]");
        let Some(guess) = guess(reader, &path) else { continue };
        if guesses.iter().any(|other| other.is_of_the_same(&guess)) {
            reader.fail(&format!("{path}.operation"), "there is another guess of this operation on this backend");
        }
        guesses.push(guess);
    }
    guesses
}

fn guess(reader: &mut Reader, path: &str) -> Option<CostGuess> {
    let at = |key: &str| format!("{path}.{key}");
    let backend = reader.parsed::<Backend>(&at("backend")).flatten();
    let kind = reader.text(&at("operation"));
    let label = reader.text(&at("label"));
    let fixed_us = reader.decimal(&at("fixed_us"), 0.0..=FIXED_US_MAX).unwrap_or(0.0);
    let item_ns = reader.decimal(&at("item_ns"), 0.0..=ITEM_NS_MAX).unwrap_or(0.0);
    let byte_ns = reader.decimal(&at("byte_ns"), 0.0..=BYTE_NS_MAX).unwrap_or(0.0);
    let backends = || Backend::ALL.map(Backend::name).join(", ");
    needs(reader, &at("backend"), backend.is_some(), || format!("a guess needs a backend, one of {}", backends()));
    let kinds = || costs::kinds().join(", ");
    needs(reader, &at("operation"), kind.is_some(), || format!("a guess needs an operation, one of {}", kinds()));
    let is_something = item_ns > 0.0 || byte_ns > 0.0;
    let in_no_time = || "item_ns or byte_ns must be above 0: no work is done in no time".to_owned();
    needs(reader, &at("item_ns"), is_something, in_no_time);
    match costs::named(&kind?, label.as_deref()) {
        Ok((operation, label)) => Some(CostGuess { backend: backend?, operation, label, fixed_us, item_ns, byte_ns }),
        Err((key, message)) => {
            reader.fail(&at(key), message);
            None
        }
    }
}

/// Notes that something is missing, where what is there was not found wrong already.
fn needs(reader: &mut Reader, path: &str, is_there: bool, message: impl FnOnce() -> String) {
    if !is_there && !reader.has_failed(path) {
        reader.fail(path, message());
    }
}

#[cfg(test)]
mod tests;
