//! Sockets, drain, reload, the admin port.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outrigger_types::{Call, Priority, TenantPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use super::{Echo, Fixture, batch, eventually, start};
use crate::options::{Reload, ServiceLimits, ServiceOptions, TcpOptions, TenantRule};
use crate::server::{Server, StartError};

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn rule(name: &str, uids: Vec<u32>) -> TenantRule {
    let policy = TenantPolicy::unrestricted(name);
    TenantRule { policy, uids, certificate_names: Vec::new(), unauthenticated: false }
}

#[tokio::test]
async fn the_socket_is_shut_to_others_and_gone_at_the_end() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("an entry").permissions().mode() & 0o777;
    assert_eq!(mode(&fixture.path), 0o660);
    assert_eq!(mode(fixture.path.parent().expect("a directory")), 0o750);
    fixture.running.drain(Duration::from_secs(1)).await;
    assert!(!fixture.path.exists());
    fixture.running.wait().await;
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let echo = Echo::open();
    let fixture = start(&echo, |_| {}).await;
    let again = Server::start_with(ServiceOptions::on_unix(&fixture.path, "2"), echo.executor()).await;
    let error = again.map(|_| ()).expect_err("another server answers there");
    assert!(error.to_string().contains("another server"), "{error}");
    fixture.signatures().await.verify_batch(batch(1, 1)).await.expect("the first goes on");

    let stale = fixture.directory.path().join("stale.sock");
    drop(std::os::unix::net::UnixListener::bind(&stale).expect("a socket that nobody listens on"));
    let running = Server::start_with(ServiceOptions::on_unix(&stale, "2"), echo.executor()).await.expect("replaced");
    drop(running);
    let file = fixture.directory.path().join("file");
    std::fs::write(&file, "precious").expect("a file");
    let error = Server::start_with(ServiceOptions::on_unix(&file, "2"), echo.executor()).await.map(|_| ());
    assert!(error.expect_err("not a socket").to_string().contains("not a socket"));
    assert_eq!(std::fs::read_to_string(&file).expect("untouched"), "precious");
}

#[tokio::test]
async fn plain_tcp_is_refused_but_on_loopback_with_the_flag() {
    let tcp = |address: &str, insecure_loopback| {
        let mut options = ServiceOptions::on_unix("", "1");
        options.listeners.unix = None;
        let address = address.parse().expect("an address");
        options.listeners.tcp = Some(TcpOptions { address, tls: None, insecure_loopback });
        Server::start_with(options, Echo::open().executor())
    };
    for (address, flag) in [("0.0.0.0:0", true), ("0.0.0.0:0", false), ("127.0.0.1:0", false)] {
        let error = tcp(address, flag).await.map(|_| ()).expect_err("refused");
        assert!(matches!(error, StartError::Listen(_)), "{error}");
    }
    assert!(tcp("127.0.0.1:0", true).await.is_ok());
}

