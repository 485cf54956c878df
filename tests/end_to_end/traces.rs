//! Traces: what a collector gets of calls, and that nobody waits for one that is away.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use outrigger_proto::v1;
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_types::Ruleset;
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::support::circuits::{Circuit, cube_witness};
use crate::support::command::outrigger;
use crate::support::load::runtime;
use crate::support::sidecar::{Sidecar, until};

/// The span of the caller in all of these tests.
const PARENT: &str = "b7ad6b7169203331";
/// Its trace, all but the last digit.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319";

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector {
    kept: Arc<Mutex<Vec<ResourceSpans>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.kept.lock().expect("no panic").extend(request.into_inner().resource_spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A span as the collector has got it.
#[derive(Clone, Debug, PartialEq)]
struct Span {
    name: String,
    trace: String,
    id: String,
    parent: String,
    kind: SpanKind,
    status: StatusCode,
    attributes: BTreeMap<String, Value>,
}

impl Span {
    fn text(&self, key: &str) -> Option<&str> {
        match self.attributes.get(key)? {
            Value::StringValue(text) => Some(text),
            other => panic!("{key} is no text but {other:?}"),
        }
    }

    fn number(&self, key: &str) -> Option<i64> {
        match self.attributes.get(key)? {
            Value::IntValue(number) => Some(*number),
            other => panic!("{key} is no number but {other:?}"),
        }
    }
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, Value> {
    list.into_iter().filter_map(|pair| Some((pair.key, pair.value?.value?))).collect()
}

impl Collector {
    /// Starts to listen; gives back its URL.
    fn listen(&self, runtime: &Runtime) -> String {
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let service = TraceServiceServer::new(self.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        runtime.spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}")
    }

    /// All spans, each of the resource that it has to be of.
    fn spans(&self) -> Vec<Span> {
        let kept = self.kept.lock().expect("no panic").clone();
        let mut spans = Vec::new();
        for of_resource in kept {
            let resource = attributes(of_resource.resource.expect("a resource").attributes);
            assert_eq!(resource["service.name"], Value::StringValue("outrigger".to_owned()));
            assert_eq!(resource["service.version"], Value::StringValue(env!("CARGO_PKG_VERSION").to_owned()));
            spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| {
                assert!(span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano);
                assert!(span.events.is_empty(), "lines of the log are no part of a trace: {:?}", span.events);
                Span {
                    kind: span.kind(),
                    status: span.status.as_ref().map_or(StatusCode::Unset, |status| status.code()),
                    name: span.name,
                    trace: hex::encode(span.trace_id),
                    id: hex::encode(span.span_id),
                    parent: hex::encode(span.parent_span_id),
                    attributes: attributes(span.attributes),
                }
            }));
        }
        spans
    }

    /// The span of the call of a trace, and those of its work.
    #[track_caller]
    fn trace(&self, trace: &str) -> (Span, Vec<Span>) {
        let spans = self.spans();
        let (calls, work): (Vec<_>, Vec<_>) =
            spans.iter().filter(|span| span.trace == trace).cloned().partition(|span| span.kind == SpanKind::Server);
        let [call] = <[Span; 1]>::try_from(calls)
            .unwrap_or_else(|calls| panic!("one call has to be in {trace}: {calls:?} of {spans:?}"));
        for piece in &work {
            assert_eq!((&piece.parent, piece.kind), (&call.id, SpanKind::Internal), "{piece:?}");
        }
        (call, work)
    }
}

/// A sidecar that sends its traces to `url`.
fn sidecar(url: &str, sampled_per_million: u32) -> Sidecar {
    let (endpoint, sampled) = (format!("otlp_endpoint = {url:?}"), sampled_per_million);
    Sidecar::start_with(&format!("[tracing]\n{endpoint}\nsampled_per_million = {sampled}\n"))
}

/// Ends a sidecar, which sends the last of its traces then; how long it took.
fn end(mut sidecar: Sidecar) -> Duration {
    let began = Instant::now();
    sidecar.signal(Signal::TERM);
    let status = sidecar.wait();
    assert!(status.success(), "{status}: {}", sidecar.log());
    began.elapsed()
}

fn client(runtime: &Runtime, sidecar: &Sidecar) -> SignatureServiceClient<Channel> {
    let _within = runtime.enter();
    SignatureServiceClient::new(Endpoint::from_shared(sidecar.endpoint()).expect("an endpoint").connect_lazy())
}

/// Zeros for keys and signatures: what their verdict is does not matter.
fn batch(count: usize) -> v1::VerifyBatchRequest {
    let column = |bytes: usize| Some(v1::Column { data: vec![0; count * bytes].into(), lengths: Vec::new() });
    v1::VerifyBatchRequest {
        ruleset: Ruleset::SolanaEd25519.number(),
        count: count as u32,
        keys: column(32).map(v1::verify_batch_request::Keys::PublicKeys),
        signatures: column(64),
        messages: column(1),
        ..Default::default()
    }
}

/// A request of the trace with this last digit, and the caller's decision to trace it.
fn traced<T>(message: T, digit: char, is_sampled: bool) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}{digit}-{PARENT}-{:02x}", u8::from(is_sampled));
    request.metadata_mut().insert("traceparent", parent.parse().expect("a header"));
    request.metadata_mut().insert("tracestate", "vendor=opaque".parse().expect("a header"));
    request
}

