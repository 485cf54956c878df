//! Where a sidecar listens, and how to trust it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a sidecar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A Unix socket: `unix:PATH`.
    Unix(PathBuf),
    /// TCP without TLS: `http://host:port`. Sidecars accept this on a loopback address alone, where a flag allows it.
    Http {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// TCP with TLS: `https://host:port`.
    Https {
        /// Name or address; IPv6 without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            // `unix:///run/x.sock` is the same as `unix:/run/x.sock`.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(format!("endpoint {text:?} names no socket; write unix:PATH"));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Some(authority) = text.strip_prefix("http://") {
            let (host, port) = host_and_port(text, authority)?;
            return Ok(Self::Http { host, port });
        }
        if let Some(authority) = text.strip_prefix("https://") {
            let (host, port) = host_and_port(text, authority)?;
            return Ok(Self::Https { host, port });
        }
        Err(format!("unknown endpoint {text:?}; write unix:PATH, http://host:port or https://host:port"))
    }
}

fn host_and_port(whole: &str, authority: &str) -> Result<(String, u16), String> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let wrong = |what: &str| format!("endpoint {whole:?} {what}; write for example http://127.0.0.1:7550");
    let (host, port) = authority.rsplit_once(':').ok_or_else(|| wrong("has no port"))?;
    let port = port.parse().map_err(|_| wrong("has no valid port"))?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or_else(|| wrong("has an unclosed bracket"))?,
        None if host.contains(':') => return Err(wrong("has an IPv6 address without brackets")),
        None => host,
    };
    if host.is_empty() || host.contains(['/', '@', ' ']) {
        return Err(wrong("has no valid host"));
    }
    Ok((host.to_owned(), port))
}

/// The `host:port` form of a URI, with brackets around an IPv6 address.
pub(crate) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Http { host, port } => write!(f, "http://{}", authority(host, *port)),
            Self::Https { host, port } => write!(f, "https://{}", authority(host, *port)),
        }
    }
}

/// How TLS is spoken on an `https` endpoint. Paths name PEM files, read when the client is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates of the authorities that may have signed the sidecar's. Needed: system stores are not read.
    pub ca: Option<PathBuf>,
    /// This client's certificate chain, for mutual TLS; the sidecar takes the tenant from it.
    pub client_certificate: Option<PathBuf>,
    /// The private key of `client_certificate`.
    pub client_key: Option<PathBuf>,
    /// The name that the sidecar's certificate must carry; by default the host of the endpoint.
    pub domain: Option<String>,
}

#[cfg(test)]
mod tests;
