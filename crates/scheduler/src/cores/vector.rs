//! What the vector engine may do: an operation whose lanes have given right answers here, on this processor, today.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use outrigger_algorithms::Unit;
use outrigger_algorithms::lanes::{self, Sample};
use outrigger_types::{Backend, EngineError, HashAlgorithm, MerkleTree, Operation, Ruleset};

use super::pool::{Face, Gate};
use crate::cost::Pieces;

/// The trials of one unit of lanes, each made once.
pub(super) struct Trials {
    unit: Unit,
    outcomes: Mutex<HashMap<Operation, Arc<OnceLock<bool>>>>,
    /// Whose costs are learned on the way.
    reference: Arc<Face>,
    lanes: OnceLock<Weak<Face>>,
}

impl Trials {
    /// Nothing was tried yet. What references cost is learned by `reference`.
    pub(super) fn new(unit: Unit, reference: Arc<Face>) -> Self {
        Self { unit, outcomes: Mutex::default(), reference, lanes: OnceLock::new() }
    }

    /// Lets the engine that the trials are for learn what lanes cost.
    pub(super) fn measure_for(&self, face: &Arc<Face>) {
        let _ = self.lanes.set(Arc::downgrade(face));
    }

    /// Whether work of an operation may come: a room has lanes for it, and they did not fail.
    pub(super) fn allow(&self, operation: Operation) -> bool {
        lanes::supports(operation) && self.outcome(operation).get() != Some(&false)
    }

    /// Tries everything that the rooms declare.
    pub(super) fn run_all(&self) {
        let signatures = Ruleset::ALL.iter().flat_map(|&ruleset| {
            [Operation::Verify(ruleset), Operation::Recover(ruleset), Operation::VerifySets(ruleset)]
        });
        let hashes = HashAlgorithm::ALL.iter().map(|&algorithm| Operation::Hash(algorithm));
        let trees = MerkleTree::ALL
            .iter()
            .flat_map(|&tree| HashAlgorithm::ALL.iter().map(move |&algorithm| Operation::Merkle(tree, algorithm)));
        let others = trees.chain([Operation::EthereumTransactions]);
        for operation in signatures.chain(hashes).chain(others).filter(|&operation| lanes::supports(operation)) {
            // The engine may be gone: then nobody wants to know.
            if self.lanes.get().is_some_and(|face| face.strong_count() == 0) {
                return;
            }
            self.passed(operation);
        }
    }

    /// Whether the lanes of an operation give right answers; tried where that is not known. Who asks at the same
    /// time waits for the one trial.
    fn passed(&self, operation: Operation) -> bool {
        *self.outcome(operation).get_or_init(|| match lanes::trial(self.unit, operation) {
            Ok(samples) => {
                samples.iter().for_each(|sample| self.learn(operation, sample));
                true
            }
            Err(wrong) => {
                let (kind, label) = (operation.kind(), operation.label());
                tracing::error!(kind, label, %wrong, "the vector engine failed its trial; the cores do this operation");
                false
            }
        })
    }

    fn learn(&self, operation: Operation, sample: &Sample) {
        let face = match sample.backend {
            Backend::Vector => self.lanes.get().and_then(Weak::upgrade),
            _ => Some(self.reference.clone()),
        };
        let pieces = Pieces { count: 1, items: sample.items, bytes: sample.bytes, compute: sample.compute };
        if let Some(face) = face {
            face.costs.observe(operation, pieces, Instant::now());
        }
    }

    fn outcome(&self, operation: Operation) -> Arc<OnceLock<bool>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default().clone()
    }
}

/// Lets through what has passed its trial.
pub(super) fn gate(trials: Arc<Trials>) -> Box<Gate> {
    Box::new(move |operation| {
        if trials.passed(operation) {
            return Ok(());
        }
        Err(EngineError::Fault("the vector engine failed its trial of this operation".into()))
    })
}
