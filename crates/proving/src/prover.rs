//! The work of a proof: from a circuit of the store and a secret to a verified proof.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_groth16::engine::{EngineChoice, ProofEngine};
use outrigger_groth16::formats::wtns;
use outrigger_groth16::store::Part;
use outrigger_groth16::{CircuitStore, Control, ProveError, Stage, Stop, StoreError, Timings, Wanted, Witness};
use outrigger_types::{Backend, CircuitId, Rejection};
use outrigger_witness::{WitnessError, WitnessLimits};
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::engines::Engines;
use crate::job::{Finished, Secret, SecretKind};
use crate::metrics;
use crate::programs::{ProgramError, Programs};

/// Where the secret stands in a request.
const WITNESS_FIELD: &str = "chunk.witness";
const INPUTS_FIELD: &str = "chunk.inputs_json";

/// A proof that is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) given: Given,
    pub(crate) control: &'a Control,
}

/// What a proof is made from.
pub(crate) enum Given {
    Secret(Secret),
    /// What was made of it before the proof's turn.
    Made(Made),
}

/// The making of a witness, and how long it took.
pub(crate) struct Made {
    witness: Result<Witness, Rejection>,
    took: Duration,
}

/// What runs the work of a job. A seam: tests of everything around it need no circuits.
pub(crate) trait Prover: Send + Sync {
    /// Whether a job can be taken: the circuit is there, what makes its witness, and the backend that is asked for.
    /// Quick.
    fn accepts(&self, circuit: CircuitId, kind: SecretKind, backend: Option<Backend>) -> Result<(), Rejection>;

    /// Whether its proofs are done several at a time. Quick.
    fn is_small(&self, circuit: CircuitId) -> bool;

    /// Does what can be done before the proof's turn, in the caller's thread.
    fn make(&self, circuit: CircuitId, secret: Secret, control: &Control) -> Given {
        let _ = (circuit, control);
        Given::Secret(secret)
    }

    /// Proves, computing in these threads: an answer for each that is asked for. Called from none of the threads.
    fn prove(
        &self,
        circuit: CircuitId,
        asked: Vec<Asked<'_>>,
        backend: Option<Backend>,
        threads: &ThreadPool,
    ) -> Vec<Result<Finished, Rejection>>;

    /// Whether there is something new to find out by [`Prover::warm_up`]. Quick.
    fn is_cold(&self) -> bool {
        false
    }

    /// Finds out what this machine is good at, in the current rayon pool.
    fn warm_up(&self) {}

    /// The engine of a backend, or the one that is preferred.
    fn engine(&self, backend: Option<Backend>) -> Result<Arc<dyn ProofEngine>, Rejection> {
        let _ = backend;
        Ok(Arc::new(EngineChoice::fastest()))
    }
}

/// Proves with the circuits of a store.
pub(crate) struct CircuitProver {
    store: Arc<CircuitStore>,
    programs: Programs,
    limits: WitnessLimits,
    engines: Engines,
    /// The domain up to which a circuit is small: a proof takes so few milliseconds that its threads wait for each other.
    small_domain: usize,
}

impl CircuitProver {
    pub(crate) fn new(store: Arc<CircuitStore>, limits: WitnessLimits, engines: Engines, small_domain: usize) -> Self {
        Self { store, programs: Programs::default(), limits, engines, small_domain }
    }

    fn witness(&self, circuit: CircuitId, secret: Secret, control: &Control) -> Result<Witness, Rejection> {
        // The bytes are wiped when this returns: nothing needs them once the values are read.
        match secret {
            Secret::Witness(bytes) => {
                wtns::parse(&bytes).map_err(|error| Rejection::field(WITNESS_FIELD, error.to_string()))
            }
            Secret::Inputs(json) => {
                let program = self.programs.get(circuit, &self.store.path(circuit, Part::Wasm));
                let program = program.map_err(|error| without_program(circuit, error))?;
                program.calculate(&json, &self.limits, control).map_err(without_witness)
            }
        }
    }

    /// Makes the witness, whatever happens meanwhile.
    fn made(&self, circuit: CircuitId, secret: Secret, control: &Control) -> Made {
        let begun = Instant::now();
        let work = AssertUnwindSafe(|| self.witness(circuit, secret, control));
        let witness = catch_unwind(work).unwrap_or_else(|_| {
            tracing::error!(%circuit, "the making of a witness panicked");
            Err(Rejection::Internal("the making of the witness panicked".to_owned()))
        });
        Made { witness, took: begun.elapsed() }
    }
}

impl Prover for CircuitProver {
    fn accepts(&self, circuit: CircuitId, kind: SecretKind, backend: Option<Backend>) -> Result<(), Rejection> {
        backend.map(|backend| self.engines.on(backend)).transpose()?;
        let info = self.store.info(circuit).map_err(of_store)?;
        if kind == SecretKind::Inputs && !info.has_wasm {
            return Err(no_program(circuit));
        }
        Ok(())
    }

    fn is_small(&self, circuit: CircuitId) -> bool {
        self.store.info(circuit).is_ok_and(|info| info.summary.domain <= self.small_domain)
    }

    fn make(&self, circuit: CircuitId, secret: Secret, control: &Control) -> Given {
        Given::Made(self.made(circuit, secret, control))
    }

    fn prove(
        &self,
        id: CircuitId,
        asked: Vec<Asked<'_>>,
        backend: Option<Backend>,
        threads: &ThreadPool,
    ) -> Vec<Result<Finished, Rejection>> {
        let count = asked.len();
        self.prove_all(id, asked, backend, threads).unwrap_or_else(|rejection| vec![Err(rejection); count])
    }

