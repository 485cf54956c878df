//! The life of a server: start, reload, drain, end.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use outrigger_scheduler::Scheduler;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, Io, Phase};
use crate::front::Front;
use crate::listen::{self, ListenError, PlacedSocket};
use crate::options::{Reload, ServiceOptions};
use crate::state::{Executor, State};
use crate::tenants::{Host, Peer, TenantError, TenantTable};
use crate::tls::{self, Certificates, TlsError};
use crate::web;

/// How long a caller may take to shake hands.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// After a failed accept (no file descriptors left, as a rule), how long to wait for better times.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long proofs have to stop that nobody listens to any more: their engines look every few milliseconds.
const PROOFS_STOP: Duration = Duration::from_millis(500);

/// Makes running servers.
pub struct Server;

impl Server {
    /// Opens all listeners and serves. Needs a tokio runtime around it.
    ///
    /// # Errors
    /// Where a listener cannot be opened, a certificate cannot be used, or tenants cannot be told apart; then
    /// nothing is left open.
    pub async fn start(options: ServiceOptions, scheduler: Scheduler) -> Result<Running, StartError> {
        Self::start_with(options, Executor::of_scheduler(scheduler)).await
    }

    pub(crate) async fn start_with(options: ServiceOptions, executor: Executor) -> Result<Running, StartError> {
        if options.listeners.unix.is_none() && options.listeners.tcp.is_none() {
            return Err(StartError::NoListener);
        }
        let host = host(&options);
        let tenants = TenantTable::new(&options.tenants, host)?;
        let tls = options.listeners.tcp.as_ref().and_then(|tcp| tcp.tls.as_ref());
        let certificates = tls.map(Certificates::load).transpose()?.map(Arc::new);
        let unix = match &options.listeners.unix {
            Some(unix) => Some(listen::unix(unix).await?),
            None => None,
        };
        let tcp = match &options.listeners.tcp {
            Some(tcp) => Some(listen::tcp(tcp).await?),
            None => None,
        };
        let admin = match options.listeners.admin {
            Some(address) => Some(listen::bind(address).await?),
            None => None,
        };
        let (phase, watching) = watch::channel(Phase::Serving);
        let state = Arc::new(State::new(&options, tenants, executor, watching.clone()));
        let front = Front::new(state).await;
        let connections_max = options.listeners.connections_max.clamp(1, Semaphore::MAX_PERMITS >> 4);
        let gate =
            Gate { front: front.clone(), phase: watching, connections: Arc::new(Semaphore::new(connections_max)) };
        let connections = gate.connections.clone();
        let address = |listener: &TcpListener| listener.local_addr().ok();
        let running = Running {
            tcp: tcp.as_ref().and_then(address),
            admin: admin.as_ref().and_then(address),
            unix: unix.as_ref().map(|(_, placed)| placed.path().to_owned()),
            front,
            host,
            phase,
            certificates: certificates.clone(),
            connections,
            connections_max,
            socket: Mutex::new(None),
        };
        if let Some((listener, placed)) = unix {
            *running.socket.lock().unwrap_or_else(PoisonError::into_inner) = Some(placed);
            tokio::spawn(accept_unix(listener, gate.clone()));
        }
        if let Some(listener) = tcp {
            tokio::spawn(accept_tcp(listener, certificates, gate.clone()));
        }
        if let Some(listener) = admin {
            tokio::spawn(web::serve(listener, gate.front.state.clone(), gate.phase.clone()));
        }
        running.announce();
        Ok(running)
    }
}

fn host(options: &ServiceOptions) -> Host {
    Host {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        socket_mode: options.listeners.unix.as_ref().map_or(0, |unix| unix.mode),
    }
}

/// A server at work. Dropping it ends it at once; [`Running::drain`] ends it well.
pub struct Running {
    front: Arc<Front>,
    host: Host,
    phase: watch::Sender<Phase>,
    unix: Option<PathBuf>,
    tcp: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    certificates: Option<Arc<Certificates>>,
    connections: Arc<Semaphore>,
    connections_max: usize,
    socket: Mutex<Option<PlacedSocket>>,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// Connections that were cut because their calls did not finish within the grace.
    pub connections_cut: usize,
    /// How long it took.
    pub took: Duration,
}

impl Running {
    /// The path of the Unix socket.
    pub fn unix(&self) -> Option<&PathBuf> {
        self.unix.as_ref()
    }

