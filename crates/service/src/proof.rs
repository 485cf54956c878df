//! `ProofService`.
//!
//! Requests that carry much come as a header, which is judged before anything is kept, and chunks. What computes runs
//! in the pool of the proofs, what reads or writes files on the threads that may block.

use std::sync::Arc;
use std::time::Instant;

use outrigger_groth16::CircuitStore;
use outrigger_groth16::store::CircuitInfo;
use outrigger_proto::v1;
use outrigger_proto::v1::proof_service_server::ProofService;
use outrigger_proving::{JobState, JobWatch, ProofRequest};
use outrigger_types::{Call, CircuitId, Rejection, Verdict};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use crate::body::Held;
use crate::calls::{caller, verdict_bytes};
use crate::convert::proofs::{self, KeyChoice};
use crate::front::Caller;
use crate::meters::Method;
use crate::state::State;
use crate::stream::Record;
use crate::{status, tenants, trace};

mod follow;
mod incoming;
mod keys;
mod operations;
mod uploads;

use follow::Answers;
use incoming::Incoming;
pub(crate) use keys::InlineKeys;
use keys::StoredKeys;

/// Circuits that are uploaded at once, over all tenants: each may fill the disk up to the store's limits before it is
/// found wanting.
const UPLOADS_MAX: usize = 4;

/// What makes proofs, and what the service keeps beside it.
pub(crate) struct Proving {
    service: outrigger_proving::ProofService,
    keys: StoredKeys,
    uploads: Semaphore,
}

impl Proving {
    pub(crate) fn new(service: outrigger_proving::ProofService) -> Self {
        Self { service, keys: StoredKeys::default(), uploads: Semaphore::new(UPLOADS_MAX) }
    }

    /// Asks the store, on a thread that may block.
    async fn store<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&CircuitStore) -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        let store = self.service.store().clone();
        blocking(move || ask(&store)).await
    }

    /// What the store knows of a circuit.
    async fn info(&self, circuit: CircuitId) -> Result<CircuitInfo, Rejection> {
        self.store(move |store| store.info(circuit)).await?.map_err(proofs::of_store)
    }
}

impl State {
    /// Stops taking proofs; waits for those that callers listen to.
    pub(crate) async fn drain_proofs(&self) {
        if let Some(proving) = &self.proving {
            proving.service.drain().await;
        }
    }
}

/// Runs what may block where it may.
async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, Rejection> {
    tokio::task::spawn_blocking(call).await.map_err(|_| Rejection::Internal("a task of the service failed".to_owned()))
}

fn refuse(rejection: Rejection) -> Status {
    status::of(&rejection)
}

/// The service.
pub(crate) struct Proofs {
    state: Arc<State>,
}

impl Proofs {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// What makes proofs, for a caller that may ask for some.
    fn proving(&self, caller: &Caller, call: Call) -> Result<&Proving, Status> {
        tenants::check_call(&caller.tenant, call).map_err(refuse)?;
        self.state.proving.as_ref().ok_or_else(status::without_proving)
    }

    /// The same, for a caller that wants to look at circuits.
    fn circuits(&self, caller: &Caller) -> Result<&Proving, Status> {
        self.state.convert(caller, |context| context.may_see_circuits()).map_err(refuse)?;
        self.state.proving.as_ref().ok_or_else(status::without_proving)
    }

    /// Reads a whole proof request: the header, judged before anything is kept, and the secret.
    async fn proof_request<M>(
        &self,
        caller: &Caller,
        proving: &Proving,
        mut incoming: Incoming<M, v1::ProofHeader, v1::SecretChunk>,
    ) -> Result<ProofRequest, Status> {
        let header = incoming.header().await?;
        let terms = self.state.convert(caller, |context| context.proof(&header)).map_err(refuse)?;
        // A secret is not worth its way to a circuit that is not there.
        proving.info(terms.circuit).await.map_err(refuse)?;
        let secret = incoming::secret(&mut incoming, self.state.limits.load().secret_bytes_max).await?;
        Ok(ProofRequest {
            circuit: terms.circuit,
            tenant: caller.tenant.name.clone(),
            priority: terms.priority,
            deadline: None,
            backend: terms.backend,
            secret,
        })
    }

    fn incoming<M, H, C>(&self, stream: Streaming<M>, split: incoming::Split<M, H, C>) -> Incoming<M, H, C> {
        Incoming::new(stream, split, self.state.limits.load().message_bytes_max)
    }

