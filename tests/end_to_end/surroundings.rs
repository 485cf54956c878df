//! Configuration, devices, pages, the demo: what is around the work.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use outrigger_client::Health;
use serde_json::json;

use crate::support::command::outrigger;
use crate::support::sidecar::Sidecar;

#[test]
fn a_sidecar_says_where_it_serves_and_how_it_is() {
    let sidecar = Sidecar::start();
    let socket = sidecar.socket();
    assert_eq!(sidecar.unix_said(), socket.to_str());
    // Which one depends on the machine.
    let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hw-profiles");
    assert!(profiles.join(format!("{}.toml", sidecar.profile())).exists(), "{}", sidecar.profile());
    let mode = std::fs::metadata(&socket).expect("the socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o660, "owner and group may connect, others not");
    assert_eq!(sidecar.page("/livez"), ("HTTP/1.1 200 OK".into(), "ok\n".into()));
    assert_eq!(sidecar.page("/readyz"), ("HTTP/1.1 200 OK".into(), "ready\n".into()));
    let version: serde_json::Value = serde_json::from_str(&sidecar.page("/version").1).expect("JSON");
    assert_eq!(version, json!({"name": "outrigger", "version": env!("CARGO_PKG_VERSION")}));
    assert!(sidecar.page("/secrets").0.contains("404"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (health, capabilities) = runtime.block_on(async {
        let client = sidecar.client().await;
        (client.health().await.expect("an answer"), client.capabilities().await.expect("an answer"))
    });
    assert_eq!(health, Health::Serving);
    assert_eq!((capabilities.rulesets.len(), capabilities.hashes.len()), (15, 8));
    assert_eq!(capabilities.tenant, "local");
}

#[test]
fn a_second_sidecar_does_not_push_the_first_from_its_socket() {
    let sidecar = Sidecar::start();
    let socket = sidecar.socket();
    let ran = outrigger(&["serve", "--admin", "127.0.0.1:0", "--unix", socket.to_str().expect("UTF-8")], "");
    assert_eq!(ran.status, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("another server answers"), "{}", ran.stderr);
    assert_eq!(sidecar.page("/livez").1, "ok\n");
}

#[test]
fn tcp_without_tls_needs_loopback_and_a_flag() {
    for (address, more, words) in [
        ("0.0.0.0:0", &["--insecure-loopback"][..], "not a loopback address"),
        ("127.0.0.1:0", &[], "insecure_loopback"),
    ] {
        let ran = outrigger(&[&["serve", "--unix", "", "--admin", "", "--tcp", address], more].concat(), "");
        assert_eq!(ran.status, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn check_config_shows_what_a_configuration_means() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("good.toml");
    let text =
        "drain_grace = \"3s\"\n[[tenants]]\nname = \"node\"\nuids = [1000]\ncalls = [\"verify\"]\nrulesets = [\"*\"]\n";
    std::fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("UTF-8");
    let plain = outrigger(&["check-config", "--config", path], "");
    assert_eq!(plain.status, 0, "{}", plain.stderr);
    let told: toml::Table = plain.stdout.parse().expect("TOML, as the file is");
    assert_eq!(told["drain_grace"].as_str(), Some("3s"));
    assert_eq!(told["tenants"][0]["name"].as_str(), Some("node"));
    let json = outrigger(&["check-config", "--config", path, "--json"], "").json();
    assert_eq!(json["ok"], true);
    // What it tells is a configuration again, and means the same.
    let again = folder.path().join("again.toml");
    std::fs::write(&again, &plain.stdout).expect("a file");
    let again = outrigger(&["check-config", "--config", again.to_str().expect("UTF-8")], "");
    // Its comments say how the profile was chosen: first by the machine, then by its name.
    let values = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    assert_eq!(values(&again.stdout), values(&plain.stdout), "{}", again.stderr);
}

#[test]
fn check_config_shows_all_errors_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bad.toml");
    let text = "drain_grace = \"soon\"\ncolour = \"red\"\n[listen]\nunixx = \"/tmp/x\"\ntcp = \"0.0.0.0:7443\"\n\
                [[tenants]]\nname = \"node\"\nrulesets = [\"fabrik\"]\n";
    std::fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("UTF-8");
    let plain = outrigger(&["check-config", "--config", path], "");
    assert_eq!((plain.status, plain.stdout.as_str()), (2, ""));
    let wanted = ["drain_grace", "colour", "listen.unixx", "listen.tcp", "fabrik", "no caller is of this tenant"];
    for word in wanted {
        assert!(plain.stderr.contains(word), "{word}: {}", plain.stderr);
    }
    let ran = outrigger(&["check-config", "--config", path, "--json"], "");
    assert_eq!(ran.status, 2);
    let json = ran.json_whatever_the_status();
    assert_eq!(json["ok"], false);
    let errors = json["errors"].as_array().expect("a list");
    assert_eq!(errors.len(), wanted.len(), "{errors:?}");
    for error in errors {
        let fields: Vec<_> = error.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(fields, ["key", "message", "origin"]);
        assert!(error["origin"].as_str().is_some_and(|origin| origin.contains("bad.toml")), "{error}");
    }
    let serve = outrigger(&["serve", "--config", path], "");
    assert_eq!(serve.status, 2, "a sidecar does not start on it: {}", serve.stderr);
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.toml");
    std::fs::write(&path, "[log]\nfilter = \"warn\"\n[threads]\nverify = 2\nio = 3\n").expect("a file");
    let ran = crate::support::command::program()
        .args(["check-config", "--threads", "7", "--config"])
        .arg(&path)
        .env("OUTRIGGER_THREADS__VERIFY", "5")
        .env("OUTRIGGER_THREADS__IO", "4")
        .output()
        .expect("it runs");
    let told: toml::Table = String::from_utf8(ran.stdout).expect("text").parse().expect("TOML");
    assert_eq!(told["threads"]["verify"].as_integer(), Some(7));
    assert_eq!(told["threads"]["io"].as_integer(), Some(4));
    assert_eq!(told["log"]["filter"].as_str(), Some("warn"));
}

#[test]
fn devices_are_listed_with_what_they_can_do() {
    let json = outrigger(&["devices", "--json"], "").json();
    let devices = json["devices"].as_array().expect("a list");
    let has_vector = outrigger_algorithms::Unit::detect().is_some();
    assert_eq!(devices.len(), if has_vector { 2 } else { 1 });
    assert!(!has_vector || devices[1]["backend"] == "vector" && devices[1]["parallelism"] == devices[0]["parallelism"]);
    let absent = if has_vector { json!(["cuda", "opencl"]) } else { json!(["cuda", "opencl", "vector"]) };
    assert_eq!(json["absent"], absent);
    assert_eq!(devices[0]["backend"], "cpu");
    assert_eq!(devices[0]["rulesets"].as_array().map(Vec::len), Some(15));
    assert_eq!(devices[0]["hashes"].as_array().map(Vec::len), Some(8));
    assert!(devices[0]["parallelism"].as_u64().is_some_and(|threads| threads >= 1));
    assert!(outrigger(&["devices"], "").stdout.contains("fisco-sm2"));
}

#[test]
fn the_demo_finds_every_bad_one_and_prints_its_keys() {
    let json = outrigger(&["demo", "--rate", "400", "--seconds", "2", "--json"], "").json();
    assert_eq!(json["wrong_verdicts"], 0, "{json}");
    assert_eq!(json["transactions"], 800);
    assert_eq!(json["bad_found"], json["bad_planted"]);
    assert!(json["bad_planted"].as_u64().is_some_and(|bad| bad > 0), "{json}");
    assert!(json["transactions_per_second"].as_f64().is_some_and(|rate| rate > 0.0 && rate <= 400.0), "{json}");
    let by_backend = json["items_by_backend"].as_object().expect("a table");
    assert!(by_backend.keys().all(|backend| ["cpu", "vector"].contains(&backend.as_str())), "{json}");
    assert_eq!(by_backend.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), 800, "{json}");
    let latency = |name: &str| json["block_latency_ms"][name].as_f64().expect("a number");
    assert!(latency("p50") > 0.0 && latency("p50") <= latency("p99"), "{json}");
    let proof = &json["proof"];
    assert_eq!((&proof["circuit"], &proof["verified"]), (&json!("merkle-membership"), &json!(true)));
    let ms = |name: &str| proof[name].as_f64().expect("a number");
    assert!(ms("witness_ms") > 0.0 && ms("prove_ms") > 0.0, "{proof}");
    assert!(ms("round_trip_ms") >= ms("prove_ms"), "{proof}");
}
