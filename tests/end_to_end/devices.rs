//! A sidecar with an OpenCL device (PoCL, the processor) whose worker is a process of its own.

use std::time::{Duration, Instant};

use ark_bn254::Fr;
use ark_ff::PrimeField;
use outrigger_client::{CallOptions, ProofSecret};
use outrigger_groth16::PreparedKey;
use outrigger_types::{Backend, Ruleset, Verdict};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rustix::process::{Signal, kill_process};
use zeroize::Zeroizing;

use crate::support::circuits::{Circuit, add, membership_inputs, proved_in_stages};
use crate::support::device::{alone, has_opencl, kernel_cache, on, until_proved, until_served, worker_of};
use crate::support::sidecar::Sidecar;
use crate::support::workload::{as_work, expected, items};

/// The stages that a device does, in order.
const DEVICE_STAGES: [&str; 4] = ["sparse_product", "ntt", "msm_g1", "msm_g2"];

/// Proofs that another engine made.
const REPEATED: &str = "outrigger_proofs_repeated_total";

/// A sidecar that uses every OpenCL device and judges everything again.
fn sidecar() -> Sidecar {
    let cache = kernel_cache();
    Sidecar::start_with(&format!(
        "[engines]\nopencl = \"all\"\n[devices]\naudit_per_million = 1000000\nhang_max = \"60s\"\nkernel_cache = {cache:?}\n"
    ))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Since the begin of the first stage of a device, the midst of each.
fn midst_of_stages(stages: &[(String, Duration)]) -> Vec<Option<Duration>> {
    let took = |name: &str| stages.iter().filter(|(stage, _)| stage == name).map(|(_, time)| *time).sum::<Duration>();
    let mut begin = Duration::ZERO;
    let midst = DEVICE_STAGES.map(|name| {
        let midst = begin + took(name) / 2;
        begin += took(name);
        Some(midst)
    });
    assert!(begin > Duration::ZERO, "the sidecar tells what stages take: {stages:?}");
    midst.to_vec()
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
    let sidecar = sidecar();
    let folder = tempfile::tempdir().expect("a folder");
    let (cube, membership) = (Circuit::cube(folder.path()), Circuit::membership(folder.path()));
    runtime().block_on(async {
        let client = sidecar.client().await;
        let (cube, _) = add(&client, &cube).await;
        let (membership, key) = add(&client, &membership).await;
        until_proved(&client, Backend::Opencl, cube).await;
        assert_eq!(sidecar.metric(REPEATED, &[]), 0.0);
        let verifier = PreparedKey::new(&key).expect("a good key");
        let mut random = StdRng::seed_from_u64(7);
        // A device does all of its stages in one go: what each of them takes is told with the proof, and by that the worker
        // is killed in the midst of each. The first proof is left alone, and shows the times.
        let mut kills = vec![None];
        while let Some(kill_after) = kills.pop() {
            let (inputs, root) = membership_inputs(&mut random);
            let secret = ProofSecret::Inputs(Zeroizing::new(inputs.to_string().into_bytes()));
            let stream = client.prove(membership, &secret, on(Backend::Opencl)).await.expect("it is taken");
            let mut killer = None;
            let begins = |stage: &str| {
                if let Some(after) = kill_after
                    && stage == DEVICE_STAGES[0]
                    && killer.is_none()
                {
                    let worker = worker_of(&sidecar).expect("a worker");
                    killer = Some(std::thread::spawn(move || {
                        std::thread::sleep(after);
                        kill_process(worker, Signal::KILL).expect("it is killed");
                        worker
                    }));
                }
            };
            let (proof, stages) =
                proved_in_stages(stream, begins).await.expect("a proof, by the device or by the cores");
            assert_eq!(verifier.verify(&proof.bytes, &proof.public_signals), Verdict::Valid);
            let signal = Fr::from_be_bytes_mod_order(&proof.public_signals[..32]);
            assert_eq!(signal.to_string(), root, "the root that the secret leads to");
            if let Some(killer) = killer {
                let killed = killer.join().expect("the worker was there");
                // The device comes back, with another worker: until its end is noticed, a proof that insists on it is taken.
                while worker_of(&sidecar).is_none_or(|worker| worker == killed) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                until_proved(&client, Backend::Opencl, cube).await;
            } else {
                assert_eq!(sidecar.metric(REPEATED, &[]), 0.0, "the device made it");
                kills = midst_of_stages(&stages);
            }
        }
        assert!(sidecar.metric(REPEATED, &[]) >= 1.0, "no kill met a proof");
        let made = sidecar.metric("outrigger_proofs_by_engine_total", &["engine=\"opencl\""]);
        assert!(made >= 10.0, "{made} proofs were begun on the device");
    });
}
