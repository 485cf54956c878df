//! Tenants by certificate, over TCP.

use std::path::Path;

use outrigger_client::{CallOptions, Client, ClientError, ClientOptions, Endpoint, Fallback, TlsOptions};
use outrigger_types::Ruleset;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::command::outrigger;
use crate::support::load::{Known, runtime};
use crate::support::sidecar::Sidecar;
use crate::support::workload::{as_file, items};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// Writes `FILE.pem` and `FILE.key` of a certificate for `name`.
fn issue(folder: &Path, authority: &Authority, file: &str, name: &str) {
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    std::fs::write(folder.join(format!("{file}.pem")), certificate.pem()).expect("written");
    std::fs::write(folder.join(format!("{file}.key")), key.serialize_pem()).expect("written");
}

/// A sidecar on TCP with two tenants, and a folder with the certificates of its callers.
fn start() -> (Sidecar, TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (authority(), authority());
    let folder = home.path();
    std::fs::write(folder.join("ca.pem"), ours.pem()).expect("written");
    issue(folder, &ours, "server", "localhost");
    issue(folder, &ours, "fabric", "peer0.org1");
    issue(folder, &ours, "fisco", "node0.fisco");
    issue(folder, &ours, "stranger", "nobody.example");
    issue(folder, &theirs, "forger", "peer0.org1");
    let at = |file: &str| folder.join(file).display().to_string();
    let tenant = |name: &str, certificate: &str, ruleset: &str| {
        format!(
            "[[tenants]]\nname = \"{name}\"\ncertificate_names = [\"{certificate}\"]\ncalls = [\"verify\"]\n\
             rulesets = [\"{ruleset}\"]\n"
        )
    };
    let config = format!(
        "[listen]\ntcp = \"127.0.0.1:0\"\n[listen.tls]\ncertificate = {:?}\nkey = {:?}\nclient_ca = {:?}\n{}{}",
        at("server.pem"),
        at("server.key"),
        at("ca.pem"),
        tenant("peers", "peer0.org1", "fabric"),
        tenant("nodes", "node0.fisco", "fisco-sm2"),
    );
    (Sidecar::start_with(&config), home)
}

async fn connect(sidecar: &Sidecar, home: &TempDir, who: Option<&str>) -> Result<Client, ClientError> {
    let endpoint: Endpoint = format!("https://{}", sidecar.tcp()).parse().expect("an endpoint");
    let at = |file: String| home.path().join(file);
    let tls = TlsOptions {
        ca: Some(at("ca.pem".into())),
        client_certificate: who.map(|who| at(format!("{who}.pem"))),
        client_key: who.map(|who| at(format!("{who}.key"))),
        domain: Some("localhost".into()),
    };
    Client::connect(ClientOptions { tls, fallback: Fallback::None, ..ClientOptions::new(endpoint) }).await
}

#[test]
fn certificates_tell_tenants_apart() {
    let (sidecar, home) = start();
    let runtime = runtime();
    let work = |ruleset| Known::new(ruleset, &items(ruleset, 12, 3, 8));
    let (fabric, sm2) = (work(Ruleset::Fabric), work(Ruleset::FiscoSm2));
    for (who, name, own, foreign) in [("fabric", "peers", &fabric, &sm2), ("fisco", "nodes", &sm2, &fabric)] {
        let client = runtime.block_on(connect(&sidecar, &home, Some(who))).expect("a tenant");
        assert_eq!(runtime.block_on(client.capabilities()).expect("an answer").tenant, name);
        let answer = runtime.block_on(client.run(own.work.clone(), CallOptions::default())).expect("its ruleset");
        assert_eq!(answer.output.verdicts[..], own.expected[..]);
        let error =
            runtime.block_on(client.run(foreign.work.clone(), CallOptions::default())).expect_err("not its own");
        assert!(matches!(error, ClientError::PermissionDenied(_)), "{error}");
    }
    let stranger = runtime.block_on(connect(&sidecar, &home, Some("stranger"))).expect("TLS takes it");
    let error = runtime.block_on(stranger.run(fabric.work.clone(), CallOptions::default())).expect_err("no tenant");
    assert!(matches!(&error, ClientError::PermissionDenied(what) if what.contains("nobody.example")), "{error}");
    for who in [Some("forger"), None] {
        let error = runtime.block_on(connect(&sidecar, &home, who)).expect_err("TLS refuses it");
        assert!(matches!(error, ClientError::Unavailable { .. }), "{error}");
    }
    // Tenants by certificate alone: the Unix socket has none for this user.
    let local = runtime.block_on(async { Client::connect(sidecar.client_options()).await }).expect("it answers");
    let error = runtime.block_on(local.run(fabric.work.clone(), CallOptions::default())).expect_err("default deny");
    assert!(matches!(error, ClientError::PermissionDenied(_)), "{error}");
}

#[test]
fn the_command_line_presents_a_certificate() {
    let (sidecar, home) = start();
    let port = sidecar.tcp().rsplit(':').next().expect("a port");
    let endpoint = format!("https://localhost:{port}");
    let at = |file: &str| home.path().join(file).display().to_string();
    let good = items(Ruleset::Fabric, 3, 0, 1);
    let file = as_file(Ruleset::Fabric, &good);
    let (ca, certificate, key) = (at("ca.pem"), at("fabric.pem"), at("fabric.key"));
    let command = ["verify", "--ruleset", "fabric", "--items", "-", "--json", "--endpoint", &endpoint];
    let ran =
        outrigger(&[&command[..], &["--tls-ca", &ca, "--tls-cert", &certificate, "--tls-key", &key]].concat(), &file);
    assert_eq!(ran.json(), serde_json::json!({"verdicts": ["valid", "valid", "valid"]}));
    let without = outrigger(&[&command[..], &["--tls-ca", &ca]].concat(), &file);
    assert_eq!(without.status, 1, "{}", without.stderr);
}
