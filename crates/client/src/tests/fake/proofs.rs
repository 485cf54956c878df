//! The fake's proofs: what was brought decides what is given back.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::proof_service_server::ProofService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use super::{Answered, Fault, Service, status};

type Answers<T> = ReceiverStream<Result<T, Status>>;

/// Answers one by one.
fn answers<T: Send + 'static>(all: Vec<Result<T, Status>>) -> Answered<Answers<T>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(all.len().max(1));
    for answer in all {
        assert!(sender.try_send(answer).is_ok(), "room for all");
    }
    Ok(Response::new(ReceiverStream::new(receiver)))
}

pub(in crate::tests) fn circuit(name: &str, bytes: u64) -> v1::Circuit {
    v1::Circuit {
        sha256: "ab".repeat(32),
        name: name.to_owned(),
        curve: 1,
        constraints: 4,
        public_signals: 1,
        proving_key_bytes: bytes,
        wires: 6,
        domain: 8,
        ..v1::Circuit::default()
    }
}

fn proof(signal: u8) -> v1::Proof {
    v1::Proof { curve: 1, proof: vec![7; 256].into(), public_signals: vec![signal; 32].into() }
}

fn progress(state: v1::ProofState, queue_position: u32, stage: &str, percent: u32) -> v1::ProofProgress {
    v1::ProofProgress { state: state as i32, queue_position, stage: stage.to_owned(), percent }
}

impl Service {
    fn bring(&self, bytes: &[u8]) {
        self.0.chunks.fetch_add(1, SeqCst);
        self.0.brought.lock().unwrap().extend_from_slice(bytes);
    }

    fn bring_secret(&self, chunk: Option<v1::SecretChunk>) {
        use v1::secret_chunk::Content;
        match chunk.and_then(|chunk| chunk.content).expect("a chunk holds something") {
            Content::Witness(bytes) | Content::InputsJson(bytes) => self.bring(&bytes),
        }
    }

    /// How the job of this name stands.
    fn job(name: &str) -> Result<v1::WatchProofResponse, Status> {
        use v1::ProofState;
        let at = |progress| v1::WatchProofResponse { progress: Some(progress), ..v1::WatchProofResponse::default() };
        let error = v1::StreamError { code: Code::InvalidArgument as i32, message: "no".to_owned(), retry_after_ms: 0 };
        match name {
            "queued" => Ok(at(progress(ProofState::Queued, 3, "", 0))),
            "running" => Ok(at(progress(ProofState::Running, 0, "ntt", 40))),
            "cancelled" => Ok(at(progress(ProofState::Cancelled, 0, "", 0))),
            "stateless" => Ok(v1::WatchProofResponse::default()),
            "failed" => Ok(v1::WatchProofResponse { error: Some(error), ..at(progress(ProofState::Failed, 0, "", 0)) }),
            "done" => {
                Ok(v1::WatchProofResponse { proof: Some(proof(9)), ..at(progress(ProofState::Done, 0, "", 100)) })
            }
            _ => Err(Status::not_found("job")),
        }
    }
}

#[tonic::async_trait]
impl ProofService for Service {
    type ProveStream = Answers<v1::ProveResponse>;

    async fn prove(&self, request: Request<Streaming<v1::ProveRequest>>) -> Answered<Self::ProveStream> {
        use v1::prove_request::Part as Asked;
        use v1::prove_response::Part;
        let fault = self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let Some(Asked::Header(_)) = stream.message().await?.and_then(|message| message.part) else {
            return Err(Status::invalid_argument("no header"));
        };
        while let Some(message) = stream.message().await? {
            match message.part {
                Some(Asked::Chunk(chunk)) => self.bring_secret(Some(chunk)),
                _ => return Err(Status::invalid_argument("no chunk")),
            }
        }
        let part = |part, stages| Ok(v1::ProveResponse { part: Some(part), stages });
        let stages = vec![v1::StageTime { stage: "ntt".to_owned(), us: 1_500 }];
        let mut all = vec![
            part(Part::Progress(progress(v1::ProofState::Queued, 2, "", 0)), Vec::new()),
            part(Part::Progress(progress(v1::ProofState::Running, 0, "msm_g1", 60)), Vec::new()),
        ];
        match fault {
            Fault::DieMidStream(_) => {}
            Fault::WrongShape => {
                all.push(part(Part::Proof(v1::Proof { proof: vec![7; 255].into(), ..proof(5) }), Vec::new()));
            }
            Fault::Lie => all.push(Err(status(Code::InvalidArgument, None))),
            Fault::Unprocessed => {
                // Never an end.
                let (sender, receiver) = tokio::sync::mpsc::channel(4);
                tokio::spawn(async move {
                    sender.closed().await;
                });
                return Ok(Response::new(ReceiverStream::new(receiver)));
            }
            _ => all.push(part(Part::Proof(proof(5)), stages)),
        }
        answers(all)
    }

