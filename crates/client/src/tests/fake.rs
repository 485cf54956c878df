//! A sidecar that answers by [`rule`](super::rule) over a Unix socket, on a runtime of its own so that it can be
//! killed with all its connections, and misbehaves as told.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::admin_service_server::{AdminService, AdminServiceServer};
use outrigger_proto::v1::hash_service_server::{HashService, HashServiceServer};
use outrigger_proto::v1::proof_service_server::ProofServiceServer;
use outrigger_proto::v1::signature_service_server::{SignatureService, SignatureServiceServer};
use outrigger_types::{
    ColumnBuf, EthereumWork, HashAlgorithm, HashWork, Keys, MerkleTree, MerkleWork, MessageForm, Output, Ruleset,
    SetMode, SetWork, SignatureOptions, SignatureWork, Work, limits,
};
use tokio::net::UnixListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt};

use super::rule::rule;

mod proofs;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    None,
    /// This status, with this `RetryInfo`.
    Refuse(Code, Option<Duration>),
    /// No answer, ever.
    Hang,
    /// One verdict too few.
    WrongShape,
    /// All verdicts zero.
    Unprocessed,
    /// The first verdict of each answer is another.
    Lie,
    /// A stream ends after this many answers; later ones at once.
    DieMidStream(usize),
}

/// What the sidecar saw and how it behaves. Outlives the sidecar.
pub(super) struct State {
    pub(super) fault: Mutex<Fault>,
    /// The fault strikes this many times more.
    pub(super) strikes: AtomicUsize,
    pub(super) calls: AtomicUsize,
    pub(super) stream_messages: AtomicUsize,
    pub(super) stream_items: AtomicUsize,
    pub(super) streams: AtomicUsize,
    pub(super) window_seen: AtomicUsize,
    pub(super) puts: AtomicUsize,
    pub(super) indexed: AtomicUsize,
    pub(super) timeouts: Mutex<Vec<Option<String>>>,
    pub(super) chunks: AtomicUsize,
    /// What streams of proofs, circuits and operands brought, chunk after chunk.
    pub(super) brought: Mutex<Vec<u8>>,
    /// The hash that came with a circuit.
    pub(super) announced: Mutex<String>,
    /// Time that each stream message takes.
    pub(super) stream_delay: Mutex<Duration>,
    key_sets: Mutex<HashMap<String, Arc<ColumnBuf>>>,
}

impl State {
    pub(super) fn set(&self, fault: Fault, strikes: usize) {
        *self.fault.lock().unwrap() = fault;
        self.strikes.store(strikes, SeqCst);
    }

    fn strike(&self) -> Fault {
        let fault = *self.fault.lock().unwrap();
        let has_strike = self.strikes.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if has_strike { fault } else { Fault::None }
    }

    pub(super) fn forget_key_sets(&self) {
        self.key_sets.lock().unwrap().clear();
    }

    async fn enter<T>(&self, request: &Request<T>) -> Result<Fault, Status> {
        self.calls.fetch_add(1, SeqCst);
        let timeout = request.metadata().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
        self.timeouts.lock().unwrap().push(timeout);
        let fault = self.strike();
        match fault {
            Fault::Refuse(code, retry) => Err(status(code, retry)),
            Fault::Hang => std::future::pending().await,
            other => Ok(other),
        }
    }
}

fn status(code: Code, retry: Option<Duration>) -> Status {
    match retry {
        None => Status::new(code, "told to"),
        retry => Status::with_error_details(code, "told to", ErrorDetails::with_retry_info(retry)),
    }
}

pub(super) struct Fake {
    pub(super) state: Arc<State>,
    pub(super) path: PathBuf,
    runtime: Option<Runtime>,
    _folder: tempfile::TempDir,
}

impl Fake {
    /// A sidecar that is not started yet.
    pub(super) fn away() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = State {
            fault: Mutex::new(Fault::None),
            strikes: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            stream_messages: AtomicUsize::new(0),
            stream_items: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            window_seen: AtomicUsize::new(0),
            puts: AtomicUsize::new(0),
            indexed: AtomicUsize::new(0),
            timeouts: Mutex::default(),
            chunks: AtomicUsize::new(0),
            brought: Mutex::default(),
            announced: Mutex::default(),
            stream_delay: Mutex::new(Duration::ZERO),
            key_sets: Mutex::default(),
        };
        Self { state: Arc::new(state), path: folder.path().join("o.sock"), runtime: None, _folder: folder }
    }

    pub(super) fn start() -> Self {
        let mut fake = Self::away();
        fake.restart();
        fake
    }

    pub(super) fn restart(&mut self) {
        self.kill();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _ = std::fs::remove_file(&self.path);
        let service = Service(Arc::clone(&self.state));
        let (path, guard) = (self.path.clone(), runtime.enter());
        let incoming = UnixListenerStream::new(UnixListener::bind(path).unwrap());
        drop(guard);
        runtime.spawn(async move {
            let max = limits::MESSAGE_BYTES_MAX;
            tonic::transport::Server::builder()
                .add_service(SignatureServiceServer::new(service.clone()).max_decoding_message_size(max))
                .add_service(HashServiceServer::new(service.clone()).max_decoding_message_size(max))
                .add_service(ProofServiceServer::new(service.clone()).max_decoding_message_size(max))
                .add_service(AdminServiceServer::new(service))
                .serve_with_incoming(incoming)
                .await
                .unwrap();
        });
        self.runtime = Some(runtime);
    }

    /// Ends the sidecar and all its connections, mid-word.
    pub(super) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.state.forget_key_sets();
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone)]
struct Service(Arc<State>);

