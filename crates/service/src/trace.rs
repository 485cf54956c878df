//! Traces: a span of each call, whose parent is the one that the caller's `traceparent` names, and beneath it a span of each
//! piece of work that is carried out for it.
//!
//! Spans have a target of their own. A log leaves it out, and whoever collects traces asks for it alone; where nobody does,
//! a span costs a look at a flag. No span is entered: work goes on in tasks of its own, so a piece of it names the span of
//! its call as its parent, and a span ends where the last who holds it lets go of it.
//!
//! What stands in a span are names, counts, codes and times, never what a request holds.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use outrigger_types::{Backend, Priority, Rejection};
use tonic::Code;
use tracing::field::Empty;
use tracing::{Span, trace_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::meters::Method;

/// The target of all spans of traces, which are of level TRACE.
pub const TARGET: &str = "outrigger::trace";

/// What a piece of work failed with that nobody waited for any more.
const ABANDONED: &str = "cancelled";

/// The span of a call until its end is known. Dropped before, it says that the caller went.
pub(crate) struct Call {
    span: Span,
    /// What it ends with; none where somebody else says it.
    code: Option<Code>,
}

impl Call {
    /// Begins the span of a call; an empty `tenant` is none.
    pub(crate) fn begin(method: Method, tenant: &str, headers: &HeaderMap) -> Self {
        let (service, name) = method.parts();
        let span = trace_span!(
            target: TARGET,
            parent: None,
            "call",
            otel.name = method.full_name(),
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = service,
            rpc.method = name,
            rpc.grpc.status_code = Empty,
            outrigger.tenant = (!tenant.is_empty()).then_some(tenant),
        );
        if !span.is_disabled() && headers.contains_key("traceparent") {
            let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
            // It fails where something else than OpenTelemetry listens, which has no use for it.
            let _ = span.set_parent(parent);
        }
        Self { span, code: Some(Code::Cancelled) }
    }

    /// The span.
    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// The call has ended.
    pub(crate) fn end(mut self, code: Code) {
        self.code = Some(code);
    }

    /// The call goes on as a stream, whose end will be recorded by [`record_end`].
    pub(crate) fn go_on(mut self) {
        self.code = None;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(code) = self.code {
            record_end(&self.span, code);
        }
    }
}

/// Says in the span of a call what it ended with.
pub(crate) fn record_end(span: &Span, code: Code) {
    span.record("rpc.grpc.status_code", i64::from(i32::from(code)));
    if is_fault(code) {
        span.record("otel.status_code", "ERROR");
    }
}

/// Whether a code counts as an error of a server, by OpenTelemetry's conventions for gRPC: others are its callers'.
const fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// What is told of a piece of work.
pub(crate) struct Work<'a> {
    /// The kind of operation, such as `verify`: also the name of its span.
    pub(crate) kind: &'static str,
    /// The ruleset, hash function, tree, curve or circuit.
    pub(crate) label: &'a (dyn fmt::Display + Sync),
    pub(crate) items: usize,
    /// None for what is secret, of which not even the length is told.
    pub(crate) bytes: Option<usize>,
    pub(crate) priority: Priority,
    /// The backend that the caller has named.
    pub(crate) backend: Option<Backend>,
}

/// The span of a piece of work. Dropped before its end, it says that nobody waited for it any more.
pub(crate) struct Piece {
    span: Span,
    failure: Option<&'static str>,
}

impl Piece {
    /// Begins a piece of work of the call that `parent` is the span of.
    pub(crate) fn begin(parent: &Span, work: &Work<'_>) -> Self {
        let span = trace_span!(
            target: TARGET,
            parent: parent,
            "work",
            otel.name = work.kind,
            otel.status_code = Empty,
            "error.type" = Empty,
            outrigger.operation = work.kind,
            outrigger.label = %work.label,
            outrigger.items = count(work.items),
            outrigger.bytes = work.bytes.map(count),
            outrigger.priority = work.priority.name(),
            outrigger.backend = work.backend.map(Backend::name),
        );
        Self { span, failure: Some(ABANDONED) }
    }

    /// It came to this.
    pub(crate) fn end<T>(mut self, outcome: &Result<T, Rejection>) {
        self.failure = outcome.as_ref().err().map(Rejection::reason);
    }

    /// It was refused, and is not begun.
    pub(crate) fn refuse(&mut self, rejection: &Rejection) {
        self.failure = Some(rejection.reason());
    }

    /// A stage of it took so long.
    pub(crate) fn stage(&self, name: &str, took: Duration) {
        if !self.span.is_disabled() {
            let micros = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
            self.span.set_attribute(format!("outrigger.stage.{name}_us"), micros);
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if let Some(reason) = self.failure {
            self.span.record("error.type", reason);
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

/// A count as attributes have it.
fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Headers as the library that reads `traceparent` and `tracestate` wants them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
