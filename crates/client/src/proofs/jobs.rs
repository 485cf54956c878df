//! Proofs that are asked for.

use bytes::Bytes;
use outrigger_proto::v1;
use outrigger_proto::v1::secret_chunk::Content;
use outrigger_types::{CircuitId, Priority};
use zeroize::Zeroizing;

use super::ProofSecret;
use super::events::{ProofEvent, ProofStream};
use super::sending::{CHUNK_BYTES, feed_all, send};
use crate::call::{Attempt, Core, proofs};
use crate::client::instant_after;
use crate::convert::Wire;
use crate::error::Failure;
use crate::{CallOptions, ClientError};

impl Core {
    pub(super) async fn prove(
        &self,
        circuit: CircuitId,
        secret: &ProofSecret,
        options: CallOptions,
    ) -> Result<ProofStream, ClientError> {
        use v1::prove_request::Part;
        let deadline = instant_after(options.deadline);
        let wire = Wire::new(options.priority, options.backend);
        let prove = |attempt: Attempt| async move {
            let mut client = proofs(self.channel());
            let header = std::iter::once(Part::Header(header(circuit, wire)));
            let parts = header.chain(chunks(secret).map(Part::Chunk));
            let messages = parts.map(|part| v1::ProveRequest { part: Some(part) });
            let call = |requests| async move { client.prove(attempt.request(requests)).await };
            let response = send(call, |sender| feed_all(sender, messages)).await?;
            Ok(ProofStream::attached(response.into_inner(), deadline))
        };
        self.with_retries(deadline, wire, prove).await
    }

    pub(super) async fn submit_proof(
        &self,
        circuit: CircuitId,
        secret: &ProofSecret,
        options: CallOptions,
    ) -> Result<String, ClientError> {
        use v1::submit_proof_request::Part;
        let deadline = instant_after(options.deadline.or(self.options().deadline));
        let wire = Wire::new(options.priority, options.backend);
        let submit = |attempt: Attempt| async move {
            let mut client = proofs(self.channel());
            let header = std::iter::once(Part::Header(header(circuit, wire)));
            let parts = header.chain(chunks(secret).map(Part::Chunk));
            let messages = parts.map(|part| v1::SubmitProofRequest { part: Some(part) });
            let call = |requests| async move { client.submit_proof(attempt.request(requests)).await };
            let response = send(call, |sender| feed_all(sender, messages)).await?;
            match response.into_inner().job {
                job if job.is_empty() => Err(Failure::fatal(ClientError::Protocol("a job without a name".to_owned()))),
                job => Ok(job),
            }
        };
        self.with_retries(deadline, wire, submit).await
    }

    pub(super) async fn proof(&self, job: &str) -> Result<ProofEvent, ClientError> {
        let get = |attempt: Attempt| async move {
            let request = attempt.request(v1::GetProofRequest { job: job.to_owned() });
            let response = proofs(self.channel()).get_proof(request).await.map_err(|status| Failure::from(&status))?;
            let v1::GetProofResponse { progress, proof, error } = response.into_inner();
            ProofEvent::of_job(progress, proof, error).map_err(Failure::fatal)
        };
        self.with_retries(self.default_deadline(), unhurried(), get).await
    }

    pub(super) async fn watch_proof(&self, job: &str) -> Result<ProofStream, ClientError> {
        let watch = |attempt: Attempt| async move {
            let request = attempt.request(v1::WatchProofRequest { job: job.to_owned() });
            let response = proofs(self.channel()).watch_proof(request).await;
            let stream = response.map_err(|status| Failure::from(&status))?.into_inner();
            Ok(ProofStream::watched(stream))
        };
        // A deadline would end the stream, not only the wait for its beginning.
        self.with_retries(None, unhurried(), watch).await
    }

    pub(super) async fn cancel_proof(&self, job: &str) -> Result<(), ClientError> {
        let cancel = |attempt: Attempt| async move {
            let request = attempt.request(v1::CancelProofRequest { job: job.to_owned() });
            proofs(self.channel()).cancel_proof(request).await.map(drop).map_err(|status| Failure::from(&status))
        };
        self.with_retries(self.default_deadline(), unhurried(), cancel).await
    }
}

/// What calls say that carry no work of their own.
pub(super) const fn unhurried() -> Wire {
    Wire::new(Priority::Mempool, None)
}

fn header(circuit: CircuitId, wire: Wire) -> v1::ProofHeader {
    v1::ProofHeader { circuit: circuit.to_string(), priority: wire.priority, backend: wire.backend }
}

/// The secret in chunks, each a copy that is wiped once it is sent.
fn chunks(secret: &ProofSecret) -> impl Iterator<Item = v1::SecretChunk> + '_ {
    let (bytes, content): (_, fn(Bytes) -> Content) = match secret {
        ProofSecret::Witness(bytes) => (bytes, Content::Witness),
        ProofSecret::Inputs(bytes) => (bytes, Content::InputsJson),
    };
    bytes.chunks(CHUNK_BYTES).map(move |chunk| {
        let wiped = Bytes::from_owner(Zeroizing::new(chunk.to_vec()));
        v1::SecretChunk { content: Some(content(wiped)) }
    })
}