    fn is_cold(&self) -> bool {
        self.engines.are_new()
    }

    fn engine(&self, backend: Option<Backend>) -> Result<Arc<dyn ProofEngine>, Rejection> {
        let number = backend.map_or(Ok(self.engines.preferred()), |backend| self.engines.on(backend))?;
        Ok(self.engines.engine(number).clone())
    }

    fn warm_up(&self) {
        if let Err(error) = self.engines.measure() {
            tracing::warn!(error, "an engine cannot be measured yet: others prove, unless it is asked for");
        }
    }
}

/// A proof on its way: without a witness it has ended.
struct Begun<'a> {
    made: Made,
    control: &'a Control,
}

impl CircuitProver {
    /// The answers; or what stands against all of them.
    fn prove_all(
        &self,
        id: CircuitId,
        asked: Vec<Asked<'_>>,
        backend: Option<Backend>,
        threads: &ThreadPool,
    ) -> Result<Vec<Result<Finished, Rejection>>, Rejection> {
        let circuit = self.store.ready_in(threads, id).map_err(of_store)?;
        let r1cs = circuit.r1cs().map_err(of_store)?;
        let begin = |Asked { given, control }| {
            // Not where it is made ahead: a job that waits says its place.
            control.tell(Stage::Witness, 0);
            let made = match given {
                Given::Secret(secret) => self.made(id, secret, control),
                Given::Made(made) => made,
            };
            Begun { made, control }
        };
        let begun: Vec<Begun<'_>> = match asked.len() {
            1 => asked.into_iter().map(begin).collect(),
            _ => threads.install(|| asked.into_par_iter().map(begin).collect()),
        };
        let wanted: Vec<_> = begun
            .iter()
            .filter_map(|begun| Some(Wanted { witness: begun.made.witness.as_ref().ok()?, control: begun.control }))
            .collect();
        let summary = circuit.key.summary();
        let number = match (backend, wanted.first()) {
            (Some(backend), _) => self.engines.on(backend)?,
            (None, Some(first)) if wanted.len() == 1 => self.engines.choose(&summary, first.witness),
            (None, Some(first)) => self.engines.choose_for_many(&summary, first.witness),
            (None, None) => self.engines.preferred(),
        };
        let engine = self.engines.engine(number);
        wanted.iter().for_each(|_| metrics::begun_by(engine.name()));
        let proved = threads.install(|| circuit.key.prove_many(&wanted, r1cs.as_deref(), &**engine));
        // Of proofs side by side nobody knows what each would have taken.
        if let ([wanted], [Ok(proved)]) = (&wanted[..], &proved[..])
            && proved.repeated.is_none()
        {
            self.engines.learn(number, &summary, wanted.witness, &proved.timings);
        }
        let mut proved = proved.into_iter();
        let end = |Begun { made: Made { witness, took }, .. }: Begun<'_>| {
            drop(witness?);
            let mut timings = Timings::default();
            timings.add(Stage::Witness, took);
            let proved = proved.next().expect("a proof for each witness").map_err(of_proof)?;
            if let Some(why) = &proved.repeated {
                tracing::error!(circuit = %id, why, "a proof was repeated on another engine");
            }
            proved.timings.iter().for_each(|(stage, time)| timings.add(stage, time));
            Ok(Finished { proof: proved.proof, timings, repeated: proved.repeated.is_some() })
        };
        Ok(begun.into_iter().map(end).collect())
    }
}

fn no_program(circuit: CircuitId) -> Rejection {
    Rejection::NotReady(format!(
        "circuit {circuit} has no witness program: add its .wasm with `outrigger circuits add`, or send a witness"
    ))
}

fn without_program(circuit: CircuitId, error: ProgramError) -> Rejection {
    match error {
        ProgramError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => no_program(circuit),
        ProgramError::Io(error) => {
            Rejection::Internal(format!("the witness program of circuit {circuit} cannot be read: {error}"))
        }
        // It was checked when it was stored.
        ProgramError::Program(error) => {
            Rejection::DataLoss(format!("circuit {circuit}: {error}; add its .wasm again, or send a witness"))
        }
    }
}

fn without_witness(error: WitnessError) -> Rejection {
    match error {
        WitnessError::Stopped(stop) => of_stop(stop),
        // The limits are the sidecar's; what runs into them is these inputs.
        WitnessError::Inputs(_) | WitnessError::Limit(_) => Rejection::field(INPUTS_FIELD, error.to_string()),
        WitnessError::Program(_) => Rejection::DataLoss(format!("{error}; add the circuit's .wasm again")),
    }
}

fn of_proof(error: ProveError) -> Rejection {
    match error {
        ProveError::Stopped(stop) => of_stop(stop),
        ProveError::Witness(_) | ProveError::Unsatisfied(_) => Rejection::field(WITNESS_FIELD, error.to_string()),
        ProveError::Internal(what) => Rejection::Internal(what),
    }
}

fn of_store(error: StoreError) -> Rejection {
    match error {
        StoreError::Unknown(_) => Rejection::NotFound(error.to_string()),
        StoreError::Stopped(stop) => of_stop(stop),
        StoreError::Damaged(what) => Rejection::DataLoss(what),
        other => Rejection::Internal(other.to_string()),
    }
}

pub(crate) fn of_stop(stop: Stop) -> Rejection {
    match stop {
        Stop::Cancelled => Rejection::Cancelled,
        Stop::Expired => Rejection::DeadlineExceeded { predicted: None },
    }
}

#[cfg(test)]
mod tests;
