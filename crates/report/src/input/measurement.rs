//! One record that has what every plot needs.

use serde_json::Value;

use super::{NotDrawn, Who};
use crate::results::{Record, Results};

/// Suites whose batch is the size of what is worked on, so that the size tells no two operations apart.
const BATCH_IS_SIZE: [&str; 2] = ["msm", "ntt"];

/// A record that can be drawn.
#[derive(Clone, Debug)]
pub(crate) struct Measurement<'r> {
    file: &'r str,
    place: usize,
    record: &'r Record,
    /// What tells its machine from others, or nothing.
    pub(crate) machine: String,
    pub(crate) suite: &'r str,
    algorithm: &'r str,
    pub(crate) backend: &'r str,
    /// In items.
    pub(crate) batch: f64,
    pub(crate) threads: u64,
    pub(crate) items_per_second: f64,
}

/// Who ran beside the product.
#[derive(Clone, Debug)]
pub(crate) struct Peer<'r> {
    name: &'r str,
    version: &'r str,
    pub(crate) items_per_second: f64,
}

impl Peer<'_> {
    /// `blst 0.3.17`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.version).trim_end().to_owned()
    }

    /// Whose line its rates are on.
    pub(crate) fn who(&self) -> Who {
        Who::Peer { name: self.name.to_owned(), version: self.version.to_owned() }
    }
}

impl<'r> Measurement<'r> {
    /// Takes a record, or says what it lacks.
    pub(super) fn of(results: &'r Results, place: usize, record: &'r Record, machine: &str) -> Result<Self, NotDrawn> {
        let text = |key: &'static str| record.get(key).and_then(Value::as_str).ok_or(key);
        let above_zero = |key: &'static str| number(record, key).filter(|value| *value > 0.0).ok_or(key);
        let taken = || {
            Ok(Self {
                file: &results.file,
                place,
                record,
                machine: machine.to_owned(),
                suite: text("suite")?,
                algorithm: text("algorithm")?,
                backend: text("backend")?,
                batch: above_zero("batch")?,
                threads: record.get("threads").and_then(Value::as_u64).filter(|count| *count > 0).ok_or("threads")?,
                items_per_second: above_zero("items_per_second")?,
            })
        };
        taken().map_err(|key| {
            let why = match record.get(key) {
                None => format!("it has no \"{key}\""),
                Some(value) => format!("its \"{key}\" is {value}"),
            };
            NotDrawn { file: results.file.clone(), place, what: what(record), why }
        })
    }

    /// What is missing or wrong for some plots, though not for all.
    pub(super) fn flaws(&self) -> Vec<NotDrawn> {
        let mut flaws = Vec::new();
        let mut add = |is_wrong: bool, why: &str| {
            if is_wrong {
                let (file, what) = (self.file.to_owned(), what(self.record));
                flaws.push(NotDrawn { file, place: self.place, what, why: why.to_owned() });
            }
        };
        add(self.latency_us().is_none(), "not in latency: \"latency_us\" needs \"p50\" and \"p99\" above zero");
        let has_peer = self.is_there("peer");
        add(
            has_peer && self.peer().is_none(),
            "without its peer: \"peer\" needs \"name\" and \"items_per_second\" above zero",
        );
        add(has_peer && self.ratio().is_none(), "not in speed-up over its peer: \"ratio\" is no number above zero");
        add(
            self.is_there("spread") && self.spread("spread").is_none(),
            "without its spread: \"spread\" is no pair of numbers above zero",
        );
        add(
            self.is_proof() && self.size().is_none(),
            "not in proving time: \"size\" (constraints) is no number above zero",
        );
        add(
            self.is_there("stages_ms") && self.stages("stages_ms").is_none(),
            "not in stages: \"stages_ms\" holds something that is no number from zero on",
        );
        add(
            self.is_there("scaling") && self.scaling("scaling").is_none(),
            "not in scaling: \"scaling\" lacks a number above zero",
        );
        flaws
    }

    fn is_there(&self, key: &str) -> bool {
        self.record.get(key).is_some_and(|value| !value.is_null())
    }

    /// Whose line its rates are on.
    pub(crate) fn who(&self) -> Who {
        Who::Backend(self.backend.to_owned())
    }

    /// Whether it is the time of whole proofs.
    pub(crate) fn is_proof(&self) -> bool {
        matches!(self.suite, "prove" | "semaphore")
    }

