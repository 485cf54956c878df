//! TCP with certificates.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use outrigger_proto::v1::signature_service_client::SignatureServiceClient;
use outrigger_types::TenantPolicy;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::{Echo, Fixture, batch, start};
use crate::options::{Reload, ServiceLimits, TcpOptions, TenantRule, TlsFiles};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

struct Leaf {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// A certificate with a DNS name, or with a common name alone.
fn leaf(authority: &Authority, dns: &[&str], common: Option<&str>) -> Leaf {
    let names: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("good names");
    if let Some(common) = common {
        params.distinguished_name.push(DnType::CommonName, common);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    Leaf { certificate, key }
}

fn write(directory: &Path, server: &Leaf, client_ca: &Authority) -> TlsFiles {
    let files = TlsFiles {
        certificate: directory.join("server.pem"),
        key: directory.join("server.key"),
        client_ca: Some(directory.join("clients.pem")),
    };
    std::fs::write(&files.certificate, server.certificate.pem()).expect("written");
    std::fs::write(&files.key, server.key.serialize_pem()).expect("written");
    std::fs::write(directory.join("clients.pem"), client_ca.pem()).expect("written");
    files
}

fn tenant(name: &str, certificate: &str) -> TenantRule {
    let policy = TenantPolicy::unrestricted(name);
    TenantRule { policy, uids: Vec::new(), certificate_names: vec![certificate.to_owned()], unauthenticated: false }
}

async fn connect(
    address: SocketAddr,
    trusted: &Authority,
    client: Option<&Leaf>,
) -> Result<SignatureServiceClient<Channel>, tonic::transport::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(leaf) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.key.serialize_der()));
            builder.with_client_auth_cert(vec![leaf.certificate.der().clone()], key).expect("a client certificate")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = tower::service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("sidecar.test").expect("a name");
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    let channel = Endpoint::from_static("http://sidecar.test").connect_with_connector(connect).await?;
    Ok(SignatureServiceClient::new(channel))
}

struct Secured {
    fixture: Fixture,
    address: SocketAddr,
    server_ca: Authority,
    client_ca: Authority,
    files: TlsFiles,
    _files_in: tempfile::TempDir,
}

async fn secured(tenants: Vec<TenantRule>) -> Secured {
    let directory = tempfile::tempdir().expect("a directory");
    let (server_ca, client_ca) = (authority(), authority());
    let files = write(directory.path(), &leaf(&server_ca, &["sidecar.test"], None), &client_ca);
    let tls = Some(files.clone());
    let fixture = start(&Echo::open(), |options| {
        let address = "127.0.0.1:0".parse().expect("an address");
        options.listeners.tcp = Some(TcpOptions { address, tls, insecure_loopback: false });
        options.tenants = tenants;
    })
    .await;
    let address = fixture.running.tcp().expect("a TCP listener");
    Secured { fixture, address, server_ca, client_ca, files, _files_in: directory }
}

#[tokio::test]
async fn tenants_come_from_certificates_and_strangers_get_nothing() {
    let mut first = tenant("first", "first.test");
    first.policy.calls = [outrigger_types::Call::Hash].into();
    let secured = secured(vec![first, tenant("second", "Second Node")]).await;
    let call = async |leaf: Leaf| {
        let mut client = connect(secured.address, &secured.server_ca, Some(&leaf)).await.expect("a connection");
        client.verify_batch(batch(1, 1)).await.map(|answer| answer.into_inner().verdicts)
    };
    // The names of the first tenant's certificate name it, but it may not verify; the second may.
    let denied = call(leaf(&secured.client_ca, &["FIRST.test"], Some("Second Node"))).await.expect_err("not allowed");
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert!(denied.message().contains("tenant first"), "{}", denied.message());
    let verdicts = call(leaf(&secured.client_ca, &[], Some("Second Node"))).await.expect("allowed");
    assert_eq!(verdicts.as_ref(), [1]);
    let denied = call(leaf(&secured.client_ca, &["third.test"], None)).await.expect_err("default deny");
    assert_eq!(denied.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn unknown_authorities_and_no_certificates_do_not_pass_the_handshake() {
    let secured = secured(vec![tenant("first", "first.test")]).await;
    let impostor = leaf(&authority(), &["first.test"], None);
    for client in [Some(&impostor), None] {
        // TLS 1.3 tells a client only after its first words; so the connection or the call must fail.
        let refused = match connect(secured.address, &secured.server_ca, client).await {
            Err(_) => true,
            Ok(mut client) => {
                let call = tokio::time::timeout(Duration::from_secs(5), client.verify_batch(batch(1, 1)));
                call.await.expect("not left hanging").is_err()
            }
        };
        assert!(refused);
    }
}

#[tokio::test]
async fn without_tenants_tcp_gets_nothing() {
    let secured = secured(Vec::new()).await;
    let node = leaf(&secured.client_ca, &["first.test"], None);
    let mut client = connect(secured.address, &secured.server_ca, Some(&node)).await.expect("a connection");
    assert_eq!(client.verify_batch(batch(1, 1)).await.expect_err("denied").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn certificates_are_replaced_and_broken_ones_are_not_taken() {
    let secured = secured(vec![tenant("first", "first.test")]).await;
    let node = leaf(&secured.client_ca, &["first.test"], None);
    let reload = Reload {
        limits: ServiceLimits::default(),
        tenants: vec![tenant("renamed", "first.test")],
        tls: Some(secured.files.clone()),
    };
    std::fs::write(&secured.files.certificate, "nonsense").expect("written");
    let error = secured.fixture.running.reload(&reload).expect_err("no certificate");
    assert!(error.to_string().contains("server.pem"), "{error}");
    connect(secured.address, &secured.server_ca, Some(&node)).await.expect("the old certificate is in force");

    let other = authority();
    let directory = secured.files.certificate.parent().expect("a directory");
    write(directory, &leaf(&other, &["sidecar.test"], None), &secured.client_ca);
    secured.fixture.running.reload(&reload).expect("new certificates");
    assert!(connect(secured.address, &secured.server_ca, Some(&node)).await.is_err(), "the old one is gone");
    let mut client = connect(secured.address, &other, Some(&node)).await.expect("the new one");
    client.verify_batch(batch(1, 1)).await.expect("a verdict");
}

#[test]
fn the_common_name_counts_only_where_no_name_replaces_it() {
    let names = |others: Vec<SanType>| {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, "Node");
        params.subject_alt_names = others;
        let certificate = params.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate");
        crate::tls::names(certificate.der())
    };
    let text = |text: &str| text.try_into().expect("plain text");
    assert_eq!(names(Vec::new()), ["node"]);
    assert_eq!(names(vec![SanType::IpAddress([127, 0, 0, 1].into())]), ["node"]);
    assert_eq!(names(vec![SanType::DnsName(text("Other.Example"))]), ["other.example"]);
    assert!(names(vec![SanType::URI(text("spiffe://example/wallet"))]).is_empty());
}
