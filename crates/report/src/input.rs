//! Records as plots take them, and those that no plot can.

mod measurement;

use std::collections::BTreeSet;

use crate::palette::Look;
use crate::results::{Machine, Results};

pub(crate) use measurement::Measurement;

/// All that the page is made of.
pub(crate) struct Input<'r> {
    pub(crate) measurements: Vec<Measurement<'r>>,
    pub(crate) not_drawn: Vec<NotDrawn>,
    /// Backends of each machine, in the order in which looks are given out.
    backends: Vec<(String, Who)>,
}

/// Who was measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A backend by its name.
    Backend(String),
    /// A peer.
    Peer { name: String, version: String },
}

/// A record, or a part of one, that no plot shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotDrawn {
    pub(crate) file: String,
    /// Which record of the file, from 1.
    pub(crate) place: usize,
    /// What the record is of, as far as it says.
    pub(crate) what: String,
    pub(crate) why: String,
}

impl<'r> Input<'r> {
    /// Takes the records of all files apart.
    pub(crate) fn of(results: &'r [Results]) -> Self {
        let machines: BTreeSet<&Machine> = results.iter().map(|one| &one.machine).collect();
        let (mut measurements, mut not_drawn) = (Vec::new(), Vec::new());
        for one in results {
            let machine = label(&one.machine, &machines);
            for (place, record) in one.records.iter().enumerate() {
                match Measurement::of(one, place + 1, record, &machine) {
                    Ok(measurement) => {
                        not_drawn.extend(measurement.flaws());
                        measurements.push(measurement);
                    }
                    Err(why) => not_drawn.push(why),
                }
            }
        }
        let backends = backends(&measurements);
        Self { measurements, not_drawn, backends }
    }

    /// The place of a backend among all, those of this project first; peers come after every backend.
    pub(crate) fn place(&self, machine: &str, who: &Who) -> usize {
        self.backends.iter().position(|(of, known)| of == machine && known == who).unwrap_or(usize::MAX)
    }

    /// The look of a backend of a machine, the same on the whole page.
    pub(crate) fn look(&self, one: &Measurement<'_>) -> Look {
        Look::of(self.place(&one.machine, &one.who()), 0)
    }
}

impl Who {
    /// Backends of this project come first, in the order from plain cores to devices.
    fn rank(&self) -> usize {
        const ORDER: [&str; 4] = ["cpu", "vector", "opencl", "cuda"];
        match self {
            Self::Backend(name) => ORDER.iter().position(|known| known == name).unwrap_or(ORDER.len()),
            Self::Peer { .. } => usize::MAX,
        }
    }
}

fn backends(measurements: &[Measurement<'_>]) -> Vec<(String, Who)> {
    let all: BTreeSet<_> = measurements.iter().map(|one| (one.machine.clone(), one.who())).collect();
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(machine, who)| (who.rank(), who.clone(), machine.clone()));
    all
}

/// What tells a machine from the others; empty where there is one alone.
fn label(machine: &Machine, all: &BTreeSet<&Machine>) -> String {
    let differ = |of: fn(&Machine) -> &String| all.iter().map(|one| of(one)).collect::<BTreeSet<_>>().len() > 1;
    let parts = [(differ(|one| &one.date), &machine.date), (differ(|one| &one.device), &machine.device)];
    let words: Vec<&str> = parts
        .into_iter()
        .filter(|(differs, word)| *differs && !word.is_empty())
        .map(|(_, word)| word.as_str())
        .collect();
    words.join(" ")
}
