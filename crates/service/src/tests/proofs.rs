//! Proofs of a small real circuit, from chunks to verdicts, with the real jobs, store and scheduler behind the
//! service.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use outrigger_groth16::store::{CircuitStore, StoreOptions};
use outrigger_proto::v1;
use outrigger_proto::v1::proof_service_client::ProofServiceClient;
use outrigger_proving::{ProofService, ProvingOptions};
use outrigger_scheduler::{CoreEngine, CoreOptions, Scheduler};
use outrigger_types::{Priority, SchedulerOptions, TenantPolicy};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use zeroize::Zeroizing;

use crate::options::{ServiceOptions, TenantRule};
use crate::server::{Running, Server};

mod circuits;
mod jobs;
mod operations;
mod proving;
mod refusals;
mod verification;

/// A file of the circuit: two outputs, a public and a private input, three constraints.
fn vector(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../groth16/vectors/product/bn128"));
    std::fs::read(folder.join(name)).expect("a vector")
}

/// A sidecar that proves.
struct Sidecar {
    running: Running,
    proving: ProofService,
    path: PathBuf,
    _directory: TempDir,
}

/// How a sidecar differs from the usual one.
struct Setup {
    service: ServiceOptions,
    proving: ProvingOptions,
}

async fn start(adapt: impl FnOnce(&mut Setup)) -> Sidecar {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("run/outrigger.sock");
    let proving = ProvingOptions {
        directory: directory.path().join("state"),
        vector: true,
        together_max: 4,
        together_domain_max: 1 << 14,
        threads: 1,
        concurrency: 1,
        nice: 0,
        jobs_max: 100,
        tenant_jobs_max: 100,
        secret_bytes_max: 1 << 20,
        aging: Duration::from_secs(60),
        result_lifetime: Duration::from_secs(60),
        journal_key: Some(Arc::new(Zeroizing::new([7; 32]))),
        witness_limits: Default::default(),
    };
    let mut setup = Setup { service: ServiceOptions::on_unix(&path, "1.2.3"), proving };
    adapt(&mut setup);
    let circuits = setup.proving.directory.join("circuits");
    let store = CircuitStore::open(&circuits, StoreOptions::new(|_| Ok(()))).expect("a store");
    let proving = ProofService::start(setup.proving, Arc::new(store), Vec::new()).expect("a pool");
    setup.service.proving = Some(proving.clone());
    let cpu = CoreEngine::new(CoreOptions { threads: NonZeroUsize::new(1), ..CoreOptions::default() });
    let scheduler = Scheduler::new(SchedulerOptions::default(), vec![Arc::new(cpu)]);
    let running = Server::start(setup.service, scheduler).await.expect("a server");
    Sidecar { running, proving, path, _directory: directory }
}

