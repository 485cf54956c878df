//! The operations of a prover as calls of their own, for researchers.

use std::time::Duration;

use bytes::Bytes;
use outrigger_groth16::curve::SCALAR_BYTES;
use outrigger_groth16::engine::operations::Group;
use outrigger_proto::v1;
use outrigger_types::{Backend, Curve, Priority};

use super::events::broken;
use super::sending::{CHUNK_BYTES, feed_all, send};
use crate::ClientError;
use crate::call::{Attempt, Core, proofs};
use crate::convert::{Wire, curve};
use crate::error::Failure;

impl Core {
    pub(super) async fn msm(
        &self,
        on: Curve,
        group: Group,
        [points, scalars]: [&[u8]; 2],
        backend: Option<Backend>,
    ) -> Result<(Vec<u8>, Duration), ClientError> {
        let wire = Wire::new(Priority::Mempool, backend);
        let number = match group {
            Group::G1 => v1::Group::G1,
            Group::G2 => v1::Group::G2,
        };
        let header = v1::MsmHeader { curve: curve(on), group: number as i32, backend: wire.backend };
        let msm = |attempt: Attempt| async move {
            use v1::msm_request::Part;
            let mut client = proofs(self.channel());
            let points = chunks(points).map(|points| v1::MsmChunk { points, ..v1::MsmChunk::default() });
            let scalars = chunks(scalars).map(|scalars| v1::MsmChunk { scalars, ..v1::MsmChunk::default() });
            let parts = std::iter::once(Part::Header(header)).chain(points.chain(scalars).map(Part::Chunk));
            let messages = parts.map(|part| v1::MsmRequest { part: Some(part) });
            let call = |requests| async move { client.msm(attempt.request(requests)).await };
            let answer = send(call, |sender| feed_all(sender, messages)).await?.into_inner();
            let bytes = group_bytes(on, group);
            if answer.point.len() != bytes {
                let wrong = broken(format!("a point of {} bytes, not {bytes}", answer.point.len()));
                return Err(Failure::fatal(wrong));
            }
            Ok((answer.point.to_vec(), Duration::from_micros(answer.compute_us)))
        };
        self.with_retries(None, wire, msm).await
    }

    pub(super) async fn ntt(
        &self,
        on: Curve,
        elements: &[u8],
        inverse: bool,
        coset: bool,
        backend: Option<Backend>,
    ) -> Result<(Vec<u8>, Duration), ClientError> {
        let wire = Wire::new(Priority::Mempool, backend);
        let header = v1::NttHeader { curve: curve(on), inverse, coset, backend: wire.backend };
        let ntt = |attempt: Attempt| async move {
            use v1::ntt_request::Part;
            let mut client = proofs(self.channel());
            let parts = std::iter::once(Part::Header(header)).chain(chunks(elements).map(Part::Elements));
            let messages = parts.map(|part| v1::NttRequest { part: Some(part) });
            let call = |requests| async move { client.ntt(attempt.request(requests)).await };
            let mut answers = send(call, |sender| feed_all(sender, messages)).await?.into_inner();
            let mut result = Vec::with_capacity(elements.len());
            let mut took = Duration::ZERO;
            while let Some(answer) = answers.message().await.map_err(|status| Failure::from(&status))? {
                if result.len() + answer.elements.len() > elements.len() {
                    return Err(Failure::fatal(broken("more elements back than were sent")));
                }
                result.extend_from_slice(&answer.elements);
                took = took.max(Duration::from_micros(answer.compute_us));
            }
            if result.len() != elements.len() {
                let wrong = broken(format!("{} elements back for {}", count(&result), count(elements)));
                return Err(Failure::fatal(wrong));
            }
            Ok((result, took))
        };
        self.with_retries(None, wire, ntt).await
    }
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = Bytes> + '_ {
    bytes.chunks(CHUNK_BYTES).map(Bytes::copy_from_slice)
}

const fn count(elements: &[u8]) -> usize {
    elements.len() / SCALAR_BYTES
}

/// Bytes of an uncompressed point.
const fn group_bytes(curve: Curve, group: Group) -> usize {
    match group {
        Group::G1 => 2 * curve.base_bytes(),
        Group::G2 => 4 * curve.base_bytes(),
    }
}