/// Calls of traces 1 to 4 and one without: a good one, one that is not to be traced, a wrong one, and a stream.
async fn call_in_all_ways(mut client: SignatureServiceClient<Channel>) {
    let forced = v1::VerifyBatchRequest { backend: v1::Backend::Cpu as i32, ..batch(3) };
    let answer = client.verify_batch(traced(forced, '1', true)).await.expect("an answer").into_inner();
    assert_eq!(answer.verdicts.len(), 3);
    client.verify_batch(traced(batch(3), '2', false)).await.expect("an answer");
    let unknown = v1::VerifyBatchRequest { ruleset: 99, ..batch(1) };
    let refused = client.verify_batch(traced(unknown, '3', true)).await.expect_err("no such ruleset");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let messages = tokio_stream::iter((0..5).map(|id| v1::VerifyStreamRequest { id, batch: Some(batch(2)) }));
    let mut answers = client.verify_stream(traced(messages, '4', true)).await.expect("a stream").into_inner();
    while answers.message().await.expect("an answer").is_some() {}
    client.verify_batch(batch(1)).await.expect("an answer");
}

/// Attributes that a span must have, and no others.
fn exactly<const N: usize>(expected: [(&str, Value); N]) -> BTreeMap<String, Value> {
    expected.map(|(key, value)| (key.to_owned(), value)).into()
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

#[test]
fn a_call_stands_in_the_trace_of_its_caller() {
    let (runtime, collector) = (runtime(), Collector::default());
    let sidecar = sidecar(&collector.listen(&runtime), 1_000_000);
    runtime.block_on(call_in_all_ways(client(&runtime, &sidecar)));
    end(sidecar);

    check_call_with_work(&collector);
    assert!(collector.spans().iter().all(|span| span.trace != format!("{TRACE}2")), "its caller wants no trace");
    let (refused, work) = collector.trace(&format!("{TRACE}3"));
    assert_eq!((refused.number("rpc.grpc.status_code"), work.len()), (Some(3), 0));
    assert_eq!(refused.status, StatusCode::Unset, "the fault is the caller's");
    let (call, work) = collector.trace(&format!("{TRACE}4"));
    assert_eq!((call.text("rpc.method"), call.number("rpc.grpc.status_code")), (Some("VerifyStream"), Some(0)));
    let items: i64 = work.iter().filter_map(|piece| piece.number("outrigger.items")).sum();
    assert_eq!(items, 10, "the work of all messages, carried out in tasks of its own: {work:?}");
    // One that came without a trace begins its own.
    let spans = collector.spans();
    let roots: Vec<_> = spans.iter().filter(|span| span.parent.is_empty()).collect();
    let [root] = roots[..] else { panic!("one root is in {spans:?}") };
    let (_, work) = collector.trace(&root.trace);
    assert_eq!((work.len(), work[0].number("outrigger.items")), (1, Some(1)));
}

fn check_call_with_work(collector: &Collector) {
    let (call, work) = collector.trace(&format!("{TRACE}1"));
    assert_eq!((call.parent.as_str(), call.status), (PARENT, StatusCode::Unset), "{call:?}");
    assert_eq!(call.name, "outrigger.v1.SignatureService/VerifyBatch");
    let expected = exactly([
        ("outrigger.tenant", text("local")),
        ("rpc.grpc.status_code", Value::IntValue(0)),
        ("rpc.method", text("VerifyBatch")),
        ("rpc.service", text("outrigger.v1.SignatureService")),
        ("rpc.system", text("grpc")),
    ]);
    assert_eq!(call.attributes, expected);
    let [piece] = <[Span; 1]>::try_from(work).expect("one piece of work");
    assert_eq!((piece.name.as_str(), piece.status), ("verify", StatusCode::Unset));
    let expected = exactly([
        ("outrigger.backend", text("cpu")),
        ("outrigger.bytes", Value::IntValue(3 * (32 + 64 + 1))),
        ("outrigger.items", Value::IntValue(3)),
        ("outrigger.label", text("solana-ed25519")),
        ("outrigger.operation", text("verify")),
        ("outrigger.priority", text("mempool")),
    ]);
    assert_eq!(piece.attributes, expected);
}

#[test]
fn calls_without_a_trace_are_traced_by_their_share() {
    let (runtime, collector) = (runtime(), Collector::default());
    let sidecar = sidecar(&collector.listen(&runtime), 0);
    let mut client = client(&runtime, &sidecar);
    runtime.block_on(async {
        for _ in 0..20 {
            client.verify_batch(batch(1)).await.expect("an answer");
        }
        let mut broken = Request::new(batch(1));
        broken.metadata_mut().insert("traceparent", "00-0-0-1".parse().expect("a header"));
        client.verify_batch(broken).await.expect("a header that says nothing is no fault");
        client.verify_batch(traced(batch(1), '5', true)).await.expect("an answer");
    });
    drop(client);
    // Without an end, within some seconds.
    until("spans arrive", || (collector.spans().len() == 2).then_some(()));
    until("they are counted", || (sidecar.metric("outrigger_trace_spans_total", &["sent"]) == 2.0).then_some(()));
    end(sidecar);
    let (call, work) = collector.trace(&format!("{TRACE}5"));
    assert_eq!((call.parent.as_str(), work.len(), collector.spans().len()), (PARENT, 1, 2));
}

#[test]
fn a_proof_shows_its_stages_and_nothing_of_its_witness() {
    let (runtime, collector) = (runtime(), Collector::default());
    let sidecar = sidecar(&collector.listen(&runtime), 1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let circuit = Circuit::cube(folder.path());
    let file = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::write(file("w.wtns"), &*cube_witness(3)).expect("a witness");
    let key = circuit.key.to_str().expect("UTF-8");
    let made = ["prove", "--key", key, "--witness", &file("w.wtns"), "--proof", &file("p.json")];
    let to = ["--public", &file("s.json"), "--endpoint", &sidecar.endpoint(), "--json"];
    let made = outrigger(&[&made[..], &to].concat(), "").json();
    end(sidecar);
    let spans = collector.spans();
    let proofs: Vec<_> = spans.iter().filter(|span| span.name == "prove").collect();
    let [proof] = proofs[..] else { panic!("one proof is in {spans:?}") };
    let (call, _) = collector.trace(&proof.trace);
    assert_eq!((call.text("rpc.method"), call.number("rpc.grpc.status_code")), (Some("Prove"), Some(0)));
    assert_eq!((proof.parent.as_str(), proof.status), (call.id.as_str(), StatusCode::Unset));
    assert_eq!(proof.text("outrigger.label"), made["circuit"].as_str());
    assert!(proof.number("outrigger.stage.verify_us").is_some_and(|micros| micros > 0), "{proof:?}");
    assert!(!proof.attributes.contains_key("outrigger.bytes"), "of a secret not even the length is told");
}

/// One that is not there, and one that takes connections and says nothing.
#[test]
fn a_collector_that_is_away_disturbs_nobody() {
    let runtime = runtime();
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed: SocketAddr = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    for (address, is_refused) in [(closed, true), (mute.local_addr().expect("an address"), false)] {
        let sidecar = sidecar(&format!("http://{address}"), 1_000_000);
        let mut client = client(&runtime, &sidecar);
        runtime.block_on(async {
            for _ in 0..100 {
                client.verify_batch(batch(1)).await.expect("an answer");
            }
        });
        drop(client);
        if is_refused {
            until("the log says so", || sidecar.log().contains("the collector takes no traces").then_some(()));
            assert!(sidecar.metric("outrigger_trace_spans_total", &["lost"]) > 0.0);
        }
        let took = end(sidecar);
        assert!(took < Duration::from_secs(10), "the last traces have two seconds, and it took {took:?}");
    }
}
