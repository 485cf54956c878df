//! The crate `snarkrs` on the CPU, as an adapter for `outrigger bench prove`. Its check of its own proof is left out
//! (`prove_unchecked`), since the time asked for is that of the proof alone.

use prove_adapter::{Prover, Result};
use snarkrs_groth16::prove::prove_unchecked;
use snarkrs_lib::{Backend, CpuBackend, Fr, PreparedCircuit, Proof, ProvingKey, StageTimings, Witness};
use std::path::Path;
use std::process::ExitCode;

struct Snarkrs {
    circuit: Box<dyn PreparedCircuit>,
    witness: Vec<Fr>,
    proof: Option<Proof>,
}

impl Prover for Snarkrs {
    /// The key's points are checked, as `snarkrs` does unless it is asked not to.
    fn load(key: &Path, witness: &Path) -> Result<Self> {
        let circuit = CpuBackend::new().prepare(ProvingKey::load(key)?)?;
        Ok(Self { circuit, witness: Witness::load(witness)?.0, proof: None })
    }

    fn prove(&mut self) -> Result<()> {
        let mut timings = StageTimings::default();
        let mut randomness = snarkrs_lib::rand::thread_rng();
        self.proof = Some(prove_unchecked(self.circuit.as_ref(), &self.witness, &mut randomness, &mut timings)?);
        Ok(())
    }

    fn write(&self, proof: &Path, public: &Path) -> Result<()> {
        snarkrs_lib::write_proof(proof, self.proof.as_ref().ok_or("no proof was made yet")?)?;
        Ok(snarkrs_lib::write_public(public, &self.witness[1..=self.circuit.n_public()])?)
    }
}

fn main() -> ExitCode {
    prove_adapter::main::<Snarkrs>()
}