    /// Follows a job with the answers of a stream, and ends `piece` with it.
    fn follow<T: Clone + PartialEq + Send + 'static>(
        &self,
        caller: &Caller,
        (method, started): (Method, Instant),
        watch: JobWatch,
        answer: fn(&JobState) -> Result<T, Status>,
        piece: Option<trace::Piece>,
    ) -> Response<Answers<T>> {
        let record = Record::new(self.state.clone(), method, caller, started);
        // A drain waits for proofs that their callers listen to, but not for those who watch what goes on afterwards.
        let phase = (method == Method::WATCH_PROOF).then(|| self.state.phase.clone());
        Response::new(follow::open(watch, answer, follow::end(caller.deadline, phase), record, piece))
    }

    async fn verify(
        &self,
        caller: &Caller,
        request: v1::VerifyProofBatchRequest,
    ) -> Result<v1::VerifyProofBatchResponse, Status> {
        let (choice, batch) = self.state.convert(caller, |context| context.proofs(request)).map_err(refuse)?;
        let key = match choice {
            KeyChoice::Stored(circuit) => {
                let proving = self.proving(caller, Call::Prove)?;
                proving.verifying_key(circuit).await
            }
            KeyChoice::Inline(key) => self.state.inline_keys.prepared(key).await,
        };
        let ask = batch.ask(key.map_err(refuse)?).map_err(refuse)?;
        let output = self.state.carry_out(caller, ask).await.map_err(refuse)?;
        if output.verdicts.contains(&Verdict::Unprocessed) {
            return Err(refuse(Rejection::Internal("proofs were left without a verdict".to_owned())));
        }
        Ok(v1::VerifyProofBatchResponse { verdicts: verdict_bytes(&output.verdicts).into() })
    }
}

/// What is told of a proof in its trace.
fn told(request: &ProofRequest) -> trace::Work<'_> {
    let ProofRequest { circuit, priority, backend, .. } = request;
    trace::Work { kind: "prove", label: circuit, items: 1, bytes: None, priority: *priority, backend: *backend }
}

/// What the body of a request counts; held as long as what was read of it is.
fn held<T>(request: &mut Request<T>) -> Option<Arc<Held>> {
    request.extensions_mut().remove::<Arc<Held>>()
}

#[tonic::async_trait]
impl ProofService for Proofs {
    type ProveStream = Answers<v1::ProveResponse>;

    async fn prove(
        &self,
        mut request: Request<Streaming<v1::ProveRequest>>,
    ) -> Result<Response<Self::ProveStream>, Status> {
        let started = Instant::now();
        let (caller, _held) = (caller(&mut request)?, held(&mut request));
        let proving = self.proving(&caller, Call::Prove)?;
        let incoming = self.incoming(request.into_inner(), incoming::prove);
        let mut request = self.proof_request(&caller, proving, incoming).await?;
        request.deadline = caller.deadline;
        let mut piece = trace::Piece::begin(&caller.span, &told(&request));
        let watch = proving.service.prove(request).await.inspect_err(|why| piece.refuse(why)).map_err(refuse)?;
        Ok(self.follow(&caller, (Method::PROVE, started), watch, follow::attached, Some(piece)))
    }

    /// The deadline of the call is not that of the proof, which is made whether or not anybody waits.
    async fn submit_proof(
        &self,
        mut request: Request<Streaming<v1::SubmitProofRequest>>,
    ) -> Result<Response<v1::SubmitProofResponse>, Status> {
        let (caller, _held) = (caller(&mut request)?, held(&mut request));
        let proving = self.proving(&caller, Call::Prove)?;
        let incoming = self.incoming(request.into_inner(), incoming::submit);
        let request = self.proof_request(&caller, proving, incoming).await?;
        let job = proving.service.submit(request).await.map_err(refuse)?;
        Ok(Response::new(v1::SubmitProofResponse { job }))
    }

    async fn get_proof(
        &self,
        mut request: Request<v1::GetProofRequest>,
    ) -> Result<Response<v1::GetProofResponse>, Status> {
        let caller = caller(&mut request)?;
        let proving = self.proving(&caller, Call::Prove)?;
        let state = proving.service.state(&caller.tenant.name, &request.get_ref().job).await.map_err(refuse)?;
        let (progress, proof, error) = follow::job(&state);
        Ok(Response::new(v1::GetProofResponse { progress: Some(progress), proof, error }))
    }

    type WatchProofStream = Answers<v1::WatchProofResponse>;

