//! The operations of a prover as calls of their own, for researchers.

use std::time::{Duration, Instant};

use bytes::Bytes;
use outrigger_groth16::engine::operations::{self, OperationError};
use outrigger_groth16::{Control, curve::SCALAR_BYTES};
use outrigger_proto::v1;
use outrigger_types::{Backend, Curve, Rejection};
use tonic::Status;

use super::incoming::Incoming;
use super::{Proofs, Proving, refuse};
use crate::convert::proofs;
use crate::front::Caller;
use crate::{tenants, trace};

/// Bytes of elements in one answer.
const CHUNK_BYTES: usize = 1 << 20;

/// The answers of `Ntt`.
pub(crate) type Elements = tokio_stream::Iter<std::vec::IntoIter<Result<v1::NttResponse, Status>>>;

impl Proofs {
    /// `Msm`.
    pub(super) async fn multiply(
        &self,
        caller: &Caller,
        proving: &Proving,
        mut incoming: Incoming<v1::MsmRequest, v1::MsmHeader, v1::MsmChunk>,
    ) -> Result<v1::MsmResponse, Status> {
        let header = incoming.header().await?;
        let terms = self.state.convert(caller, |context| context.msm(header)).map_err(refuse)?;
        let engine = proving.service.engine(terms.backend).map_err(refuse)?;
        let bytes_max = self.state.limits.load().operation_bytes_max;
        let (mut points, mut scalars) = (Vec::new(), Vec::new());
        while let Some(chunk) = incoming.chunk().await? {
            let bytes = points.len() + scalars.len() + chunk.points.len() + chunk.scalars.len();
            check_bytes(bytes, bytes_max).map_err(refuse)?;
            points.extend_from_slice(&chunk.points);
            scalars.extend_from_slice(&chunk.scalars);
        }
        let told = Told {
            kind: "msm",
            curve: terms.curve,
            items: scalars.len() / SCALAR_BYTES,
            bytes: points.len() + scalars.len(),
            backend: terms.backend,
        };
        let call =
            move |control: &Control| operations::msm(terms.curve, terms.group, &points, &scalars, &*engine, control);
        let (point, took) = compute(caller, proving, &told, call).await.map_err(refuse)?;
        Ok(v1::MsmResponse { point: point.into(), compute_us: micros(took) })
    }

    /// `Ntt`.
    pub(super) async fn transform(
        &self,
        caller: &Caller,
        proving: &Proving,
        mut incoming: Incoming<v1::NttRequest, v1::NttHeader, Bytes>,
    ) -> Result<Elements, Status> {
        let header = incoming.header().await?;
        let terms = self.state.convert(caller, |context| context.ntt(header)).map_err(refuse)?;
        let engine = proving.service.engine(terms.backend).map_err(refuse)?;
        let bytes_max = self.state.limits.load().operation_bytes_max;
        let mut elements = Vec::new();
        while let Some(chunk) = incoming.chunk().await? {
            check_bytes(elements.len() + chunk.len(), bytes_max).map_err(refuse)?;
            elements.extend_from_slice(&chunk);
        }
        let told = Told {
            kind: "ntt",
            curve: terms.curve,
            items: elements.len() / SCALAR_BYTES,
            bytes: elements.len(),
            backend: terms.backend,
        };
        let call = move |control: &Control| {
            operations::ntt(terms.curve, &elements, terms.inverse, terms.coset, &*engine, control)
        };
        let (elements, took) = compute(caller, proving, &told, call).await.map_err(refuse)?;
        Ok(tokio_stream::iter(answers(elements.into(), micros(took))))
    }
}

/// What is told of an operation in its trace.
struct Told {
    kind: &'static str,
    curve: Curve,
    /// Scalars, or elements.
    items: usize,
    bytes: usize,
    backend: Option<Backend>,
}

/// Runs an operation in its turn, and says how long it took by itself.
async fn compute(
    caller: &Caller,
    proving: &Proving,
    told: &Told,
    call: impl FnOnce(&Control) -> Result<Vec<u8>, OperationError> + Send + 'static,
) -> Result<(Vec<u8>, Duration), Rejection> {
    let priority = tenants::check_priority(&caller.tenant, None)?;
    let timed = move |control: &Control| {
        let started = Instant::now();
        call(control).map(|result| (result, started.elapsed()))
    };
    let Told { kind, curve, items, bytes, backend } = *told;
    let label = curve.name();
    let work = trace::Work { kind, label: &label, items, bytes: Some(bytes), priority, backend };
    let piece = trace::Piece::begin(&caller.span, &work);
    let ran = proving.service.run(caller.tenant.name.clone(), priority, caller.deadline, timed).await;
    let result = ran.and_then(|ran| ran.map_err(proofs::of_operation));
    piece.end(&result);
    result
}

fn check_bytes(bytes: usize, bytes_max: usize) -> Result<(), Rejection> {
    if bytes > bytes_max {
        return Err(Rejection::TooLarge { limit: format!("{bytes_max} bytes of input an operation") });
    }
    Ok(())
}

/// Elements in chunks over shared bytes, the time with the last.
fn answers(elements: Bytes, took_us: u64) -> std::vec::IntoIter<Result<v1::NttResponse, Status>> {
    const { assert!(CHUNK_BYTES.is_multiple_of(SCALAR_BYTES)) };
    let mut answers: Vec<_> = (0..elements.len())
        .step_by(CHUNK_BYTES)
        .map(|start| elements.slice(start..elements.len().min(start + CHUNK_BYTES)))
        .map(|elements| v1::NttResponse { elements, compute_us: 0 })
        .collect();
    if let Some(last) = answers.last_mut() {
        last.compute_us = took_us;
    }
    answers.into_iter().map(Ok).collect::<Vec<_>>().into_iter()
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
