//! One connection: its bytes, its caller, HTTP/2, and its end.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_rustls::server::TlsStream;

use crate::front::Front;
use crate::tenants::Peer;

/// What one stream may send unasked: a packed batch of ten thousand signatures fits without a round trip.
const STREAM_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// What all streams of a connection may send unasked.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
/// A batch of a thousand signatures travels in one frame.
const FRAME_BYTES_MAX: u32 = 256 * 1024;
/// Calls in flight on one connection.
const STREAMS_MAX: u32 = 256;
/// Headers of one call.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Streams that a caller opened and reset before they were looked at: more is an attack.
const RESET_STREAMS_MAX: usize = 64;
/// A peer that says nothing for so long is asked whether it lives…
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// …and has so long to answer.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a caller may take to say that it speaks HTTP/2: until then it is not asked whether it lives.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);
/// The bytes that say so (RFC 9113, section 3.4).
const PREFACE_BYTES: u64 = 24;

/// Where a server is in its life. Connections follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Calls are taken.
    Serving,
    /// Calls in flight may finish; no new connections.
    Draining,
    /// Everything ends now.
    Stopped,
}

/// Waits until the server has come to `phase`. A server that was dropped has stopped.
pub(crate) async fn reached(watch: &mut watch::Receiver<Phase>, phase: Phase) {
    // An error means that the sender is gone.
    let _ = watch.wait_for(|now| *now >= phase).await;
}

/// Serves one connection to its end.
pub(crate) async fn serve(
    io: Io,
    peer: Peer,
    front: Arc<Front>,
    mut phase: watch::Receiver<Phase>,
    _permit: OwnedSemaphorePermit,
) {
    let peer = Arc::new(peer);
    let service = service_fn(move |request| {
        let (front, peer) = (front.clone(), peer.clone());
        async move { Ok::<_, Infallible>(front.handle(&peer, request).await) }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    let heard = Arc::new(AtomicU64::new(0));
    let io = Heard { io, bytes: heard.clone() };
    let is_mute = || heard.load(Ordering::Relaxed) < PREFACE_BYTES;
    let mute = async {
        tokio::time::sleep(PREFACE_TIMEOUT).await;
        if !is_mute() {
            std::future::pending::<()>().await;
        }
    };
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let mut watching = phase.clone();
    tokio::select! {
        result = connection.as_mut() => return end(result),
        () = mute => return tracing::debug!("a caller connected and said nothing"),
        () = reached(&mut watching, Phase::Draining) => connection.as_mut().graceful_shutdown(),
    }
    if is_mute() {
        // It has asked for nothing, so nothing is lost; waiting for it would take the whole grace.
        return;
    }
    tokio::select! {
        result = connection.as_mut() => end(result),
        () = reached(&mut phase, Phase::Stopped) => {}
    }
}

fn end(result: Result<(), hyper::Error>) {
    if let Err(error) = result {
        tracing::debug!(%error, "connection ended");
    }
}

/// A connection that counts what its caller has said.
struct Heard {
    io: Io,
    bytes: Arc<AtomicU64>,
}

impl AsyncRead for Heard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.io).poll_read(cx, buffer);
        this.bytes.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        result
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// The bytes of a connection.
pub(crate) enum Io {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Io::Unix($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Io::Tcp($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Io::Tls($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => stream.poll_shutdown(cx))
    }
}
