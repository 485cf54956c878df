//! Where traces go.

use std::fmt;
use std::str::FromStr;

use http::Uri;

/// What a right URL looks like.
const EXAMPLE: &str = "write the URL of a collector that takes OTLP over gRPC, such as \"http://127.0.0.1:4317\"";

/// Traces of calls, for a collector that takes OTLP over gRPC. Read at the start alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// The collector; `otlp_endpoint = ""`, the default, traces nothing.
    pub otlp_endpoint: Option<OtlpEndpoint>,
    /// Of a million calls that come without a `traceparent`, how many are traced: 0 to 1,000,000. For the others their
    /// callers have decided.
    pub sampled_per_million: u32,
}

/// The URL of a collector: `http://` or `https://`, a host, perhaps a port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is reached through TLS.
    pub fn is_https(&self) -> bool {
        self.0.split(':').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }
}

impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OtlpEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url: Uri = text.parse().map_err(|error| format!("no URL ({error}); {EXAMPLE}"))?;
        if !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(format!("begins with neither http:// nor https://; {EXAMPLE}"));
        }
        let authority = url.authority().ok_or_else(|| format!("has no host; {EXAMPLE}"))?;
        if authority.as_str().contains('@') {
            // It would be shown with the configuration.
            return Err(
                "holds a name or password: OTEL_EXPORTER_OTLP_HEADERS of the environment is for these".to_owned()
            );
        }
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if authority.host().is_empty() || !(port.is_empty() || authority.port_u16().is_some_and(|port| port > 0)) {
            return Err(format!("has no host, or a port that is none; {EXAMPLE}"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(format!("has something behind host and port, which gRPC has no use for; {EXAMPLE}"));
        }
        Ok(Self(text.to_owned()))
    }
}
