//! Listeners: placing a Unix socket, opening TCP ports.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::options::{TcpOptions, UnixOptions};

/// A socket in the file system that goes when this does.
#[derive(Debug)]
pub(crate) struct PlacedSocket {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl PlacedSocket {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PlacedSocket {
    /// Removes the socket, unless another server has put its own in that place meanwhile.
    fn drop(&mut self) {
        let is_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|entry| entry.dev() == self.device && entry.ino() == self.inode);
        if is_ours && let Err(cause) = std::fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %cause, "cannot remove the socket");
        }
    }
}

/// Opens the Unix socket. A stale one is replaced; one that a server answers on is not.
pub(crate) async fn unix(options: &UnixOptions) -> Result<(UnixListener, PlacedSocket), ListenError> {
    let path = &options.path;
    let error = |what: &str, cause: io::Error| ListenError::new(path.display(), what, &cause);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o750);
        builder.create(directory).map_err(|cause| error("cannot make its directory", cause))?;
    }
    refuse_occupied(path).await?;
    // Made under another name, given its permissions, and moved: at no moment does the path lead to a socket with
    // wider permissions, and a stale one is replaced in one step.
    let mut fresh = path.clone().into_os_string();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let _ = std::fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh).map_err(|cause| error("cannot bind", cause))?;
    let placed = std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(options.mode))
        .and_then(|()| std::fs::rename(&fresh, path))
        .and_then(|()| std::fs::symlink_metadata(path));
    match placed {
        Ok(entry) => Ok((listener, PlacedSocket { path: path.clone(), device: entry.dev(), inode: entry.ino() })),
        Err(cause) => {
            let _ = std::fs::remove_file(&fresh);
            Err(error("cannot put the socket in place", cause))
        }
    }
}

async fn refuse_occupied(path: &Path) -> Result<(), ListenError> {
    let Ok(entry) = std::fs::symlink_metadata(path) else { return Ok(()) };
    let refuse = |message: &str| Err(ListenError { place: path.display().to_string(), message: message.to_owned() });
    if !entry.file_type().is_socket() {
        return refuse("is there already and is not a socket; choose another path or remove it");
    }
    if UnixStream::connect(path).await.is_ok() {
        return refuse("another server answers on it; stop that one first or choose another path");
    }
    Ok(())
}

/// Opens the TCP port, if plain text is not forbidden there.
pub(crate) async fn tcp(options: &TcpOptions) -> Result<TcpListener, ListenError> {
    let address = options.address;
    let refuse = |message: &str| Err(ListenError { place: address.to_string(), message: message.to_owned() });
    if options.tls.is_none() {
        if !address.ip().is_loopback() {
            return refuse("TCP without TLS is for loopback addresses only; give certificate and key");
        }
        if !options.insecure_loopback {
            return refuse("TCP without TLS needs the flag that allows it on loopback");
        }
    }
    bind(address).await
}

/// Opens a TCP port.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| ListenError::new(address, "cannot listen", &cause))
}

/// Why a listener cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenError {
    /// The path or address.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl ListenError {
    fn new(place: impl fmt::Display, what: &str, cause: &io::Error) -> Self {
        Self { place: place.to_string(), message: format!("{what}: {cause}") }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for ListenError {}
