//! Connections: one connector for Unix sockets, TCP and TLS, and lazy channels over it.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use outrigger_types::limits;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Uri};

use crate::endpoint::authority;
use crate::{ClientError, ClientOptions, Endpoint, TlsOptions};

/// HTTP/2 receive window of a stream, in bytes: a batch answer of 65,536 items passes without a window update.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// HTTP/2 receive window of a connection, in bytes: four streams at full tilt.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// How long a connection may take to stand. A socket on this machine answers in microseconds; a peer that takes this
/// long is as good as away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a connection with calls under way is asked whether it lives, and how long it may take to say so. A network
/// that swallows packets is otherwise noticed by deadlines alone.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer: 84 bytes for each of [`limits::ITEMS_MAX`] items is a third of this.
pub(crate) const ANSWER_BYTES_MAX: usize = limits::MESSAGE_BYTES_MAX;

/// Any byte stream to a sidecar.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

type Connected = TokioIo<Box<dyn Socket>>;

/// How to make one more connection.
#[derive(Clone)]
enum Connector {
    Unix(Arc<Path>),
    Tcp { host: Arc<str>, port: u16 },
    Tls { host: Arc<str>, port: u16, tls: TlsConnector, name: ServerName<'static> },
}

impl Connector {
    fn new(endpoint: &Endpoint, tls: &TlsOptions) -> Result<Self, ClientError> {
        match endpoint {
            Endpoint::Unix(path) => Ok(Self::Unix(path.as_path().into())),
            Endpoint::Http { host, port } => Ok(Self::Tcp { host: host.as_str().into(), port: *port }),
            Endpoint::Https { host, port } => {
                let domain = tls.domain.as_ref().unwrap_or(host).clone();
                let name = ServerName::try_from(domain.clone())
                    .map_err(|_| ClientError::invalid("tls.domain", format!("{domain:?} is no DNS name or address")))?;
                let tls = TlsConnector::from(Arc::new(tls_config(tls)?));
                Ok(Self::Tls { host: host.as_str().into(), port: *port, tls, name })
            }
        }
    }

    async fn connect(self) -> std::io::Result<Connected> {
        let socket: Box<dyn Socket> = match self {
            Self::Unix(path) => Box::new(UnixStream::connect(&*path).await?),
            Self::Tcp { host, port } => Box::new(tcp(&host, port).await?),
            Self::Tls { host, port, tls, name } => Box::new(tls.connect(name, tcp(&host, port).await?).await?),
        };
        Ok(TokioIo::new(socket))
    }
}

async fn tcp(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    // Small frames go at once: a verdict that waits for an acknowledgement waits 40 ms.
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn tls_config(options: &TlsOptions) -> Result<rustls::ClientConfig, ClientError> {
    let ca = options
        .ca
        .as_deref()
        .ok_or_else(|| ClientError::invalid("tls.ca", "an https endpoint needs the PEM file of its authorities"))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates("tls.ca", ca)? {
        roots.add(certificate).map_err(|error| ClientError::invalid("tls.ca", format!("{}: {error}", ca.display())))?;
    }
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Internal(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match (&options.client_certificate, &options.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(chain), Some(key)) => {
            let chain = certificates("tls.client_certificate", chain)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| ClientError::invalid("tls.client_key", format!("{}: {error}", key.display())))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| ClientError::invalid("tls.client_key", error.to_string()))?
        }
        _ => return Err(ClientError::invalid("tls", "give both client_certificate and client_key, or neither")),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(field: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let wrong = |what: String| ClientError::invalid(field, format!("{}: {what}", path.display()));
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(error.to_string()))?;
    if chain.is_empty() { Err(wrong("holds no certificate in PEM form".to_owned())) } else { Ok(chain) }
}

/// The channels of a client, each a connection of its own that stands with its first call and after each loss.
pub(crate) fn channels(options: &ClientOptions) -> Result<Vec<Channel>, ClientError> {
    if !(1..=64).contains(&options.connections) {
        return Err(ClientError::invalid("connections", format!("{} is not between 1 and 64", options.connections)));
    }
    let connector = Connector::new(&options.endpoint, &options.tls)?;
    let (scheme, host) = match &options.endpoint {
        // A Unix socket has no host, but HTTP/2 wants one said.
        Endpoint::Unix(_) => ("http", "localhost".to_owned()),
        Endpoint::Http { host, port } => ("http", authority(host, *port)),
        Endpoint::Https { host, port } => ("https", authority(host, *port)),
    };
    let uri = |scheme: &str| {
        format!("{scheme}://{host}")
            .parse::<Uri>()
            .map_err(|error| ClientError::invalid("endpoint", format!("{}: {error}", options.endpoint)))
    };
    // TLS is this connector's business, so the channel is told plain HTTP and only the requests say https.
    let endpoint = Channel::builder(uri("http")?)
        .origin(uri(scheme)?)
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    let service = tower::service_fn(move |_: Uri| -> Pin<Box<dyn Future<Output = _> + Send>> {
        Box::pin(connector.clone().connect())
    });
    Ok((0..options.connections).map(|_| endpoint.connect_with_connector_lazy(service.clone())).collect())
}
