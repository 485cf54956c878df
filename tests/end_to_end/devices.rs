//! A sidecar with an OpenCL device (PoCL, the processor) whose worker is a process of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_client::{CallOptions, Client};
use outrigger_types::{Backend, Ruleset};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::command::outrigger;
use crate::support::sidecar::Sidecar;
use crate::support::workload::{as_work, expected, items};

/// How long the kernels of a cold cache may take to compile, on a machine that does other things too.
const COMPILED_WITHIN: Duration = Duration::from_secs(900);
const ON_DEVICE: fn() -> CallOptions = || CallOptions { backend: Some(Backend::Opencl), ..CallOptions::default() };

/// Whether there is an OpenCL device; says so where not, and fails where there must be one.
fn has_device() -> bool {
    let listed = outrigger(&["device-worker", "--list"], "");
    let is_here = !listed.stdout.trim().is_empty();
    if !is_here {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no OpenCL device, which CI must have");
        println!("NOT RUN: no OpenCL device; install pocl-opencl-icd");
    }
    is_here
}

/// A sidecar that uses every OpenCL device and judges everything again. Compiled kernels outlive it.
fn sidecar() -> Sidecar {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels");
    Sidecar::start_with(&format!(
        "[engines]\nopencl = \"all\"\n[devices]\naudit_per_million = 1000000\nhang_max = \"60s\"\nkernel_cache = {cache:?}\n"
    ))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Verifies on the device as soon as it is offered.
async fn until_served(client: &Client, ruleset: Ruleset) {
    let until = Instant::now() + COMPILED_WITHIN;
    let items = items(ruleset, 24, 3, 11);
    loop {
        match client.run(as_work(ruleset, &items), ON_DEVICE()).await {
            Ok(answer) => return assert_eq!(answer.output.verdicts, expected(&items), "{ruleset}"),
            Err(error) => assert!(Instant::now() < until, "{ruleset} is not served: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The worker of the sidecar: its child.
fn worker_of(sidecar: &Sidecar) -> Option<Pid> {
    let pid = sidecar.pid();
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let of_threads = std::fs::read_dir(format!("/proc/{pid}/task"))
        .ok()?
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let all: String = of_threads.chain([children]).collect::<Vec<_>>().join(" ");
    all.split_whitespace().find_map(|pid| Pid::from_raw(pid.parse().ok()?))
}

#[test]
fn verdicts_of_a_device_are_those_of_the_cores_and_a_killed_worker_loses_nothing() {
    if !has_device() {
        return;
    }
    let sidecar = sidecar();
    let runtime = runtime();
    runtime.block_on(async {
        let client = sidecar.client().await;
        for ruleset in [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::LibraEd25519] {
            until_served(&client, ruleset).await;
        }
        let started = sidecar.metric("outrigger_device_workers_total", &["event=\"started\""]);
        let items = items(Ruleset::Fabric, 256, 5, 12);
        let work = as_work(Ruleset::Fabric, &items);
        // Killed while it works: forced work fails with a status, and never with a verdict.
        let on_device = client.run(work.clone(), ON_DEVICE());
        let killed = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let worker = worker_of(&sidecar).expect("a worker");
            kill_process(worker, Signal::KILL).expect("it is killed");
        };
        let (answer, ()) = tokio::join!(on_device, killed);
        if let Ok(answer) = answer {
            assert_eq!(answer.output.verdicts, expected(&items), "it was quicker");
        }
        // Whoever leaves the choice open notices nothing.
        for _ in 0..20 {
            let answer = client.run(work.clone(), CallOptions::default()).await.expect("the cores are there");
            assert_eq!(answer.output.verdicts, expected(&items));
        }
        until_served(&client, Ruleset::Fabric).await;
        let until = Instant::now() + Duration::from_secs(30);
        while sidecar.metric("outrigger_device_workers_total", &["event=\"started\""]) <= started {
            assert!(Instant::now() < until, "the metrics tell of another process");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(sidecar.metric("outrigger_device_events_total", &["event=\"audit\""]), 0.0);
        assert_eq!(sidecar.metric("outrigger_device_events_total", &["event=\"planted\""]), 0.0);
        assert_eq!(sidecar.metric("outrigger_device_events_total", &["event=\"damaged\""]), 0.0);
    });
}
