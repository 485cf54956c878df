//! A server for tests that answers like an admin listener, or unlike one, and that goes away and comes back.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::Source;

/// What it answers, and how often it was asked for metrics.
#[derive(Clone, Default)]
struct Pages {
    answers: Arc<Mutex<HashMap<&'static str, String>>>,
    asked: Arc<AtomicUsize>,
}

/// A server on a port of its own.
pub(crate) struct Fake {
    address: SocketAddr,
    pages: Pages,
    serving: JoinHandle<()>,
}

impl Fake {
    /// A sidecar that says these metrics, its version and that it is ready.
    pub(crate) async fn sidecar(metrics: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let pages = Pages::default();
        let fake = Self { address, serving: tokio::spawn(serve(listener, pages.clone())), pages };
        fake.says(metrics);
        fake.answers("/version", "200 OK", "application/json", "{\"name\":\"outrigger\",\"version\":\"9.8.7\"}\n");
        fake.answers("/readyz", "200 OK", "text/plain", "ready\n");
        fake
    }

    /// Says these metrics from now on.
    pub(crate) fn says(&self, metrics: &str) {
        self.answers("/metrics", "200 OK", "text/plain; version=0.0.4", metrics);
    }

    /// Answers a path like this from now on.
    pub(crate) fn answers(&self, path: &'static str, status: &str, kind: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        self.pages.answers.lock().expect("no panic").insert(path, head + body);
    }

    /// Has no such page from now on.
    pub(crate) fn lacks(&self, path: &'static str) {
        self.answers(path, "404 Not Found", "text/plain", "nothing here\n");
    }

    /// Closes its port and all connections.
    pub(crate) async fn go_away(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Opens the same port again.
    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its own port");
        self.serving = tokio::spawn(serve(listener, self.pages.clone()));
    }

    /// Waits until it was asked for metrics so many times more. Who asks again has seen the answers before.
    pub(crate) async fn asked(&self, times: usize) {
        let enough = self.pages.asked.load(Ordering::Relaxed) + times;
        while self.pages.asked.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Where its metrics are.
    pub(crate) fn source(&self) -> Source {
        self.address.to_string().parse().expect("a source")
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, pages: Pages) {
    // Dropped with this task, so that no connection outlives the port.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, pages.clone()));
    }
}

/// Answers the requests of a connection until its other end closes it.
async fn answer(mut stream: TcpStream, pages: Pages) -> io::Result<()> {
    let mut read = Vec::new();
    while stream.read_buf(&mut read).await? > 0 {
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        read.drain(..head.len() + 4);
        let page = pages.answers.lock().expect("no panic").get(path.as_str()).cloned();
        if path == "/metrics" {
            pages.asked.fetch_add(1, Ordering::Relaxed);
        }
        stream
            .write_all(page.as_deref().unwrap_or("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .await?;
    }
    Ok(())
}
