//! Where the metrics are.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

use crate::Error;

/// The path of the metrics where none is given.
const METRICS: &str = "/metrics";

/// The address of a sidecar's metrics: `http://HOST:PORT/metrics`, of which scheme and path may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    metrics: Uri,
}

impl Source {
    /// The URL of the metrics.
    pub(crate) const fn metrics(&self) -> &Uri {
        &self.metrics
    }

    /// The URL of another page of the same listener; `None` where the metrics are at a path of somebody's own choice.
    pub(crate) fn beside(&self, page: &str) -> Option<Uri> {
        let folder = self.metrics.path().strip_suffix(METRICS)?;
        let mut parts = self.metrics.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::from_str(&format!("{folder}{page}")).ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metrics.fmt(f)
    }
}

impl FromStr for Source {
    type Err = Error;

    /// # Errors
    /// [`Error::Source`] where it is no such address.
    fn from_str(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Source { url: url.to_owned(), why: why.to_owned() };
        let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri = Uri::from_str(&whole).map_err(|error| wrong(&error.to_string()))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err(wrong("the admin listener speaks plain http"));
        }
        let host = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if host.host().is_empty() || host.as_str().contains('@') {
            return Err(wrong("it needs a host, and no user"));
        }
        // The port of http itself is never the sidecar's by accident.
        if host.port_u16().is_none_or(|port| port == 0) {
            return Err(wrong("it names no port"));
        }
        let mut parts = uri.into_parts();
        if parts.path_and_query.as_ref().is_none_or(|path| path.as_str() == "/") {
            parts.path_and_query = Some(PathAndQuery::from_static(METRICS));
        }
        Uri::from_parts(parts).map(|metrics| Self { metrics }).map_err(|error| wrong(&error.to_string()))
    }
}

#[cfg(test)]
mod tests;