type Answered<T> = Result<Response<T>, Status>;

fn column(column: Option<v1::Column>, count: u32) -> ColumnBuf {
    let column = column.expect("a column");
    if column.lengths.is_empty() {
        ColumnBuf::with_count(column.data, count as usize).unwrap()
    } else {
        assert_eq!(column.lengths.len(), count as usize);
        ColumnBuf::with_lengths(column.data, &column.lengths).unwrap()
    }
}

fn bytes(output: &Output, fault: Fault) -> Bytes {
    let mut verdicts: Vec<u8> = output.verdicts.iter().map(|verdict| *verdict as u8).collect();
    match fault {
        Fault::WrongShape => drop(verdicts.pop()),
        Fault::Unprocessed => verdicts.fill(0),
        Fault::Lie => verdicts[0] = verdicts[0] % 3 + 1,
        _ => {}
    }
    verdicts.into()
}

fn strided(output: &Output, stride: usize, part: std::ops::Range<usize>) -> Bytes {
    output.fixed.chunks_exact(stride).flat_map(|item| item[part.clone()].to_vec()).collect()
}

fn ends(lengths: &[u32]) -> Vec<u32> {
    lengths
        .iter()
        .scan(0, |end, length| {
            *end += length;
            Some(*end)
        })
        .collect()
}

fn all(work: &Work) -> Output {
    rule(work, 0..work.items())
}

impl Service {
    fn indexed(&self, indices: v1::KeyIndices) -> Result<Keys, Status> {
        let sets = self.0.key_sets.lock().unwrap();
        let set = sets.get(&indices.key_set).ok_or_else(|| Status::not_found("key set"))?;
        self.0.indexed.fetch_add(1, SeqCst);
        Ok(Keys::Indexed { set: Arc::clone(set), indices: indices.indices })
    }

    fn verify(&self, request: v1::VerifyBatchRequest) -> Result<Output, Status> {
        let keys = match request.keys.expect("keys") {
            v1::verify_batch_request::Keys::PublicKeys(keys) => Keys::Inline(column(Some(keys), request.count)),
            v1::verify_batch_request::Keys::KeyIndices(indices) => self.indexed(indices)?,
        };
        assert!(request.count as usize <= limits::ITEMS_MAX);
        Ok(all(&Work::Verify(SignatureWork {
            ruleset: Ruleset::from_number(request.ruleset).unwrap(),
            options: SignatureOptions::new(MessageForm::Digest),
            keys,
            signatures: column(request.signatures, request.count),
            messages: column(request.messages, request.count),
        })))
    }
}

#[tonic::async_trait]
impl SignatureService for Service {
    async fn verify_batch(&self, request: Request<v1::VerifyBatchRequest>) -> Answered<v1::VerifyBatchResponse> {
        let fault = self.0.enter(&request).await?;
        let output = self.verify(request.into_inner())?;
        Ok(Response::new(v1::VerifyBatchResponse { verdicts: bytes(&output, fault) }))
    }

    type VerifyStreamStream = ReceiverStream<Result<v1::VerifyStreamResponse, Status>>;

