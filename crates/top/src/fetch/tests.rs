use std::time::Duration;

use tokio::net::TcpListener;

use super::{Fetcher, PAGE_BYTES_MAX, PATIENCE};
use crate::fake::Fake;
use crate::{Error, Labels};

const PAGE: &str = "# TYPE outrigger_cache_total counter\noutrigger_cache_total 7\n";

async fn refused(fake: &Fake) -> Error {
    Fetcher::new(fake.source()).sample().await.expect_err("no metrics of a sidecar")
}

/// What is wrong for good, and what to do about it.
async fn foreign(fake: &Fake, expected: &str) {
    let error = refused(fake).await;
    let said = error.to_string();
    assert!(matches!(error, Error::NotASidecar { .. }), "{error:?}");
    assert!(said.contains(expected) && said.contains("listen.admin"), "{said}");
    assert!(!said.contains(char::is_control), "{said:?}");
}

#[tokio::test]
async fn a_sidecar_says_its_metrics_its_version_and_whether_it_is_ready() {
    let fake = Fake::sidecar(PAGE).await;
    let fetcher = Fetcher::new(fake.source());
    let sample = fetcher.sample().await.expect("metrics");
    assert_eq!(sample.snapshot.value("outrigger_cache_total", &Labels::default()), Some(7.0));
    assert_eq!((sample.version.as_deref(), sample.ready), (Some("9.8.7"), Some(true)));
    fake.answers("/readyz", "503 Service Unavailable", "text/plain", "draining\n");
    assert_eq!(fetcher.sample().await.expect("metrics").ready, Some(false));
    fake.lacks("/readyz");
    fake.answers("/version", "200 OK", "application/json", "{\"name\":\"another\",\"version\":\"1\"}");
    let sample = fetcher.sample().await.expect("metrics alone are enough");
    assert_eq!((sample.version, sample.ready), (None, None));
}

#[tokio::test]
async fn what_is_no_sidecar_is_told_apart() {
    let fake = Fake::sidecar(PAGE).await;
    fake.answers("/metrics", "200 OK", "text/html; charset=utf-8", "<!doctype html><title>Router</title>");
    foreign(&fake, "\"text/html; charset=utf-8\", not text/plain").await;
    fake.answers("/metrics", "200 OK", "text/plain", "<!doctype html>");
    foreign(&fake, "line 1: no name of a metric").await;
    fake.answers("/metrics", "404 Not Found", "text/plain", "no metrics are recorded\n\u{1b}[2J");
    foreign(&fake, "404 Not Found (\"no metrics are recorded\")").await;
    fake.answers("/metrics", "302 Found", "text/html", "");
    foreign(&fake, "302 Found").await;
    fake.says("# TYPE node_load1 gauge\nnode_load1 0.5\n");
    foreign(&fake, "none of its metrics is Outrigger's; the first is node_load1").await;
}

#[tokio::test]
async fn an_empty_page_is_of_a_sidecar_that_says_so() {
    let fake = Fake::sidecar("").await;
    assert!(Fetcher::new(fake.source()).sample().await.is_ok(), "it has counted nothing yet");
    fake.lacks("/version");
    foreign(&fake, "the page is empty").await;
}

#[tokio::test]
async fn what_may_pass_is_not_held_against_it() {
    let mut fake = Fake::sidecar(PAGE).await;
    fake.answers("/metrics", "500 Internal Server Error", "text/html", "<p>");
    let error = refused(&fake).await;
    assert!(matches!(&error, Error::Away { why, .. } if why.contains("500 Internal")), "{error:?}");
    fake.go_away().await;
    let error = refused(&fake).await;
    assert!(matches!(&error, Error::Away { why, .. } if why.contains("refused")), "{error:?}");
    assert!(error.to_string().contains("start the sidecar"), "{error}");
    fake.says(PAGE);
    fake.come_back().await;
    assert!(Fetcher::new(fake.source()).sample().await.is_ok());
}

#[tokio::test]
async fn a_page_without_end_is_given_up() {
    let fake = Fake::sidecar(&"# ".repeat(PAGE_BYTES_MAX / 2 + 1)).await;
    let error = refused(&fake).await;
    assert!(matches!(&error, Error::Away { why, .. } if why.contains("length limit")), "{error:?}");
}

/// The clock stands still but for timers, so this takes no five seconds.
#[tokio::test(start_paused = true)]
async fn silence_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let source = listener.local_addr().expect("an address").to_string().parse().expect("a source");
    let begun = tokio::time::Instant::now();
    let error = Fetcher::new(source).sample().await.expect_err("it says nothing");
    assert!(matches!(&error, Error::Away { why, .. } if why.contains("nothing came for 5 s")), "{error:?}");
    assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < PATIENCE + Duration::from_secs(1));
}