    /// The address of the TCP listener, with the port that it got.
    pub const fn tcp(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// The address of the admin listener, with the port that it got.
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Whether calls are taken: from the start until the first drain.
    pub fn is_ready(&self) -> bool {
        self.front.state.is_ready()
    }

    /// Puts new limits, tenants and certificates in force, all or none. Connections stay; their next call is
    /// judged by the new tenants.
    ///
    /// # Errors
    /// Where tenants cannot be told apart or certificates cannot be used; then everything stays as it was.
    pub fn reload(&self, reload: &Reload) -> Result<(), StartError> {
        let tenants = TenantTable::new(&reload.tenants, self.host)?;
        let files = reload.tls.as_ref().filter(|_| self.certificates.is_some());
        let config = files.map(tls::read).transpose()?;
        // Nothing below can fail.
        if let (Some(certificates), Some(config)) = (&self.certificates, config) {
            certificates.replace(config);
        }
        self.front.replace(reload.limits, tenants);
        tracing::info!(tenants = reload.tenants.len(), "reloaded");
        Ok(())
    }

    /// Ends the server: not ready from now on, no new connections, calls in flight have `grace` to finish, then
    /// connections are cut and the scheduler is emptied.
    pub async fn drain(&self, grace: Duration) -> DrainReport {
        let started = Instant::now();
        tracing::info!(grace_ms = grace.as_millis() as u64, "draining");
        self.front.set_draining().await;
        self.phase.send_if_modified(|phase| {
            let is_first = *phase == Phase::Serving;
            if is_first {
                *phase = Phase::Draining;
            }
            is_first
        });
        // Every connection holds one permit; all of them together are free when the last has ended. Submitted proofs
        // stop meanwhile; those that a caller listens to have the grace.
        let all = self.connections.acquire_many(self.connections_max as u32);
        let (ended, _) = tokio::join!(
            tokio::time::timeout(grace, all),
            tokio::time::timeout(grace, self.front.state.drain_proofs())
        );
        let connections_cut =
            if ended.is_ok() { 0 } else { self.connections_max - self.connections.available_permits() };
        self.phase.send_replace(Phase::Stopped);
        let rest = grace.saturating_sub(started.elapsed());
        // Work that nobody waits for any more has been dropped with its connection.
        let _ = tokio::time::timeout(rest, self.front.state.executor.drain()).await;
        let _ = tokio::time::timeout(rest.max(PROOFS_STOP), self.front.state.drain_proofs()).await;
        drop(self.socket.lock().unwrap_or_else(PoisonError::into_inner).take());
        let report = DrainReport { connections_cut, took: started.elapsed() };
        tracing::info!(connections_cut, took_ms = report.took.as_millis() as u64, "stopped");
        report
    }

    /// Waits until the server has stopped.
    pub async fn wait(&self) {
        connection::reached(&mut self.phase.subscribe(), Phase::Stopped).await;
    }

    fn announce(&self) {
        let unix = self.unix.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let address = |address: Option<SocketAddr>| address.map(|one| one.to_string()).unwrap_or_default();
        tracing::info!(
            version = self.front.state.version,
            unix,
            tcp = address(self.tcp),
            tls = self.certificates.is_some(),
            admin = address(self.admin),
            "started"
        );
    }
}

/// What every accept loop needs.
#[derive(Clone)]
struct Gate {
    front: Arc<Front>,
    phase: watch::Receiver<Phase>,
    connections: Arc<Semaphore>,
}

impl Gate {
    /// Takes the next connection, once there is room for one. `None` when the server no longer takes any.
    async fn next<C, F>(&mut self, accept: impl Fn() -> F) -> Option<(C, OwnedSemaphorePermit)>
    where
        F: Future<Output = std::io::Result<C>>,
    {
        loop {
            let mut phase = self.phase.clone();
            let accepted = async {
                let permit = self.connections.clone().acquire_owned().await;
                (accept().await, permit)
            };
            let (accepted, permit) = tokio::select! {
                accepted = accepted => accepted,
                () = connection::reached(&mut phase, Phase::Draining) => return None,
            };
            match accepted {
                Ok(connection) => return Some((connection, permit.ok()?)),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve(&self, io: Io, peer: Peer, permit: OwnedSemaphorePermit) -> impl Future<Output = ()> + use<> {
        connection::serve(io, peer, self.front.clone(), self.phase.clone(), permit)
    }
}

async fn accept_unix(listener: UnixListener, mut gate: Gate) {
    while let Some(((stream, _), permit)) = gate.next(|| listener.accept()).await {
        match stream.peer_cred() {
            Ok(credentials) => {
                let peer = Peer::Unix { uid: credentials.uid(), gid: credentials.gid() };
                tokio::spawn(gate.serve(Io::Unix(stream), peer, permit));
            }
            Err(error) => tracing::warn!(%error, "a caller has no credentials"),
        }
    }
}

async fn accept_tcp(listener: TcpListener, certificates: Option<Arc<Certificates>>, mut gate: Gate) {
    while let Some(((stream, address), permit)) = gate.next(|| listener.accept()).await {
        // Answers are small and waited for; Nagle's algorithm would hold them back.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%address, %error, "cannot set TCP_NODELAY");
        }
        let Some(certificates) = &certificates else {
            tokio::spawn(gate.serve(Io::Tcp(stream), Peer::Unauthenticated, permit));
            continue;
        };
        let acceptor = TlsAcceptor::from(certificates.current());
        let gate = gate.clone();
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let peer = tls_peer(stream.get_ref().1);
                    gate.serve(Io::Tls(Box::new(stream)), peer, permit).await;
                }
                Ok(Err(error)) => tracing::info!(%address, %error, "TLS handshake failed"),
                Err(_) => tracing::info!(%address, "TLS handshake took too long"),
            }
        });
    }
}

fn tls_peer(session: &rustls::ServerConnection) -> Peer {
    match session.peer_certificates().and_then(<[_]>::first) {
        Some(leaf) => Peer::Certificate { names: tls::names(leaf).into() },
        None => Peer::Unauthenticated,
    }
}

/// Why a server cannot start, or take a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// There is nothing to listen on.
    NoListener,
    /// A listener cannot be opened.
    Listen(ListenError),
    /// Tenants cannot be told apart.
    Tenants(TenantError),
    /// Certificates cannot be used.
    Tls(TlsError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoListener => f.write_str("there is nothing to listen on; give a Unix socket or a TCP address"),
            Self::Listen(error) => error.fmt(f),
            Self::Tenants(error) => error.fmt(f),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<ListenError> for StartError {
    fn from(error: ListenError) -> Self {
        Self::Listen(error)
    }
}

impl From<TenantError> for StartError {
    fn from(error: TenantError) -> Self {
        Self::Tenants(error)
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}
