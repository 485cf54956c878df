//! What all services do with a request: find its caller, have its work carried out, check the answer's shape.

use std::sync::Arc;

use outrigger_scheduler::Request as Job;
use outrigger_types::{Operation, Output, Rejection, TenantPolicy, Verdict};
use tonic::{Request, Status};

use crate::convert::{Ask, Context};
use crate::front::Caller;
use crate::options::ServiceLimits;
use crate::state::State;
use crate::{status, trace};

/// The caller of a request, as the front has found it.
pub(crate) fn caller<T>(request: &mut Request<T>) -> Result<Caller, Status> {
    request
        .extensions_mut()
        .remove::<Caller>()
        .ok_or_else(|| status::of(&Rejection::PermissionDenied("the caller is of no tenant".to_owned())))
}

impl State {
    /// What the requests of a tenant are judged by.
    pub(crate) fn context<'a>(&'a self, limits: &'a ServiceLimits, tenant: &'a TenantPolicy) -> Context<'a> {
        Context { vocabulary: &self.vocabulary, limits, tenant, key_sets: &self.key_sets }
    }

    /// Judges a request by the limits in force.
    pub(crate) fn convert<T>(
        &self,
        caller: &Caller,
        read: impl FnOnce(&Context<'_>) -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        read(&self.context(&self.limits.load(), &caller.tenant))
    }

    /// Has work carried out for a caller.
    pub(crate) async fn carry_out(&self, caller: &Caller, ask: Ask) -> Result<Output, Rejection> {
        let Ask { work, priority, backend } = ask;
        let operation = work.operation();
        let count = if operation.is_divisible() { work.items() } else { 1 };
        if count == 0 {
            return Ok(Output::unprocessed(operation, 0));
        }
        let piece = trace::Piece::begin(
            &caller.span,
            &trace::Work {
                kind: operation.kind(),
                label: &operation.label(),
                items: work.items(),
                bytes: Some(work.bytes()),
                priority,
                backend,
            },
        );
        let job = Job {
            work: Arc::new(work),
            tenant: caller.tenant.name.clone(),
            priority,
            deadline: caller.deadline,
            backend,
        };
        let result = self.submit(job, operation, count).await;
        piece.end(&result);
        result
    }

    /// Hands work over, and looks at the shape of what comes back.
    async fn submit(&self, job: Job, operation: Operation, count: usize) -> Result<Output, Rejection> {
        let output = self.executor.submit(job).await?;
        if has_shape(&output, operation, count) {
            return Ok(output);
        }
        tracing::error!(operation = operation.kind(), count, "an answer of the wrong shape");
        Err(Rejection::Internal("the answer has the wrong number of items".to_owned()))
    }
}

fn has_shape(output: &Output, operation: Operation, count: usize) -> bool {
    let shape = operation.output_shape();
    output.verdicts.len() == count
        && output.fixed.len() == count * shape.stride
        && (!shape.has_variable || output.variable_ends.len() == count)
        && (!shape.has_reasons || output.reasons.len() == count)
}

/// One byte a verdict.
pub(crate) fn verdict_bytes(verdicts: &[Verdict]) -> Vec<u8> {
    verdicts.iter().map(|verdict| *verdict as u8).collect()
}
