//! Which engine proves: the one that is expected to be done first, by what was measured here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use outrigger_groth16::engine::{EngineChoice, work_of_proof};
use outrigger_groth16::setup::{insecure_setup, synthetic};
use outrigger_groth16::{Control, KeySummary, ReadyKey, Stage, Timings, Witness};
use outrigger_types::{Backend, Curve, Rejection};

use crate::metrics;

/// The weight of the last proof: as in the estimate of a circuit's time.
const WEIGHT: f64 = 0.3;

/// Proofs that the engines are measured with as the service starts: of 2^4 and 2^9 constraints, some tens of
/// milliseconds together on plain cores.
const MEASURED: [u32; 2] = [4, 9];

/// The engines of this machine, with their costs.
pub(crate) struct Engines {
    /// The first is taken where nothing is known.
    candidates: Vec<EngineChoice>,
    costs: Mutex<HashMap<Case, f64>>,
}

/// Proofs that cost an engine about the same for each unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Case {
    engine: EngineChoice,
    curve: Curve,
    /// The binary logarithm of the work, halved: a class for each factor of four.
    class: u32,
}

impl Case {
    fn of(engine: EngineChoice, curve: Curve, work: u64) -> Self {
        Self { engine, curve, class: work.max(1).ilog2() / 2 }
    }
}

impl Engines {
    pub(crate) fn new(candidates: Vec<EngineChoice>) -> Self {
        debug_assert!(!candidates.is_empty(), "there is always engine cpu");
        Self { candidates, costs: Mutex::default() }
    }

    /// The engines that this machine has.
    pub(crate) fn of_machine(vector: bool) -> Self {
        let mut candidates = vec![EngineChoice::Cpu];
        if vector && EngineChoice::fastest() == EngineChoice::Vector {
            candidates.insert(0, EngineChoice::Vector);
        }
        Self::new(candidates)
    }

    /// The engine of a backend.
    pub(crate) fn on(&self, backend: Backend) -> Result<EngineChoice, Rejection> {
        self.candidates.iter().copied().find(|engine| engine.name() == backend.name()).ok_or_else(|| {
            let names: Vec<_> = self.candidates.iter().map(|engine| engine.name()).collect();
            Rejection::BackendUnavailable(format!("proofs run on {} here, not on {backend}", names.join(" and ")))
        })
    }

    /// The engine that proves where none was measured.
    pub(crate) fn preferred(&self) -> EngineChoice {
        self.candidates[0]
    }

    /// Measures each engine with small proofs, in the current rayon pool, where there is a choice.
    pub(crate) fn measure(&self) -> Result<(), String> {
        if self.candidates.len() < 2 {
            return Ok(());
        }
        let control = Control::default();
        for log2_size in MEASURED {
            let (r1cs, witness) = synthetic(log2_size, Curve::Bn254);
            let mut zkey = Vec::new();
            insecure_setup(&r1cs, &mut zkey, &control).map_err(|error| error.to_string())?;
            let key = ReadyKey::of_source(std::sync::Arc::new(zkey)).map_err(|error| error.to_string())?;
            for engine in &self.candidates {
                // The first makes tables and memory.
                for warm in [false, true] {
                    let proved = key.prove(&witness, None, *engine, &control).map_err(|error| error.to_string())?;
                    if warm {
                        self.learn(*engine, &key.summary(), &witness, &proved.timings);
                    }
                }
            }
        }
        Ok(())
    }

    /// The engine for a proof.
    pub(crate) fn choose(&self, key: &KeySummary, witness: &Witness) -> EngineChoice {
        if self.candidates.len() == 1 {
            return self.candidates[0];
        }
        let work = work_of_proof(key, witness);
        let costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = |engine: EngineChoice| cost(&costs, Case::of(engine, key.curve, work));
        let known = self.candidates.iter().filter_map(|engine| expected(*engine).map(|cost| (*engine, cost)));
        known.min_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(self.candidates[0], |(engine, _)| engine)
    }

    /// A proof was made by this engine in this time.
    pub(crate) fn learn(&self, engine: EngineChoice, key: &KeySummary, witness: &Witness, timings: &Timings) {
        let stages = [Stage::SparseProduct, Stage::Ntt, Stage::MsmG1, Stage::MsmG2];
        let time: Duration = stages.map(|stage| timings.of(stage)).iter().sum();
        let work = work_of_proof(key, witness).max(1);
        let now = time.as_secs_f64() / work as f64;
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        let cost = costs.entry(Case::of(engine, key.curve, work)).or_insert(now);
        *cost += WEIGHT * (now - *cost);
        metrics::engine_cost(engine, key.curve, *cost);
    }
}

/// Seconds for a unit of work: of this case, else of the nearest that is known, on this curve if there is one.
fn cost(costs: &HashMap<Case, f64>, case: Case) -> Option<f64> {
    let known = costs.iter().filter(|(known, _)| known.engine == case.engine);
    let distance = |known: &Case| (known.curve != case.curve, known.class.abs_diff(case.class), known.class);
    known.min_by_key(|(known, _)| distance(known)).map(|(_, cost)| *cost)
}

#[cfg(test)]
mod tests;
