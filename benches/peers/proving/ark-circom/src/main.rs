//! ark-groth16 with ark-circom's reader of keys and its reduction, as an adapter for `outrigger bench prove`.

mod wtns;

use ark_bn254::{Bn254, Fr};
use ark_circom::{CircomReduction, read_zkey};
use ark_groth16::{Groth16, Proof, ProvingKey};
use ark_relations::utils::matrix::Matrix;
use ark_std::UniformRand;
use ark_std::rand::thread_rng;
use prove_adapter::{Prover, Result};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

struct ArkCircom {
    key: ProvingKey<Bn254>,
    matrices: [Matrix<Fr>; 3],
    /// Public signals and the leading one.
    num_inputs: usize,
    num_constraints: usize,
    witness: Vec<Fr>,
    proof: Option<Proof<Bn254>>,
}

impl Prover for ArkCircom {
    fn load(key: &Path, witness: &Path) -> Result<Self> {
        let (key, index) = read_zkey(&mut BufReader::new(File::open(key)?))?;
        Ok(Self {
            key,
            matrices: [index.a, index.b, index.c],
            num_inputs: index.num_instance_variables,
            num_constraints: index.num_constraints,
            witness: wtns::read(witness)?,
            proof: None,
        })
    }

    fn prove(&mut self) -> Result<()> {
        // In the pool from the start, so that no step waits for a worker to wake up.
        let proof = rayon::scope(|_| {
            let mut randomness = thread_rng();
            Groth16::<Bn254, CircomReduction>::create_proof_with_reduction_and_matrices(
                &self.key,
                Fr::rand(&mut randomness),
                Fr::rand(&mut randomness),
                &self.matrices,
                self.num_inputs,
                self.num_constraints,
                &self.witness,
            )
        })?;
        self.proof = Some(proof);
        Ok(())
    }

    fn write(&self, proof: &Path, public: &Path) -> Result<()> {
        let made = self.proof.as_ref().ok_or("no proof was made yet")?;
        std::fs::write(proof, json(made))?;
        let signals: Vec<String> =
            self.witness[1..self.num_inputs].iter().map(|value| format!("\"{value}\"")).collect();
        Ok(std::fs::write(public, format!("[{}]\n", signals.join(",")))?)
    }
}

/// A proof as snarkjs writes it: points in projective coordinates, numbers as decimal strings.
fn json(proof: &Proof<Bn254>) -> String {
    let (a, b, c) = (proof.a, proof.b, proof.c);
    format!(
        r#"{{"pi_a":["{}","{}","1"],"pi_b":[["{}","{}"],["{}","{}"],["1","0"]],"pi_c":["{}","{}","1"],"protocol":"groth16","curve":"bn128"}}
"#,
        a.x, a.y, b.x.c0, b.x.c1, b.y.c0, b.y.c1, c.x, c.y
    )
}

fn main() -> ExitCode {
    prove_adapter::main::<ArkCircom>()
}
