//! The only place that makes gRPC statuses.

use std::time::Duration;

use outrigger_proto::v1;
use outrigger_types::Rejection;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of machine-readable reasons.
const DOMAIN: &str = "outrigger";

/// The status of a rejection, with details that a client can act on.
pub(crate) fn of(rejection: &Rejection) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(rejection.reason(), DOMAIN, []);
    match rejection {
        Rejection::InvalidArgument(violations) => {
            for violation in violations {
                details.add_bad_request_violation(violation.field.clone(), violation.description.clone());
            }
        }
        Rejection::TenantQuota { quota, .. } => {
            details.add_quota_failure_violation("tenant", quota.clone());
        }
        _ => {}
    }
    let mut metadata = MetadataMap::new();
    if let Some(delay) = retry_after(rejection) {
        details.set_retry_info(Some(delay));
        metadata.insert("grpc-retry-pushback-ms", MetadataValue::from(delay.as_millis() as u64));
    }
    Status::with_error_details_and_metadata(code(rejection), rejection.to_string(), details, metadata)
}

/// The status of a call that needs proving where it is off.
pub(crate) fn without_proving() -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("no_proving", DOMAIN, []);
    let message = "this sidecar makes no proofs: its operator has to set proving.directory";
    Status::with_error_details(Code::Unimplemented, message, details)
}

/// The code of a rejection.
pub(crate) const fn code(rejection: &Rejection) -> Code {
    match rejection {
        Rejection::InvalidArgument(_) => Code::InvalidArgument,
        Rejection::PermissionDenied(_) => Code::PermissionDenied,
        Rejection::TenantQuota { .. } | Rejection::TooLarge { .. } => Code::ResourceExhausted,
        Rejection::Overloaded { .. } | Rejection::Draining { .. } => Code::Unavailable,
        Rejection::DeadlineExceeded { .. } => Code::DeadlineExceeded,
        Rejection::NotFound(_) => Code::NotFound,
        Rejection::BackendUnavailable(_) | Rejection::NotReady(_) => Code::FailedPrecondition,
        Rejection::Cancelled => Code::Cancelled,
        Rejection::DataLoss(_) => Code::DataLoss,
        Rejection::Internal(_) => Code::Internal,
    }
}

/// The same for one message of a stream that goes on.
pub(crate) fn stream_error(rejection: &Rejection) -> v1::StreamError {
    let delay = retry_after(rejection).map_or(0, |delay| u32::try_from(delay.as_millis()).unwrap_or(u32::MAX).max(1));
    v1::StreamError { code: code(rejection) as i32, message: rejection.to_string(), retry_after_ms: delay }
}

/// What a status that the transport made means in our words. The transport calls an oversized message
/// OUT_OF_RANGE and an undecodable one INTERNAL; both are the caller's doing.
pub(crate) fn of_transport(status: Status, message_bytes_max: usize) -> Status {
    let is_ours = !status.details().is_empty();
    match status.code() {
        Code::OutOfRange if !is_ours => of(&too_large(message_bytes_max)),
        Code::Internal if !is_ours => of(&undecodable(status.message())),
        _ => status,
    }
}

/// The rejection of a message over the limit.
pub(crate) fn too_large(message_bytes_max: usize) -> Rejection {
    Rejection::TooLarge { limit: format!("{message_bytes_max} bytes a message; send fewer items a request") }
}

fn undecodable(cause: &str) -> Rejection {
    Rejection::field("", format!("the request cannot be decoded: {cause}"))
}

const fn retry_after(rejection: &Rejection) -> Option<Duration> {
    match rejection {
        Rejection::TenantQuota { retry_after, .. }
        | Rejection::Overloaded { retry_after }
        | Rejection::Draining { retry_after } => Some(*retry_after),
        _ => None,
    }
}

/// The status that callers get once a server is on its way out.
pub(crate) const DRAINING: Rejection = Rejection::Draining { retry_after: Duration::from_secs(1) };

/// The status that callers get when the request bodies in memory pass the limit.
pub(crate) const OVERLOADED: Rejection = Rejection::Overloaded { retry_after: Duration::from_millis(100) };

#[cfg(test)]
mod tests;
