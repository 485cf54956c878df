//! Pages of the admin listener, over HTTP/1.1.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::{Error, Snapshot, Source};

/// How long the sidecar may take for a page. It renders one in milliseconds; a machine that is out of breath gets more.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a page. A sidecar's are some tens of thousands; something else must not fill the memory.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What one look at a sidecar gave.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Its metrics.
    pub(crate) snapshot: Snapshot,
    /// When they came.
    pub(crate) taken: Instant,
    /// Its version, where it says.
    pub(crate) version: Option<String>,
    /// Whether it takes calls, where it says.
    pub(crate) ready: Option<bool>,
}

/// Fetches pages; keeps its connection.
pub(crate) struct Fetcher {
    client: Client<HttpConnector, Empty<Bytes>>,
    source: Source,
}

/// A page as it came.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// When its head came. The figures are of about then, however long the rest took.
    taken: Instant,
}

impl Fetcher {
    pub(crate) fn new(source: Source) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), source }
    }

    /// Looks at the sidecar.
    ///
    /// # Errors
    /// [`Error::Away`] or [`Error::NotASidecar`].
    pub(crate) async fn sample(&self) -> Result<Sample, Error> {
        let url = self.source.metrics();
        let page = self.page(url).await.map_err(|why| Error::Away { url: url.to_string(), why })?;
        let taken = page.taken;
        let snapshot = read_metrics(&page).map_err(|fault| fault.at(url))?;
        let version = self.version().await;
        if snapshot.names().next().is_none() && version.is_none() {
            let why = "the page is empty, and there is no /version that names Outrigger".to_owned();
            return Err(Error::NotASidecar { url: url.to_string(), why });
        }
        Ok(Sample { snapshot, taken, version, ready: self.ready().await })
    }

    /// The version that a sidecar names beside its metrics.
    async fn version(&self) -> Option<String> {
        let page = self.page(&self.source.beside("/version")?).await.ok()?;
        let about: serde_json::Value = serde_json::from_slice(&page.body).ok()?;
        let is_ours = page.status == StatusCode::OK && about.get("name")? == "outrigger";
        is_ours.then(|| about.get("version")?.as_str().map(str::to_owned)).flatten()
    }

    /// Whether it takes calls.
    async fn ready(&self) -> Option<bool> {
        match self.page(&self.source.beside("/readyz")?).await.ok()?.status {
            StatusCode::OK => Some(true),
            StatusCode::SERVICE_UNAVAILABLE => Some(false),
            _ => None,
        }
    }

    /// A page, whatever it says; or why there is none.
    async fn page(&self, url: &Uri) -> Result<Page, String> {
        let request = Request::get(url).header(USER_AGENT, concat!("outrigger-top/", env!("CARGO_PKG_VERSION")));
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        let page = async {
            let response = self.client.request(request).await.map_err(|error| innermost(&error))?;
            let taken = Instant::now();
            let (head, body) = response.into_parts();
            let body = Limited::new(body, PAGE_BYTES_MAX).collect().await.map_err(|error| innermost(&*error))?;
            Ok(Page { status: head.status, headers: head.headers, body: body.to_bytes(), taken })
        };
        match tokio::time::timeout(PATIENCE, page).await {
            Ok(page) => page,
            Err(_) => Err(format!("nothing came for {} s", PATIENCE.as_secs())),
        }
    }
}

/// What is wrong with a page.
enum Fault {
    /// It may be better next time.
    Passing(String),
    /// It is not a sidecar's.
    Foreign(String),
}

impl Fault {
    fn at(self, url: &Uri) -> Error {
        let url = url.to_string();
        match self {
            Self::Passing(why) => Error::Away { url, why },
            Self::Foreign(why) => Error::NotASidecar { url, why },
        }
    }
}

fn read_metrics(page: &Page) -> Result<Snapshot, Fault> {
    let text = std::str::from_utf8(&page.body);
    if page.status.is_server_error() {
        return Err(Fault::Passing(format!("it answers {}", page.status)));
    }
    if page.status != StatusCode::OK {
        let said = text.unwrap_or_default().lines().next().unwrap_or_default();
        let said: String = said.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(Fault::Foreign(format!("it answers {} ({said:?})", page.status)));
    }
    let kind = page.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("nothing known");
    if !kind.starts_with("text/plain") {
        return Err(Fault::Foreign(format!("it is {kind:?}, not text/plain")));
    }
    let text = text.map_err(|_| Fault::Foreign("it is not text".to_owned()))?;
    let snapshot = Snapshot::parse(text).map_err(|error| Fault::Foreign(error.to_string()))?;
    let is_ours = snapshot.names().any(|name| name.starts_with("outrigger_"));
    if !is_ours && let Some(first) = snapshot.names().next() {
        return Err(Fault::Foreign(format!("none of its metrics is Outrigger's; the first is {first}")));
    }
    Ok(snapshot)
}

/// What an error comes from: the outer ones say only that something was tried.
fn innermost(mut error: &(dyn std::error::Error + 'static)) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests;
