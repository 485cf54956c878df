//! Why a call gave no answer, and what to do about it. Never a verdict.

use std::fmt;
use std::time::Duration;

use outrigger_types::FieldViolation;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The request is misshapen; sending it again will not help.
    InvalidArgument {
        /// The sidecar's words, or this client's.
        message: String,
        /// Which fields, and what would be right.
        violations: Vec<FieldViolation>,
    },
    /// The sidecar does not let this tenant do this.
    PermissionDenied(String),
    /// The deadline passed, or the sidecar saw that it would.
    DeadlineExceeded(String),
    /// The sidecar is away, overloaded, draining, or the tenant's quota is used up.
    Unavailable {
        /// What happened.
        message: String,
        /// When the sidecar asked to try again.
        retry_after: Option<Duration>,
        /// The status that says so.
        code: Code,
    },
    /// The sidecar does not know a thing that the request names.
    NotFound(String),
    /// The sidecar cannot do this as asked: a forced backend is absent, or the call is not built in.
    FailedPrecondition(String),
    /// One item is larger than a message may be, or the sidecar's limit is lower than this client's.
    TooLarge(String),
    /// The sidecar or this process is at fault.
    Internal(String),
    /// The answer has not the shape that the contract gives it. No item of it counts as judged.
    Protocol(String),
}

impl ClientError {
    pub(crate) fn invalid(field: &str, description: impl Into<String>) -> Self {
        let description = description.into();
        Self::InvalidArgument {
            message: format!("{field}: {description}"),
            violations: vec![FieldViolation { field: field.to_owned(), description }],
        }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), retry_after: None, code: Code::Unavailable }
    }

    /// The gRPC code that belongs to it: the sidecar's where it sent one.
    pub const fn code(&self) -> Code {
        match self {
            Self::InvalidArgument { .. } => Code::InvalidArgument,
            Self::PermissionDenied(_) => Code::PermissionDenied,
            Self::DeadlineExceeded(_) => Code::DeadlineExceeded,
            Self::Unavailable { code, .. } => *code,
            Self::NotFound(_) => Code::NotFound,
            Self::FailedPrecondition(_) => Code::FailedPrecondition,
            Self::TooLarge(_) => Code::ResourceExhausted,
            Self::Internal(_) => Code::Internal,
            Self::Protocol(_) => Code::DataLoss,
        }
    }

    /// The kind as a metrics label.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::InvalidArgument { .. } => "invalid_argument",
            Self::PermissionDenied(_) => "permission_denied",
            Self::DeadlineExceeded(_) => "deadline_exceeded",
            Self::Unavailable { .. } => "unavailable",
            Self::NotFound(_) => "not_found",
            Self::FailedPrecondition(_) => "failed_precondition",
            Self::TooLarge(_) => "too_large",
            Self::Internal(_) => "internal",
            Self::Protocol(_) => "protocol",
        }
    }

    /// Whether the same work in this process would give the answer that the sidecar owes: it is away, at fault, or
    /// talks nonsense. A refusal of the request itself holds here too.
    pub(crate) const fn invites_fallback(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Internal(_) | Self::Protocol(_))
    }

    /// What a status with this code and these words means.
    pub(crate) fn from_code(code: Code, message: String, retry_after: Option<Duration>) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Self::InvalidArgument { message, violations: Vec::new() },
            Code::PermissionDenied | Code::Unauthenticated => Self::PermissionDenied(message),
            Code::DeadlineExceeded => Self::DeadlineExceeded(message),
            Code::NotFound => Self::NotFound(message),
            Code::FailedPrecondition | Code::Unimplemented => Self::FailedPrecondition(message),
            Code::ResourceExhausted if retry_after.is_none() => Self::TooLarge(message),
            Code::ResourceExhausted | Code::Unavailable | Code::Cancelled | Code::Aborted => {
                Self::Unavailable { message, retry_after, code }
            }
            Code::Ok => Self::Protocol("the sidecar sent an error that says OK".to_owned()),
            Code::Unknown | Code::AlreadyExists | Code::Internal | Code::DataLoss => Self::Internal(message),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArgument { message, violations } if violations.is_empty() => {
                write!(f, "the request is misshapen: {message}; correct it, sending it again will not help")
            }
            Self::InvalidArgument { violations, .. } => {
                f.write_str("the request is misshapen; correct ")?;
                for (i, violation) in violations.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "; " };
                    write!(f, "{comma}{}: {}", violation.field, violation.description)?;
                }
                Ok(())
            }
            Self::PermissionDenied(what) => {
                write!(f, "not allowed for this tenant: {what}; ask the sidecar's operator to allow it")
            }
            Self::DeadlineExceeded(what) => {
                write!(f, "the deadline passed: {what}; allow more time or send less at once")
            }
            Self::Unavailable { message, retry_after: Some(after), .. } => {
                write!(f, "the sidecar takes no more work now: {message}; try again in {} ms", after.as_millis())
            }
            Self::Unavailable { message, retry_after: None, .. } => {
                write!(f, "the sidecar cannot be reached: {message}; check that it runs and listens there")
            }
            Self::NotFound(what) => write!(f, "not known to the sidecar: {what}; register it first"),
            Self::FailedPrecondition(what) => {
                write!(f, "the sidecar cannot do this as asked: {what}; see its capabilities for what it can")
            }
            Self::TooLarge(what) => write!(f, "too large: {what}; send smaller items, or run the work in this process"),
            Self::Internal(what) => write!(f, "internal error: {what}; see the sidecar's log"),
            Self::Protocol(what) => {
                write!(f, "the answer breaks the contract: {what}; update the older of sidecar and client")
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// What a failed attempt means for the next one.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// For the caller, if no further attempt is made.
    pub(crate) error: ClientError,
    /// The status invites another attempt, after at least this time.
    pub(crate) retry_after: Option<Duration>,
    /// The sidecar could not be reached, broke off, or did not answer in time: what the breaker counts.
    pub(crate) is_transport: bool,
}

