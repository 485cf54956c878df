//! TCP and TLS: a proxy stands before the fake sidecar's Unix socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::fake::Fake;
use super::{client, options, verify_work};
use crate::{CallOptions, Client, ClientError, ClientOptions, Endpoint, Origin, TlsOptions};

async fn forward(mut from: impl AsyncRead + AsyncWrite + Unpin, path: PathBuf) {
    let mut to = UnixStream::connect(path).await.unwrap();
    // A client that goes away ends the copy with an error that is of no interest.
    let _ = copy_bidirectional(&mut from, &mut to).await;
}

/// Listens on a loopback port, and forwards what passes TLS, where there is any.
async fn proxy(path: PathBuf, tls: Option<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, path) = (tls.clone(), path.clone());
            tokio::spawn(async move {
                match tls {
                    None => forward(stream, path).await,
                    Some(tls) => {
                        // A client that does not pass is what some tests are about.
                        if let Ok(stream) = tls.accept(stream).await {
                            forward(stream, path).await;
                        }
                    }
                }
            });
        }
    });
    port
}

/// A self-signed certificate, its key beside it.
struct Identity {
    own: rcgen::CertifiedKey<rcgen::KeyPair>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Identity {
    fn new(folder: &Path, name: &str) -> Self {
        let own = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&certificate, own.cert.pem()).unwrap();
        std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
        Self { own, certificate, key }
    }
}

/// Asks for a client's certificate, and trusts that of `node` alone.
fn acceptor(sidecar: &Identity, node: &Identity) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(node.own.cert.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let key = PrivateKeyDer::try_from(sidecar.own.signing_key.serialize_der()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![sidecar.own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn plain_tcp_works() {
    let fake = Fake::start();
    let port = proxy(fake.path.clone(), None).await;
    let endpoint = Endpoint::Http { host: "127.0.0.1".to_owned(), port };
    let client = client(ClientOptions { endpoint, ..options(&fake) }).await;
    assert_eq!(client.run(verify_work(3), CallOptions::default()).await.unwrap().origin, Origin::Sidecar);
}

#[tokio::test]
async fn mutual_tls_works_and_nothing_less() {
    let fake = Fake::start();
    let folder = tempfile::tempdir().unwrap();
    let sidecar = Identity::new(folder.path(), "sidecar.example");
    let node = Identity::new(folder.path(), "node.example");
    let port = proxy(fake.path.clone(), Some(acceptor(&sidecar, &node))).await;
    let right = TlsOptions {
        ca: Some(sidecar.certificate.clone()),
        client_certificate: Some(node.certificate.clone()),
        client_key: Some(node.key.clone()),
        domain: Some("sidecar.example".to_owned()),
    };
    let with = |tls| {
        let endpoint = Endpoint::Https { host: "127.0.0.1".to_owned(), port };
        Client::connect(ClientOptions { endpoint, tls, ..options(&fake) })
    };
    let client = with(right.clone()).await.unwrap();
    assert_eq!(client.capabilities().await.unwrap().version, "fake");

    let unreachable = [
        TlsOptions { client_certificate: None, client_key: None, ..right.clone() },
        TlsOptions { domain: None, ..right.clone() },
        TlsOptions { ca: Some(node.certificate.clone()), ..right.clone() },
    ];
    for tls in unreachable {
        let error = with(tls).await.unwrap_err();
        assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
    }
    let wrong = [
        TlsOptions { ca: None, ..right.clone() },
        TlsOptions { ca: Some(folder.path().join("absent.pem")), ..right.clone() },
        TlsOptions { client_key: None, ..right.clone() },
        TlsOptions { ca: Some(sidecar.key.clone()), ..right },
    ];
    for tls in wrong {
        let error = with(tls).await.unwrap_err();
        assert!(matches!(error, ClientError::InvalidArgument { .. }), "{error}");
    }
}
