//! The demo's proof: a circuit is added, its inputs are drawn, the sidecar proves, and judges the proof and a false one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_client::{
    CallOptions, CircuitDescription, CircuitFiles, Client, ClientOptions, Fallback, ProofEvent, ProofSecret,
};
use outrigger_groth16::Proof;
use outrigger_types::{CircuitId, ColumnBuf, Priority, ProofKey, ProofWork, Verdict, Work};
use serde::Serialize;

use super::Sidecar;
use crate::cli::Failure;
use crate::files;
use crate::membership::{self, Membership};

/// Longer than any proof takes here.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of the proof.
#[derive(Serialize)]
pub(super) struct ProofReport {
    pub(super) circuit: &'static str,
    pub(super) constraints: u64,
    /// From inputs to witness.
    pub(super) witness_ms: f64,
    /// From witness to proof, the check of the proof included.
    pub(super) prove_ms: f64,
    /// From the call to the proof, as the caller sees it.
    pub(super) round_trip_ms: f64,
    /// Whether the proof is valid, and not with another root.
    pub(super) verified: bool,
}

/// Proves and verifies through a sidecar.
pub(super) fn prove(sidecar: &Sidecar) -> Result<ProofReport, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::work)?;
    let endpoint = sidecar.endpoint().parse().map_err(Failure::input)?;
    let options = ClientOptions { fallback: Fallback::None, ..ClientOptions::new(endpoint) };
    runtime.block_on(async {
        let client = Client::connect(options).await.map_err(Failure::work)?;
        let circuit = add_circuit(&client, sidecar.folder()).await?;
        let drawn = Membership::draw()?;
        let since = Instant::now();
        let (proof, stages) = proof(&client, circuit.id, ProofSecret::Inputs(drawn.inputs)).await?;
        let round_trip = since.elapsed();
        let (_, key) = client.circuit(circuit.id).await.map_err(Failure::work)?;
        let is_ours = proof.public_signals == drawn.root;
        let verdicts = verify(&client, Arc::new(key), &proof).await?;
        let (witness, rest): (Vec<_>, Vec<_>) = stages.into_iter().partition(|(stage, _)| stage == "witness");
        let ms = |stages: Vec<(String, Duration)>| stages.iter().map(|(_, time)| time.as_secs_f64() * 1e3).sum();
        Ok(ProofReport {
            circuit: membership::NAME,
            constraints: circuit.constraints,
            witness_ms: ms(witness),
            prove_ms: ms(rest),
            round_trip_ms: round_trip.as_secs_f64() * 1e3,
            verified: is_ours && verdicts == [Verdict::Valid, Verdict::Invalid],
        })
    })
}

/// Adds the circuit that is built in, by way of files in `folder`.
pub(crate) async fn add_circuit(client: &Client, folder: &Path) -> Result<CircuitDescription, Failure> {
    let key = membership::cached_key(folder)?;
    let [r1cs, wasm] = ["r1cs", "wasm"].map(|end| folder.join(format!("{}.{end}", membership::NAME)));
    files::write(&r1cs, membership::R1CS)?;
    files::write(&wasm, membership::WASM)?;
    let files = CircuitFiles { name: membership::NAME, zkey: &key, r1cs: Some(&r1cs), wasm: Some(&wasm) };
    client.add_circuit(files).await.map_err(Failure::work)
}

pub(crate) type Proved = (Proof, Vec<(String, Duration)>);

/// One proof, with what each stage took.
pub(crate) async fn proof(client: &Client, circuit: CircuitId, secret: ProofSecret) -> Result<Proved, Failure> {
    let options = CallOptions { priority: Priority::Block, deadline: Some(PATIENCE), backend: None };
    let mut stream = client.prove(circuit, &secret, options).await.map_err(Failure::work)?;
    loop {
        match stream.next().await.map_err(Failure::work)? {
            Some(ProofEvent::Done { proof, stages }) => return Ok((proof, stages)),
            Some(ProofEvent::Queued { .. } | ProofEvent::Running { .. }) => {}
            Some(ProofEvent::Failed(error)) => return Err(Failure::work(error)),
            Some(ProofEvent::Cancelled) | None => return Err(Failure::work("the sidecar gave the proof up")),
        }
    }
}

/// The verdicts on a proof, and on the same proof for another root.
async fn verify(client: &Client, key: Arc<ProofKey>, proof: &Proof) -> Result<Vec<Verdict>, Failure> {
    let mut other = proof.public_signals.clone();
    if let Some(last) = other.last_mut() {
        *last ^= 1;
    }
    let work = Work::VerifyProofs(ProofWork {
        key,
        proofs: ColumnBuf::from_items(&[&proof.bytes, &proof.bytes]),
        public_signals: ColumnBuf::from_items(&[&proof.public_signals, &other]),
    });
    let options = CallOptions { priority: Priority::Block, deadline: Some(PATIENCE), backend: None };
    Ok(client.run(work, options).await.map_err(Failure::work)?.output.verdicts)
}
