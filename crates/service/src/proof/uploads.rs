//! Circuits on their way into the store.

use std::sync::Arc;

use outrigger_groth16::store::{CircuitInfo, Upload};
use outrigger_proto::v1;
use outrigger_types::Rejection;
use tonic::Status;

use super::incoming::{FileChunk, Incoming};
use super::{Proofs, Proving, blocking, refuse};
use crate::body::Held;
use crate::convert::proofs;
use crate::front::Caller;
use crate::{status, tenants};

impl Proofs {
    /// Reads a circuit into the store. Each chunk goes to disk before the next is read, and what lies there does not
    /// count as held in memory.
    pub(super) async fn add(
        &self,
        caller: &Caller,
        proving: &Proving,
        mut incoming: Incoming<v1::AddCircuitRequest, v1::AddCircuitHeader, FileChunk>,
        held: Option<Arc<Held>>,
    ) -> Result<CircuitInfo, Status> {
        let _permit = proving.uploads.try_acquire().map_err(|_| status::of(&status::OVERLOADED))?;
        let header = incoming.header().await?;
        let terms = self.state.convert(caller, |context| context.circuit_to_add(header)).map_err(refuse)?;
        let begun = proving.store(|store| store.upload()).await.map_err(refuse)?;
        let mut upload = begun.map_err(proofs::of_upload).map_err(refuse)?;
        while let Some(chunk) = incoming.chunk().await? {
            upload = write(upload, chunk).await.map_err(refuse)?;
            if let Some(held) = &held {
                held.release();
            }
        }
        let priority = tenants::check_priority(&caller.tenant, None).map_err(refuse)?;
        let (tenant, deadline) = (caller.tenant.name.clone(), caller.deadline);
        let finish = move |control: &_| upload.finish(&terms.name, terms.announced, control);
        let finished = proving.service.run(tenant, priority, deadline, finish).await.map_err(refuse)?;
        finished.map_err(proofs::of_upload).map_err(refuse)
    }
}

async fn write(mut upload: Upload, (part, bytes): FileChunk) -> Result<Upload, Rejection> {
    blocking(move || upload.write(part, &bytes).map(|()| upload)).await?.map_err(proofs::of_upload)
}
