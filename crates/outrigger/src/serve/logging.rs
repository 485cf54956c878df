//! Logs: JSON or text on standard error, the level changeable while running. Payloads are never logged. Beside them go
//! traces, where a collector gets some.

use std::io::IsTerminal;

use outrigger_config::{Log, LogFormat};
use outrigger_service::TRACE_TARGET;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use super::traces::Traces;

/// Changes the filter of a running logger.
pub(crate) struct Handle(reload::Handle<EnvFilter, Registry>);

/// Whether the filter can be used.
pub(crate) fn check(log: &Log) -> Result<(), String> {
    filter(log).map(|_| ())
}

/// Starts logging, and sends spans to `traces`. Each has a filter of its own: the level of the log says nothing of traces.
pub(crate) fn start(log: &Log, traces: Option<&Traces>) -> Result<Handle, String> {
    let (filter, handle) = reload::Layer::new(filter(log)?);
    // Colours are for people: a file or a journal gets plain text.
    let is_terminal = std::io::stderr().is_terminal();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        LogFormat::Text => fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    // Without a layer that is none: with one, what a filter turns off would be asked for again and again.
    match traces {
        Some(traces) => registry.with(traces.layer()).try_init(),
        None => registry.try_init(),
    }
    .map_err(|error| error.to_string())?;
    Ok(Handle(handle))
}

impl Handle {
    /// Obeys a new filter; one that was not checked before and cannot be used changes nothing.
    pub(crate) fn set(&self, log: &Log) {
        match filter(log) {
            Ok(filter) => {
                if let Err(error) = self.0.reload(filter) {
                    tracing::error!(%error, "the log level stays as it was");
                }
            }
            Err(error) => tracing::error!(error, "the log level stays as it was"),
        }
    }
}

/// What the configuration says, and no spans of traces, which every line that is logged in one would repeat.
fn filter(log: &Log) -> Result<EnvFilter, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("log.filter {:?}: {error}", log.filter);
    let without_traces: Directive = format!("{TRACE_TARGET}=off").parse().map_err(|error| wrong(&error))?;
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| wrong(&error))?;
    Ok(filter.add_directive(without_traces))
}

#[cfg(test)]
mod tests;
