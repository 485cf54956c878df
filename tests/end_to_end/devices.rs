//! A sidecar with an OpenCL device (PoCL, the processor) whose worker is a process of its own.

use std::time::{Duration, Instant};

use outrigger_client::CallOptions;
use outrigger_types::{Backend, Ruleset};
use rustix::process::{Signal, kill_process};

use crate::support::device::{alone, has_opencl, on, sidecar, until_served, worker_of};
use crate::support::killed::{self, STAGES};
use crate::support::workload::{as_work, expected, items};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn verdicts_of_a_device_are_those_of_the_cores_and_a_killed_worker_loses_nothing() {
    if !has_opencl() {
        return;
    }
    let _alone = alone();
    let sidecar = sidecar();
    let runtime = runtime();
    runtime.block_on(async {
        let client = sidecar.client().await;
        for ruleset in [Ruleset::EthereumTransaction, Ruleset::Fabric, Ruleset::FiscoSm2, Ruleset::LibraEd25519] {
            until_served(&client, Backend::Opencl, ruleset).await;
        }
        // Each device is in one state; one that serves is up, or still compiles the kernels of other operations.
        let devices = sidecar.metric("outrigger_engine_healthy", &["backend=\"opencl\""]);
        assert_eq!(sidecar.metric("outrigger_device_state", &[]), devices);
        for state in ["state=\"quarantined\"", "state=\"down\""] {
            assert_eq!(sidecar.metric("outrigger_device_state", &[state]), 0.0, "{state}");
        }
        assert!(sidecar.metric("outrigger_device_memory_limit_bytes", &["backend=\"opencl\""]) > 0.0);
        let started = sidecar.metric("outrigger_device_workers_total", &["event=\"started\""]);
        let items = items(Ruleset::Fabric, 256, 5, 12);
        let work = as_work(Ruleset::Fabric, &items);
        // Killed while it works: forced work fails with a status, and never with a verdict.
        let on_device = client.run(work.clone(), on(Backend::Opencl));
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
        until_served(&client, Backend::Opencl, Ruleset::Fabric).await;
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

#[test]
fn proofs_of_a_device_verify_and_a_killed_worker_loses_none() {
    if !has_opencl() {
        return;
    }
    let _alone = alone();
    // In one stage here; in each of them in the soak, which starts as many workers.
    killed::while_proving(&[STAGES[3]], 7);
}
