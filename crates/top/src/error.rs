//! What can go wrong, and what to do about it.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why nothing can be shown.
#[derive(Debug)]
pub enum Error {
    /// The address of the metrics cannot be used.
    Source {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The interval is not one of [`crate::INTERVALS`].
    Interval(Duration),
    /// The screen needs a terminal, and there is none.
    NoTerminal,
    /// Nothing answers, or not in time.
    Away {
        /// What was asked.
        url: String,
        /// What happened instead.
        why: String,
    },
    /// Something answers that is no sidecar.
    NotASidecar {
        /// What was asked.
        url: String,
        /// What came instead of metrics.
        why: String,
    },
    /// The terminal or the output failed.
    Output(io::Error),
}

impl Error {
    /// Whether the caller's input is at fault.
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Source { .. } | Self::Interval(_) | Self::NoTerminal)
    }
}

/// What to do where the wrong thing was asked, or nothing answers.
const ADVICE: &str = "give the URL of the sidecar's admin listener (listen.admin; off by admin = \"\"), such as \
                      http://127.0.0.1:9464/metrics";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source { url, why } => write!(f, "{url:?} cannot be asked for metrics: {why}; {ADVICE}"),
            Self::Interval(interval) => {
                let [least, most] = [crate::INTERVALS.start(), crate::INTERVALS.end()];
                write!(f, "an interval of {interval:?} cannot be shown: give one from {least:?} to {most:?}")
            }
            Self::NoTerminal => f.write_str("the live view needs a terminal: use --once or --json elsewhere"),
            Self::Away { url, why } => write!(f, "{url} does not answer: {why}; start the sidecar, or {ADVICE}"),
            Self::NotASidecar { url, why } => write!(f, "{url} is not the metrics of a sidecar: {why}; {ADVICE}"),
            Self::Output(error) => write!(f, "cannot show anything: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Output(error) => Some(error),
            _ => None,
        }
    }
}
