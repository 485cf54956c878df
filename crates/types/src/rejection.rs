//! Why a request was not carried out. The service turns each into one gRPC status, in one place.

use std::fmt;
use std::time::Duration;

/// A field of a request that breaks a rule of shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field in the request, as in the proto.
    pub field: String,
    /// What is wrong and what would be right.
    pub description: String,
}

/// Why a request was refused or failed. Never a verdict: no item of it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The request is misshapen.
    InvalidArgument(Vec<FieldViolation>),
    /// The tenant may not do this.
    PermissionDenied(String),
    /// The tenant has used up its quota; try again after the given time.
    TenantQuota {
        /// The quota, in words.
        quota: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The message passes a limit; trying again will not help.
    TooLarge {
        /// The limit, in words with its unit.
        limit: String,
    },
    /// The sidecar has more work than it may hold.
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The sidecar is shutting down.
    Draining {
        /// When to try again, at another replica or after a restart.
        retry_after: Duration,
    },
    /// The deadline has passed, or the work cannot be done before it.
    DeadlineExceeded {
        /// How long the work would take by the cost model, if that was the reason.
        predicted: Option<Duration>,
    },
    /// A key set, circuit or other named thing is not known.
    NotFound(String),
    /// The backend that the request forces is absent or does not support the operation.
    BackendUnavailable(String),
    /// What the request needs is not set up, or not ready: a journal key, a witness generator.
    NotReady(String),
    /// The caller gave the work up.
    Cancelled,
    /// What was stored can no longer be read as it was written.
    DataLoss(String),
    /// The sidecar is at fault.
    Internal(String),
}

impl Rejection {
    /// A misshapen field.
    pub fn field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::InvalidArgument(vec![FieldViolation { field: field.into(), description: description.into() }])
    }

    /// The reason as a metrics label.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::InvalidArgument(_) => "invalid_argument",
            Self::PermissionDenied(_) => "permission_denied",
            Self::TenantQuota { .. } => "tenant_quota",
            Self::TooLarge { .. } => "too_large",
            Self::Overloaded { .. } => "overloaded",
            Self::Draining { .. } => "draining",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::NotFound(_) => "not_found",
            Self::BackendUnavailable(_) => "backend_unavailable",
            Self::NotReady(_) => "not_ready",
            Self::Cancelled => "cancelled",
            Self::DataLoss(_) => "data_loss",
            Self::Internal(_) => "internal",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument(violations) => {
                for (i, violation) in violations.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "; " };
                    write!(f, "{comma}{}: {}", violation.field, violation.description)?;
                }
                Ok(())
            }
            Self::PermissionDenied(what) | Self::NotFound(what) | Self::BackendUnavailable(what) => f.write_str(what),
            Self::NotReady(what) | Self::DataLoss(what) => f.write_str(what),
            Self::Cancelled => f.write_str("cancelled"),
            Self::TenantQuota { quota, retry_after } => {
                write!(f, "the tenant's quota is used up: {quota}; try again in {} ms", retry_after.as_millis())
            }
            Self::TooLarge { limit } => write!(f, "too large: the limit is {limit}"),
            Self::Overloaded { retry_after } => {
                write!(f, "the sidecar is overloaded; try again in {} ms", retry_after.as_millis())
            }
            Self::Draining { retry_after } => {
                write!(f, "the sidecar is shutting down; try again in {} ms", retry_after.as_millis())
            }
            Self::DeadlineExceeded { predicted: Some(predicted) } => {
                write!(f, "the deadline cannot be met: the work would take {} us", predicted.as_micros())
            }
            Self::DeadlineExceeded { predicted: None } => f.write_str("the deadline has passed"),
            Self::Internal(what) => write!(f, "internal error: {what}"),
        }
    }
}

impl std::error::Error for Rejection {}