    async fn submit_proof(
        &self,
        request: Request<Streaming<v1::SubmitProofRequest>>,
    ) -> Answered<v1::SubmitProofResponse> {
        use v1::submit_proof_request::Part;
        self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Chunk(chunk)) = message.part {
                self.bring_secret(Some(chunk));
            }
        }
        Ok(Response::new(v1::SubmitProofResponse { job: "done".to_owned() }))
    }

    async fn get_proof(&self, request: Request<v1::GetProofRequest>) -> Answered<v1::GetProofResponse> {
        self.0.enter(&request).await?;
        let v1::WatchProofResponse { progress, proof, error } = Self::job(&request.get_ref().job)?;
        Ok(Response::new(v1::GetProofResponse { progress, proof, error }))
    }

    type WatchProofStream = Answers<v1::WatchProofResponse>;

    async fn watch_proof(&self, request: Request<v1::WatchProofRequest>) -> Answered<Self::WatchProofStream> {
        self.0.enter(&request).await?;
        let last = Self::job(&request.get_ref().job)?;
        answers(vec![Self::job("queued"), Self::job("running"), Ok(last)])
    }

    async fn cancel_proof(&self, request: Request<v1::CancelProofRequest>) -> Answered<v1::CancelProofResponse> {
        self.0.enter(&request).await?;
        Self::job(&request.get_ref().job)?;
        Ok(Response::new(v1::CancelProofResponse {}))
    }

    async fn verify_proof_batch(
        &self,
        request: Request<v1::VerifyProofBatchRequest>,
    ) -> Answered<v1::VerifyProofBatchResponse> {
        self.0.enter(&request).await?;
        let request = request.into_inner();
        let proofs = request.proofs.unwrap_or_default().data;
        let verdicts: Vec<u8> = proofs.chunks(256).map(|proof| proof[0]).collect();
        Ok(Response::new(v1::VerifyProofBatchResponse { verdicts: verdicts.into() }))
    }

    async fn add_circuit(
        &self,
        request: Request<Streaming<v1::AddCircuitRequest>>,
    ) -> Answered<v1::AddCircuitResponse> {
        use v1::add_circuit_request::Part;
        self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let (mut name, mut zkey, mut has_r1cs, mut has_wasm) = (String::new(), 0, false, false);
        while let Some(message) = stream.message().await? {
            match message.part.ok_or_else(|| Status::invalid_argument("a message holds nothing"))? {
                Part::Header(header) => {
                    name = header.name;
                    *self.0.announced.lock().unwrap() = header.sha256;
                }
                Part::ProvingKey(bytes) => {
                    zkey += bytes.len() as u64;
                    self.bring(&bytes);
                }
                Part::R1cs(bytes) => {
                    has_r1cs = true;
                    self.bring(&bytes);
                }
                Part::Wasm(bytes) => {
                    has_wasm = true;
                    self.bring(&bytes);
                }
            }
        }
        let circuit = v1::Circuit { has_r1cs, has_wasm, ..circuit(&name, zkey) };
        Ok(Response::new(v1::AddCircuitResponse { circuit: Some(circuit) }))
    }

    async fn list_circuits(&self, request: Request<v1::ListCircuitsRequest>) -> Answered<v1::ListCircuitsResponse> {
        let fault = self.0.enter(&request).await?;
        let mut circuits = vec![circuit("a", 1), circuit("b", 2)];
        if fault == Fault::WrongShape {
            circuits[1].curve = 0;
        }
        Ok(Response::new(v1::ListCircuitsResponse { circuits }))
    }

    async fn get_circuit(&self, request: Request<v1::GetCircuitRequest>) -> Answered<v1::GetCircuitResponse> {
        let fault = self.0.enter(&request).await?;
        if request.get_ref().sha256 != "ab".repeat(32) {
            return Err(Status::not_found("circuit"));
        }
        // Four points of the header and two of IC; one too few is the key of a circuit without public signals.
        let points = if fault == Fault::WrongShape { 15 } else { 16 } * 32 + 2 * 32;
        let key = v1::VerifyingKey { curve: 1, points: vec![1; points].into() };
        Ok(Response::new(v1::GetCircuitResponse { circuit: Some(circuit("a", 1)), verifying_key: Some(key) }))
    }

    async fn remove_circuit(&self, request: Request<v1::RemoveCircuitRequest>) -> Answered<v1::RemoveCircuitResponse> {
        self.0.enter(&request).await?;
        Ok(Response::new(v1::RemoveCircuitResponse {}))
    }

    async fn msm(&self, request: Request<Streaming<v1::MsmRequest>>) -> Answered<v1::MsmResponse> {
        use v1::msm_request::Part;
        self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let (mut bytes, mut scalars) = (64, 0);
        while let Some(message) = stream.message().await? {
            match message.part {
                Some(Part::Header(header)) => bytes = if header.group == 2 { 128 } else { 64 },
                Some(Part::Chunk(chunk)) => {
                    self.bring(&chunk.points);
                    scalars += chunk.scalars.len() / 32;
                }
                None => return Err(Status::invalid_argument("a message holds nothing")),
            }
        }
        Ok(Response::new(v1::MsmResponse { point: vec![scalars as u8; bytes].into(), compute_us: 12 }))
    }

    type NttStream = Answers<v1::NttResponse>;

    async fn ntt(&self, request: Request<Streaming<v1::NttRequest>>) -> Answered<Self::NttStream> {
        use v1::ntt_request::Part;
        let fault = self.0.enter(&request).await?;
        let mut stream = request.into_inner();
        let mut all = Vec::new();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Elements(elements)) = message.part {
                all.extend_from_slice(&elements);
            }
        }
        all.reverse();
        match fault {
            Fault::WrongShape => drop(all.pop()),
            Fault::Lie => all.push(0),
            _ => {}
        }
        let half = Bytes::from(all);
        let rest = half.slice(half.len() / 2..);
        let answer = |elements, compute_us| Ok(v1::NttResponse { elements, compute_us });
        let us = Duration::from_micros(34).as_micros() as u64;
        answers(vec![answer(half.slice(..half.len() / 2), 0), answer(rest, us)])
    }
}
