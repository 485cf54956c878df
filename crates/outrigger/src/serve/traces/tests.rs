use std::time::{Duration, Instant};

use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use outrigger_config::Tracing;
use tracing_subscriber::layer::SubscriberExt;

use super::{COMPLAINT_INTERVAL, Losses, News, Reporting, SPANS, Traces, with_causes};

fn tracing(endpoint: &str) -> Tracing {
    Tracing { otlp_endpoint: Some(endpoint.parse().expect("a URL")), sampled_per_million: 1_000_000 }
}

#[test]
fn losses_are_said_seldom_and_their_end_once() {
    let mut losses = Losses::default();
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    assert_eq!(losses.after(5, true, at(0)), None, "all is well");
    assert_eq!(losses.after(5, false, at(5)), Some(News::Lost(5)));
    assert_eq!(losses.after(6, false, at(10)), None);
    assert_eq!(losses.after(7, true, at(15)), Some(News::Back(6)));
    assert_eq!(losses.after(7, true, at(20)), None);
    // One that comes and goes is no reason for a line each time.
    assert_eq!(losses.after(8, false, at(25)), None);
    assert_eq!(losses.after(9, true, at(30)), None);
    let later = 5 + COMPLAINT_INTERVAL.as_secs();
    assert_eq!(losses.after(10, false, at(later)), Some(News::Lost(18)));
    assert_eq!(losses.after(11, false, at(later + 1)), None);
}

/// Takes nothing.
#[derive(Debug)]
struct Away;

impl SpanExporter for Away {
    async fn export(&self, _: Vec<SpanData>) -> Result<(), OTelSdkError> {
        Err(OTelSdkError::InternalFailure("nobody there".to_owned()))
    }
}

#[test]
fn lost_spans_are_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    metrics::with_local_recorder(&recorder, || {
        let reporting = Reporting::new(Away, &"http://127.0.0.1:1".parse().expect("a URL"));
        reporting.report(3, &Err(OTelSdkError::AlreadyShutdown));
        reporting.report(2, &Ok(()));
        reporting.report(4, &Err(OTelSdkError::AlreadyShutdown));
    });
    for (result, count) in [("sent", 2), ("lost", 7)] {
        let line = format!("{SPANS}{{result=\"{result}\"}} {count}");
        assert!(page.render().lines().any(|found| found == line), "{line} is not in {}", page.render());
    }
}

#[test]
fn nothing_is_sent_where_no_collector_is_named() {
    let off = Tracing { otlp_endpoint: None, sampled_per_million: 10_000 };
    assert!(Traces::start(&off).expect("nothing to do").is_none());
}

/// A span is taken in no time, whoever the collector is, and the end comes within its bound.
#[test]
fn a_collector_that_takes_nothing_holds_nobody_up() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    // Nobody listens on port 1.
    let traces = {
        let _within = runtime.enter();
        Traces::start(&tracing("http://127.0.0.1:1")).expect("it starts").expect("it traces")
    };
    let began = Instant::now();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(traces.layer()), || {
        for _ in 0..10_000 {
            drop(tracing::trace_span!(target: outrigger_service::TRACE_TARGET, parent: None, "call"));
        }
    });
    traces.stop(runtime);
    assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
}

#[test]
fn causes_are_told() {
    let inner = std::io::Error::other("no certificate");
    let outer = std::io::Error::other(inner);
    assert!(with_causes(&outer).ends_with("no certificate"), "{}", with_causes(&outer));
}
