//! Known signers: the tables of a batch's keys, built before a clock starts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use outrigger_algorithms::Unit;
use outrigger_algorithms::known_keys::{self, KeyKind};
use outrigger_types::Ruleset;
use serde_json::{Value, json};

use crate::cli::{BenchArgs, Failure};

/// The name of what a record says of tables.
pub(super) const NAME: &str = "known_keys";
/// More than any table has: so that all keys of all rulesets of a run find room.
const TABLE_BYTES_MAX: usize = 1 << 20;
/// Tables that are ordered at a time.
const ORDERED_MAX: usize = 128;

/// Whether known keys can be measured here.
pub(super) fn check(args: &BenchArgs) -> Result<(), Failure> {
    match args.known_keys {
        Some(_) if args.suite != "verify" => Err(Failure::input("--known-keys: measured by the suite verify alone")),
        Some(_) if Unit::detect().is_none() => {
            Err(Failure::input("--known-keys: only the vector engine has tables, and it is not on this machine"))
        }
        _ => Ok(()),
    }
}

/// Builds the tables of the keys of signatures, and says what that took; `None` for a ruleset without tables.
pub(super) fn warm<'k>(ruleset: Ruleset, keys: impl Iterator<Item = &'k [u8]>) -> Result<Option<Value>, Failure> {
    let Some(kind) = known_keys::kind_of(ruleset) else { return Ok(None) };
    let keys: BTreeSet<&[u8]> = keys.filter_map(kind.name_of).collect();
    known_keys::enable((keys.len() + 1) * Ruleset::ALL.len() * TABLE_BYTES_MAX);
    let known = known_keys::shared().ok_or_else(|| Failure::work("no tables are kept"))?;
    let keys: Vec<&[u8]> = keys.into_iter().collect();
    let (took, bytes) = build_each(kind, &keys)?;
    for some in keys.chunks(ORDERED_MAX) {
        known.sight(kind, "bench", some.iter().copied(), kind.sightings, true);
        known.settle();
    }
    // Rulesets of a room share their tables, so some may have been there.
    let kept = known.stats();
    if kept.tables < keys.len() || kept.evictions > 0 {
        return Err(Failure::work(format_args!("{} tables of {} keys are kept", kept.tables, keys.len())));
    }
    let tables = keys.len() as u32;
    Ok(Some(json!({
        "keys": tables,
        "table_build_us": (took / tables).as_secs_f64() * 1e6,
        "tables_build_ms": took.as_secs_f64() * 1e3,
        "table_bytes": bytes / keys.len(),
        "sightings": kind.sightings,
    })))
}

/// How long it takes to build the tables, one after the other, and their bytes together.
fn build_each(kind: &KeyKind, keys: &[&[u8]]) -> Result<(Duration, usize), Failure> {
    // The first of all also makes what tables share.
    keys.first().and_then(|key| (kind.build)(key));
    let (since, mut bytes) = (Instant::now(), 0);
    for key in keys {
        let table = (kind.build)(key).ok_or_else(|| Failure::work("a key without a table"))?;
        bytes += std::hint::black_box(&table).bytes();
    }
    Ok((since.elapsed(), bytes))
}
