//! The work of a proof: from a circuit of the store and a secret to a verified proof.

use std::sync::Arc;
use std::time::Instant;

use outrigger_groth16::formats::wtns;
use outrigger_groth16::store::Part;
use outrigger_groth16::{CircuitStore, Control, ProveError, Stage, Stop, StoreError, Timings, Witness};
use outrigger_types::{Backend, CircuitId, Rejection};
use outrigger_witness::{WitnessError, WitnessLimits};
use rayon::ThreadPool;

use crate::engines::Engines;
use crate::job::{Finished, Secret, SecretKind};
use crate::metrics;
use crate::programs::{ProgramError, Programs};

/// Where the secret stands in a request.
const WITNESS_FIELD: &str = "chunk.witness";
const INPUTS_FIELD: &str = "chunk.inputs_json";

/// What runs the work of a job. A seam: tests of everything around it need no circuits.
pub(crate) trait Prover: Send + Sync {
    /// Whether a job can be taken: the circuit is there, what makes its witness, and the backend that is asked for.
    /// Quick.
    fn accepts(&self, circuit: CircuitId, kind: SecretKind, backend: Option<Backend>) -> Result<(), Rejection>;

    /// Proves, computing in these threads. Called from none of them.
    fn prove(
        &self,
        circuit: CircuitId,
        secret: Secret,
        backend: Option<Backend>,
        threads: &ThreadPool,
        control: &Control,
    ) -> Result<Finished, Rejection>;

    /// Finds out what this machine is good at, in the current rayon pool.
    fn warm_up(&self) {}
}

/// Proves with the circuits of a store.
pub(crate) struct CircuitProver {
    store: Arc<CircuitStore>,
    programs: Programs,
    limits: WitnessLimits,
    engines: Engines,
}

impl CircuitProver {
    pub(crate) fn new(store: Arc<CircuitStore>, limits: WitnessLimits, engines: Engines) -> Self {
        Self { store, programs: Programs::default(), limits, engines }
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

    fn prove(
        &self,
        id: CircuitId,
        secret: Secret,
        backend: Option<Backend>,
        threads: &ThreadPool,
        control: &Control,
    ) -> Result<Finished, Rejection> {
        let circuit = self.store.ready_in(threads, id).map_err(of_store)?;
        control.tell(Stage::Witness, 0);
        let begun = Instant::now();
        let witness = self.witness(id, secret, control)?;
        let mut timings = Timings::default();
        timings.add(Stage::Witness, begun.elapsed());
        let r1cs = circuit.r1cs().map_err(of_store)?;
        let summary = circuit.key.summary();
        let engine = match backend {
            Some(backend) => self.engines.on(backend)?,
            None => self.engines.choose(&summary, &witness),
        };
        metrics::begun_by(engine);
        let proved = threads.install(|| circuit.key.prove(&witness, r1cs.as_deref(), engine, control));
        let proved = proved.map_err(of_proof)?;
        if proved.repeated.is_none() {
            self.engines.learn(engine, &summary, &witness, &proved.timings);
        }
        drop(witness);
        if let Some(why) = &proved.repeated {
            tracing::error!(circuit = %id, why, "a proof was repeated on the reference");
        }
        proved.timings.iter().for_each(|(stage, time)| timings.add(stage, time));
        Ok(Finished { proof: proved.proof, timings, repeated: proved.repeated.is_some() })
    }

    fn warm_up(&self) {
        if let Err(error) = self.engines.measure() {
            tracing::warn!(error, "the engines cannot be measured: {} proves", self.engines.preferred().name());
        }
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