impl Sidecar {
    async fn client(&self) -> ProofServiceClient<Channel> {
        let path = self.path.clone();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(hyper_util::rt::TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await;
        ProofServiceClient::new(channel.expect("a connection"))
    }

    /// Adds the circuit; gives its name.
    async fn add(&self) -> String {
        let circuit = add(&mut self.client().await, &header("product", ""), &[("r1cs", vector("product.r1cs"))]).await;
        circuit.expect("added").sha256
    }

    /// Keeps the only runner of the pool busy until the guard goes.
    async fn occupy(&self) -> tokio::sync::oneshot::Sender<()> {
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (release, mut released) = tokio::sync::oneshot::channel::<()>();
        let proving = self.proving.clone();
        tokio::spawn(async move {
            let wait = move |_: &_| {
                let _ = begun.send(());
                while released.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            proving.run("other".into(), Priority::Consensus, None, wait).await
        });
        has_begun.await.expect("the pool runs");
        release
    }
}

fn header(name: &str, sha256: &str) -> v1::AddCircuitHeader {
    v1::AddCircuitHeader { name: name.to_owned(), sha256: sha256.to_owned() }
}

/// Adds the circuit's key in small chunks, and other parts whole.
async fn add(
    client: &mut ProofServiceClient<Channel>,
    header: &v1::AddCircuitHeader,
    others: &[(&str, Vec<u8>)],
) -> Result<v1::Circuit, Status> {
    use v1::add_circuit_request::Part;
    let zkey = vector("product.zkey");
    let mut parts = vec![Part::Header(header.clone())];
    parts.extend(zkey.chunks(1_000).map(|chunk| Part::ProvingKey(chunk.to_vec().into())));
    parts.extend(others.iter().map(|(part, bytes)| match *part {
        "r1cs" => Part::R1cs(bytes.clone().into()),
        _ => Part::Wasm(bytes.clone().into()),
    }));
    add_parts(client, parts).await
}

async fn add_parts(
    client: &mut ProofServiceClient<Channel>,
    parts: Vec<v1::add_circuit_request::Part>,
) -> Result<v1::Circuit, Status> {
    let messages = parts.into_iter().map(|part| v1::AddCircuitRequest { part: Some(part) }).collect::<Vec<_>>();
    let answer = client.add_circuit(tokio_stream::iter(messages)).await?;
    Ok(answer.into_inner().circuit.expect("a circuit"))
}

fn witness(bytes: &[u8]) -> v1::SecretChunk {
    v1::SecretChunk { content: Some(v1::secret_chunk::Content::Witness(bytes.to_vec().into())) }
}

fn inputs(json: &str) -> v1::SecretChunk {
    v1::SecretChunk { content: Some(v1::secret_chunk::Content::InputsJson(json.as_bytes().to_vec().into())) }
}

fn proof_header(circuit: &str) -> v1::ProofHeader {
    v1::ProofHeader { circuit: circuit.to_owned(), ..v1::ProofHeader::default() }
}

/// The messages of a proof request.
fn asked(header: v1::ProofHeader, chunks: Vec<v1::SecretChunk>) -> Vec<v1::ProveRequest> {
    use v1::prove_request::Part;
    let parts = std::iter::once(Part::Header(header)).chain(chunks.into_iter().map(Part::Chunk));
    parts.map(|part| v1::ProveRequest { part: Some(part) }).collect()
}

/// The same, to be submitted.
fn submitted(header: v1::ProofHeader, chunks: Vec<v1::SecretChunk>) -> Vec<v1::SubmitProofRequest> {
    use v1::submit_proof_request::Part;
    let parts = std::iter::once(Part::Header(header)).chain(chunks.into_iter().map(Part::Chunk));
    parts.map(|part| v1::SubmitProofRequest { part: Some(part) }).collect()
}

/// All answers of a `Prove`.
async fn prove(
    client: &mut ProofServiceClient<Channel>,
    messages: Vec<v1::ProveRequest>,
) -> Result<Vec<v1::ProveResponse>, Status> {
    let mut stream = client.prove(tokio_stream::iter(messages)).await?.into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await? {
        answers.push(answer);
    }
    Ok(answers)
}

/// The proof at the end of a `Prove`.
async fn proved(client: &mut ProofServiceClient<Channel>, circuit: &str) -> v1::Proof {
    let messages = asked(proof_header(circuit), vec![witness(&vector("product.wtns"))]);
    let answers = prove(client, messages).await.expect("proved");
    match answers.last().and_then(|answer| answer.part.clone()) {
        Some(v1::prove_response::Part::Proof(proof)) => proof,
        other => panic!("no proof at the end: {other:?}"),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Status>) -> Code {
    result.expect_err("refused").code()
}

fn fields(status: &Status) -> Vec<String> {
    let details = status.get_details_bad_request().expect("which field");
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// The tenant of this process's user.
fn tenant(adapt: impl FnOnce(&mut TenantPolicy)) -> TenantRule {
    let mut policy = TenantPolicy::unrestricted("node");
    adapt(&mut policy);
    let uids = vec![rustix::process::geteuid().as_raw()];
    TenantRule { policy, uids, certificate_names: Vec::new(), unauthenticated: false }
}
