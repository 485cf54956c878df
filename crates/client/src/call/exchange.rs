//! One attempt: the right call for each kind of work, key sets registered where they are not.

use std::ops::Range;
use std::sync::Arc;

use outrigger_proto::v1;
use outrigger_proto::v1::admin_service_client::AdminServiceClient;
use outrigger_proto::v1::hash_service_client::HashServiceClient;
use outrigger_proto::v1::proof_service_client::ProofServiceClient;
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_types::{ColumnBuf, Keys, MerkleWork, Output, Ruleset, SetWork, SignatureWork, Work, limits};
use tokio_stream::iter;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Attempt, Core};
use crate::ClientError;
use crate::connect::ANSWER_BYTES_MAX;
use crate::convert::{self, MESSAGE_BYTES_USED};
use crate::error::Failure;

type Exchanged<T> = Result<T, Failure>;

pub(crate) fn signatures(channel: Channel) -> SignatureServiceClient<Channel> {
    SignatureServiceClient::new(channel)
        .max_decoding_message_size(ANSWER_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX)
}

fn hashes(channel: Channel) -> HashServiceClient<Channel> {
    HashServiceClient::new(channel)
        .max_decoding_message_size(ANSWER_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX)
}

pub(crate) fn proofs(channel: Channel) -> ProofServiceClient<Channel> {
    ProofServiceClient::new(channel)
        .max_decoding_message_size(ANSWER_BYTES_MAX)
        .max_encoding_message_size(limits::MESSAGE_BYTES_MAX)
}

fn failed(status: tonic::Status) -> Failure {
    Failure::from(&status)
}

impl Core {
    /// Sends the items of a range and gives back the answer, checked for its shape.
    pub(super) async fn exchange(&self, work: &Arc<Work>, range: Range<usize>, attempt: Attempt) -> Exchanged<Output> {
        let count = range.len();
        let output = match &**work {
            Work::Verify(work) => self.verify(work, range, attempt).await?,
            Work::Recover(work) => {
                let request = attempt.request(convert::recover_request(work, range, attempt.wire));
                let response = signatures(self.channel()).recover_batch(request).await.map_err(failed)?;
                convert::recover_output(response.get_ref(), count)
            }
            Work::VerifySets(work) => self.verify_sets(work, range, attempt).await?,
            Work::Hash(work) => {
                let request = attempt.request(convert::hash_request(work, range, attempt.wire));
                let response = hashes(self.channel()).hash_batch(request).await.map_err(failed)?;
                convert::hash_output(response.get_ref(), count)
            }
            Work::Merkle(merkle) => self.merkle(Arc::clone(work), merkle, attempt).await?,
            Work::EthereumTransactions(work) => {
                let start = range.start;
                let request = attempt.request(convert::ethereum_request(work, range, attempt.wire));
                let mut client = signatures(self.channel());
                let response = client.verify_ethereum_transactions(request).await.map_err(failed)?;
                convert::ethereum_output(response.get_ref(), work, start, count)
            }
            Work::VerifyProofs(work) => {
                let request = attempt.request(convert::proofs_request(work, range, attempt.wire));
                let response = proofs(self.channel()).verify_proof_batch(request).await.map_err(failed)?;
                convert::verdicts_output(&response.get_ref().verdicts, count)
            }
        };
        output.map_err(Failure::fatal)
    }

    async fn verify(
        &self,
        work: &SignatureWork,
        range: Range<usize>,
        attempt: Attempt,
    ) -> Exchanged<Result<Output, ClientError>> {
        let response = self
            .with_key_set(work.ruleset, &work.keys, attempt, |name| {
                let request = convert::verify_request(work, range.clone(), name.as_deref(), attempt.wire);
                let mut client = signatures(self.channel());
                async move { client.verify_batch(attempt.request(request)).await.map_err(failed) }
            })
            .await?;
        Ok(convert::verdicts_output(&response.get_ref().verdicts, range.len()))
    }

    async fn verify_sets(
        &self,
        work: &SetWork,
        range: Range<usize>,
        attempt: Attempt,
    ) -> Exchanged<Result<Output, ClientError>> {
        let response = self
            .with_key_set(work.ruleset, &work.keys, attempt, |name| {
                let request = convert::sets_request(work, range.clone(), name.as_deref(), attempt.wire);
                let mut client = signatures(self.channel());
                async move { client.verify_sets(attempt.request(request)).await.map_err(failed) }
            })
            .await?;
        Ok(convert::verdicts_output(&response.get_ref().verdicts, range.len()))
    }

