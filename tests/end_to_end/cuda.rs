//! A sidecar with CUDA devices, each behind a worker of its own, on the double of the driver: and what is said where a
//! part of that is missing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use outrigger_algorithms::{planted, registry};
use outrigger_client::{CallOptions, Client};
use outrigger_types::{Backend, HashAlgorithm, MerkleTree, Operation, Output, Ruleset, Work};

use crate::support::command::{program, run};
use crate::support::cuda::{Environment, Faults, doubles, no_driver};
use crate::support::device::alone;
use crate::support::sidecar::Sidecar;
use crate::support::workload::{as_file, as_work, expected, items};

/// How long the trials of two doubles may take, on a machine that does other things too.
const TRIED_WITHIN: Duration = Duration::from_secs(300);
const ON_CUDA: fn() -> CallOptions = || CallOptions { backend: Some(Backend::Cuda), ..CallOptions::default() };
/// Everything is judged again.
const CONFIG: &str = "[devices]\naudit_per_million = 1000000\n";

/// The answer of a CUDA device, as soon as one is offered.
async fn on_cuda(client: &Client, work: &Arc<Work>) -> Output {
    let until = Instant::now() + TRIED_WITHIN;
    loop {
        match client.run(work.clone(), ON_CUDA()).await {
            Ok(answer) => return answer.output,
            Err(error) => assert!(Instant::now() < until, "{:?} is not served: {error}", work.operation()),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// What `outrigger devices --json` says.
fn devices(environment: &Environment) -> serde_json::Value {
    let mut command = program();
    command.args(["devices", "--json", "--opencl", "off"]).envs(environment.iter().cloned());
    run(&mut command, "").json()
}

#[test]
fn two_gpus_answer_as_the_cores_do() {
    let _alone = alone();
    let sidecar = Sidecar::start_with_environment(CONFIG, doubles(2));
    runtime().block_on(async {
        let client = sidecar.client().await;
        for ruleset in [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::LibraEd25519] {
            let items = items(ruleset, 24, 3, 21);
            let answer = on_cuda(&client, &as_work(ruleset, &items)).await;
            assert_eq!(answer.verdicts, expected(&items), "{ruleset}");
        }
        for operation in [
            Operation::Recover(Ruleset::EthereumTransaction),
            Operation::Hash(HashAlgorithm::Sm3),
            Operation::Merkle(MerkleTree::Rfc6962, HashAlgorithm::Sha256),
        ] {
            let work = Arc::new(planted::work(operation, &planted::mixed(33)).expect("planted items"));
            let answer = on_cuda(&client, &work).await;
            assert_eq!(answer, registry::run(&work, 0..work.items()), "{operation:?}");
        }
        // Two of one model, told apart; both have had work, if only their trials.
        for device in ["device=\"double #0\"", "device=\"double #1\""] {
            let until = Instant::now() + TRIED_WITHIN;
            while sidecar.metric("outrigger_device_bytes_total", &["backend=\"cuda\"", device]) == 0.0 {
                assert!(Instant::now() < until, "{device} is never asked");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        for event in ["audit", "planted", "damaged", "fault"] {
            let label = format!("event=\"{event}\"");
            assert_eq!(sidecar.metric("outrigger_device_events_total", &[&label]), 0.0, "{event}");
        }
    });
}

#[test]
fn devices_and_commands_of_their_own_drive_them_too() {
    let _alone = alone();
    let said = devices(&doubles(2));
    let found: Vec<_> = said["devices"].as_array().expect("a list").iter().collect();
    let cuda: Vec<_> = found.iter().filter(|device| device["backend"] == "cuda").collect();
    let labels: Vec<_> = cuda.iter().map(|device| device["device"].as_str().unwrap_or_default()).collect();
    assert_eq!(labels, ["double #0", "double #1"]);
    for device in cuda {
        assert_eq!(device["failures"].as_array().map(Vec::len), Some(0), "{device}");
        assert!(device["costs"].as_array().is_some_and(|costs| !costs.is_empty()), "{device}");
        let rulesets = device["rulesets"].as_array().expect("a list");
        assert!(rulesets.iter().any(|ruleset| ruleset == "ethereum-transaction"), "{device}");
    }
    assert!(said["reasons"].get("cuda").is_none(), "{said}");
    let signed = items(Ruleset::Fabric, 20, 3, 22);
    let mut command = program();
    command.args(["verify", "--local", "--backend", "cuda", "--ruleset", "fabric", "--items", "-", "--json"]);
    let answer = run(command.envs(doubles(1)), &as_file(Ruleset::Fabric, &signed)).json();
    let wanted: Vec<_> = expected(&signed).iter().map(|verdict| verdict.name()).collect();
    assert_eq!(answer["verdicts"], serde_json::json!(wanted));
}

/// A sidecar that starts all the same, says why once, and refuses what is forced with a status.
fn serves_without(environment: Environment, why: &[&str]) {
    let said = devices(&environment);
    let reason = said["reasons"]["cuda"].as_str().unwrap_or_default();
    assert!(why.iter().all(|word| reason.contains(word)), "{why:?} in {said}");
    assert!(said["absent"].as_array().is_some_and(|absent| absent.iter().any(|one| one == "cuda")), "{said}");
    let sidecar = Sidecar::start_with_environment(CONFIG, environment);
    let log = sidecar.log();
    let lines = log.lines().filter(|line| line.contains("no devices of this backend") && line.contains("cuda"));
    assert_eq!(lines.count(), 1, "{log}");
    assert!(why.iter().all(|word| log.contains(word)), "{why:?} in {log}");
    runtime().block_on(async {
        let client = sidecar.client().await;
        let items = items(Ruleset::Fabric, 5, 2, 23);
        let work = as_work(Ruleset::Fabric, &items);
        let error = client.run(work.clone(), ON_CUDA()).await.expect_err("there is none");
        assert!(error.to_string().contains("cuda"), "{error}");
        let answer = client.run(work, CallOptions::default()).await.expect("the cores are there");
        assert_eq!(answer.output.verdicts, expected(&items));
    });
}

#[test]
fn without_a_driver_there_are_no_cuda_devices() {
    serves_without(no_driver(), &["no driver", "libcuda.so.1"]);
}

#[test]
fn with_a_driver_and_no_device_there_are_no_cuda_devices() {
    serves_without(doubles(0), &["no device"]);
}

#[test]
fn a_worker_that_is_not_installed_is_named() {
    let nowhere = vec![("OUTRIGGER_ENGINES__CUDA", "auto".into())];
    serves_without(nowhere, &["/nowhere/outrigger-cuda"]);
}

/// `bench devices`: what `benches/gpu-check` runs. Its exit status is what a script goes by.
#[test]
fn the_suite_for_gpus_compares_measures_and_tells_a_device_that_computes_wrong() {
    let _alone = alone();
    let faults = Faults::none();
    let bench = |part: &str| {
        let mut command = program();
        command.args(["bench", "devices", "--backend", "cuda", "--items-max", "33", "--part", part, "--json"]);
        command.args(["--algorithm", "sha256"]).envs(doubles(1)).envs([faults.variable()]);
        run(&mut command, "")
    };
    let (first, second) = (bench("1/2").json(), bench("2/2").json());
    let of = |half: &serde_json::Value, list: &str| half[list].as_array().expect("a list").clone();
    let checked = [of(&first, "conformance"), of(&second, "conformance")].concat();
    let names: Vec<_> = checked.iter().map(|one| one["operation"].as_str().expect("a name").to_owned()).collect();
    for name in ["hash sha256", "merkle binary sha256", "merkle rfc6962 sha256"] {
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} is in one part: {names:?}");
    }
    for one in &checked {
        assert_eq!((&one["wrong"], &one["failure"]), (&0.into(), &serde_json::Value::Null), "{one}");
        assert_eq!(one["items"], 1 + 2 + 7 + 33, "{one}");
    }
    assert_eq!((&first["slug"], &first["part"]["number"]), (&"double-cuda".into(), &1.into()));
    for record in [of(&first, "benches"), of(&second, "benches")].concat() {
        assert!(record["items_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{record}");
        assert_eq!(record["batch"], 1, "of the sizes that are measured, 33 bounds all others");
    }
    faults.begin("wrong");
    let wrong = bench("1/1");
    assert_eq!(wrong.status, 1, "{}", wrong.stderr);
    let told = wrong.json_whatever_the_status();
    let failures: Vec<_> = of(&told, "conformance").iter().map(|one| one["failure"].clone()).collect();
    assert!(failures.iter().any(|failure| failure.as_str().is_some_and(|why| why.contains("self-test"))), "{told}");
}