    async fn watch_proof(
        &self,
        mut request: Request<v1::WatchProofRequest>,
    ) -> Result<Response<Self::WatchProofStream>, Status> {
        let started = Instant::now();
        let caller = caller(&mut request)?;
        let proving = self.proving(&caller, Call::Prove)?;
        let watch = proving.service.watch(&caller.tenant.name, &request.get_ref().job).await.map_err(refuse)?;
        Ok(self.follow(&caller, (Method::WATCH_PROOF, started), watch, follow::submitted, None))
    }

    async fn cancel_proof(
        &self,
        mut request: Request<v1::CancelProofRequest>,
    ) -> Result<Response<v1::CancelProofResponse>, Status> {
        let caller = caller(&mut request)?;
        let proving = self.proving(&caller, Call::Prove)?;
        proving.service.cancel(&caller.tenant.name, &request.get_ref().job).await.map_err(refuse)?;
        Ok(Response::new(v1::CancelProofResponse {}))
    }

    async fn verify_proof_batch(
        &self,
        mut request: Request<v1::VerifyProofBatchRequest>,
    ) -> Result<Response<v1::VerifyProofBatchResponse>, Status> {
        let caller = caller(&mut request)?;
        self.verify(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn add_circuit(
        &self,
        mut request: Request<Streaming<v1::AddCircuitRequest>>,
    ) -> Result<Response<v1::AddCircuitResponse>, Status> {
        let (caller, held) = (caller(&mut request)?, held(&mut request));
        let proving = self.proving(&caller, Call::Circuits)?;
        let incoming = self.incoming(request.into_inner(), incoming::circuit);
        let info = self.add(&caller, proving, incoming, held).await?;
        Ok(Response::new(v1::AddCircuitResponse { circuit: Some(proofs::wire_circuit(info)) }))
    }

    async fn list_circuits(
        &self,
        mut request: Request<v1::ListCircuitsRequest>,
    ) -> Result<Response<v1::ListCircuitsResponse>, Status> {
        let caller = caller(&mut request)?;
        let circuits = self.circuits(&caller)?.store(CircuitStore::list).await.map_err(refuse)?;
        let seen = circuits.into_iter().filter(|info| caller.tenant.circuits.allows(info.id));
        Ok(Response::new(v1::ListCircuitsResponse { circuits: seen.map(proofs::wire_circuit).collect() }))
    }

    async fn get_circuit(
        &self,
        mut request: Request<v1::GetCircuitRequest>,
    ) -> Result<Response<v1::GetCircuitResponse>, Status> {
        let caller = caller(&mut request)?;
        let proving = self.circuits(&caller)?;
        let text = &request.get_ref().sha256;
        let circuit = self.state.convert(&caller, |context| context.circuit("sha256", text)).map_err(refuse)?;
        let info = proving.info(circuit).await.map_err(refuse)?;
        let key = proving.verifying_key(circuit).await.map_err(refuse)?;
        let (circuit, verifying_key) = (Some(proofs::wire_circuit(info)), Some(proofs::wire_key(&key)));
        Ok(Response::new(v1::GetCircuitResponse { circuit, verifying_key }))
    }

    async fn remove_circuit(
        &self,
        mut request: Request<v1::RemoveCircuitRequest>,
    ) -> Result<Response<v1::RemoveCircuitResponse>, Status> {
        let caller = caller(&mut request)?;
        let proving = self.proving(&caller, Call::Circuits)?;
        let request = request.get_ref();
        let circuit = self.state.convert(&caller, |context| context.circuit_to_remove(request)).map_err(refuse)?;
        proving.remove(circuit).await.map_err(refuse)?;
        Ok(Response::new(v1::RemoveCircuitResponse {}))
    }

    async fn msm(&self, mut request: Request<Streaming<v1::MsmRequest>>) -> Result<Response<v1::MsmResponse>, Status> {
        let (caller, _held) = (caller(&mut request)?, held(&mut request));
        let proving = self.proving(&caller, Call::Prove)?;
        let incoming = self.incoming(request.into_inner(), incoming::msm);
        self.multiply(&caller, proving, incoming).await.map(Response::new)
    }

    type NttStream = operations::Elements;

    async fn ntt(&self, mut request: Request<Streaming<v1::NttRequest>>) -> Result<Response<Self::NttStream>, Status> {
        let (caller, _held) = (caller(&mut request)?, held(&mut request));
        let proving = self.proving(&caller, Call::Prove)?;
        let incoming = self.incoming(request.into_inner(), incoming::ntt);
        self.transform(&caller, proving, incoming).await.map(Response::new)
    }
}