    async fn verify_stream(
        &self,
        request: Request<Streaming<v1::VerifyStreamRequest>>,
    ) -> Answered<Self::VerifyStreamStream> {
        self.0.streams.fetch_add(1, SeqCst);
        let (sender, receiver) = tokio::sync::mpsc::channel(64);
        let service = self.clone();
        tokio::spawn(async move {
            let mut requests = request.into_inner();
            let in_flight = Arc::new(AtomicUsize::new(0));
            let mut answered = 0;
            while let Ok(Some(message)) = requests.message().await {
                let state = &service.0;
                state.stream_messages.fetch_add(1, SeqCst);
                state.stream_items.fetch_add(message.batch.as_ref().unwrap().count as usize, SeqCst);
                state.window_seen.fetch_max(in_flight.fetch_add(1, SeqCst) + 1, SeqCst);
                let fault = *state.fault.lock().unwrap();
                if let Fault::DieMidStream(after) = fault
                    && answered >= after
                {
                    let _ = sender.send(Err(Status::unavailable("dying"))).await;
                    return;
                }
                answered += 1;
                let (service, sender, in_flight) = (service.clone(), sender.clone(), Arc::clone(&in_flight));
                tokio::spawn(async move {
                    let response = service.stream_answer(message).await;
                    in_flight.fetch_sub(1, SeqCst);
                    let _ = sender.send(Ok(response)).await;
                });
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn recover_batch(&self, request: Request<v1::RecoverBatchRequest>) -> Answered<v1::RecoverBatchResponse> {
        let fault = self.0.enter(&request).await?;
        let request = request.into_inner();
        let output = all(&Work::Recover(SignatureWork {
            ruleset: Ruleset::from_number(request.ruleset).unwrap(),
            options: SignatureOptions::new(MessageForm::Digest),
            keys: Keys::Inline(ColumnBuf::empty()),
            signatures: column(request.signatures, request.count),
            messages: column(request.digests, request.count),
        }));
        Ok(Response::new(v1::RecoverBatchResponse {
            verdicts: bytes(&output, fault),
            public_keys: strided(&output, 84, 0..64),
            addresses: strided(&output, 84, 64..84),
        }))
    }

    async fn verify_sets(&self, request: Request<v1::VerifySetsRequest>) -> Answered<v1::VerifySetsResponse> {
        let fault = self.0.enter(&request).await?;
        let request = request.into_inner();
        let mode = match request.mode() {
            v1::SetMode::Aggregate => SetMode::Aggregate,
            _ => SetMode::FastAggregate,
        };
        let message_ends = match mode {
            SetMode::Aggregate => ends(&request.messages_per_set),
            _ => (1..=request.count).collect(),
        };
        let key_ends = ends(&request.keys_per_set);
        let keys = match request.keys.expect("keys") {
            v1::verify_sets_request::Keys::PublicKeys(keys) => {
                Keys::Inline(column(Some(keys), key_ends.last().copied().unwrap_or(0)))
            }
            v1::verify_sets_request::Keys::KeyIndices(indices) => self.indexed(indices)?,
        };
        let output = all(&Work::VerifySets(SetWork {
            ruleset: Ruleset::from_number(request.ruleset).unwrap(),
            mode,
            signatures: column(request.signatures, request.count),
            keys,
            key_ends,
            messages: column(request.messages, message_ends.last().copied().unwrap_or(0)),
            message_ends,
        }));
        Ok(Response::new(v1::VerifySetsResponse { verdicts: bytes(&output, fault) }))
    }

    async fn verify_ethereum_transactions(
        &self,
        request: Request<v1::VerifyEthereumTransactionsRequest>,
    ) -> Answered<v1::VerifyEthereumTransactionsResponse> {
        let fault = self.0.enter(&request).await?;
        let request = request.into_inner();
        let output = all(&Work::EthereumTransactions(EthereumWork {
            transactions: column(request.transactions, request.count),
            chain_id: None,
            allow_high_s: request.allow_high_s,
        }));
        let authorities = (0..output.verdicts.len())
            .filter(|i| !output.variable_item(*i).is_empty())
            .map(|i| v1::Authorities {
                index: i as u32,
                addresses: output.variable_item(i).chunks_exact(21).flat_map(|one| one[1..].to_vec()).collect(),
                verdicts: output.variable_item(i).chunks_exact(21).map(|one| if one[0] == 1 { 1 } else { 2 }).collect(),
            })
            .collect();
        Ok(Response::new(v1::VerifyEthereumTransactionsResponse {
            verdicts: bytes(&output, fault),
            hashes: strided(&output, 53, 0..32),
            senders: strided(&output, 53, 32..52),
            reasons: output.reasons.clone().into(),
            authorities,
            transactions_root: Bytes::new(),
        }))
    }

    async fn put_key_set(&self, request: Request<v1::PutKeySetRequest>) -> Answered<v1::PutKeySetResponse> {
        let request = request.into_inner();
        let put = self.0.puts.fetch_add(1, SeqCst);
        let keys = column(request.public_keys, request.count);
        let key_set = format!("set-{}-{put}", keys.len());
        self.0.key_sets.lock().unwrap().insert(key_set.clone(), Arc::new(keys));
        Ok(Response::new(v1::PutKeySetResponse { key_set }))
    }

    async fn drop_key_set(&self, request: Request<v1::DropKeySetRequest>) -> Answered<v1::DropKeySetResponse> {
        let removed = self.0.key_sets.lock().unwrap().remove(&request.into_inner().key_set);
        removed.map(|_| Response::new(v1::DropKeySetResponse {})).ok_or_else(|| Status::not_found("key set"))
    }
}

impl Service {
    async fn stream_answer(&self, message: v1::VerifyStreamRequest) -> v1::VerifyStreamResponse {
        let delay = *self.0.stream_delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let fault = self.0.strike();
        match fault {
            Fault::Hang => std::future::pending().await,
            Fault::Refuse(code, retry) => v1::VerifyStreamResponse {
                id: message.id,
                verdicts: Bytes::new(),
                error: Some(v1::StreamError {
                    code: code as i32,
                    message: "told to".to_owned(),
                    retry_after_ms: retry.map_or(0, |retry| retry.as_millis() as u32),
                }),
            },
            _ => {
                let output = self.verify(message.batch.unwrap()).unwrap();
                v1::VerifyStreamResponse { id: message.id, verdicts: bytes(&output, fault), error: None }
            }
        }
    }
}

#[tonic::async_trait]
impl HashService for Service {
    async fn hash_batch(&self, request: Request<v1::HashBatchRequest>) -> Answered<v1::HashBatchResponse> {
        let fault = self.0.enter(&request).await?;
        let request = request.into_inner();
        let output = all(&Work::Hash(HashWork {
            algorithm: HashAlgorithm::from_number(request.algorithm).unwrap(),
            messages: column(request.messages, request.count),
        }));
        let verdicts = bytes(&output, fault);
        Ok(Response::new(v1::HashBatchResponse { digests: output.fixed.into(), verdicts }))
    }

    async fn merkle_root(
        &self,
        request: Request<Streaming<v1::MerkleRootRequest>>,
    ) -> Answered<v1::MerkleRootResponse> {
        self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let Some(v1::merkle_root_request::Part::Header(header)) = stream.message().await?.unwrap().part else {
            return Err(Status::invalid_argument("no header"));
        };
        let mut leaves = Vec::new();
        while let Some(message) = stream.message().await? {
            if let Some(v1::merkle_root_request::Part::Chunk(chunk)) = message.part {
                self.take(&mut leaves, chunk);
            }
        }
        let output = all(&tree(&header, &leaves, None));
        Ok(Response::new(v1::MerkleRootResponse {
            verdict: v1::Verdict::Valid.into(),
            root: output.fixed.into(),
            leaves: leaves.len() as u64,
        }))
    }

    async fn merkle_proof(
        &self,
        request: Request<Streaming<v1::MerkleProofRequest>>,
    ) -> Answered<v1::MerkleProofResponse> {
        self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let Some(v1::merkle_proof_request::Part::Header(header)) = stream.message().await?.unwrap().part else {
            return Err(Status::invalid_argument("no header"));
        };
        let mut leaves = Vec::new();
        while let Some(message) = stream.message().await? {
            if let Some(v1::merkle_proof_request::Part::Chunk(chunk)) = message.part {
                self.take(&mut leaves, chunk);
            }
        }
        let output = all(&tree(&header.tree.unwrap(), &leaves, Some(header.index as usize)));
        Ok(Response::new(v1::MerkleProofResponse {
            root: output.fixed.into(),
            leaves: leaves.len() as u64,
            leaf_hash: output.variable[..32].to_vec().into(),
            sides: vec![output.variable[32]].into(),
            siblings: output.variable[33..].to_vec().into(),
            verdict: v1::Verdict::Valid.into(),
        }))
    }
}

impl Service {
    fn take(&self, leaves: &mut Vec<Vec<u8>>, chunk: v1::LeafChunk) {
        self.0.chunks.fetch_add(1, SeqCst);
        leaves.extend(column(chunk.leaves, chunk.count).view().iter().map(<[u8]>::to_vec));
    }
}

fn tree(header: &v1::MerkleTreeHeader, leaves: &[Vec<u8>], prove: Option<usize>) -> Work {
    Work::Merkle(MerkleWork {
        tree: MerkleTree::from_number(header.tree).unwrap(),
        algorithm: HashAlgorithm::from_number(header.algorithm).unwrap(),
        leaves: ColumnBuf::from_items(leaves),
        prove,
    })
}

#[tonic::async_trait]
impl AdminService for Service {
    async fn get_capabilities(
        &self,
        _request: Request<v1::GetCapabilitiesRequest>,
    ) -> Answered<v1::GetCapabilitiesResponse> {
        Ok(Response::new(v1::GetCapabilitiesResponse {
            version: "fake".to_owned(),
            limits: Some(v1::Limits { stream_window: 8, ..v1::Limits::default() }),
            ..v1::GetCapabilitiesResponse::default()
        }))
    }
}