    /// Makes a call with the name of its key set, registered before where need be, and once more where the sidecar
    /// has forgotten it: evicted, or started anew.
    async fn with_key_set<T, F>(
        &self,
        ruleset: Ruleset,
        keys: &Keys,
        attempt: Attempt,
        call: impl Fn(Option<Arc<str>>) -> F,
    ) -> Exchanged<T>
    where
        F: Future<Output = Exchanged<T>>,
    {
        // A set that does not fit one message cannot be registered: its keys travel with the items.
        let Keys::Indexed { set, .. } = keys else { return call(None).await };
        if set.bytes().len() + 5 * set.len() > MESSAGE_BYTES_USED {
            return call(None).await;
        }
        let (name, generation) = self.registered(ruleset, set, None, attempt).await?;
        match call(Some(name)).await {
            Err(Failure { error: ClientError::NotFound(_), .. }) => {
                let (name, _) = self.registered(ruleset, set, Some(generation), attempt).await?;
                call(Some(name)).await
            }
            other => other,
        }
    }

    /// The name and generation of a registered set; registers it where it is not, or where the generation is the one
    /// that turned out to be lost.
    pub(super) async fn registered(
        &self,
        ruleset: Ruleset,
        set: &Arc<ColumnBuf>,
        lost: Option<u64>,
        attempt: Attempt,
    ) -> Exchanged<(Arc<str>, u64)> {
        let slot = self.key_sets.slot(ruleset, set);
        let mut registration = slot.lock().await;
        if let Some(name) = &registration.name
            && lost != Some(registration.generation)
        {
            return Ok((Arc::clone(name), registration.generation));
        }
        let request = attempt.request(convert::put_key_set_request(ruleset, set));
        let response = signatures(self.channel()).put_key_set(request).await.map_err(failed)?.into_inner();
        if response.key_set.is_empty() {
            return Err(Failure::fatal(ClientError::Protocol("a key set without a name".to_owned())));
        }
        let name: Arc<str> = response.key_set.into();
        registration.name = Some(Arc::clone(&name));
        registration.generation += 1;
        self.counters.key_set_registered();
        Ok((name, registration.generation))
    }

    async fn merkle(
        &self,
        whole: Arc<Work>,
        work: &MerkleWork,
        attempt: Attempt,
    ) -> Exchanged<Result<Output, ClientError>> {
        let header = convert::tree_header(work, attempt.wire);
        let chunks = chunks_of(whole);
        let mut client = hashes(self.channel());
        match work.prove {
            None => {
                use v1::merkle_root_request::Part;
                let parts = std::iter::once(Part::Header(header)).chain(chunks.map(Part::Chunk));
                let messages = iter(parts.map(|part| v1::MerkleRootRequest { part: Some(part) }));
                let response = client.merkle_root(attempt.request(messages)).await.map_err(failed)?;
                Ok(convert::root_output(response.get_ref(), work))
            }
            Some(index) => {
                use v1::merkle_proof_request::Part;
                let header = v1::MerkleProofHeader { tree: Some(header), index: index as u64 };
                let parts = std::iter::once(Part::Header(header)).chain(chunks.map(Part::Chunk));
                let messages = iter(parts.map(|part| v1::MerkleProofRequest { part: Some(part) }));
                let response = client.merkle_proof(attempt.request(messages)).await.map_err(failed)?;
                Ok(convert::proof_output(response.get_ref(), work))
            }
        }
    }

    pub(super) async fn send_drop(&self, name: Arc<str>, attempt: Attempt) -> Exchanged<()> {
        let request = attempt.request(v1::DropKeySetRequest { key_set: name.to_string() });
        signatures(self.channel()).drop_key_set(request).await.map(drop).map_err(failed)
    }

    pub(super) async fn send_capabilities(&self, attempt: Attempt) -> Exchanged<v1::GetCapabilitiesResponse> {
        let request = attempt.request(v1::GetCapabilitiesRequest {});
        let response = AdminServiceClient::new(self.channel()).get_capabilities(request).await.map_err(failed)?;
        Ok(response.into_inner())
    }

    pub(super) async fn send_health(&self, attempt: Attempt) -> Exchanged<ServingStatus> {
        // The empty name asks after the sidecar as a whole.
        let request = attempt.request(HealthCheckRequest { service: String::new() });
        let response = HealthClient::new(self.channel()).check(request).await.map_err(failed)?;
        ServingStatus::try_from(response.get_ref().status)
            .map_err(|_| Failure::fatal(ClientError::Protocol("an unknown state of health".to_owned())))
    }
}

/// The chunks of a tree's leaves, cut before the stream begins: each is a few words over shared bytes.
fn chunks_of(work: Arc<Work>) -> std::vec::IntoIter<v1::LeafChunk> {
    match &*work {
        Work::Merkle(merkle) => convert::leaf_chunks(&merkle.leaves).collect::<Vec<_>>().into_iter(),
        _ => Vec::new().into_iter(),
    }
}