impl Failure {
    /// A failure that no further attempt mends and that is not the transport's.
    pub(crate) const fn fatal(error: ClientError) -> Self {
        Self { error, retry_after: None, is_transport: false }
    }

    /// The call ran into its deadline without an answer.
    pub(crate) fn timed_out() -> Self {
        let error = ClientError::DeadlineExceeded("the sidecar did not answer in time".to_owned());
        Self { error, retry_after: None, is_transport: true }
    }
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        // Only what this process made itself has a source; a status that the sidecar sent has none.
        if let Some(source) = std::error::Error::source(status) {
            return from_transport(status, source);
        }
        // A connection whose driver is gone; generated code keeps only the words.
        if status.code() == Code::Unknown && status.message().starts_with("Service was not ready") {
            return from_transport(status, &NotReady);
        }
        let retry_after = status.get_details_retry_info().and_then(|info| info.retry_delay);
        let mut error = ClientError::from_code(status.code(), status.message().to_owned(), retry_after);
        if let ClientError::InvalidArgument { violations, .. } = &mut error {
            let fields = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
            violations.extend(
                fields
                    .into_iter()
                    .map(|violation| FieldViolation { field: violation.field, description: violation.description }),
            );
        }
        let invites = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
        Self { error, retry_after: retry_after.filter(|_| invites), is_transport: false }
    }
}

/// Stands in for the source that a status lost.
#[derive(Debug)]
struct NotReady;

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is gone")
    }
}

impl std::error::Error for NotReady {}

fn from_transport(status: &Status, source: &(dyn std::error::Error + 'static)) -> Failure {
    let mut words = status.message().to_owned();
    let mut link = Some(source);
    while let Some(cause) = link {
        if cause.is::<tonic::TimeoutExpired>() {
            return Failure::timed_out();
        }
        let text = cause.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        link = cause.source();
    }
    // All calls here are pure functions of their input, so one that broke off may be made again.
    Failure { error: ClientError::unavailable(words), retry_after: Some(Duration::ZERO), is_transport: true }
}

#[cfg(test)]
mod tests;
