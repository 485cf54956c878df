//! Proofs of the circuit that is built in, made by the sidecar under test: beside the blocks, or to be verified in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use outrigger_client::{Client, ProofSecret};
use outrigger_groth16::Proof;
use outrigger_types::{CircuitId, ProofKey};
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::demo::{Sidecar, proof};
use crate::membership::{self, Membership};
use crate::play::{Latencies, connect, runtime};

/// Clients that have proofs made without a pause, until they are stopped.
pub(super) struct Provers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Result<Latencies, Failure>>>,
}

impl Provers {
    /// Starts so many, each after its first proof, which makes the key ready.
    pub(super) fn start(sidecar: &Sidecar, count: u32) -> Result<Self, Failure> {
        let circuit = runtime()?.block_on(async {
            let client = connect(sidecar.endpoint()).await?;
            let circuit = proof::add_circuit(&client, sidecar.folder()).await?.id;
            prove(&client, circuit).await?;
            Ok::<_, Failure>(circuit)
        })?;
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count)
            .map(|_| {
                let (stop, endpoint) = (stop.clone(), sidecar.endpoint().to_owned());
                std::thread::spawn(move || proofs_until(&stop, &endpoint, circuit))
            })
            .collect();
        Ok(Self { stop, threads })
    }

    /// Stops them; what they did in so many seconds.
    pub(super) fn finish(self, seconds: f64) -> Result<Value, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let clients = self.threads.len();
        let mut all = Latencies::default();
        for thread in self.threads {
            all.merge(&thread.join().map_err(|_| Failure::work("a client of proofs panicked"))??);
        }
        Ok(json!({
            "circuit": membership::NAME,
            "clients": clients,
            "proofs": all.count(),
            "proofs_per_second": all.count() as f64 / seconds,
            "round_trip_ms": all.percentiles(),
        }))
    }
}

fn proofs_until(stop: &AtomicBool, endpoint: &str, circuit: CircuitId) -> Result<Latencies, Failure> {
    runtime()?.block_on(async {
        let client = connect(endpoint).await?;
        let mut latencies = Latencies::default();
        while !stop.load(Ordering::Relaxed) {
            let since = Instant::now();
            prove(&client, circuit).await?;
            latencies.add(since.elapsed());
        }
        Ok(latencies)
    })
}

async fn prove(client: &Client, circuit: CircuitId) -> Result<Proof, Failure> {
    let drawn = Membership::draw()?;
    let (proof, _) = proof::proof(client, circuit, ProofSecret::Inputs(drawn.inputs)).await?;
    if proof.public_signals != drawn.root {
        return Err(Failure::work("a proof is of another root than the one asked for"));
    }
    Ok(proof)
}

/// Proofs of different secrets, and the key that verifies them.
pub(super) fn some_proofs(sidecar: &Sidecar, count: usize) -> Result<(ProofKey, Vec<Proof>), Failure> {
    runtime()?.block_on(async {
        let client = connect(sidecar.endpoint()).await?;
        let circuit = proof::add_circuit(&client, sidecar.folder()).await?.id;
        let mut proofs = Vec::with_capacity(count);
        for _ in 0..count {
            proofs.push(prove(&client, circuit).await?);
        }
        let (_, key) = client.circuit(circuit).await.map_err(Failure::work)?;
        Ok((key, proofs))
    })
}
