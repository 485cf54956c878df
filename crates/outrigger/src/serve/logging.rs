//! Logs: JSON or text on standard error, the level changeable while running. Payloads are never logged.

use std::io::IsTerminal;

use outrigger_config::{Log, LogFormat};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

/// Changes the filter of a running logger.
pub(crate) struct Handle(reload::Handle<EnvFilter, Registry>);

/// Whether the filter can be used.
pub(crate) fn check(log: &Log) -> Result<(), String> {
    filter(log).map(|_| ())
}

/// Starts logging.
pub(crate) fn start(log: &Log) -> Result<Handle, String> {
    let (filter, handle) = reload::Layer::new(filter(log)?);
    let registry = tracing_subscriber::registry().with(filter);
    // Colours are for people: a file or a journal gets plain text.
    let is_terminal = std::io::stderr().is_terminal();
    let result = match log.format {
        LogFormat::Json => registry.with(fmt::layer().json().with_writer(std::io::stderr)).try_init(),
        LogFormat::Text => registry.with(fmt::layer().with_ansi(is_terminal).with_writer(std::io::stderr)).try_init(),
    };
    result.map_err(|error| error.to_string())?;
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

fn filter(log: &Log) -> Result<EnvFilter, String> {
    EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter {:?}: {error}", log.filter))
}