    /// What was done, in words: the same for every backend, machine, number of threads and batch size.
    pub(crate) fn operation(&self) -> String {
        let ruleset = self.record.get("ruleset").and_then(Value::as_str);
        let mut words = match ruleset {
            Some(ruleset) if matches!(self.suite, "verify" | "recover") => ruleset.to_owned(),
            Some(ruleset) => format!("{} ({ruleset})", self.algorithm),
            None => self.algorithm.to_owned(),
        };
        if let Some(keys) = self.record.get("known_keys").and_then(|known| known.get("keys")).and_then(Value::as_u64) {
            words.push_str(&format!(", {keys} known keys"));
        }
        match self.size() {
            Some(_) if BATCH_IS_SIZE.contains(&self.suite) => {}
            Some(size) if self.is_proof() => words.push_str(&format!(", {} constraints", crate::numbers::people(size))),
            Some(size) => words.push_str(&format!(", {} B", crate::numbers::people(size))),
            None => {}
        }
        if !self.is_warm() {
            words.push_str(", cold");
        }
        words
    }

    /// The name of what was done, without its size: of a proof, its circuit.
    pub(crate) fn algorithm(&self) -> &'r str {
        self.algorithm
    }

    /// The device, as the record says.
    pub(crate) fn device(&self) -> &'r str {
        self.record.get("device").and_then(Value::as_str).unwrap_or("")
    }

    /// False where a key was opened and prepared for each proof.
    pub(crate) fn is_warm(&self) -> bool {
        self.record.get("warm").and_then(Value::as_bool).unwrap_or(true)
    }

    /// Bytes of a message, constraints of a circuit.
    pub(crate) fn size(&self) -> Option<f64> {
        number(self.record, "size").filter(|size| *size > 0.0)
    }

    /// The 50th and the 99th percentile of a batch's time, in µs.
    pub(crate) fn latency_us(&self) -> Option<(f64, f64)> {
        let latency = self.record.get("latency_us")?.as_object()?;
        let above_zero = |key| number(latency, key).filter(|value| *value > 0.0);
        Some((above_zero("p50")?, above_zero("p99")?))
    }

    /// Who ran beside it.
    pub(crate) fn peer(&self) -> Option<Peer<'r>> {
        let peer = self.record.get("peer")?.as_object()?;
        Some(Peer {
            name: peer.get("name")?.as_str()?,
            version: peer.get("version").and_then(Value::as_str).unwrap_or(""),
            items_per_second: number(peer, "items_per_second").filter(|value| *value > 0.0)?,
        })
    }

    /// Product over peer.
    pub(crate) fn ratio(&self) -> Option<f64> {
        number(self.record, "ratio").filter(|ratio| *ratio > 0.0)
    }

    /// The lowest and the highest of pairs.
    pub(crate) fn spread(&self, key: &str) -> Option<(f64, f64)> {
        pair(self.record.get(key)?)
    }

    /// Milliseconds of each stage, under the key of the product or of its peer; nothing where one is no number.
    pub(crate) fn stages(&self, key: &str) -> Option<Vec<(&'r str, f64)>> {
        let stages = self.record.get(key)?.as_object()?;
        stages.iter().map(|(name, value)| Some((name.as_str(), value.as_f64().filter(|ms| *ms >= 0.0)?))).collect()
    }

    /// How several threads did beside one: the product, a loop in registers, product over loop, and its spread.
    pub(crate) fn scaling(&self, key: &str) -> Option<Scaling> {
        let scaling = self.record.get(key)?.as_object()?;
        let above_zero = |key| number(scaling, key).filter(|value| *value > 0.0);
        Some(Scaling {
            product: above_zero("product")?,
            register_loop: above_zero("register_loop")?,
            product_over_loop: above_zero("product_over_loop")?,
            spread: scaling.get("spread").and_then(pair),
        })
    }
}

/// How much more several threads do than one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaling {
    pub(crate) product: f64,
    pub(crate) register_loop: f64,
    pub(crate) product_over_loop: f64,
    pub(crate) spread: Option<(f64, f64)>,
}

fn number(record: &Record, key: &str) -> Option<f64> {
    record.get(key).and_then(Value::as_f64)
}

fn pair(value: &Value) -> Option<(f64, f64)> {
    match value.as_array()?.as_slice() {
        [low, high] => Some((low.as_f64()?, high.as_f64()?)).filter(|(low, high)| *low > 0.0 && *high > 0.0),
        _ => None,
    }
}

/// What a record is of, as far as it says.
fn what(record: &Record) -> String {
    let words = ["suite", "ruleset", "algorithm", "backend"].into_iter();
    let words: Vec<&str> = words.filter_map(|key| record.get(key).and_then(Value::as_str)).collect();
    words.join(" ")
}