#[tokio::test]
async fn tenants_are_told_apart_by_user_and_held_to_their_policy() {
    let mut allowed = rule("node", vec![own_uid()]);
    allowed.policy.calls = [Call::Verify].into();
    allowed.policy.rulesets = [outrigger_types::Ruleset::EthereumTransaction].into();
    allowed.policy.priority_max = Priority::Mempool;
    let fixture = start(&Echo::open(), |options| options.tenants = vec![allowed, rule("other", vec![4_000_000])]).await;
    let mut client = fixture.signatures().await;
    client.verify_batch(batch(1, 1)).await.expect("allowed");
    let mut urgent = batch(1, 1);
    urgent.priority = 4;
    let error = client.verify_batch(urgent).await.expect_err("over the ceiling");
    assert_eq!(error.code(), Code::PermissionDenied);
    let mut other = batch(1, 1);
    other.ruleset = outrigger_types::Ruleset::Fabric.number();
    assert_eq!(client.verify_batch(other).await.expect_err("ruleset").code(), Code::PermissionDenied);
    let recover = outrigger_proto::v1::RecoverBatchRequest { ruleset: 1, ..Default::default() };
    assert_eq!(client.recover_batch(recover).await.expect_err("call").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_reload_counts_from_the_next_call_and_a_broken_one_not_at_all() {
    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = fixture.signatures().await;
    let reload = |tenants, items_max| Reload {
        limits: ServiceLimits { items_max, ..ServiceLimits::default() },
        tenants,
        tls: None,
    };
    let broken = reload(vec![rule("a", vec![1]), rule("b", vec![1])], 1);
    assert!(fixture.running.reload(&broken).is_err());
    client.verify_batch(batch(2, 1)).await.expect("as before");
    fixture.running.reload(&reload(Vec::new(), 1)).expect("new limits");
    assert_eq!(client.verify_batch(batch(2, 1)).await.expect_err("limit").code(), Code::ResourceExhausted);
    fixture.running.reload(&reload(vec![rule("a", vec![4_000_000])], 10)).expect("new tenants");
    let error = client.verify_batch(batch(2, 1)).await.expect_err("no longer a tenant");
    assert_eq!(error.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_drain_lets_calls_finish_and_takes_no_new_ones() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |options| options.listeners.admin = "127.0.0.1:0".parse().ok()).await;
    let mut client = fixture.signatures().await;
    let call = tokio::spawn(async move { client.verify_batch(batch(1, 2)).await });
    eventually("the call is in flight", || echo.in_flight.load(Ordering::SeqCst) == 1).await;
    let (report, ()) = tokio::join!(fixture.running.drain(Duration::from_secs(5)), async {
        eventually("not ready", || !fixture.running.is_ready()).await;
        let (code, _) = get(&fixture, "/readyz").await;
        assert_eq!(code, 503);
        assert_eq!(get(&fixture, "/livez").await.0, 200);
        echo.gate.add_permits(1);
    });
    assert_eq!(report.connections_cut, 0);
    let answer = call.await.expect("no panic").expect("the call has finished").into_inner();
    assert_eq!(answer.verdicts.as_ref(), [2]);
    assert!(tokio::net::UnixStream::connect(&fixture.path).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_drain_does_not_wait_for_watchers_nor_for_the_mute() {
    use tonic_health::pb::health_client::HealthClient;
    use tonic_health::pb::{HealthCheckRequest, health_check_response};

    let fixture = start(&Echo::open(), |_| {}).await;
    let mut client = HealthClient::new(fixture.channel().await);
    let mut watch = client.watch(HealthCheckRequest::default()).await.expect("a watch").into_inner();
    let first = watch.message().await.expect("an answer").expect("an answer");
    assert_eq!(first.status(), health_check_response::ServingStatus::Serving);
    let mute = tokio::net::UnixStream::connect(&fixture.path).await.expect("a connection");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let report = fixture.running.drain(Duration::from_secs(5)).await;
    assert_eq!(report.connections_cut, 0);
    assert!(report.took < Duration::from_secs(3), "{:?}", report.took);
    let last = watch.message().await.expect("an answer").expect("an answer");
    assert_eq!(last.status(), health_check_response::ServingStatus::NotServing);
    assert_eq!(watch.message().await.expect_err("the end").code(), Code::Unavailable);
    drop(mute);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_says_nothing_does_not_keep_its_place() {
    let fixture = start(&Echo::open(), |options| options.listeners.connections_max = 1).await;
    let mut mute = tokio::net::UnixStream::connect(&fixture.path).await.expect("a connection");
    mute.write_all(b"PRI * HTTP/2.0").await.expect("a beginning");
    let ended = tokio::time::timeout(Duration::from_secs(60), mute.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "the place is free again");
}

#[tokio::test]
async fn a_drain_cuts_what_does_not_finish() {
    let echo = Echo::with(0, Duration::ZERO);
    let fixture = start(&echo, |_| {}).await;
    let mut client = fixture.signatures().await;
    let call = tokio::spawn(async move { client.verify_batch(batch(1, 2)).await });
    eventually("the call is in flight", || echo.in_flight.load(Ordering::SeqCst) == 1).await;
    let report = fixture.running.drain(Duration::from_millis(100)).await;
    assert_eq!(report.connections_cut, 1);
    assert!(report.took < Duration::from_secs(2));
    assert!(call.await.expect("no panic").is_err());
    eventually("the work is dropped", || echo.in_flight.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn the_admin_port_answers_probes() {
    let fixture = start(&Echo::open(), |options| options.listeners.admin = "127.0.0.1:0".parse().ok()).await;
    assert_eq!(get(&fixture, "/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(get(&fixture, "/readyz").await, (200, "ready\n".to_owned()));
    let (code, body) = get(&fixture, "/version").await;
    assert_eq!((code, body.contains("\"1.2.3\"")), (200, true));
    assert_eq!(get(&fixture, "/metrics").await.0, 404);
}

#[tokio::test]
async fn metrics_are_rendered_with_bounded_labels() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Other tests of this process may count too; nothing here depends on exact figures.
    let _ = metrics::set_global_recorder(recorder);
    let adapt = |options: &mut ServiceOptions| {
        options.listeners.admin = "127.0.0.1:0".parse().ok();
        options.metrics = Some(handle);
    };
    let fixture = start(&Echo::open(), adapt).await;
    fixture.signatures().await.verify_batch(batch(1, 1)).await.expect("a verdict");
    let (code, body) = get(&fixture, "/metrics").await;
    assert_eq!(code, 200);
    let line = "outrigger_rpc_requests_total{method=\"SignatureService/VerifyBatch\",tenant=\"local\",code=\"OK\"}";
    assert!(body.contains(line), "{body}");
    assert!(body.contains("outrigger_rpc_seconds"), "{body}");
}

#[tokio::test]
async fn gauges_are_brought_up_to_date_before_each_page() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let pages = AtomicU64::new(0);
    let refresh = move || {
        let page = pages.fetch_add(1, Ordering::SeqCst) + 1;
        metrics::with_local_recorder(&recorder, || metrics::gauge!("pages").set(page as f64));
    };
    let adapt = |options: &mut ServiceOptions| {
        options.listeners.admin = "127.0.0.1:0".parse().ok();
        options.metrics = Some(handle);
        options.refresh = Some(Arc::new(refresh));
    };
    let fixture = start(&Echo::open(), adapt).await;
    for page in 1..=3 {
        let (code, body) = get(&fixture, "/metrics").await;
        assert_eq!(code, 200);
        assert!(body.lines().any(|line| line == format!("pages {page}")), "{body}");
    }
}

async fn get(fixture: &Fixture, path: &str) -> (u16, String) {
    let address = fixture.running.admin().expect("an admin listener");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (code, body.to_owned())
}
