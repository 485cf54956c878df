//! The circuits of the sidecar's store.

use std::path::Path;

use bytes::BytesMut;
use outrigger_groth16::store::circuit_id_of;
use outrigger_proto::v1;
use outrigger_proto::v1::add_circuit_request::Part;
use outrigger_types::{CircuitId, ProofKey};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::events::{broken, curve_of};
use super::jobs::unhurried;
use super::sending::{CHUNK_BYTES, send};
use super::{CircuitDescription, CircuitFiles};
use crate::ClientError;
use crate::call::{Attempt, Core, proofs};
use crate::error::Failure;

impl Core {
    pub(super) async fn add_circuit(&self, files: CircuitFiles<'_>) -> Result<CircuitDescription, ClientError> {
        let id = id_of(files.zkey).await?;
        let add = |attempt: Attempt| async move {
            let mut client = proofs(self.channel());
            let call = |requests| async move { client.add_circuit(attempt.request(requests)).await };
            let response = send(call, |sender| feed_files(sender, id, files)).await?;
            description(response.into_inner().circuit).map_err(Failure::fatal)
        };
        self.with_retries(None, unhurried(), add).await
    }

    pub(super) async fn circuits(&self) -> Result<Vec<CircuitDescription>, ClientError> {
        let list = |attempt: Attempt| async move {
            let request = attempt.request(v1::ListCircuitsRequest {});
            let response = proofs(self.channel()).list_circuits(request).await;
            let circuits = response.map_err(|status| Failure::from(&status))?.into_inner().circuits;
            let circuits: Result<_, _> = circuits.into_iter().map(|circuit| description(Some(circuit))).collect();
            circuits.map_err(Failure::fatal)
        };
        self.with_retries(self.default_deadline(), unhurried(), list).await
    }

    pub(super) async fn circuit(&self, id: CircuitId) -> Result<(CircuitDescription, ProofKey), ClientError> {
        let get = |attempt: Attempt| async move {
            let request = attempt.request(v1::GetCircuitRequest { sha256: id.to_string() });
            let response = proofs(self.channel()).get_circuit(request).await;
            let response = response.map_err(|status| Failure::from(&status))?.into_inner();
            described_key(response).map_err(Failure::fatal)
        };
        self.with_retries(self.default_deadline(), unhurried(), get).await
    }

    pub(super) async fn remove_circuit(&self, id: CircuitId) -> Result<(), ClientError> {
        let remove = |attempt: Attempt| async move {
            let request = attempt.request(v1::RemoveCircuitRequest { sha256: id.to_string() });
            proofs(self.channel()).remove_circuit(request).await.map(drop).map_err(|status| Failure::from(&status))
        };
        self.with_retries(self.default_deadline(), unhurried(), remove).await
    }
}

/// The name of the circuit with this key. Announced, it tells the sidecar what must arrive, so that a file that changes
/// or breaks off on its way is noticed, and a tenant that may use certain circuits only shows that this is one.
async fn id_of(zkey: &Path) -> Result<CircuitId, ClientError> {
    let path = zkey.to_owned();
    let hash = move || circuit_id_of(&path).map_err(|error| unreadable(&path, &error));
    tokio::task::spawn_blocking(hash).await.map_err(|error| ClientError::Internal(error.to_string()))?
}

fn unreadable(path: &Path, error: &std::io::Error) -> ClientError {
    ClientError::invalid("files", format!("{}: {error}", path.display()))
}

type Requests = mpsc::Sender<v1::AddCircuitRequest>;

async fn feed_files(sender: Requests, id: CircuitId, files: CircuitFiles<'_>) -> Result<(), ClientError> {
    let header = v1::AddCircuitHeader { name: files.name.to_owned(), sha256: id.to_string() };
    if !take(&sender, Some(Part::Header(header))).await {
        return Ok(());
    }
    let fed = feed_each(&sender, files).await;
    if fed.is_err() {
        // An end here would pass for the end of the file; what has no part is refused.
        take(&sender, None).await;
    }
    fed
}

async fn feed_each(sender: &Requests, files: CircuitFiles<'_>) -> Result<(), ClientError> {
    feed_file(sender, files.zkey, Part::ProvingKey).await?;
    if let Some(r1cs) = files.r1cs {
        feed_file(sender, r1cs, Part::R1cs).await?;
    }
    if let Some(wasm) = files.wasm {
        feed_file(sender, wasm, Part::Wasm).await?;
    }
    Ok(())
}

async fn feed_file(sender: &Requests, path: &Path, part: fn(bytes::Bytes) -> Part) -> Result<(), ClientError> {
    let mut file = File::open(path).await.map_err(|error| unreadable(path, &error))?;
    // Else the file is read in pieces of 16 KiB at first.
    file.set_max_buf_size(CHUNK_BYTES);
    loop {
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        let read = file.read_buf(&mut chunk).await.map_err(|error| unreadable(path, &error))?;
        if read == 0 || !take(sender, Some(part(chunk.freeze()))).await {
            return Ok(());
        }
    }
}

/// Whether the call still takes what is sent.
async fn take(sender: &Requests, part: Option<Part>) -> bool {
    sender.send(v1::AddCircuitRequest { part }).await.is_ok()
}

fn description(circuit: Option<v1::Circuit>) -> Result<CircuitDescription, ClientError> {
    let circuit = circuit.ok_or_else(|| broken("no circuit where one was asked for"))?;
    Ok(CircuitDescription {
        id: circuit.sha256.parse().map_err(ClientError::Protocol)?,
        curve: curve_of(circuit.curve)?,
        name: circuit.name,
        constraints: circuit.constraints,
        public_signals: circuit.public_signals,
        wires: circuit.wires,
        domain: circuit.domain,
        proving_key_bytes: circuit.proving_key_bytes,
        has_r1cs: circuit.has_r1cs,
        has_wasm: circuit.has_wasm,
        ready: circuit.ready,
    })
}

fn described_key(response: v1::GetCircuitResponse) -> Result<(CircuitDescription, ProofKey), ClientError> {
    let circuit = description(response.circuit)?;
    let key = response.verifying_key.ok_or_else(|| broken("a circuit without its verifying key"))?;
    let key = ProofKey::new(curve_of(key.curve)?, key.points);
    if key.curve != circuit.curve || key.public_signals().map(|count| count as u64) != Some(circuit.public_signals) {
        return Err(broken("a verifying key that is not that of its circuit"));
    }
    Ok((circuit, key))
}
