use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::propagation::Extractor;
use outrigger_types::{Backend, Priority, Rejection};
use tonic::Code;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::NoSubscriber;
use tracing::{Span, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::{Call, Headers, Piece, TARGET, Work, is_fault, record_end};
use crate::meters::Method;

/// What was said in spans, by the name of the span.
type Said = Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>;

/// Keeps what is said in spans of our target.
struct Keeper(Said);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Keeper {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        assert_eq!(attributes.metadata().target(), TARGET);
        let mut said = self.0.lock().expect("no panic");
        attributes.record(&mut Fields(said.entry(attributes.metadata().name().to_owned()).or_default()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).expect("a span").name().to_owned();
        values.record(&mut Fields(self.0.lock().expect("no panic").entry(name).or_default()));
    }
}

/// What `act` says in the span of this name.
fn said(name: &str, act: impl FnOnce()) -> BTreeMap<String, String> {
    let said = Said::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Keeper(said.clone())), act);
    let spans = said.lock().expect("no panic");
    spans.get(name).cloned().unwrap_or_default()
}

fn begin(tenant: &str) -> Call {
    Call::begin(Method::VERIFY_STREAM, tenant, &http::HeaderMap::new())
}

fn work() -> Work<'static> {
    let (label, backend) = (&"fabric", Some(Backend::Vector));
    Work { kind: "verify", label, items: 3, bytes: Some(400), priority: Priority::Block, backend }
}

#[test]
fn a_call_says_what_the_conventions_ask_for() {
    let fields = said("call", || begin("node").end(Code::Ok));
    let expected = [
        ("otel.name", "\"outrigger.v1.SignatureService/VerifyStream\""),
        ("otel.kind", "\"server\""),
        ("rpc.system", "\"grpc\""),
        ("rpc.service", "\"outrigger.v1.SignatureService\""),
        ("rpc.method", "\"VerifyStream\""),
        ("rpc.grpc.status_code", "0"),
        ("outrigger.tenant", "\"node\""),
    ];
    assert_eq!(fields, BTreeMap::from(expected.map(|(name, value)| (name.to_owned(), value.to_owned()))));
}

#[test]
fn a_call_ends_with_its_code_or_with_its_caller() {
    let end = |act: fn(Call)| {
        let fields = said("call", || act(begin("")));
        assert!(!fields.contains_key("outrigger.tenant"), "nobody is no tenant");
        (fields.get("rpc.grpc.status_code").cloned(), fields.contains_key("otel.status_code"))
    };
    assert_eq!(end(drop), (Some("1".to_owned()), false));
    assert_eq!(end(|call| call.end(Code::Internal)), (Some("13".to_owned()), true));
    assert_eq!(end(|call| call.end(Code::InvalidArgument)), (Some("3".to_owned()), false));
    assert_eq!(end(Call::go_on), (None, false), "its stream says it");
    let of_stream = said("call", || {
        let call = begin("");
        let span = call.span().clone();
        call.go_on();
        record_end(&span, Code::Unavailable);
    });
    assert_eq!(of_stream["rpc.grpc.status_code"], "14");
}

#[test]
fn work_says_how_much_it_was_and_how_it_ended() {
    let fields = said("work", || {
        let piece = Piece::begin(begin("").span(), &work());
        // Only OpenTelemetry keeps these.
        piece.stage("witness", Duration::from_millis(2));
        piece.end(&Ok::<_, Rejection>(()));
    });
    let expected = [
        ("otel.name", "\"verify\""),
        ("outrigger.operation", "\"verify\""),
        ("outrigger.label", "fabric"),
        ("outrigger.items", "3"),
        ("outrigger.bytes", "400"),
        ("outrigger.priority", "\"block\""),
        ("outrigger.backend", "\"vector\""),
    ];
    assert_eq!(fields, BTreeMap::from(expected.map(|(name, value)| (name.to_owned(), value.to_owned()))));
    let refused = Err::<(), _>(Rejection::DeadlineExceeded { predicted: None });
    let failed = said("work", || Piece::begin(&Span::none(), &Work { backend: None, ..work() }).end(&refused));
    assert_eq!((&*failed["error.type"], &*failed["otel.status_code"]), ("\"deadline_exceeded\"", "\"ERROR\""));
    assert!(!failed.contains_key("outrigger.backend"), "the caller has named none");
    let abandoned = said("work", || drop(Piece::begin(&Span::none(), &work())));
    assert_eq!(abandoned["error.type"], "\"cancelled\"");
}

#[test]
fn nothing_is_kept_where_nobody_listens() {
    // A subscriber of its own: where the only one is another test's, `tracing` takes it to listen in all threads.
    tracing::subscriber::with_default(NoSubscriber::default(), || {
        let call = begin("node");
        assert!(call.span().is_disabled());
        assert!(Piece::begin(call.span(), &work()).span.is_disabled());
    });
}

#[test]
fn errors_are_those_of_the_server() {
    let faults =
        [Code::Unknown, Code::DeadlineExceeded, Code::Unimplemented, Code::Internal, Code::Unavailable, Code::DataLoss];
    for number in 0..=16 {
        let code = Code::from_i32(number);
        assert_eq!(is_fault(code), faults.contains(&code), "{code:?}");
    }
}

#[test]
fn headers_that_are_no_text_are_none() {
    let mut headers = http::HeaderMap::new();
    headers.insert("traceparent", http::HeaderValue::from_bytes(&[0xff]).expect("bytes"));
    headers.insert("tracestate", http::HeaderValue::from_static("a=b"));
    let headers = Headers(&headers);
    assert_eq!(
        (headers.get("traceparent"), headers.get("tracestate"), headers.get("other")),
        (None, Some("a=b"), None)
    );
    assert_eq!(headers.keys().len(), 2);
}
