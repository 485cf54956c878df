//! Traces to a collector that takes OTLP over gRPC, where the configuration names one.
//!
//! Spans that have ended wait in a queue of bounded length for a thread of its own, which sends some every few seconds.
//! A collector that is away costs these spans and nothing else: a full queue drops what comes, and nobody waits for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, describe_counter};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use outrigger_config::{OtlpEndpoint, Tracing};
use outrigger_service::TRACE_TARGET;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Spans of traces by `result`: `sent` to the collector, or `lost` because it did not take them.
const SPANS: &str = "outrigger_trace_spans_total";

/// How long the collector may take to answer the door…
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// …and to take some spans.
const SEND_MAX: Duration = Duration::from_secs(10);
/// How long the last spans may take at the end. A service manager gives the sidecar ten seconds after its drain.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// How long the end waits for what the runtime still does for the exporter: the name of a collector that is not found.
const RELEASE_MAX: Duration = Duration::from_secs(1);
/// How often a collector that is away is worth a line of the log.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(300);

/// Tells the recorder what the metric means.
pub(super) fn describe() {
    describe_counter!(SPANS, "Spans of traces that were sent to the collector, or lost because it did not take them");
}

/// What sends spans.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Gets ready to send, where the configuration names a collector. Needs a tokio runtime around it, which carries the
    /// connection. Whether the collector is there is not looked at.
    ///
    /// # Errors
    /// In words, where no certificate of an authority is found for a collector behind TLS, or a variable of the
    /// environment that OpenTelemetry defines asks for what is not there.
    pub(super) fn start(tracing: &Tracing) -> Result<Option<Self>, String> {
        let Some(endpoint) = &tracing.otlp_endpoint else { return Ok(None) };
        let wrong = |error: &dyn std::fmt::Display| format!("tracing.otlp_endpoint {endpoint}: {error}");
        let channel = channel(endpoint).map_err(|error| wrong(&with_causes(&error)))?;
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_channel(channel)
            .with_timeout(SEND_MAX)
            .build()
            .map_err(|error| wrong(&error))?;
        Ok(Some(Self::with(Reporting::new(exporter, endpoint), tracing.sampled_per_million)))
    }

    fn with(exporter: impl SpanExporter + 'static, sampled_per_million: u32) -> Self {
        let ratio = Sampler::TraceIdRatioBased(f64::from(sampled_per_million) / 1e6);
        let resource = Resource::builder()
            .with_service_name("outrigger")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(ratio)))
            .with_resource(resource)
            .build();
        Self(provider)
    }

    /// The layer that takes spans of traces, and nothing else.
    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("outrigger"))
            // Our spans are not entered, and name their parents themselves.
            .with_context_activation(false)
            .with_tracked_inactivity(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(TRACE_TARGET, Level::TRACE))
            .boxed()
    }

    /// Sends what has ended, within a bounded time, and lets go of the runtime, which has to be there until then.
    pub(super) fn stop(self, runtime: tokio::runtime::Runtime) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH_MAX) {
            tracing::warn!(%error, "the last traces were not sent");
        }
        runtime.shutdown_timeout(RELEASE_MAX);
    }
}

/// The way to the collector, which is tried when there is something to send.
fn channel(endpoint: &OtlpEndpoint) -> Result<Channel, tonic::transport::Error> {
    let channel = Endpoint::from_shared(endpoint.as_str().to_owned())?;
    let channel = channel.connect_timeout(CONNECT_MAX).timeout(SEND_MAX);
    if endpoint.is_https() {
        let tls = ClientTlsConfig::new().with_native_roots();
        return Ok(channel.tls_config(tls)?.connect_lazy());
    }
    Ok(channel.connect_lazy())
}

/// An error with what it comes from: that of a transport says nothing by itself.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Sends spans by another exporter, counts them, and says seldom that they are lost.
#[derive(Debug)]
struct Reporting<E> {
    exporter: E,
    endpoint: String,
    losses: Mutex<Losses>,
}

impl<E> Reporting<E> {
    fn new(exporter: E, endpoint: &OtlpEndpoint) -> Self {
        Self { exporter, endpoint: endpoint.to_string(), losses: Mutex::default() }
    }

    fn report(&self, spans: u64, result: &OTelSdkResult) {
        counter!(SPANS, "result" => if result.is_ok() { "sent" } else { "lost" }).increment(spans);
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = &self.endpoint;
        match (losses.after(spans, result.is_ok(), Instant::now()), result) {
            (Some(News::Lost(lost)), Err(error)) => {
                tracing::warn!(endpoint, %error, lost, "the collector takes no traces: they are lost");
            }
            (Some(News::Back(lost)), _) => tracing::info!(endpoint, lost, "the collector takes traces again"),
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        self.report(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// What was lost, and when it was last said.
#[derive(Debug, Default)]
struct Losses {
    /// Spans since the last line about them.
    lost: u64,
    said_at: Option<Instant>,
    /// Whether the last line said that the collector is away.
    is_away: bool,
}

/// What is worth a line.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// So many spans were lost since the last line.
    Lost(u64),
    /// The same, and now they are taken.
    Back(u64),
}

impl Losses {
    /// What is worth a line after so many spans were taken, or not.
    fn after(&mut self, spans: u64, is_taken: bool, now: Instant) -> Option<News> {
        if is_taken {
            return std::mem::take(&mut self.is_away).then(|| News::Back(std::mem::take(&mut self.lost)));
        }
        self.lost += spans;
        if self.said_at.is_some_and(|at| now.duration_since(at) < COMPLAINT_INTERVAL) {
            return None;
        }
        (self.said_at, self.is_away) = (Some(now), true);
        Some(News::Lost(std::mem::take(&mut self.lost)))
    }
}

#[cfg(test)]
mod tests;
