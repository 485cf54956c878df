//! What the service is told: plain data, so that whoever reads configuration need not know how it serves.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use outrigger_proving::ProofService;
use outrigger_types::{TenantPolicy, limits};

/// Brings gauges up to date. Called on a thread that serves, so it must not wait for anything.
pub type Refresh = Arc<dyn Fn() + Send + Sync>;

/// Everything that a server needs to start.
#[derive(Clone)]
pub struct ServiceOptions {
    /// Where it listens.
    pub listeners: Listeners,
    /// Limits of requests.
    pub limits: ServiceLimits,
    /// Who may do what. Without any, callers on the Unix socket that its mode lets in may do everything, and
    /// callers over TCP nothing.
    pub tenants: Vec<TenantRule>,
    /// The version of the program, as in `GetCapabilities` and `/version`.
    pub version: String,
    /// Renders `/metrics`; without it that path is not found. Whoever installed the recorder also runs its upkeep.
    pub metrics: Option<PrometheusHandle>,
    /// Called just before `/metrics` is rendered.
    pub refresh: Option<Refresh>,
    /// Makes proofs. Without it `ProofService` is UNIMPLEMENTED but for `VerifyProofBatch` with a key of its own. The
    /// server drains it.
    pub proving: Option<ProofService>,
}

impl ServiceOptions {
    /// A server on a Unix socket alone, with default limits and no tenants.
    pub fn on_unix(path: impl Into<PathBuf>, version: &str) -> Self {
        let unix = UnixOptions { path: path.into(), mode: 0o660 };
        Self {
            listeners: Listeners { unix: Some(unix), tcp: None, admin: None, connections_max: CONNECTIONS_DEFAULT },
            limits: ServiceLimits::default(),
            tenants: Vec::new(),
            version: version.to_owned(),
            metrics: None,
            refresh: None,
            proving: None,
        }
    }
}

/// Enough for every validator process of a large host; each idle connection costs some tens of kilobytes.
const CONNECTIONS_DEFAULT: usize = 1_024;

/// Where a server listens.
#[derive(Clone, Debug)]
pub struct Listeners {
    /// The Unix socket.
    pub unix: Option<UnixOptions>,
    /// The TCP port.
    pub tcp: Option<TcpOptions>,
    /// The HTTP port for `/livez /readyz /metrics /version`.
    pub admin: Option<SocketAddr>,
    /// Connections open at once, over both gRPC listeners; more wait until one closes.
    pub connections_max: usize,
}

/// The Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixOptions {
    /// Its path. A directory that is missing is made with mode 0750.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
}

/// The TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpOptions {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// Certificates. Without them the address must be loopback and `insecure_loopback` set.
    pub tls: Option<TlsFiles>,
    /// Allow plain text on a loopback address.
    pub insecure_loopback: bool,
}

/// PEM files, read at start and again at each reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// The authorities that sign callers' certificates; callers must then have one. Without it callers are not
    /// authenticated.
    pub client_ca: Option<PathBuf>,
}

/// Limits of requests, checked before anything is allocated for their items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceLimits {
    /// Bytes of one gRPC message.
    pub message_bytes_max: usize,
    /// Items of one request.
    pub items_max: usize,
    /// Messages of one `VerifyStream` that are not answered yet; more are left unread.
    pub stream_window: usize,
    /// Bytes of the registered key sets of one tenant; the least recently used give way.
    pub key_set_bytes_max: usize,
    /// Bytes of the leaves of one Merkle tree, over all its chunks.
    pub merkle_bytes_max: usize,
    /// Bytes of the witness or the inputs of one proof, over all chunks.
    pub secret_bytes_max: usize,
    /// Bytes of the points and scalars, or of the elements, of one `Msm` or `Ntt`, over all chunks.
    pub operation_bytes_max: usize,
    /// Bytes of request bodies that are held while they arrive and are worked on, over all callers.
    pub body_bytes_max: usize,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            message_bytes_max: limits::MESSAGE_BYTES_MAX,
            items_max: limits::ITEMS_MAX,
            stream_window: 1_024,
            key_set_bytes_max: 64 * 1024 * 1024,
            merkle_bytes_max: 64 * 1024 * 1024,
            // A witness of 2^23 wires.
            secret_bytes_max: 256 * 1024 * 1024,
            // 2^20 points of BLS12-381 in G2 with their scalars.
            operation_bytes_max: 256 * 1024 * 1024,
            body_bytes_max: 0,
        }
        .with_room_for_bodies()
    }
}

impl ServiceLimits {
    /// Sets [`Self::body_bytes_max`] so that the largest request of any call fits into what one tenant may hold, which
    /// is half of it.
    #[must_use]
    pub fn with_room_for_bodies(self) -> Self {
        let streams = [self.merkle_bytes_max, self.secret_bytes_max, self.operation_bytes_max];
        let largest = streams.into_iter().fold(self.message_bytes_max, usize::max);
        // A sixty-fourth for the framing of chunks, which are small where a caller makes them so, and one message that
        // arrives beside.
        Self { body_bytes_max: 2 * (largest + largest / 64 + self.message_bytes_max), ..self }
    }
}

/// A tenant, and the callers that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRule {
    /// What it may do.
    pub policy: TenantPolicy,
    /// User ids of its callers on the Unix socket.
    pub uids: Vec<u32>,
    /// DNS names or common names in the certificates of its callers over TCP.
    pub certificate_names: Vec<String>,
    /// Whether callers over TCP without a certificate are of this tenant.
    pub unauthenticated: bool,
}

/// What may change while a server runs. Certificates are read again from the files that it was started with.
#[derive(Clone, Debug)]
pub struct Reload {
    /// The new limits.
    pub limits: ServiceLimits,
    /// The new tenants.
    pub tenants: Vec<TenantRule>,
    /// The new files of the TCP listener; ignored where it has no TLS.
    pub tls: Option<TlsFiles>,
}
